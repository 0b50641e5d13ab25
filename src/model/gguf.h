// GGUF, version 3: one file of named values and tensors, as llama.cpp reads it.
//
// Layout (little-endian, nothing between the fields): "GGUF", u32 version, u64 tensors, u64 values; each value a
// string key (u64 length, bytes), u32 type and the value; each tensor a name, u32 dimensions, u64 sizes (innermost
// first: the reverse of a row-major shape), u32 type, u64 offset from the start of the data; then, at the next multiple
// of `general.alignment` (32), the tensors' bytes, each padded to that multiple. Source: ggml, docs/gguf.md.
#ifndef RHODES_MODEL_GGUF_H_
#define RHODES_MODEL_GGUF_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"

namespace rhodes {

// Of values, with the numbers of the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12
};

// Of tensors, with the numbers of the file. Q8_0: blocks of 32 values of a row, each an f16 scale and 32 i8.
enum class GgmlType : uint32_t { kF32 = 0, kF16 = 1, kQ8_0 = 8, kBf16 = 30 };
std::string_view GgmlTypeName(GgmlType type);  // "f32", "f16", "q8_0", "bf16"

struct GgufTensor {
  GgmlType type = GgmlType::kF32;
  std::vector<int64_t> shape;  // row-major, outermost first: the reverse of the file's sizes
  uint64_t offset = 0;         // of its first byte in the file
  std::string_view bytes;

  int64_t elements() const;
};

// A GGUF file, memory-mapped. Immutable, movable (views stay valid); thread-safe.
class GgufFile {
 public:
  static constexpr uint64_t kMaxDimensions = 4;

  // Everything is checked before it returns: magic and version (2 and 3, little-endian), that every count and length
  // fits the file, known types, unique keys and names, that the tensors lie one after another (padded, in the declared
  // order) inside the file. DATA_LOSS "`path`: key|tensor `name`: byte N: ..." when something is not so;
  // INVALID_ARGUMENT for a tensor of a type that is not read (naming it); whatever file error MappedFile has.
  static absl::StatusOr<GgufFile> Open(const std::string& path);
  // The same over bytes in memory, which must outlive the object; `what` names them in messages.
  static absl::StatusOr<GgufFile> Parse(std::string_view bytes, std::string_view what);

  const std::string& what() const { return what_; }
  std::vector<std::string> Keys() const;  // sorted
  bool Has(const std::string& key) const { return values_.contains(key); }

  // The value of `key`. NOT_FOUND when there is none; INVALID_ARGUMENT when it is of another type. Integer takes all
  // integer types that fit an int64, Number those and floats.
  absl::StatusOr<int64_t> Integer(const std::string& key) const;
  absl::StatusOr<double> Number(const std::string& key) const;
  absl::StatusOr<bool> Boolean(const std::string& key) const;
  absl::StatusOr<std::string_view> Text(const std::string& key) const;
  absl::StatusOr<std::vector<std::string_view>> Texts(const std::string& key) const;
  absl::StatusOr<std::vector<int64_t>> Integers(const std::string& key) const;
  absl::StatusOr<std::vector<double>> Numbers(const std::string& key) const;

  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  // NOT_FOUND when there is none.
  absl::StatusOr<GgufTensor> Tensor(const std::string& name) const;

 private:
  friend class GgufParser;
  struct Value {
    GgufType type;    // kArray: of its elements
    bool array;       //
    uint64_t count;   // of elements, or 1
    uint64_t offset;  // of `bytes` in the file
    std::string_view bytes;
  };

  absl::StatusOr<Value> Find(const std::string& key, bool array, std::string_view wanted) const;
  absl::Status WrongType(const std::string& key, const Value& value, std::string_view wanted) const;

  MappedFile file_;
  std::string what_;
  std::map<std::string, Value> values_;
  std::map<std::string, GgufTensor> tensors_;
};

// Values [first, first + out.size()) of `tensor`, in row-major order, as f32. For Q8_0 `first` and the length are
// multiples of 32 (or end with the tensor). INVALID_ARGUMENT otherwise, and beyond the tensor's end.
absl::Status ReadGgufValues(const GgufTensor& tensor, int64_t first, std::span<float> out);

// Collects values and tensors, then writes the file. Not thread-safe.
class GgufWriter {
 public:
  // Gives values [first, first + out.size()) of a tensor, in row-major order.
  using Fill = std::function<absl::Status(int64_t first, std::span<float> out)>;

  void AddU32(std::string_view key, uint32_t value);
  void AddF32(std::string_view key, float value);
  void AddBool(std::string_view key, bool value);
  void AddText(std::string_view key, std::string_view value);
  void AddTexts(std::string_view key, const std::vector<std::string>& values);
  void AddI32s(std::string_view key, const std::vector<int32_t>& values);
  void AddF32s(std::string_view key, const std::vector<float>& values);
  // `shape` is row-major, outermost first. Q8_0 rounds as ggml does: a block's scale is its largest magnitude / 127,
  // values are rounded half away from zero. `fill` is called by Write, with at most 1 Mi values at a time, in order.
  void AddTensor(std::string name, std::vector<int64_t> shape, GgmlType type, Fill fill);

  // Writes a file whose bytes depend on the calls alone, in their order; it appears when whole and synced. Holds one
  // piece of a tensor at a time. INVALID_ARGUMENT for a key or name given twice, a name longer than 63 bytes, a shape
  // of none or more than 4 sizes, Q8_0 of rows that are no multiple of 32, a value that the type cannot hold (NaN,
  // infinity), naming the tensor; `fill`'s errors; RESOURCE_EXHAUSTED on a full disk, with `path` as it was.
  absl::Status Write(const std::string& path) const;

 private:
  struct Tensor {
    std::string name;
    std::vector<int64_t> shape;
    GgmlType type;
    Fill fill;
  };

  void AddKey(std::string_view key, GgufType type);

  std::vector<std::string> keys_;
  std::string values_;  // as they stand in the file
  std::vector<Tensor> tensors_;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_GGUF_H_
