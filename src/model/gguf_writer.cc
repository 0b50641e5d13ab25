#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/container/flat_hash_set.h"
#include "base/atomic_file.h"
#include "model/gguf.h"
#include "model/gguf_layout.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

constexpr int64_t kPiece = int64_t{1} << 20;  // values converted at a time: whole blocks

template <typename T>
void Append(T value, std::string& out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void AppendText(std::string_view text, std::string& out) {
  Append<uint64_t>(text.size(), out);
  out += text;
}

// As ggml's quantize_row_q8_0_ref. False when the scale is beyond f16.
bool AppendQ8Block(const float* values, std::string& out) {
  float largest = 0;
  for (uint64_t i = 0; i < gguf_layout::kBlock; ++i) largest = std::max(largest, std::fabs(values[i]));
  const float scale = largest / 127.0f;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  const uint16_t bits = FloatToF16(scale);
  Append(bits, out);
  for (uint64_t i = 0; i < gguf_layout::kBlock; ++i) {
    // A scale below the smallest normal f32 has an inverse of infinity: such a block is all zeros in f16 anyway.
    const float scaled = std::isinf(inverse) ? 0.0f : std::round(values[i] * inverse);
    out += static_cast<char>(static_cast<int8_t>(scaled));
  }
  return (bits & 0x7C00u) != 0x7C00u;
}

// Appends `values` in the tensor's type. INVALID_ARGUMENT naming the first value (counted from `first`) that it cannot
// hold.
absl::Status Convert(GgmlType type, int64_t first, std::span<const float> values, std::string& out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return absl::InvalidArgumentError(fmt::format("value {} is {}", first + static_cast<int64_t>(i), values[i]));
    }
  }
  switch (type) {
    case GgmlType::kF32:
      out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      break;
    case GgmlType::kF16:
      for (const float value : values) Append(FloatToF16(value), out);
      break;
    case GgmlType::kBf16:
      for (const float value : values) Append(FloatToBf16(value), out);
      break;
    case GgmlType::kQ8_0:
      for (size_t i = 0; i < values.size(); i += gguf_layout::kBlock) {
        if (!AppendQ8Block(values.data() + i, out)) {
          return absl::InvalidArgumentError(fmt::format("values {} to {} are too large for q8_0",
                                                        first + static_cast<int64_t>(i),
                                                        first + static_cast<int64_t>(i + gguf_layout::kBlock - 1)));
        }
      }
      break;
  }
  return absl::OkStatus();
}

}  // namespace

void GgufWriter::AddKey(std::string_view key, GgufType type) {
  keys_.emplace_back(key);
  AppendText(key, values_);
  Append(static_cast<uint32_t>(type), values_);
}

void GgufWriter::AddU32(std::string_view key, uint32_t value) {
  AddKey(key, GgufType::kU32);
  Append(value, values_);
}
void GgufWriter::AddF32(std::string_view key, float value) {
  AddKey(key, GgufType::kF32);
  Append(value, values_);
}
void GgufWriter::AddBool(std::string_view key, bool value) {
  AddKey(key, GgufType::kBool);
  Append<uint8_t>(value ? 1 : 0, values_);
}
void GgufWriter::AddText(std::string_view key, std::string_view value) {
  AddKey(key, GgufType::kString);
  AppendText(value, values_);
}
void GgufWriter::AddTexts(std::string_view key, const std::vector<std::string>& values) {
  AddKey(key, GgufType::kArray);
  Append(static_cast<uint32_t>(GgufType::kString), values_);
  Append<uint64_t>(values.size(), values_);
  for (const std::string& value : values) AppendText(value, values_);
}
void GgufWriter::AddI32s(std::string_view key, const std::vector<int32_t>& values) {
  AddKey(key, GgufType::kArray);
  Append(static_cast<uint32_t>(GgufType::kI32), values_);
  Append<uint64_t>(values.size(), values_);
  for (const int32_t value : values) Append(value, values_);
}
void GgufWriter::AddF32s(std::string_view key, const std::vector<float>& values) {
  AddKey(key, GgufType::kArray);
  Append(static_cast<uint32_t>(GgufType::kF32), values_);
  Append<uint64_t>(values.size(), values_);
  for (const float value : values) Append(value, values_);
}

void GgufWriter::AddTensor(std::string name, std::vector<int64_t> shape, GgmlType type, Fill fill) {
  tensors_.push_back({std::move(name), std::move(shape), type, std::move(fill)});
}

absl::Status GgufWriter::Write(const std::string& path) const {
  absl::flat_hash_set<std::string_view> seen;
  for (const std::string& key : keys_) {
    if (key.empty() || key.size() > gguf_layout::kMaxKeyBytes || !seen.insert(key).second) {
      return absl::InvalidArgumentError(fmt::format("{}: key {}: empty, too long or given twice", path, key));
    }
  }
  seen.clear();
  std::string header = "GGUF";
  Append<uint32_t>(3, header);
  Append<uint64_t>(tensors_.size(), header);
  Append<uint64_t>(keys_.size(), header);
  header += values_;
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    const auto wrong = [&](std::string_view why) {
      return absl::InvalidArgumentError(fmt::format("{}: tensor {}: {}", path, tensor.name, why));
    };
    const bool shaped = !tensor.shape.empty() && tensor.shape.size() <= GgufFile::kMaxDimensions &&
                        *std::min_element(tensor.shape.begin(), tensor.shape.end()) > 0;
    if (!shaped) return wrong(fmt::format("shape [{}] is not 1 to 4 sizes", fmt::join(tensor.shape, ", ")));
    if (tensor.name.empty() || tensor.name.size() > gguf_layout::kMaxNameBytes) return wrong("not 1 to 63 bytes long");
    if (!seen.insert(tensor.name).second) return wrong("given twice");
    const std::optional<uint64_t> bytes = gguf_layout::TensorBytes(tensor.type, tensor.shape);
    if (!bytes) return wrong(fmt::format("rows of {} values are no multiple of q8_0's 32", tensor.shape.back()));
    AppendText(tensor.name, header);
    Append(static_cast<uint32_t>(tensor.shape.size()), header);
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
      Append(static_cast<uint64_t>(*size), header);
    }
    Append(static_cast<uint32_t>(tensor.type), header);
    Append(offset, header);
    offset = gguf_layout::Pad(offset + *bytes, gguf_layout::kAlignment);
  }
  header.resize(gguf_layout::Pad(header.size(), gguf_layout::kAlignment));

  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  RETURN_IF_ERROR(file.Write(header));
  std::vector<float> values;
  std::string out;
  for (const Tensor& tensor : tensors_) {
    int64_t count = 1;
    for (const int64_t size : tensor.shape) count *= size;
    uint64_t written = 0;
    for (int64_t first = 0; first < count; first += kPiece) {
      values.resize(static_cast<size_t>(std::min(kPiece, count - first)));
      out.clear();
      RETURN_IF_ERROR(tensor.fill(first, values));
      RETURN_IF_ERROR(Annotate(Convert(tensor.type, first, values, out), fmt::format("tensor {}", tensor.name)));
      written += out.size();
      if (first + kPiece >= count)
        out.resize(out.size() + gguf_layout::Pad(written, gguf_layout::kAlignment) - written);
      RETURN_IF_ERROR(file.Write(out));
    }
  }
  return file.Commit();
}

}  // namespace rhodes
