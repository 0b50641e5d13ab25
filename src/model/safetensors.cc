#include "model/safetensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/atomic_file.h"
#include "base/json.h"

namespace rhodes {
namespace {

constexpr uint64_t kMaximumHeaderBytes = 100'000'000;  // the reference reader's limit

struct DTypeEntry {
  DType dtype;
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<DTypeEntry, 13> kDTypes = {{{DType::kBool, "BOOL", 1},
                                                 {DType::kU8, "U8", 1},
                                                 {DType::kI8, "I8", 1},
                                                 {DType::kI16, "I16", 2},
                                                 {DType::kU16, "U16", 2},
                                                 {DType::kF16, "F16", 2},
                                                 {DType::kBf16, "BF16", 2},
                                                 {DType::kI32, "I32", 4},
                                                 {DType::kU32, "U32", 4},
                                                 {DType::kF32, "F32", 4},
                                                 {DType::kI64, "I64", 8},
                                                 {DType::kU64, "U64", 8},
                                                 {DType::kF64, "F64", 8}}};

const DTypeEntry& Entry(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

std::string ShapeText(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// dtype times shape in bytes; nothing when it overflows.
std::optional<uint64_t> ByteCount(DType dtype, const std::vector<int64_t>& shape) {
  uint64_t bytes = DTypeBytes(dtype);
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) return std::nullopt;
  }
  return bytes;
}

uint64_t ReadU64(std::string_view bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[static_cast<size_t>(i)]);
  return value;
}

struct Range {
  uint64_t begin;
  uint64_t end;
};

// One header entry; `data` are the bytes after the header.
absl::StatusOr<std::pair<TensorView, Range>> ReadEntry(const Json& json, std::string_view data) {
  if (!json.is_object()) return absl::DataLossError("not an object");
  const auto dtype = json.find("dtype");
  const auto shape = json.find("shape");
  const auto offsets = json.find("data_offsets");
  if (dtype == json.end() || !dtype->is_string()) return absl::DataLossError("dtype is not a string");
  if (shape == json.end() || !shape->is_array()) return absl::DataLossError("shape is not a list");
  if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    return absl::DataLossError("data_offsets are not two byte offsets");
  }
  TensorView tensor;
  const auto known = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeEntry& entry) {
    return entry.name == dtype->get_ref<const std::string&>();
  });
  if (known == kDTypes.end()) return absl::DataLossError(fmt::format("dtype {} is not known", DumpJson(*dtype)));
  tensor.dtype = known->dtype;
  for (const Json& size : *shape) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
      return absl::DataLossError(fmt::format("shape {} is not a list of sizes", DumpJson(*shape)));
    }
    tensor.shape.push_back(size.get<int64_t>());
  }
  const Range range{(*offsets)[0].get<uint64_t>(), (*offsets)[1].get<uint64_t>()};
  if (range.begin > range.end || range.end > data.size()) {
    return absl::DataLossError(
        fmt::format("bytes [{}, {}) are not inside the {} bytes of data", range.begin, range.end, data.size()));
  }
  const std::optional<uint64_t> bytes = ByteCount(tensor.dtype, tensor.shape);
  if (!bytes.has_value() || *bytes != range.end - range.begin) {
    return absl::DataLossError(fmt::format("{} bytes do not hold {} {}", range.end - range.begin,
                                           DTypeName(tensor.dtype), ShapeText(tensor.shape)));
  }
  tensor.bytes = data.substr(range.begin, range.end - range.begin);
  return std::pair{std::move(tensor), range};
}

