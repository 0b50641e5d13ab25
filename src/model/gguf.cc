#include "model/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "model/gguf_layout.h"
#include "model/safetensors.h"

namespace rhodes {

static_assert(std::endian::native == std::endian::little, "values are copied as they stand in the file");

namespace {

std::string_view TypeName(GgufType type) {
  static constexpr std::array<std::string_view, 13> kNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                              "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<size_t>(type)];
}

// Bytes of a value in an array; 0: strings, which have their own length.
uint64_t TypeBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return 0;
}

template <typename T>
T ReadRaw(std::string_view bytes, uint64_t index = 0) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// Element `index` of packed values as an integer; nothing for floats and for a u64 that an int64 does not hold.
std::optional<int64_t> IntegerAt(GgufType type, std::string_view bytes, uint64_t index) {
  switch (type) {
    case GgufType::kU8:
      return ReadRaw<uint8_t>(bytes, index);
    case GgufType::kI8:
      return ReadRaw<int8_t>(bytes, index);
    case GgufType::kU16:
      return ReadRaw<uint16_t>(bytes, index);
    case GgufType::kI16:
      return ReadRaw<int16_t>(bytes, index);
    case GgufType::kU32:
      return ReadRaw<uint32_t>(bytes, index);
    case GgufType::kI32:
      return ReadRaw<int32_t>(bytes, index);
    case GgufType::kI64:
      return ReadRaw<int64_t>(bytes, index);
    case GgufType::kU64: {
      const uint64_t value = ReadRaw<uint64_t>(bytes, index);
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> NumberAt(GgufType type, std::string_view bytes, uint64_t index) {
  if (type == GgufType::kF32) return static_cast<double>(ReadRaw<float>(bytes, index));
  if (type == GgufType::kF64) return ReadRaw<double>(bytes, index);
  if (const std::optional<int64_t> integer = IntegerAt(type, bytes, index)) return static_cast<double>(*integer);
  return std::nullopt;
}

// Names of ggml's other tensor types, for the message that refuses them.
std::string OtherTypeName(uint32_t type) {
  static constexpr std::array<std::string_view, 31> kNames = {
      "f32",   "f16",    "q4_0", "q4_1", "",     "",        "q5_0",   "q5_1",    "q8_0",  "q8_1",   "q2_k",
      "q3_k",  "q4_k",   "q5_k", "q6_k", "q8_k", "iq2_xxs", "iq2_xs", "iq3_xxs", "iq1_s", "iq4_nl", "iq3_s",
      "iq2_s", "iq4_xs", "i8",   "i16",  "i32",  "i64",     "f64",    "iq1_m",   "bf16"};
  if (type < kNames.size() && !kNames[type].empty()) return fmt::format("{} ({})", kNames[type], type);
  return fmt::format("number {}", type);
}

}  // namespace

std::string_view GgmlTypeName(GgmlType type) {
  switch (type) {
    case GgmlType::kF32:
      return "f32";
    case GgmlType::kF16:
      return "f16";
    case GgmlType::kQ8_0:
      return "q8_0";
    case GgmlType::kBf16:
      return "bf16";
  }
  return "";
}

int64_t GgufTensor::elements() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

// Reads a file from its first byte on; a friend of GgufFile, whose members it fills.
class GgufParser {
 public:
  GgufParser(std::string_view bytes, std::string_view what, GgufFile& file) : bytes_(bytes), what_(what), file_(file) {}

  absl::Status Parse() {
    file_.what_ = what_;
    if (bytes_.substr(0, 4) != "GGUF") return Error("no GGUF file: it does not begin with \"GGUF\"");
    at_ = 4;
    uint32_t version = 0;
    RETURN_IF_ERROR(Read(version, "version"));
    if (version != 2 && version != 3) {
      const bool swapped = __builtin_bswap32(version) <= 3;
      return Error(fmt::format("GGUF version {}{}; 2 and 3 are read", version, swapped ? " (big-endian)" : ""));
    }
    uint64_t tensors = 0;
    uint64_t values = 0;
    RETURN_IF_ERROR(Read(tensors, "number of tensors"));
    RETURN_IF_ERROR(Read(values, "number of keys"));
    // A tensor's entry has at least 24 bytes, a key's at least 13: more cannot be there, whatever the counts say.
    if (tensors > (bytes_.size() - at_) / 24 || values > (bytes_.size() - at_) / 13) {
      return Error(fmt::format("{} tensors and {} keys do not fit a file of {} bytes", tensors, values, bytes_.size()));
    }
    for (uint64_t i = 0; i < values; ++i) RETURN_IF_ERROR(ReadValue());
    std::vector<std::string> order;
    for (uint64_t i = 0; i < tensors; ++i) RETURN_IF_ERROR(ReadTensorEntry(order));
    return PlaceTensors(order);
  }

 private:
  absl::Status Error(std::string_view message) const {
    return absl::DataLossError(fmt::format("{}: {}", what_, message));
  }
  // An error at the present byte, inside `part` ("key `x`").
  absl::Status ErrorAt(std::string_view part, std::string_view message) const {
    return Error(fmt::format("{}: byte {}: {}", part, at_, message));
  }

  template <typename T>
  absl::Status Read(T& value, std::string_view part) {
    if (bytes_.size() - at_ < sizeof(T)) return ErrorAt(part, "the file ends here");
    value = ReadRaw<T>(bytes_.substr(at_));
    at_ += sizeof(T);
    return absl::OkStatus();
  }
  absl::Status ReadString(std::string_view& text, std::string_view part) {
    uint64_t length = 0;
    RETURN_IF_ERROR(Read(length, part));
    if (length > bytes_.size() - at_) {
      return ErrorAt(part, fmt::format("a string of {} bytes, and the file has {} more", length, bytes_.size() - at_));
    }
    text = bytes_.substr(at_, length);
    at_ += length;
    return absl::OkStatus();
  }
  absl::Status ReadType(GgufType& type, std::string_view part) {
    uint32_t number = 0;
    RETURN_IF_ERROR(Read(number, part));
    if (number > static_cast<uint32_t>(GgufType::kF64)) return ErrorAt(part, fmt::format("unknown type {}", number));
    type = static_cast<GgufType>(number);
    return absl::OkStatus();
  }

  absl::Status ReadValue() {
    std::string_view key;
    RETURN_IF_ERROR(ReadString(key, "a key"));
    const std::string part = fmt::format("key {}", Printable(key));
    if (key.empty() || key.size() > gguf_layout::kMaxKeyBytes) return ErrorAt(part, "a key has 1 to 65535 bytes");
    GgufFile::Value value = {};
    RETURN_IF_ERROR(ReadType(value.type, part));
    value.count = 1;
    if (value.type == GgufType::kArray) {
      value.array = true;
      RETURN_IF_ERROR(ReadType(value.type, part));
      RETURN_IF_ERROR(Read(value.count, part));
      if (value.type == GgufType::kArray) return ErrorAt(part, "an array of arrays is not read");
    }
    RETURN_IF_ERROR(ReadElements(part, value));
    if (!file_.values_.emplace(std::string(key), value).second) return ErrorAt(part, "is there twice");
    return absl::OkStatus();
  }

  absl::Status ReadElements(std::string_view part, GgufFile::Value& value) {
    const uint64_t left = bytes_.size() - at_;
    const uint64_t smallest = value.type == GgufType::kString ? 8 : TypeBytes(value.type);
    if (value.count > left / smallest) {
      return ErrorAt(part, fmt::format("{} values of {}, and the file has {} more bytes", value.count,
                                       TypeName(value.type), left));
    }
    value.offset = at_;
    if (value.type == GgufType::kString) {
      std::string_view text;
      for (uint64_t i = 0; i < value.count; ++i) RETURN_IF_ERROR(ReadString(text, part));
    } else {
      at_ += value.count * smallest;
    }
    value.bytes = bytes_.substr(value.offset, at_ - value.offset);
    if (value.type == GgufType::kBool) {
      const auto wrong = std::find_if(value.bytes.begin(), value.bytes.end(), [](char c) { return c != 0 && c != 1; });
      if (wrong != value.bytes.end()) return ErrorAt(part, "a bool that is neither 0 nor 1");
    }
    return absl::OkStatus();
  }

  absl::Status ReadTensorEntry(std::vector<std::string>& order) {
    std::string_view name;
    RETURN_IF_ERROR(ReadString(name, "a tensor"));
    const std::string part = fmt::format("tensor {}", Printable(name));
    if (name.empty() || name.size() > gguf_layout::kMaxNameBytes) return ErrorAt(part, "a name has 1 to 63 bytes");
    uint32_t dimensions = 0;
    RETURN_IF_ERROR(Read(dimensions, part));
    if (dimensions < 1 || dimensions > GgufFile::kMaxDimensions) {
      return ErrorAt(part, fmt::format("{} dimensions; 1 to {} are read", dimensions, GgufFile::kMaxDimensions));
    }
    GgufTensor tensor;
    int64_t elements = 1;
    for (uint32_t i = 0; i < dimensions; ++i) {
      uint64_t size = 0;
      RETURN_IF_ERROR(Read(size, part));
      if (size < 1 || size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
          __builtin_mul_overflow(elements, static_cast<int64_t>(size), &elements)) {
        return ErrorAt(part, fmt::format("a size of {}", size));
      }
      tensor.shape.push_back(static_cast<int64_t>(size));
    }
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    uint32_t type = 0;
    RETURN_IF_ERROR(Read(type, part));
    tensor.type = static_cast<GgmlType>(type);
    if (GgmlTypeName(tensor.type).empty()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {}: has type {}; f32, f16, bf16 and q8_0 are read", what_, part, OtherTypeName(type)));
    }
    if (!gguf_layout::TensorBytes(tensor.type, tensor.shape)) {
      return ErrorAt(part, fmt::format("rows of {} values are no multiple of {}'s blocks of 32", tensor.shape.back(),
                                       GgmlTypeName(tensor.type)));
    }
    RETURN_IF_ERROR(Read(tensor.offset, part));
    order.emplace_back(name);
    if (!file_.tensors_.emplace(std::string(name), std::move(tensor)).second) return ErrorAt(part, "is there twice");
    return absl::OkStatus();
  }

  // From offsets in the data to bytes of the file.
  absl::Status PlaceTensors(const std::vector<std::string>& order) {
    uint64_t alignment = gguf_layout::kAlignment;
    if (file_.Has("general.alignment")) {
      const absl::StatusOr<int64_t> stated = file_.Integer("general.alignment");
      if (!stated.ok() || *stated < 8 || *stated > 1 << 20 || std::popcount(static_cast<uint64_t>(*stated)) != 1) {
        return Error("key general.alignment: not a power of two from 8 to 1048576");
      }
      alignment = static_cast<uint64_t>(*stated);
    }
    const uint64_t data = gguf_layout::Pad(at_, alignment);
    uint64_t expected = 0;
    for (const std::string& name : order) {
      GgufTensor& tensor = file_.tensors_.at(name);
      if (tensor.offset != expected) {
        return Error(fmt::format("tensor {}: begins at byte {} of the data, not at {}", Printable(name), tensor.offset,
                                 expected));
      }
      const uint64_t size = *gguf_layout::TensorBytes(tensor.type, tensor.shape);
      const uint64_t room = data < bytes_.size() ? bytes_.size() - data : 0;
      if (size > room || expected > room - size) {
        return Error(fmt::format("tensor {}: bytes [{}, {}) are beyond the file's end at {}: is the file cut off?",
                                 Printable(name), data + expected, data + expected + size, bytes_.size()));
      }
      tensor.offset = data + expected;
      tensor.bytes = bytes_.substr(tensor.offset, size);
      expected = gguf_layout::Pad(expected + size, alignment);
    }
    return absl::OkStatus();
  }

  // For messages: a name of a broken file may be anything.
  static std::string Printable(std::string_view name) {
    std::string out;
    for (const char c : name.substr(0, 80)) out += c >= ' ' && c <= '~' ? c : '?';
    return name.size() > 80 ? out + "..." : out;
  }

  const std::string_view bytes_;
  const std::string_view what_;
  GgufFile& file_;
  uint64_t at_ = 0;
};

absl::StatusOr<GgufFile> GgufFile::Open(const std::string& path) {
  ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  GgufFile file;
  RETURN_IF_ERROR(GgufParser(mapped.bytes(), path, file).Parse());
  file.file_ = std::move(mapped);
  return file;
}

absl::StatusOr<GgufFile> GgufFile::Parse(std::string_view bytes, std::string_view what) {
  GgufFile file;
  RETURN_IF_ERROR(GgufParser(bytes, what, file).Parse());
  return file;
}

std::vector<std::string> GgufFile::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_) keys.push_back(key);
  return keys;
}

absl::Status GgufFile::WrongType(const std::string& key, const Value& value, std::string_view wanted) const {
  return absl::InvalidArgumentError(fmt::format("{}: key {}: byte {}: {}{}, not {}", what_, key, value.offset,
                                                value.array ? "an array of " : "", TypeName(value.type), wanted));
}

absl::StatusOr<GgufFile::Value> GgufFile::Find(const std::string& key, bool array, std::string_view wanted) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return absl::NotFoundError(fmt::format("{}: key {} is missing", what_, key));
  if (found->second.array != array) return WrongType(key, found->second, wanted);
  return found->second;
}

