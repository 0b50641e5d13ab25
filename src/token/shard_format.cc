#include "token/shard_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <fmt/ranges.h>

#include "base/json.h"

namespace rhodes {
namespace {

struct Known {
  ShardFormat format;
  std::string_view name;
  uint32_t narrow;  // the largest vocabulary stored in 16 bits
  bool wide;        // whether larger ones can be stored
};
constexpr Known kKnown[] = {
    {ShardFormat::kMegatron, "megatron", 65499, true}, {ShardFormat::kDatatrove, "ds", 65536, true},
    {ShardFormat::kNanoGpt, "nanogpt", 65536, false},  {ShardFormat::kLlmC, "llmc", 65536, true},
    {ShardFormat::kMds, "mds", 65536, true},
};
const Known& Of(ShardFormat format) { return kKnown[static_cast<size_t>(format)]; }

constexpr uint64_t kShardTokens = uint64_t{1} << 30;
constexpr uint64_t kNoEnd = std::numeric_limits<uint64_t>::max();

template <typename T>
void Put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint64_t TokenBytes(const std::vector<uint64_t>& ends, TokenWidth width) {
  return (ends.empty() ? 0 : ends.back()) * static_cast<uint64_t>(width);
}

// nanoGPT and llm.c call it so.
std::string ShortSplit(const std::string& split) { return split == "validation" ? "val" : split; }

// Megatron's .idx: see indexed_dataset.py of Megatron-LM. One sequence a document.
class Megatron final : public ShardLayout {
 public:
  explicit Megatron(const ShardLayoutOptions& options) : options_(options) {}
  std::string DataFile(int number) const override { return fmt::format("{}-{:05}.bin", options_.split, number); }
  uint64_t ShardTokens() const override { return options_.shard_tokens == 0 ? kShardTokens : options_.shard_tokens; }
  uint64_t DataBytes(const std::vector<uint64_t>& ends) const override { return TokenBytes(ends, options_.width); }

  std::vector<SideFile> Finish(const std::vector<uint64_t>& ends, const std::string& path, uint64_t) override {
    std::string out("MMIDIDX\0\0", 9);
    Put<uint64_t>(out, 1);                                             // version
    Put<uint8_t>(out, options_.width == TokenWidth::kUint16 ? 8 : 4);  // numpy type code
    Put<uint64_t>(out, ends.size());                                   // sequences
    Put<uint64_t>(out, ends.size() + 1);                               // document borders
    out.reserve(out.size() + 20 * ends.size() + 8);
    for (size_t i = 0; i < ends.size(); ++i) Put(out, static_cast<int32_t>(ends[i] - (i == 0 ? 0 : ends[i - 1])));
    for (size_t i = 0; i < ends.size(); ++i) {
      Put(out, static_cast<int64_t>((i == 0 ? 0 : ends[i - 1]) * static_cast<uint64_t>(options_.width)));
    }
    for (size_t i = 0; i <= ends.size(); ++i) Put(out, static_cast<int64_t>(i));
    return {{path.substr(0, path.size() - 4) + ".idx", std::move(out)}};
  }

 private:
  const ShardLayoutOptions options_;
};

// See TokenizedFile in datatrove's pipeline/tokens/tokenizer.py. A split has a folder of its own, because nanotron
// reads all .ds files of a folder.
class Datatrove final : public ShardLayout {
 public:
  explicit Datatrove(const ShardLayoutOptions& options) : options_(options) {
    for (char& c : options_.tokenizer_name) {
      if (c == '|' || c == '\n' || c == '\r') c = '_';  // datatrove splits the line there
    }
  }
  std::string DataFile(int number) const override { return fmt::format("{0}/{0}-{1:05}.ds", options_.split, number); }
  uint64_t ShardTokens() const override { return options_.shard_tokens == 0 ? kShardTokens : options_.shard_tokens; }
  uint64_t DataBytes(const std::vector<uint64_t>& ends) const override { return TokenBytes(ends, options_.width); }

