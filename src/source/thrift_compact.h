// The compact protocol of Thrift, as far as Parquet's metadata needs it.
#ifndef RHODES_SOURCE_THRIFT_COMPACT_H_
#define RHODES_SOURCE_THRIFT_COMPACT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rhodes {

// A cursor over a struct's fields. Whatever is malformed makes ok() false, after which everything is zero and empty and
// Next() is false; nesting is limited, so that no input is followed deeper than the stack.
class ThriftReader {
 public:
  enum Type : uint8_t {
    kStop = 0,
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kI16 = 4,
    kI32 = 5,
    kI64 = 6,
    kDouble = 7,
    kBinary = 8,
    kList = 9,
    kSet = 10,
    kMap = 11,
    kStruct = 12
  };

  explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }

  // Fields of a struct: for (auto fields = reader.Begin(); reader.Next(fields);) switch (fields.id) ...; each value is
  // to be read or skipped.
  struct Fields {
    int32_t id = 0;
    uint8_t type = kStop;
  };
  static Fields Begin() { return {}; }
  bool Next(Fields& fields);

  int64_t Integer();  // i16, i32, i64
  std::string_view Binary();
  // The number of elements that follow, and their type.
  uint64_t List(uint8_t& type);
  void Skip(uint8_t type) { Skip(type, 0); }

 private:
  uint64_t Varint();
  uint8_t Byte();
  void Fail();
  void Skip(uint8_t type, int depth);

  std::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_THRIFT_COMPACT_H_
