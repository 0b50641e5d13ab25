#include "token/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/json.h"
#include "token/byte_alphabet.h"

namespace rhodes {
namespace {

constexpr std::string_view kMark = "\u2581";

absl::Status Wrong(std::string_view what, std::string_view message) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", what, message));
}

std::string SpacesToMarks(std::string_view text) {
  std::string marked;
  for (const char byte : text) byte == ' ' ? marked += kMark : marked += byte;
  return marked;
}
std::string ByteToken(size_t byte) { return fmt::format("<0x{:02X}>", byte); }

std::string UnusedToken(size_t id) { return fmt::format("[PAD{}]", id); }

// Whether taking a word that is a token as that token, whatever the merges say, changes any word: whether the merges
// turn some token's bytes into something else.
bool MergesMissATokenOfTheirs(const TokenizerSpec& spec, const std::vector<bool>& added) {
  std::array<TokenId, 256> byte_ids = {};
  TokenBytesTable tokens;
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    tokens.Append(spec.tokens[id]);
    if (!added[id] && spec.tokens[id].size() == 1) byte_ids[static_cast<uint8_t>(spec.tokens[id][0])] = id;
  }
  const BpeModel model(std::move(tokens), byte_ids, MergeTable(spec.merges), {});
  BpeModel::Scratch scratch;
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    if (added[id] || spec.tokens[id].empty()) continue;
    ids.clear();
    model.EncodeWord(spec.tokens[id], scratch, ids);
    if (ids.size() != 1 || ids[0] != id) return true;
  }
  return false;
}

class ToGguf {
 public:
  ToGguf(const TokenizerSpec& spec, int64_t rows, std::string_view what) : spec_(spec), rows_(rows), what_(what) {}

  absl::StatusOr<GgufTokenizerResult> Convert() {
    const int64_t size = spec_.tokens.size();
    if (size > rows_) {
      return Wrong(what_, fmt::format("has {} tokens, and the model's embedding {} rows", size, rows_));
    }
    if (spec_.rank_is_result) return Wrong(what_, "a tiktoken rank file is not written as GGUF");
    added_.resize(static_cast<size_t>(size));
    for (const AddedToken& token : spec_.added) added_[token.id] = true;
    AddTokens();
    RETURN_IF_ERROR(CheckUnique());
    if (spec_.sentence_piece) {
      AddScores();
    } else {
      AddMerges();
    }
    NoteAddedTokens();
    return std::move(result_);
  }

 private:
  GgufTokenizer& out() { return result_.tokenizer; }
  void Note(std::string note) { result_.notes.push_back(std::move(note)); }

  void AddTokens() {
    for (TokenId id = 0; id < static_cast<TokenId>(rows_); ++id) {
      const bool there = id < spec_.tokens.size() && !spec_.tokens[id].empty();
      const std::string_view bytes = there ? spec_.tokens[id] : std::string_view();
      out().tokens.push_back(!there                 ? UnusedToken(id)
                             : added_[id]           ? std::string(bytes)
                             : spec_.sentence_piece ? SpacesToMarks(bytes)
                                                    : ToByteLevel(bytes));
      out().types.push_back(there ? GgufTokenizer::kNormal : GgufTokenizer::kUnused);
    }
    for (const AddedToken& token : spec_.added) {
      out().tokens[token.id] = token.text;
      out().types[token.id] = token.special ? GgufTokenizer::kControl : GgufTokenizer::kUserDefined;
      if (spec_.sentence_piece && token.text == "<unk>") out().types[token.id] = GgufTokenizer::kUnknown;
    }
    if (!spec_.sentence_piece) return;
    for (size_t byte = 0; byte < 256; ++byte) {
      const TokenId id = spec_.sentence_piece->bytes[byte];
      out().tokens[id] = ByteToken(byte);
      out().types[id] = GgufTokenizer::kByte;
    }
  }