  std::vector<SideFile> Finish(const std::vector<uint64_t>& ends, const std::string& path, uint64_t) override {
    const uint64_t tokens = ends.empty() ? 0 : ends.back();
    return {{path + ".index", {reinterpret_cast<const char*>(ends.data()), ends.size() * sizeof(uint64_t)}},
            {path + ".metadata", fmt::format("{}|{}\n{}\n{}", options_.tokenizer_name, static_cast<int>(options_.width),
                                             tokens, ReadableTokens(tokens))}};
  }

 private:
  ShardLayoutOptions options_;
};

// See data/openwebtext/prepare.py of nanoGPT.
class NanoGpt final : public ShardLayout {
 public:
  explicit NanoGpt(const ShardLayoutOptions& options) : split_(ShortSplit(options.split)) {}
  std::string DataFile(int) const override { return split_ + ".bin"; }
  uint64_t ShardTokens() const override { return kNoEnd; }
  uint64_t DataBytes(const std::vector<uint64_t>& ends) const override { return TokenBytes(ends, TokenWidth::kUint16); }

 private:
  const std::string split_;
};

// See dev/data/data_common.py and fineweb.py of llm.c: there the end-of-text token stands before each document.
class LlmC final : public ShardLayout {
 public:
  static constexpr uint64_t kMostTokens = INT32_MAX;
  static constexpr uint64_t kHeader = 1024;

  explicit LlmC(const ShardLayoutOptions& options) : options_(options) {}
  std::string DataFile(int number) const override {
    return fmt::format("{}_{:06}.bin", ShortSplit(options_.split), number);
  }
  bool EndsBefore(uint64_t bytes) const override {
    return tokens_ + bytes / static_cast<uint64_t>(options_.width) > kMostTokens;
  }
  uint64_t ShardTokens() const override { return options_.shard_tokens == 0 ? kShardTokens : options_.shard_tokens; }
  uint64_t DataBytes(const std::vector<uint64_t>& ends) const override {
    return kHeader + TokenBytes(ends, options_.width);
  }

  void Begin() override { tokens_ = 0; }
  absl::Status Add(std::span<const uint8_t> tokens, ShardPiece& piece) override {
    tokens_ += tokens.size() / static_cast<size_t>(options_.width);
    const size_t last = tokens.size() - static_cast<size_t>(options_.width);
    piece.head_size = static_cast<uint8_t>(options_.width);
    std::copy(tokens.begin() + static_cast<std::ptrdiff_t>(last), tokens.end(), piece.head.begin());
    piece.bytes = tokens.data();
    piece.size = last;
    return absl::OkStatus();
  }
  std::string Head(const std::vector<uint64_t>& ends) const override {
    std::array<int32_t, 256> header{};
    const bool narrow = options_.width == TokenWidth::kUint16;
    header[0] = narrow ? 20240520 : 20240801;
    header[1] = narrow ? 1 : 7;
    header[2] = static_cast<int32_t>(ends.empty() ? 0 : ends.back());
    return {reinterpret_cast<const char*>(header.data()), sizeof(header)};
  }

 private:
  const ShardLayoutOptions options_;
  uint64_t tokens_ = 0;
};

// See streaming/base/format/mds/writer.py of MosaicML streaming. A sample is a document: the column `tokens`, an array
// of one dimension. The file begins with a table of all samples, so that these wait in memory.
class Mds final : public ShardLayout {
 public:
  static constexpr uint64_t kShardBytes = uint64_t{1} << 26;  // streaming's own
  static constexpr uint64_t kMostBytes = uint64_t{1} << 30;   // offsets have 32 bits, and a shard waits in memory

  explicit Mds(const ShardLayoutOptions& options)
      : options_(options),
        limit_(options.shard_tokens == 0 ? kShardBytes : options.shard_tokens * static_cast<uint64_t>(options.width)),
        config_(Config()),
        config_text_(Spaced(config_)) {}
  std::string DataFile(int number) const override { return fmt::format("{}/shard.{:05}.mds", options_.split, number); }
  bool EndsBefore(uint64_t bytes) const override {
    return limit_ < 4 + 4 + config_text_.size() + sample_bytes_ + 4 * samples_ + SampleBytes(bytes) + 4;
  }
  uint64_t ShardTokens() const override { return kNoEnd; }
  uint64_t DataBytes(const std::vector<uint64_t>& ends) const override {
    uint64_t bytes = 4 + 4 * (ends.size() + 1) + config_text_.size();
    for (size_t i = 0; i < ends.size(); ++i) {
      bytes += SampleBytes((ends[i] - (i == 0 ? 0 : ends[i - 1])) * static_cast<uint64_t>(options_.width));
    }
    return bytes;
  }

