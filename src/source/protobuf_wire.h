// Reads the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), bounds checked.
#ifndef RHODES_SOURCE_PROTOBUF_WIRE_H_
#define RHODES_SOURCE_PROTOBUF_WIRE_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace rhodes {

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : bytes_(bytes) {}

  enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  struct Field {
    uint32_t number = 0;
    uint32_t wire = 0;
    uint64_t value = 0;      // kVarint, kFixed64, kFixed32
    std::string_view bytes;  // kBytes
  };

  // The next field; nothing at the end, or when the bytes are no message: then broken() is true.
  std::optional<Field> Next() {
    if (at_ == bytes_.size()) return std::nullopt;
    Field field;
    const std::optional<uint64_t> tag = Varint();
    if (!tag || *tag >> 3 == 0 || *tag >> 3 > 536'870'911) return Fail();
    field.number = static_cast<uint32_t>(*tag >> 3);
    field.wire = static_cast<uint32_t>(*tag & 7);
    switch (field.wire) {
      case kVarint: {
        const std::optional<uint64_t> value = Varint();
        if (!value) return Fail();
        field.value = *value;
        return field;
      }
      case kFixed64:
        return Fixed(8, field);
      case kFixed32:
        return Fixed(4, field);
      case kBytes: {
        const std::optional<uint64_t> size = Varint();
        if (!size || *size > bytes_.size() - at_) return Fail();
        field.bytes = bytes_.substr(at_, *size);
        at_ += *size;
        return field;
      }
      default:
        return Fail();  // groups are of the past
    }
  }
  bool broken() const { return broken_; }

  // A varint at the reader's place, as length-delimited streams have before each message.
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  size_t position() const { return at_; }

 private:
  std::optional<Field> Fail() {
    broken_ = true;
    at_ = bytes_.size();
    return std::nullopt;
  }
  std::optional<Field> Fixed(size_t size, Field field) {
    if (size > bytes_.size() - at_) return Fail();
    std::memcpy(&field.value, bytes_.data() + at_, size);  // little-endian on both sides
    at_ += size;
    return field;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  bool broken_ = false;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_PROTOBUF_WIRE_H_