  absl::Status CheckUnique() {
    absl::flat_hash_map<std::string_view, size_t> seen;
    for (size_t id = 0; id < out().tokens.size(); ++id) {
      const auto [there, is_new] = seen.emplace(out().tokens[id], id);
      if (is_new) continue;
      return Wrong(
          what_, fmt::format("tokens {} and {} are both written \"{}\" in GGUF", there->second, id, out().tokens[id]));
    }
    return absl::OkStatus();
  }

  void AddMerges() {
    out().model = "gpt2";
    out().pattern = PatternName(spec_.pattern);
    out().nfc = spec_.nfc;
    out().ignore_merges = spec_.ignore_merges;
    const bool matters = MergesMissATokenOfTheirs(spec_, added_);
    bool ignores = false;
    switch (spec_.pattern) {
      case Pattern::kGpt2:
        out().pre = "gpt-2";
        break;
      case Pattern::kCl100k:
        Note("white space at the end of a text is cut as in llama3, not as in cl100k_base");
        [[fallthrough]];
      case Pattern::kLlama3:
        ignores = spec_.ignore_merges || !matters;
        out().pre = ignores ? "llama-bpe" : "smaug-bpe";
        break;
      case Pattern::kQwen2:
        out().pre = "qwen2";
        for (const AddedToken& token : spec_.added) {
          if (token.text == "<|separator|>") out().pre = "grok-2";
        }
        break;
      case Pattern::kO200k:
        out().pre = "gpt-4o";
        Note(
            "gpt-4o: upper and lower case are told apart for a to z alone, and marks are no letters, so that words of "
            "other letters may be cut elsewhere");
        break;
    }
    if (matters && ignores != spec_.ignore_merges) {
      Note(fmt::format("words that are tokens which the merges do not make are cut {}",
                       spec_.ignore_merges ? "further" : "no further"));
    }
    if (spec_.nfc) Note("text is not brought into Unicode normalisation form C");
    for (const Merge& merge : spec_.merges) {
      out().merges.push_back(ToByteLevel(spec_.tokens[merge.left]) + " " + ToByteLevel(spec_.tokens[merge.right]));
    }
  }

  // llama.cpp joins the neighbours whose result has the highest score: minus the rank of the result's first merge.
  void AddScores() {
    using Prefix = SentencePieceRules::Prefix;
    const SentencePieceRules& rules = *spec_.sentence_piece;
    out().model = "llama";
    out().pre = "default";
    out().add_space_prefix = rules.prefix != Prefix::kNone;
    if (rules.prefix == Prefix::kIfMissing || rules.prefix == Prefix::kFirstPieces) {
      Note("a space is put before every text, also before one that begins with a space");
    }
    if (rules.split_at_marks) Note("merges may cross spaces");
    out().scores.assign(out().tokens.size(), 0.0f);
    std::vector<bool> made(out().tokens.size());
    int32_t rank = 0;
    bool grouped = true;
    for (size_t i = 0; i < spec_.merges.size(); ++i) {
      const TokenId result = spec_.merges[i].result;
      if (made[result]) {
        grouped = grouped && spec_.merges[i - 1].result == result;
        continue;
      }
      made[result] = true;
      out().scores[result] = -static_cast<float>(rank++);
    }
    if (!grouped) Note("merges with one result and different ranks are applied as if they had the first one's rank");
    for (size_t id = 0; id < out().tokens.size(); ++id) {
      if (!made[id] && out().types[id] == GgufTokenizer::kNormal) out().scores[id] = -static_cast<float>(rank++);
    }
  }

  void NoteAddedTokens() {
    for (const AddedToken& token : spec_.added) {
      if (!token.lstrip && !token.rstrip && !token.single_word) continue;
      Note(fmt::format("token \"{}\" is found without regard to the white space and letters next to it", token.text));
    }
  }

  const TokenizerSpec& spec_;
  const int64_t rows_;
  const std::string_view what_;
  std::vector<bool> added_;
  GgufTokenizerResult result_;
};

