// Types of values in safetensors files.
#ifndef RHODES_MODEL_DTYPE_H_
#define RHODES_MODEL_DTYPE_H_

#include <cstdint>
#include <string_view>

namespace rhodes {

enum class DType { kBool, kU8, kI8, kI16, kU16, kF16, kBf16, kI32, kU32, kF32, kI64, kU64, kF64 };

std::string_view DTypeName(DType dtype);  // "BF16"
uint64_t DTypeBytes(DType dtype);

}  // namespace rhodes

#endif  // RHODES_MODEL_DTYPE_H_
