#include "token/rank_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/text.h"

namespace rhodes {
namespace {

struct SpecialToken {
  TokenId id;
  std::string_view text;
};

// From tiktoken_ext/openai_public.py (tiktoken 0.14) and the tokenizers that Llama 3 and Qwen were published with.
struct KnownEncoding {
  size_t ranks;
  Pattern pattern;
  std::vector<SpecialToken> special;
};

const std::vector<KnownEncoding>& KnownEncodings() {
  static const std::vector<KnownEncoding> known = {
      {50256, Pattern::kGpt2, {{50256, kEndOfTextToken}}},
      {50280, Pattern::kGpt2, {{50256, kEndOfTextToken}}},
      {100256,
       Pattern::kCl100k,
       {{100257, kEndOfTextToken},
        {100258, "<|fim_prefix|>"},
        {100259, "<|fim_middle|>"},
        {100260, "<|fim_suffix|>"},
        {100276, "<|endofprompt|>"}}},
      {199998, Pattern::kO200k, {{199999, kEndOfTextToken}, {200018, "<|endofprompt|>"}}},
      {128000,
       Pattern::kLlama3,
       {{128000, "<|begin_of_text|>"},
        {128001, "<|end_of_text|>"},
        {128006, "<|start_header_id|>"},
        {128007, "<|end_header_id|>"},
        {128009, "<|eot_id|>"}}},
      {151643, Pattern::kQwen2, {{151643, kEndOfTextToken}, {151644, "<|im_start|>"}, {151645, "<|im_end|>"}}},
  };
  return known;
}

constexpr uint64_t kMaxRank = MergeTable::kMostTokens;

std::optional<std::string> DecodeBase64(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.size() - std::min(text.find('='), text.size());
  if (padding > 2 || text.substr(text.size() - padding) != std::string_view("==").substr(0, padding)) {
    return std::nullopt;
  }
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char letter : text.substr(0, text.size() - padding)) {
    const size_t digit = kDigits.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  return bytes;
}

class RankFile {
 public:
  RankFile(std::string_view pattern, std::string_view what) : pattern_(pattern), what_(what) {}

  absl::StatusOr<TokenizerSpec> Parse(std::string_view bytes) {
    RETURN_IF_ERROR(ReadLines(bytes));
    RETURN_IF_ERROR(ChooseEncoding());
    RETURN_IF_ERROR(IndexTokens());
    spec_.ignore_merges = true;
    spec_.rank_is_result = true;
    for (const std::string& token : by_rank_) spec_.tokens.Append(token);
    AppendMerges();
    return std::move(spec_);
  }

 private:
  absl::Status Error(std::string_view message) const {
    return absl::InvalidArgumentError(fmt::format("{}: {}", what_, message));
  }

  absl::Status ReadLines(std::string_view bytes) {
    size_t number = 0;
    while (!bytes.empty()) {
      std::string_view line = bytes.substr(0, bytes.find('\n'));
      bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
      ++number;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!line.empty()) RETURN_IF_ERROR(ReadLine(line, number));
    }
    return absl::OkStatus();
  }

  absl::Status IndexTokens() {
    ids_.reserve(by_rank_.size());
    std::vector<bool> special(by_rank_.size());
    for (const AddedToken& token : spec_.added) special[token.id] = true;
    for (TokenId id = 0; id < by_rank_.size(); ++id) {
      if (by_rank_[id].empty() || special[id]) continue;
      if (const auto [there, is_new] = ids_.emplace(by_rank_[id], id); !is_new) {
        return Error(fmt::format("the tokens of rank {} and rank {} are the same", there->second, id));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadLine(std::string_view line, size_t number) {
    const size_t space = line.find(' ');
    uint64_t rank = 0;
    std::optional<std::string> token;
    if (space != std::string_view::npos) {
      token = DecodeBase64(line.substr(0, space));
      const auto [end, error] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
      if (error != std::errc() || end != line.data() + line.size() || rank >= kMaxRank) token.reset();
    }
    if (!token || token->empty()) {
      return Error(fmt::format("line {} is not a token in base64, a space and its rank", number));
    }
    if (by_rank_.size() <= rank) by_rank_.resize(rank + 1);
    if (!by_rank_[rank].empty()) return Error(fmt::format("line {}: rank {} is there twice", number, rank));
    by_rank_[rank] = *std::move(token);
    ++count_;
    return absl::OkStatus();
  }

  absl::Status ChooseEncoding() {
    const std::vector<KnownEncoding>& encodings = KnownEncodings();
    const auto known = std::find_if(encodings.begin(), encodings.end(),
                                    [&](const KnownEncoding& encoding) { return encoding.ranks == count_; });
    if (!pattern_.empty()) {
      ASSIGN_OR_RETURN(spec_.pattern, PatternFromName(pattern_ == "cl100k" ? "cl100k_base" : pattern_));
    } else if (known != encodings.end()) {
      spec_.pattern = known->pattern;
    } else {
      return UsageError(
          fmt::format("{}: a rank file of {} tokens, which no well-known encoding has: say which pattern "
                      "cuts its words (--pattern gpt2, cl100k, o200k, llama3, qwen2 or grok2)",
                      what_, count_));
    }
    if (known == encodings.end()) {
      AddSpecial(static_cast<TokenId>(by_rank_.size()), kEndOfTextToken);
    } else {
      for (const SpecialToken& token : known->special) AddSpecial(token.id, token.text);
    }
    return absl::OkStatus();
  }

  void AddSpecial(TokenId id, std::string_view text) {
    AddedToken token;
    token.id = id;
    token.text = text;
    if (by_rank_.size() <= id) by_rank_.resize(id + 1);
    if (!by_rank_[id].empty()) return;  // not the encoding that has so many ranks after all
    by_rank_[id] = text;
    spec_.added.push_back(std::move(token));
  }

  // Every way to make a token of two others; tiktoken joins what gives the lowest rank, whatever its parts are.
  void AppendMerges() {
    for (TokenId id = 0; id < by_rank_.size(); ++id) {
      const std::string_view token = by_rank_[id];
      const auto itself = ids_.find(token);
      if (itself == ids_.end() || itself->second != id) continue;  // a gap, or a special token's text
      for (size_t cut = 1; cut < token.size(); ++cut) {
        const auto left = ids_.find(token.substr(0, cut));
        if (left == ids_.end()) continue;
        const auto right = ids_.find(token.substr(cut));
        if (right != ids_.end()) spec_.merges.push_back({left->second, right->second, id});
      }
    }
  }

  std::string_view pattern_;
  std::string_view what_;
  TokenizerSpec spec_;
  std::vector<std::string> by_rank_;
  size_t count_ = 0;                                    // of ranks
  absl::flat_hash_map<std::string_view, TokenId> ids_;  // of the strings in by_rank_
};

}  // namespace

bool LooksLikeRankFile(std::string_view bytes) {
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && bytes[first] != '{' && bytes[first] != '[' && bytes[first] != '"';
}

absl::StatusOr<TokenizerSpec> ParseRankFile(std::string_view bytes, std::string_view pattern, std::string_view what) {
  return RankFile(pattern, what).Parse(bytes);
}

}  // namespace rhodes