// From a GgufTokenizer to what the writers of tokenizer.json take. Of a SentencePiece-style one the tokens stand in the
// spec as the vocabulary writes them.
class FromGguf {
 public:
  FromGguf(const GgufTokenizer& in, std::string_view what) : in_(in), what_(what) {}

  absl::StatusOr<TokenizerSpec> Convert() {
    if (in_.tokens.empty()) return Wrong(what_, "tokenizer.ggml.tokens is empty");
    if (!in_.types.empty() && in_.types.size() != in_.tokens.size()) {
      return Wrong(what_, fmt::format("tokenizer.ggml.token_type has {} entries for {} tokens", in_.types.size(),
                                      in_.tokens.size()));
    }
    for (TokenId id = 0; id < in_.tokens.size(); ++id) {
      if (TypeOf(id) == GgufTokenizer::kUnused) continue;
      if (const auto [there, is_new] = ids_.emplace(in_.tokens[id], id); !is_new) {
        return Wrong(
            what_, fmt::format("token \"{}\" is there twice, with id {} and id {}", in_.tokens[id], there->second, id));
      }
    }
    if (in_.model == "gpt2") {
      RETURN_IF_ERROR(ReadPattern());
      AddByteLevelTokens();
      RETURN_IF_ERROR(ReadMerges());
    } else if (in_.model == "llama") {
      RETURN_IF_ERROR(AddPieces());
      RETURN_IF_ERROR(MergesFromScores());
    } else {
      return Wrong(what_, fmt::format("tokenizer.ggml.model is {}; gpt2 and llama are read", in_.model));
    }
    return std::move(spec_);
  }

 private:
  int32_t TypeOf(TokenId id) const { return in_.types.empty() ? int32_t{GgufTokenizer::kNormal} : in_.types[id]; }
  bool IsAdded(TokenId id) const {
    const int32_t type = TypeOf(id);
    return type == GgufTokenizer::kControl || type == GgufTokenizer::kUserDefined || type == GgufTokenizer::kUnknown;
  }

  absl::Status ReadPattern() {
    if (!in_.pattern.empty()) {
      ASSIGN_OR_RETURN(spec_.pattern, PatternFromName(in_.pattern));
      spec_.nfc = in_.nfc;
      spec_.ignore_merges = in_.ignore_merges;
      return absl::OkStatus();
    }
    struct Known {
      std::string_view pre;
      Pattern pattern;
      bool ignore_merges;
    };
    // As in llama.cpp, src/llama-vocab.cpp.
    static constexpr Known kKnown[] = {
        {"gpt-2", Pattern::kGpt2, false},
        {"llama-bpe", Pattern::kLlama3, true},
        {"llama3", Pattern::kLlama3, true},
        {"llama-v3", Pattern::kLlama3, true},
        {"falcon3", Pattern::kLlama3, true},
        {"dbrx", Pattern::kLlama3, false},
        {"smaug-bpe", Pattern::kLlama3, false},
        {"qwen2", Pattern::kQwen2, false},
        {"deepseek-r1-qwen", Pattern::kQwen2, false},
        {"grok-2", Pattern::kQwen2, false},
        {"gpt-4o", Pattern::kO200k, false},
        {"llama4", Pattern::kO200k, false},
    };
    std::vector<std::string_view> names;
    for (const Known& known : kKnown) {
      names.push_back(known.pre);
      if (known.pre != in_.pre) continue;
      spec_.pattern = known.pattern;
      spec_.ignore_merges = known.ignore_merges;
      return absl::OkStatus();
    }
    return Wrong(what_, fmt::format("tokenizer.ggml.pre is \"{}\"; known: {}", in_.pre, fmt::join(names, ", ")));
  }

  void AddAdded(TokenId id) {
    spec_.tokens.Append(in_.tokens[id]);
    AddedToken token;
    token.id = id;
    token.text = in_.tokens[id];
    token.special = TypeOf(id) != GgufTokenizer::kUserDefined;
    spec_.added.push_back(std::move(token));
  }

