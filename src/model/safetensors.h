// Tensors on disk in the safetensors format: a u64 header length, a JSON header, the tensors' bytes.
#ifndef RHODES_MODEL_SAFETENSORS_H_
#define RHODES_MODEL_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "model/dtype.h"

namespace rhodes {

// Row-major, little-endian.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string_view bytes;  // lives as long as the file it came from; aligned to 8 bytes only when the header is

  int64_t elements() const;
};

// A safetensors file, memory-mapped. Immutable, movable (views stay valid); thread-safe.
class SafetensorsFile {
 public:
  // Everything is checked before it returns: a header of at most 100 MB, known dtypes, offsets inside the file that
  // follow each other without overlap or gap, sizes equal to dtype times shape. DATA_LOSS "`path`: ..." when
  // something is not so; whatever file error MappedFile has.
  static absl::StatusOr<SafetensorsFile> Open(const std::string& path);
  // The same over bytes in memory, which must outlive the object; `what` names them in messages.
  static absl::StatusOr<SafetensorsFile> Parse(std::string_view bytes, std::string_view what);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // NOT_FOUND when there is none of that name; INVALID_ARGUMENT with both shapes when it is not of `shape`.
  absl::StatusOr<TensorView> Get(const std::string& name, const std::vector<int64_t>& shape) const;

 private:
  absl::Status ReadHeader(std::string_view bytes, std::string_view what);

  MappedFile file_;
  std::string what_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Values [first, first + count) of a tensor, in row-major order, as a tensor of one dimension. They must be there.
TensorView PartOf(const TensorView& tensor, int64_t first, int64_t count);

// A tensor's values as f32; `out` has tensor.elements() places. F32, BF16 and F16 only: INVALID_ARGUMENT otherwise.
absl::Status ReadAsFloat(const TensorView& tensor, std::span<float> out);

// BF16 is the upper half of an f32.
inline float Bf16ToFloat(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  static_assert(sizeof(value) == sizeof(wide));
  __builtin_memcpy(&value, &wide, sizeof(value));
  return value;
}
// Rounds to nearest, ties to even; NaN stays NaN.
inline uint16_t FloatToBf16(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}
float F16ToFloat(uint16_t bits);
// Rounds to nearest, ties to even; beyond the range infinity, NaN stays NaN.
uint16_t FloatToF16(float value);

// How a file begins whose header is `json`: its length, and the text padded with spaces to 8 bytes.
std::string SafetensorsHeader(std::string json);

struct NamedTensor {
  std::string name;
  TensorView tensor;
};

// Writes a file whose bytes depend on the tensors and `metadata` alone: tensors in the order of element size
// (largest first, as other writers do, so that all are aligned), then of name; header padded to 8 bytes with spaces.
// Written beside `path` and renamed when whole and synced; the tensors are not copied. INVALID_ARGUMENT when a tensor's
// bytes are not dtype times shape or a name occurs twice; RESOURCE_EXHAUSTED on a full disk, with `path` as it was.
absl::Status WriteSafetensors(const std::string& path, std::vector<NamedTensor> tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace rhodes

#endif  // RHODES_MODEL_SAFETENSORS_H_