absl::StatusOr<int64_t> GgufFile::Integer(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, false, "an integer"));
  if (const std::optional<int64_t> integer = IntegerAt(value.type, value.bytes, 0)) return *integer;
  return WrongType(key, value, "an integer");
}

absl::StatusOr<double> GgufFile::Number(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, false, "a number"));
  if (const std::optional<double> number = NumberAt(value.type, value.bytes, 0)) return *number;
  return WrongType(key, value, "a number");
}

absl::StatusOr<bool> GgufFile::Boolean(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, false, "a bool"));
  if (value.type != GgufType::kBool) return WrongType(key, value, "a bool");
  return value.bytes[0] != 0;
}

absl::StatusOr<std::string_view> GgufFile::Text(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, false, "a string"));
  if (value.type != GgufType::kString) return WrongType(key, value, "a string");
  return value.bytes.substr(8);
}

absl::StatusOr<std::vector<std::string_view>> GgufFile::Texts(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, true, "an array of strings"));
  if (value.type != GgufType::kString) return WrongType(key, value, "an array of strings");
  std::vector<std::string_view> texts;
  texts.reserve(value.count);
  for (uint64_t at = 0; at < value.bytes.size();) {
    const uint64_t length = ReadRaw<uint64_t>(value.bytes.substr(at));
    texts.push_back(value.bytes.substr(at + 8, length));
    at += 8 + length;
  }
  return texts;
}