  void AddByteLevelTokens() {
    std::string bytes;
    for (TokenId id = 0; id < in_.tokens.size(); ++id) {
      if (TypeOf(id) == GgufTokenizer::kUnused) {
        spec_.tokens.Append("");
      } else if (IsAdded(id)) {
        AddAdded(id);
      } else {
        if (!FromByteLevel(in_.tokens[id], bytes)) bytes = in_.tokens[id];
        spec_.tokens.Append(bytes);
      }
    }
  }

  absl::StatusOr<TokenId> IdOf(std::string_view text, size_t merge) const {
    const auto found = ids_.find(text);
    if (found != ids_.end()) return found->second;
    return Wrong(what_, fmt::format("tokenizer.ggml.merges: merge {}: \"{}\" is no token", merge, text));
  }

  absl::Status ReadMerges() {
    for (size_t i = 0; i < in_.merges.size(); ++i) {
      const std::string_view text = in_.merges[i];
      const size_t space = text.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == text.size()) {
        return Wrong(what_, fmt::format("tokenizer.ggml.merges: merge {} is not a pair of tokens", i));
      }
      Merge merge;
      const std::string_view left = text.substr(0, space);
      const std::string_view right = text.substr(space + 1);
      ASSIGN_OR_RETURN(merge.left, IdOf(left, i));
      ASSIGN_OR_RETURN(merge.right, IdOf(right, i));
      ASSIGN_OR_RETURN(merge.result, IdOf(std::string(left).append(right), i));
      spec_.merges.push_back(merge);
    }
    return absl::OkStatus();
  }

  absl::Status AddPieces() {
    spec_.ignore_merges = false;
    SentencePieceRules& rules = spec_.sentence_piece.emplace();
    rules.prefix = in_.add_space_prefix ? SentencePieceRules::Prefix::kAlways : SentencePieceRules::Prefix::kNone;
    rules.strip_first_space = in_.add_space_prefix;
    for (size_t byte = 0; byte < 256; ++byte) {
      const auto at = ids_.find(ByteToken(byte));
      if (at == ids_.end()) return Wrong(what_, fmt::format("has no token {}", ByteToken(byte)));
      rules.bytes[byte] = at->second;
    }
    for (TokenId id = 0; id < in_.tokens.size(); ++id) {
      const int32_t type = TypeOf(id);
      if (type == GgufTokenizer::kUnused) {
        spec_.tokens.Append("");
      } else if (type != GgufTokenizer::kByte && IsAdded(id)) {
        AddAdded(id);
      } else {
        spec_.tokens.Append(in_.tokens[id]);  // bytes too as they are written: "<0x0A>"
      }
    }
    return absl::OkStatus();
  }

  // Gemma's added tokens are runs of spaces and line breaks that merges make as well.
  bool Merges(TokenId id) const {
    return TypeOf(id) == GgufTokenizer::kNormal || TypeOf(id) == GgufTokenizer::kUserDefined;
  }

  // Every way to make a token of two others is a merge; the higher the result's score, the lower the rank, as Hugging
  // Face's converter from SentencePiece does it.
  absl::Status MergesFromScores() {
    if (in_.scores.size() != in_.tokens.size()) {
      return Wrong(what_, fmt::format("tokenizer.ggml.scores has {} entries for {} tokens", in_.scores.size(),
                                      in_.tokens.size()));
    }
    for (TokenId id = 0; id < in_.tokens.size(); ++id) {
      if (!Merges(id)) continue;
      if (std::isnan(in_.scores[id])) return Wrong(what_, fmt::format("the score of token {} is NaN", id));
      const std::string_view text = in_.tokens[id];
      if (text.size() > kMaxPieceBytes) {
        return Wrong(what_, fmt::format("token {} has {} bytes; at most {}", id, text.size(), kMaxPieceBytes));
      }
      for (size_t cut = 1; cut < text.size(); ++cut) {
        const auto left = ids_.find(text.substr(0, cut));
        if (left == ids_.end() || !Merges(left->second)) continue;
        const auto right = ids_.find(text.substr(cut));
        if (right == ids_.end() || !Merges(right->second)) continue;
        spec_.merges.push_back({left->second, right->second, id});
      }
    }
    std::stable_sort(spec_.merges.begin(), spec_.merges.end(),
                     [&](const Merge& a, const Merge& b) { return in_.scores[a.result] > in_.scores[b.result]; });
    return absl::OkStatus();
  }

  // Looking for the ways to make a token takes the square of its length.
  static constexpr size_t kMaxPieceBytes = 1024;

  const GgufTokenizer& in_;
  const std::string_view what_;
  absl::flat_hash_map<std::string_view, TokenId> ids_;
  TokenizerSpec spec_;
};