absl::StatusOr<std::string> BuildHeader(const std::string& path, const std::vector<NamedTensor>& tensors,
                                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const NamedTensor& named : tensors) {
    const TensorView& tensor = named.tensor;
    const std::optional<uint64_t> bytes = ByteCount(tensor.dtype, tensor.shape);
    if (!bytes.has_value() || *bytes != tensor.bytes.size()) {
      return absl::InvalidArgumentError(fmt::format("{}: {}: {} bytes do not hold {} {}", path, named.name,
                                                    tensor.bytes.size(), DTypeName(tensor.dtype),
                                                    ShapeText(tensor.shape)));
    }
    if (header.contains(named.name)) {
      return absl::InvalidArgumentError(fmt::format("{}: tensor {} is given twice", path, named.name));
    }
    header[named.name] = {{"dtype", DTypeName(tensor.dtype)},
                          {"shape", tensor.shape},
                          {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = SafetensorsHeader(DumpJson(header));
  if (text.size() - 8 > kMaximumHeaderBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{}: header of {} bytes; at most {}", path, text.size() - 8, kMaximumHeaderBytes));
  }
  return text;
}

}  // namespace

std::string_view DTypeName(DType dtype) { return Entry(dtype).name; }
uint64_t DTypeBytes(DType dtype) { return Entry(dtype).bytes; }

int64_t TensorView::elements() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  SafetensorsFile file;
  RETURN_IF_ERROR(file.ReadHeader(mapped.bytes(), path));
  file.file_ = std::move(mapped);
  return file;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::Parse(std::string_view bytes, std::string_view what) {
  SafetensorsFile file;
  RETURN_IF_ERROR(file.ReadHeader(bytes, what));
  return file;
}

absl::Status SafetensorsFile::ReadHeader(std::string_view bytes, std::string_view what) {
  what_ = what;
  if (bytes.size() < 8)
    return absl::DataLossError(fmt::format("{}: {} bytes: no safetensors file", what, bytes.size()));
  const uint64_t header_bytes = ReadU64(bytes);
  if (header_bytes > kMaximumHeaderBytes || header_bytes > bytes.size() - 8) {
    return absl::DataLossError(fmt::format("{}: a header of {} bytes does not fit a file of {} bytes (at most {})",
                                           what, header_bytes, bytes.size(), kMaximumHeaderBytes));
  }
  const std::string_view text = bytes.substr(8, header_bytes);
  if (text.empty() || text.front() != '{') {
    return absl::DataLossError(fmt::format("{}: the header is not a JSON object", what));
  }
  const absl::StatusOr<Json> header = ParseJson(text, what);
  if (!header.ok()) return absl::DataLossError("header: " + Message(header.status()));

  const std::string_view data = bytes.substr(8 + header_bytes);
  std::vector<std::pair<Range, const std::string*>> ranges;
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) return absl::DataLossError(fmt::format("{}: __metadata__ is not an object", what));
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) {
          return absl::DataLossError(fmt::format("{}: __metadata__: {} is not a string", what, key));
        }
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    absl::StatusOr<std::pair<TensorView, Range>> read = ReadEntry(entry, data);
    if (!read.ok()) return Annotate(read.status(), fmt::format("{}: tensor {}", what, name));
    const auto [place, added] = tensors_.emplace(name, std::move(read->first));
    if (!added) return absl::DataLossError(fmt::format("{}: tensor {} is there twice", what, name));
    ranges.emplace_back(read->second, &place->first);
  }
  // The format allows no gaps: bytes that no tensor claims could carry anything.
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.begin, a.first.end) < std::tie(b.first.begin, b.first.end);
  });
  uint64_t expected = 0;
  for (const auto& [range, name] : ranges) {
    if (range.begin != expected) {
      return absl::DataLossError(fmt::format("{}: tensor {} begins at byte {} of the data, not at {}: {}", what, *name,
                                             range.begin, expected,
                                             range.begin < expected ? "tensors overlap" : "there is a gap"));
    }
    expected = range.end;
  }
  if (expected != data.size()) {
    return absl::DataLossError(
        fmt::format("{}: {} bytes of data, of which the tensors fill {}", what, data.size(), expected));
  }
  return absl::OkStatus();
}

absl::StatusOr<TensorView> SafetensorsFile::Get(const std::string& name, const std::vector<int64_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return absl::NotFoundError(fmt::format("{}: tensor {} is missing", what_, name));
  if (found->second.shape != shape) {
    return absl::InvalidArgumentError(fmt::format("{}: tensor {} has shape {}, not {}", what_, name,
                                                  ShapeText(found->second.shape), ShapeText(shape)));
  }
  return found->second;
}

float F16ToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = bits >> 10 & 0x1Fu;
  const uint32_t mantissa = bits & 0x3FFu;
  uint32_t wide;
  if (exponent == 0x1F) {
    wide = sign | 0x7F800000u | mantissa << 13;
  } else if (exponent != 0) {
    wide = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

TensorView PartOf(const TensorView& tensor, int64_t first, int64_t count) {
  const uint64_t size = DTypeBytes(tensor.dtype);
  return {tensor.dtype,
          {count},
          tensor.bytes.substr(static_cast<uint64_t>(first) * size, static_cast<uint64_t>(count) * size)};
}

std::string SafetensorsHeader(std::string json) {
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return out + json;
}

uint16_t FloatToF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<uint16_t>(sign | 0x7E00u);   // NaN
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);  // 65520 and above: infinity
  if (magnitude < 0x38800000u) {  // below the smallest normal number: a multiple of 2^-24
    float absolute;
    std::memcpy(&absolute, &magnitude, sizeof(absolute));
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(absolute * 0x1p24f)));
  }
  const uint32_t rebased = magnitude - 0x38000000u;  // the exponent's bias: 127 to 15
  return static_cast<uint16_t>(sign | (rebased + 0xFFFu + (rebased >> 13 & 1u)) >> 13);
}

absl::Status ReadAsFloat(const TensorView& tensor, std::span<float> out) {
  if (static_cast<int64_t>(out.size()) != tensor.elements()) {
    return absl::InvalidArgumentError(fmt::format("{} values for a tensor {}", out.size(), ShapeText(tensor.shape)));
  }
  const char* bytes = tensor.bytes.data();
  if (tensor.dtype == DType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), bytes, tensor.bytes.size());
    return absl::OkStatus();
  }
  if (tensor.dtype != DType::kBf16 && tensor.dtype != DType::kF16) {
    return absl::InvalidArgumentError(fmt::format("{} is not read as float", DTypeName(tensor.dtype)));
  }
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof(bits));
    out[i] = tensor.dtype == DType::kBf16 ? Bf16ToFloat(bits) : F16ToFloat(bits);
  }
  return absl::OkStatus();
}

absl::Status WriteSafetensors(const std::string& path, std::vector<NamedTensor> tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const uint64_t a_bytes = DTypeBytes(a.tensor.dtype);
    const uint64_t b_bytes = DTypeBytes(b.tensor.dtype);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.name < b.name;
  });
  ASSIGN_OR_RETURN(const std::string header, BuildHeader(path, tensors, metadata));
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  RETURN_IF_ERROR(file.Write(header));
  for (const NamedTensor& named : tensors) RETURN_IF_ERROR(file.Write(named.tensor.bytes));
  return file.Commit();
}

}  // namespace rhodes
