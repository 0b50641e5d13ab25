#include "source/thrift_compact.h"

namespace rhodes {
namespace {

constexpr int kMostDepth = 32;

}  // namespace

void ThriftReader::Fail() {
  ok_ = false;
  position_ = bytes_.size();
}

uint8_t ThriftReader::Byte() {
  if (position_ >= bytes_.size()) {
    Fail();
    return 0;
  }
  return static_cast<uint8_t>(bytes_[position_++]);
}

uint64_t ThriftReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = Byte();
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

bool ThriftReader::Next(Fields& fields) {
  const uint8_t head = Byte();
  fields.type = head & 0x0F;
  if (!ok_ || fields.type == kStop) return false;
  fields.id = (head >> 4) != 0 ? fields.id + (head >> 4) : static_cast<int32_t>(Integer());
  return ok_;
}

int64_t ThriftReader::Integer() {
  const uint64_t value = Varint();
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

std::string_view ThriftReader::Binary() {
  const uint64_t size = Varint();
  if (!ok_ || size > bytes_.size() - position_) {
    Fail();
    return {};
  }
  const std::string_view value = bytes_.substr(position_, size);
  position_ += size;
  return value;
}

uint64_t ThriftReader::List(uint8_t& type) {
  const uint8_t head = Byte();
  type = head & 0x0F;
  const uint64_t size = (head >> 4) == 15 ? Varint() : head >> 4;
  // Every element takes a byte at least.
  if (!ok_ || size > bytes_.size() - position_) {
    Fail();
    return 0;
  }
  return size;
}

void ThriftReader::Skip(uint8_t type, int depth) {
  if (depth > kMostDepth) return Fail();
  switch (type) {
    case kTrue:
    case kFalse:
      return;  // of a field; of a list it is a byte, see below
    case kByte:
      Byte();
      return;
    case kI16:
    case kI32:
    case kI64:
      Varint();
      return;
    case kDouble:
      for (int i = 0; i < 8; ++i) Byte();
      return;
    case kBinary:
      Binary();
      return;
    case kList:
    case kSet: {
      uint8_t element = 0;
      const uint64_t count = List(element);
      for (uint64_t i = 0; i < count && ok_; ++i) Skip(element <= kFalse ? uint8_t{kByte} : element, depth + 1);
      return;
    }
    case kMap: {
      const uint64_t count = Varint();
      if (count == 0) return;
      const uint8_t types = Byte();
      for (uint64_t i = 0; i < count && ok_; ++i) {
        Skip((types >> 4) <= kFalse ? uint8_t{kByte} : static_cast<uint8_t>(types >> 4), depth + 1);
        Skip((types & 0x0F) <= kFalse ? uint8_t{kByte} : static_cast<uint8_t>(types & 0x0F), depth + 1);
      }
      return;
    }
    case kStruct:
      for (Fields fields = Begin(); Next(fields);) Skip(fields.type, depth + 1);
      return;
    default:
      Fail();
  }
}

}  // namespace rhodes