// tokenizer.json in the form that Hugging Face's converter gives Llama 2: `spec` is one of FromGguf.
std::string WriteSentencePieceFile(const TokenizerSpec& spec) {
  const Json mark_to_space = {{"type", "Replace"}, {"pattern", {{"String", kMark}}}, {"content", " "}};
  const Json space_to_mark = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kMark}};
  Json normalizers = Json::array();
  Json decoders = Json::array({mark_to_space, Json{{"type", "ByteFallback"}}, Json{{"type", "Fuse"}}});
  if (spec.sentence_piece->prefix == SentencePieceRules::Prefix::kAlways) {
    normalizers.push_back(Json{{"type", "Prepend"}, {"prepend", kMark}});
    decoders.push_back(Json{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  normalizers.push_back(space_to_mark);
  Json added = Json::array();
  Json unknown = nullptr;
  for (const AddedToken& token : spec.added) {
    if (token.text == "<unk>") unknown = token.text;
    added.push_back(Json{{"id", token.id},
                         {"content", token.text},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", false},
                         {"normalized", false},
                         {"special", token.special}});
  }
  std::string out = "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null,\n\"added_tokens\": ";
  out += DumpJson(added);
  out += ",\n\"normalizer\": " + DumpJson(Json{{"type", "Sequence"}, {"normalizers", std::move(normalizers)}});
  out += ",\n\"pre_tokenizer\": null,\n\"post_processor\": null,\n\"decoder\": ";
  out += DumpJson(Json{{"type", "Sequence"}, {"decoders", std::move(decoders)}});
  out += ",\n\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": " + DumpJson(unknown);
  out +=
      ", \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null, \"fuse_unk\": true, \"byte_fallback\": "
      "true, \"ignore_merges\": false,\n\"vocab\": {";
  const char* separator = "\n";
  for (TokenId id = 0; id < spec.tokens.size(); ++id) {
    if (spec.tokens[id].empty()) continue;
    out += separator;
    AppendJsonString(spec.tokens[id], out);
    out += fmt::format(": {}", id);
    separator = ",\n";
  }
  out += "\n},\n\"merges\": [";
  separator = "\n";
  for (const Merge& merge : spec.merges) {
    out += separator;
    AppendJsonString(fmt::format("{} {}", spec.tokens[merge.left], spec.tokens[merge.right]), out);
    separator = ",\n";
  }
  return out + "\n]}}\n";
}

}  // namespace

absl::StatusOr<GgufTokenizerResult> ToGgufTokenizer(const TokenizerSpec& spec, int64_t rows, std::string_view what) {
  return ToGguf(spec, rows, what).Convert();
}

absl::StatusOr<std::string> FromGgufTokenizer(const GgufTokenizer& tokenizer, std::string_view what) {
  ASSIGN_OR_RETURN(const TokenizerSpec spec, FromGguf(tokenizer, what).Convert());
  return spec.sentence_piece ? WriteSentencePieceFile(spec) : WriteTokenizerFile(spec);
}

}  // namespace rhodes