  void Begin() override { samples_ = sample_bytes_ = 0; }
  absl::Status Add(std::span<const uint8_t> tokens, ShardPiece& piece) override {
    const uint64_t bytes = SampleBytes(tokens.size());
    if (bytes + sample_bytes_ > UINT32_MAX / 2) {
      return absl::InvalidArgumentError(fmt::format("a document of {} bytes of tokens is too long", tokens.size()));
    }
    ++samples_;
    sample_bytes_ += bytes;
    const uint64_t count = tokens.size() / static_cast<uint64_t>(options_.width);
    const int code = CountCode(count);
    const auto size = static_cast<uint32_t>(bytes - 4);
    std::memcpy(piece.head.data(), &size, 4);
    piece.head[4] = static_cast<uint8_t>(1 << 2 | code);  // one dimension, and how its length is stored
    std::memcpy(piece.head.data() + 5, &count, size_t{1} << code);
    piece.head_size = static_cast<uint8_t>(5 + (1 << code));
    piece.bytes = tokens.data();
    piece.size = tokens.size();
    return absl::OkStatus();
  }
  bool HeadWaits() const override { return true; }
  std::string Head(const std::vector<uint64_t>& ends) const override {
    auto offset = static_cast<uint32_t>(4 + 4 * (ends.size() + 1) + config_text_.size());
    std::string out;
    Put(out, static_cast<uint32_t>(ends.size()));
    for (size_t i = 0; i < ends.size(); ++i) {
      Put(out, offset);
      const uint64_t count = ends[i] - (i == 0 ? 0 : ends[i - 1]);
      offset += static_cast<uint32_t>(SampleBytes(count * static_cast<uint64_t>(options_.width)));
    }
    Put(out, offset);
    return out + config_text_;
  }
  std::vector<SideFile> Finish(const std::vector<uint64_t>& ends, const std::string& path, uint64_t bytes) override {
    Json shard = config_;
    shard["samples"] = ends.size();
    shard["zip_data"] = nullptr;
    shard["raw_data"] = {
        {"basename", path.substr(path.find_last_of('/') + 1)}, {"bytes", bytes}, {"hashes", Json::object()}};
    shards_.push_back(std::move(shard));
    return {};
  }
  std::vector<SideFile> FinishSplit() override {
    return {{fmt::format("{}/{}/index.json", options_.directory, options_.split),
             Spaced({{"shards", shards_}, {"version", 2}})}};
  }

 private:
  // As NumPy arrays are stored: how many bytes the length takes, as a power of two.
  static int CountCode(uint64_t count) { return count < 1 << 8 ? 0 : count < 1 << 16 ? 1 : 2; }
  uint64_t SampleBytes(uint64_t token_bytes) const {
    return 4 + 1 + (uint64_t{1} << CountCode(token_bytes / static_cast<uint64_t>(options_.width))) + token_bytes;
  }
  Json Config() const {
    return {{"column_encodings", {options_.width == TokenWidth::kUint16 ? "ndarray:uint16" : "ndarray:int32"}},
            {"column_names", {"tokens"}},
            {"column_sizes", {nullptr}},
            {"compression", nullptr},
            {"format", "mds"},
            {"hashes", Json::array()},
            {"size_limit", limit_},
            {"version", 2}};
  }
  // As json.dumps(value, sort_keys=True) writes it.
  static std::string Spaced(const Json& json) {
    if (json.is_array() || json.is_object()) {
      std::vector<std::string> parts;
      std::map<std::string, std::string> members;
      if (json.is_object()) {
        for (const auto& [key, value] : json.items()) members[key] = Spaced(value);
        for (const auto& [key, value] : members) parts.push_back(fmt::format("\"{}\": {}", key, value));
      } else {
        for (const Json& value : json) parts.push_back(Spaced(value));
      }
      const char* brackets = json.is_object() ? "{}" : "[]";
      return fmt::format("{}{}{}", brackets[0], fmt::join(parts, ", "), brackets[1]);
    }
    return DumpJson(json);
  }