absl::StatusOr<std::vector<int64_t>> GgufFile::Integers(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, true, "an array of integers"));
  std::vector<int64_t> integers;
  integers.reserve(value.count);
  for (uint64_t i = 0; i < value.count; ++i) {
    const std::optional<int64_t> integer = IntegerAt(value.type, value.bytes, i);
    if (!integer) return WrongType(key, value, "an array of integers");
    integers.push_back(*integer);
  }
  return integers;
}

absl::StatusOr<std::vector<double>> GgufFile::Numbers(const std::string& key) const {
  ASSIGN_OR_RETURN(const Value value, Find(key, true, "an array of numbers"));
  std::vector<double> numbers;
  numbers.reserve(value.count);
  for (uint64_t i = 0; i < value.count; ++i) {
    const std::optional<double> number = NumberAt(value.type, value.bytes, i);
    if (!number) return WrongType(key, value, "an array of numbers");
    numbers.push_back(*number);
  }
  return numbers;
}

absl::StatusOr<GgufTensor> GgufFile::Tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return absl::NotFoundError(fmt::format("{}: tensor {} is missing", what_, name));
  return found->second;
}

absl::Status ReadGgufValues(const GgufTensor& tensor, int64_t first, std::span<float> out) {
  const int64_t count = static_cast<int64_t>(out.size());
  const bool blocks = tensor.type == GgmlType::kQ8_0;
  if (first < 0 || first > tensor.elements() || count > tensor.elements() - first ||
      (blocks && (first % gguf_layout::kBlock != 0 || count % gguf_layout::kBlock != 0))) {
    return absl::InvalidArgumentError(fmt::format("values [{}, {}) of a tensor of {} {}", first, first + count,
                                                  tensor.elements(), GgmlTypeName(tensor.type)));
  }
  const auto begin = static_cast<size_t>(first);
  switch (tensor.type) {
    case GgmlType::kF32:
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data() + begin * 4, out.size() * 4);
      break;
    case GgmlType::kF16:
    case GgmlType::kBf16:
      for (size_t i = 0; i < out.size(); ++i) {
        const uint16_t bits = ReadRaw<uint16_t>(tensor.bytes, begin + i);
        out[i] = tensor.type == GgmlType::kF16 ? F16ToFloat(bits) : Bf16ToFloat(bits);
      }
      break;
    case GgmlType::kQ8_0:
      for (size_t block = 0; block < out.size() / gguf_layout::kBlock; ++block) {
        const char* at = tensor.bytes.data() + (begin / gguf_layout::kBlock + block) * gguf_layout::kBlockBytes;
        uint16_t bits;
        std::memcpy(&bits, at, sizeof(bits));
        const float scale = F16ToFloat(bits);
        for (size_t i = 0; i < gguf_layout::kBlock; ++i) {
          out[block * gguf_layout::kBlock + i] = scale * static_cast<float>(static_cast<int8_t>(at[2 + i]));
        }
      }
      break;
  }
  return absl::OkStatus();
}

}  // namespace rhodes