  const ShardLayoutOptions options_;
  const uint64_t limit_;
  const Json config_;
  const std::string config_text_;
  uint64_t samples_ = 0;
  uint64_t sample_bytes_ = 0;
  Json shards_ = Json::array();
};

}  // namespace

std::string_view ShardFormatName(ShardFormat format) { return Of(format).name; }

absl::StatusOr<ShardFormat> ShardFormatFromName(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.format;
  }
  return UsageError(fmt::format("unknown shard format \"{}\"; known: megatron, ds, nanogpt, llmc, mds", name));
}

absl::StatusOr<TokenWidth> WidthFor(ShardFormat format, uint32_t vocabulary_size) {
  const Known& known = Of(format);
  if (vocabulary_size <= known.narrow) return TokenWidth::kUint16;
  if (known.wide) return TokenWidth::kInt32;
  return UsageError(fmt::format(
      "the shard format {} stores a token in 16 bits, which holds 65,536 of them; the tokenizer has {}. The formats "
      "megatron, ds, llmc and mds hold more",
      known.name, vocabulary_size));
}

bool ShardLayout::EndsBefore(uint64_t) const { return false; }
absl::Status ShardLayout::Add(std::span<const uint8_t> tokens, ShardPiece& piece) {
  piece.bytes = tokens.data();
  piece.size = tokens.size();
  return absl::OkStatus();
}
std::string ShardLayout::Head(const std::vector<uint64_t>&) const { return ""; }
std::vector<SideFile> ShardLayout::Finish(const std::vector<uint64_t>&, const std::string&, uint64_t) { return {}; }
std::vector<SideFile> ShardLayout::FinishSplit() { return {}; }

absl::StatusOr<std::unique_ptr<ShardLayout>> MakeShardLayout(const ShardLayoutOptions& options) {
  const auto too_many = [&](uint64_t most) {
    return UsageError(fmt::format("--shard-tokens {}: a shard in the format {} holds {} at most", options.shard_tokens,
                                  ShardFormatName(options.format), most));
  };
  switch (options.format) {
    case ShardFormat::kMegatron:
      return std::make_unique<Megatron>(options);
    case ShardFormat::kDatatrove:
      return std::make_unique<Datatrove>(options);
    case ShardFormat::kNanoGpt:
      return std::make_unique<NanoGpt>(options);
    case ShardFormat::kLlmC:
      if (options.shard_tokens > LlmC::kMostTokens) return too_many(LlmC::kMostTokens);
      return std::make_unique<LlmC>(options);
    case ShardFormat::kMds: {
      const uint64_t most = Mds::kMostBytes / static_cast<uint64_t>(options.width);
      if (options.shard_tokens > most) return too_many(most);
      return std::make_unique<Mds>(options);
    }
  }
  return absl::InternalError("a shard format without a layout");
}

std::string ReadableTokens(uint64_t tokens) {
  // Three digits and the prefix that leaves one to three of them before the point, rounded half to even as Python does.
  int exponent = 0;
  for (uint64_t rest = tokens; rest >= 10; rest /= 10) ++exponent;
  auto value = static_cast<double>(tokens) / std::pow(10.0, exponent / 3 * 3);
  int digits = 2 - exponent % 3;
  if (std::stod(fmt::format("{:.{}f}", value, digits)) >= std::pow(10.0, exponent % 3 + 1)) {
    const int before = exponent / 3 * 3;
    ++exponent;
    value /= std::pow(10.0, exponent / 3 * 3 - before);
    digits = 2 - exponent % 3;
  }
  const std::string_view prefixes = "kMGTPE";
  const std::string prefix = exponent >= 3 ? std::string(1, prefixes[static_cast<size_t>(exponent / 3 - 1)]) : "";
  return fmt::format("{:.{}f} {}T", value, digits, prefix);
}

}  // namespace rhodes
