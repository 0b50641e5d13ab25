#include "token/tokenizer_file.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "token/byte_alphabet.h"
#include "token/character_class.h"

namespace rhodes {
namespace {

using simdjson::dom::element;

// A field of an object; a null element and a missing one are both nothing.
std::optional<element> Field(element object, std::string_view name) {
  element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}
std::string_view StringField(element object, std::string_view name) {
  const std::optional<element> value = Field(object, name);
  std::string_view text;
  return value && value->get(text) == simdjson::SUCCESS ? text : std::string_view();
}
bool BoolField(element object, std::string_view name, bool fallback) {
  const std::optional<element> value = Field(object, name);
  bool flag;
  return value && value->get(flag) == simdjson::SUCCESS ? flag : fallback;
}

class Parser {
 public:
  explicit Parser(std::string_view what) : what_(what) {}

  absl::StatusOr<TokenizerSpec> Parse(std::string_view json) {
    simdjson::dom::parser parser;
    element root;
    const simdjson::padded_string padded(json);
    if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
      return Error(fmt::format("is not JSON: {}", simdjson::error_message(error)));
    }
    const std::optional<element> model = Field(root, "model");
    if (!model) return Error("has no \"model\"; is this a Hugging Face tokenizer.json?");
    if (const auto normalizer = Field(root, "normalizer")) RETURN_IF_ERROR(ReadNormalizer(*normalizer));
    RETURN_IF_ERROR(ReadPreTokenizer(root));
    RETURN_IF_ERROR(JoinSteps());
    RETURN_IF_ERROR(CheckModel(*model));
    if (const auto decoder = Field(root, "decoder"); decoder && spec_.sentence_piece) ReadDecoder(*decoder);
    RETURN_IF_ERROR(ReadAdded(root));
    RETURN_IF_ERROR(ReadVocabulary(*model));
    RETURN_IF_ERROR(ReadMerges(*model));
    RETURN_IF_ERROR(CheckReachable());
    return std::move(spec_);
  }

 private:
  absl::Status Error(std::string_view message) const {
    return absl::InvalidArgumentError(fmt::format("{}: {}", what_, message));
  }

  // One step of the normalizer, or the steps of a Sequence.
  absl::Status ReadNormalizer(element normalizer) {
    const std::string_view type = StringField(normalizer, "type");
    if (type == "Sequence") {
      simdjson::dom::array steps;
      const std::optional<element> list = Field(normalizer, "normalizers");
      if (!list || list->get(steps) != simdjson::SUCCESS) return Error("normalizer Sequence has no \"normalizers\"");
      for (const element step : steps) RETURN_IF_ERROR(ReadNormalizer(step));
      return absl::OkStatus();
    }
    if (type == "NFC") {
      spec_.nfc = true;
      return absl::OkStatus();
    }
    if (type == "Prepend" && StringField(normalizer, "prepend") == kMark) {
      prepends_ = true;
      return absl::OkStatus();
    }
    if (type == "Replace") {
      const std::optional<element> pattern = Field(normalizer, "pattern");
      if (pattern && StringField(*pattern, "String") == " " && StringField(normalizer, "content") == kMark) {
        replaces_ = true;
        return absl::OkStatus();
      }
      return Error("normalizer Replace must put \"\u2581\" for \" \"");
    }
    return Error(fmt::format(
        "normalizer \"{}\" is not supported (null, NFC, and Prepend and Replace with \"\u2581\" are)", type));
  }

  absl::Status ReadByteLevel(element byte_level, bool& use_regex) {
    if (BoolField(byte_level, "add_prefix_space", true)) {
      return Error("pre_tokenizer ByteLevel with add_prefix_space is not supported");
    }
    use_regex = BoolField(byte_level, "use_regex", true);
    return absl::OkStatus();
  }

  absl::Status ReadSplit(element split) {
    const std::optional<element> pattern = Field(split, "pattern");
    const std::string_view regex = pattern ? StringField(*pattern, "Regex") : std::string_view();
    // The patterns match every character: all that lies between matches, which the inverted "Removed" takes away, is
    // nothing, and to "Isolated" both are the same.
    const std::string_view behavior = StringField(split, "behavior");
    if (behavior != "Isolated" && !(behavior == "Removed" && BoolField(split, "invert", false))) {
      return Error(fmt::format(
          "pre_tokenizer Split with behavior \"{}\" is not supported (\"Isolated\" and inverted \"Removed\" are)",
          behavior));
    }
    const std::optional<Pattern> known = PatternFromRegex(regex);
    if (!known) {
      return Error(fmt::format("pre_tokenizer pattern is not one of {}: \"{}\"", kPatternNames, regex));
    }
    spec_.pattern = *known;
    return absl::OkStatus();
  }

  // Metaspace as written today (prepend_scheme, split) and before (add_prefix_space).
  absl::Status ReadMetaspace(element metaspace) {
    if (StringField(metaspace, "replacement") != kMark) {
      return Error("pre_tokenizer Metaspace must have the replacement \"\u2581\"");
    }
    SentencePieceRules& rules = spec_.sentence_piece.emplace();
    ASSIGN_OR_RETURN(rules.prefix, PrefixOfMetaspace(metaspace));
    rules.split_at_marks = BoolField(metaspace, "split", true);
    rules.normalizer_replaces = replaces_;
    return absl::OkStatus();
  }
  absl::StatusOr<SentencePieceRules::Prefix> PrefixOfMetaspace(element metaspace) const {
    using Prefix = SentencePieceRules::Prefix;
    const std::string_view scheme = StringField(metaspace, "prepend_scheme");
    if (scheme == "always") return Prefix::kIfMissing;
    if (scheme == "first") return Prefix::kFirstPieces;
    if (scheme == "never") return Prefix::kNone;
    if (!scheme.empty()) return Error(fmt::format("Metaspace prepend_scheme \"{}\" is not known", scheme));
    return BoolField(metaspace, "add_prefix_space", true) ? Prefix::kIfMissing : Prefix::kNone;
  }

  absl::Status ReadPreTokenizer(element root) {
    const std::optional<element> pre_tokenizer = Field(root, "pre_tokenizer");
    const std::string_view type = pre_tokenizer ? StringField(*pre_tokenizer, "type") : std::string_view();
    if (type == "Metaspace") return ReadMetaspace(*pre_tokenizer);
    if (!pre_tokenizer || type == "Split") {
      if (!replaces_) {
        return Error(pre_tokenizer ? "pre_tokenizer Split by itself is not supported"
                                   : "has no pre_tokenizer, and no normalizer that marks spaces");
      }
      // Gemma's Split cuts at " ", of which its normalizer leaves none.
      const std::optional<element> pattern = pre_tokenizer ? Field(*pre_tokenizer, "pattern") : std::nullopt;
      if (pre_tokenizer && (!pattern || StringField(*pattern, "String") != " ")) {
        return Error("pre_tokenizer Split after a normalizer that marks spaces must have the pattern \" \"");
      }
      spec_.sentence_piece.emplace();
      return absl::OkStatus();
    }
    bool use_regex = false;
    if (type == "ByteLevel") {
      RETURN_IF_ERROR(ReadByteLevel(*pre_tokenizer, use_regex));
      if (!use_regex) return Error("pre_tokenizer ByteLevel without a pattern is not supported");
      spec_.pattern = Pattern::kGpt2;
      return absl::OkStatus();
    }
    simdjson::dom::array steps;
    const std::optional<element> list = Field(*pre_tokenizer, "pretokenizers");
    if (type != "Sequence" || !list || list->get(steps) != simdjson::SUCCESS) {
      return Error(fmt::format(
          "pre_tokenizer \"{}\" is not supported (ByteLevel, a Sequence of Split and ByteLevel, and Metaspace are)",
          type));
    }
    if (steps.size() != 2 || StringField(steps.at(0), "type") != "Split" ||
        StringField(steps.at(1), "type") != "ByteLevel") {
      return Error("pre_tokenizer Sequence must be one Split and one ByteLevel");
    }
    RETURN_IF_ERROR(ReadSplit(steps.at(0)));
    RETURN_IF_ERROR(ReadByteLevel(steps.at(1), use_regex));
    if (use_regex) return Error("pre_tokenizer ByteLevel after a Split must have use_regex false");
    return absl::OkStatus();
  }

  // What the steps mean together.
  absl::Status JoinSteps() {
    if (!spec_.sentence_piece) {
      if (prepends_ || replaces_)
        return Error("normalizers Prepend and Replace need a pre_tokenizer null or Metaspace");
      return absl::OkStatus();
    }
    if (spec_.nfc) return Error("normalizer NFC beside Prepend, Replace or Metaspace is not supported");
    if (prepends_ && !replaces_) return Error("normalizer Prepend without Replace is not supported");
    if (prepends_) spec_.sentence_piece->prefix = SentencePieceRules::Prefix::kAlways;
    return absl::OkStatus();
  }

  // Of a SentencePiece-style file only: whether a space at the beginning goes.
  void ReadDecoder(element decoder) {
    const std::string_view type = StringField(decoder, "type");
    simdjson::dom::array steps;
    if (const auto list = Field(decoder, "decoders"); list && list->get(steps) == simdjson::SUCCESS) {
      for (const element step : steps) ReadDecoder(step);
    }
    uint64_t start = 0;
    if (const auto value = Field(decoder, "start"); value && value->get(start) != simdjson::SUCCESS) start = 0;
    if (type == "Strip" && StringField(decoder, "content") == " " && start == 1) {
      spec_.sentence_piece->strip_first_space = true;
    }
    if (const auto prefix = PrefixOfMetaspace(decoder); type == "Metaspace" && prefix.ok()) {
      spec_.sentence_piece->strip_first_space = *prefix != SentencePieceRules::Prefix::kNone;
    }
  }

  absl::Status CheckModel(element model) {
    const std::string_view type = StringField(model, "type");
    if (!type.empty() && type != "BPE") return Error(fmt::format("model \"{}\" is not supported (BPE is)", type));
    double dropout = 0;
    if (const auto value = Field(model, "dropout"); value && value->get(dropout) == simdjson::SUCCESS && dropout > 0) {
      return Error("model.dropout is not supported");
    }
    for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!StringField(model, name).empty()) return Error(fmt::format("model.{} is not supported", name));
    }
    spec_.ignore_merges = BoolField(model, "ignore_merges", false);
    unknown_ = StringField(model, "unk_token");
    const bool byte_fallback = BoolField(model, "byte_fallback", false);
    if (!spec_.sentence_piece && byte_fallback) return Error("model.byte_fallback with ByteLevel is not supported");
    if (spec_.sentence_piece && !byte_fallback) {
      return Error("a pre_tokenizer null or Metaspace without model.byte_fallback is not supported");
    }
    if (spec_.sentence_piece && spec_.ignore_merges) {
      return Error("model.ignore_merges with model.byte_fallback is not supported");
    }
    return absl::OkStatus();
  }

  absl::Status ReadAdded(element root) {
    simdjson::dom::array added;
    const std::optional<element> list = Field(root, "added_tokens");
    if (!list) return absl::OkStatus();
    if (list->get(added) != simdjson::SUCCESS) return Error("\"added_tokens\" is not an array");
    for (const element token : added) {
      uint64_t id;
      const std::optional<element> number = Field(token, "id");
      const std::string_view text = StringField(token, "content");
      if (!number || number->get(id) != simdjson::SUCCESS || id >= kMaxVocabulary || text.empty()) {
        return Error(fmt::format("added token \"{}\" has no usable id or content", text));
      }
      const bool special = BoolField(token, "special", false);
      spec_.added.push_back({static_cast<TokenId>(id), std::string(text), special, BoolField(token, "lstrip", false),
                             BoolField(token, "rstrip", false), BoolField(token, "single_word", false),
                             BoolField(token, "normalized", !special)});
    }
    std::sort(spec_.added.begin(), spec_.added.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    return absl::OkStatus();
  }

  absl::Status ReadVocabulary(element model) {
    simdjson::dom::object vocabulary;
    const std::optional<element> field = Field(model, "vocab");
    if (!field || field->get(vocabulary) != simdjson::SUCCESS) return Error("\"model.vocab\" is not an object");
    std::vector<std::pair<std::string_view, bool>> by_id;  // text as written, is there
    const auto place = [&](std::string_view text, uint64_t id) -> absl::Status {
      if (id >= kMaxVocabulary) return Error(fmt::format("token \"{}\" has no usable id", text));
      if (by_id.size() <= id) by_id.resize(id + 1);
      if (by_id[id].second && by_id[id].first != text) {
        return Error(fmt::format("id {} is given to \"{}\" and to \"{}\"", id, by_id[id].first, text));
      }
      by_id[id] = {text, true};
      return absl::OkStatus();
    };
    for (const auto& [text, value] : vocabulary) {
      uint64_t id;
      if (value.get(id) != simdjson::SUCCESS) return Error(fmt::format("token \"{}\" has no usable id", text));
      RETURN_IF_ERROR(place(text, id));
      if (const auto [there, is_new] = ids_.emplace(text, static_cast<TokenId>(id)); !is_new) {
        return Error(fmt::format("token \"{}\" is there twice, with id {} and id {}", text, there->second, id));
      }
    }
    std::vector<bool>& is_added = is_added_;
    for (AddedToken& token : spec_.added) {
      RETURN_IF_ERROR(place(token.text, token.id));
      if (const auto ordinary = ids_.find(token.text); ordinary != ids_.end()) {
        if (ordinary->second != token.id) {
          return Error(fmt::format("added token \"{}\" has id {}, but id {} in the vocabulary", token.text, token.id,
                                   ordinary->second));
        }
        token.in_vocabulary = true;
      }
      is_added.resize(std::max<size_t>(is_added.size(), token.id + 1));
      is_added[token.id] = true;
    }
    is_added.resize(by_id.size());
    return spec_.sentence_piece ? KeepPieces(by_id) : KeepByteLevel(by_id);
  }

  using TextById = std::vector<std::pair<std::string_view, bool>>;

  absl::Status KeepByteLevel(const TextById& by_id) {
    std::string bytes;
    is_unit_.resize(by_id.size());
    for (size_t id = 0; id < by_id.size(); ++id) {
      if (is_added_[id] || !FromByteLevel(by_id[id].first, bytes)) bytes = by_id[id].first;
      is_unit_[id] = bytes.size() <= 1;
      spec_.tokens.Append(bytes);
    }
    return absl::OkStatus();
  }

  absl::Status KeepPieces(const TextById& by_id) {
    SentencePieceRules& rules = *spec_.sentence_piece;
    std::array<bool, 256> found = {};
    is_unit_.resize(by_id.size());
    for (size_t id = 0; id < by_id.size(); ++id) {
      const std::string_view text = by_id[id].first;
      if (const std::optional<uint8_t> byte = ByteOfToken(text)) {
        spec_.tokens.Append(std::string(1, static_cast<char>(*byte)));
        rules.bytes[*byte] = static_cast<TokenId>(id);
        found[*byte] = is_unit_[id] = true;
        continue;
      }
      if (!text.empty() && ids_.contains(text)) {
        const char* const end = text.data() + text.size();
        const Character first = DecodeCharacter(text.data(), end, CharacterClasses());
        if (first.length == text.size()) {
          is_unit_[id] = true;
          if (text != " ") rules.characters.emplace_back(text == kMark ? ' ' : first.code, static_cast<TokenId>(id));
        }
      }
      spec_.tokens.Append(WithSpaces(text));
    }
    for (size_t byte = 0; byte < 256; ++byte) {
      if (!found[byte]) return Error(fmt::format("byte fallback needs the token <0x{:02X}>, which is not there", byte));
    }
    return absl::OkStatus();
  }

  // "<0x0A>" as the byte it stands for.
  static std::optional<uint8_t> ByteOfToken(std::string_view text) {
    if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
    if (error != std::errc() || end != text.data() + 5) return std::nullopt;
    return byte;
  }
  static std::string WithSpaces(std::string_view text) {
    std::string spaced;
    for (size_t at = 0; at < text.size();) {
      const bool mark = text.substr(at, kMark.size()) == kMark;
      spaced += mark ? ' ' : text[at];
      at += mark ? kMark.size() : 1;
    }
    return spaced;
  }

  absl::StatusOr<TokenId> IdOf(std::string_view text, size_t merge) const {
    const auto found = ids_.find(text);
    if (found != ids_.end()) return found->second;
    return Error(fmt::format("merge {}: \"{}\" is not in the vocabulary", merge, text));
  }

  absl::Status ReadMerges(element model) {
    simdjson::dom::array merges;
    const std::optional<element> field = Field(model, "merges");
    if (!field || field->get(merges) != simdjson::SUCCESS) return Error("\"model.merges\" is not an array");
    size_t number = 0;
    for (const element merge : merges) {
      std::string_view left;
      std::string_view right;
      if (std::string_view joined; merge.get(joined) == simdjson::SUCCESS) {
        const size_t space = joined.find(' ');
        if (space != std::string_view::npos) {
          left = joined.substr(0, space);
          right = joined.substr(space + 1);
        }
      } else if (simdjson::dom::array pair; merge.get(pair) == simdjson::SUCCESS && pair.size() == 2) {
        if (pair.at(0).get(left) != simdjson::SUCCESS || pair.at(1).get(right) != simdjson::SUCCESS) left = {};
      }
      if (left.empty() || right.empty()) return Error(fmt::format("merge {} is not a pair of tokens", number));
      Merge parsed;
      ASSIGN_OR_RETURN(parsed.left, IdOf(left, number));
      ASSIGN_OR_RETURN(parsed.right, IdOf(right, number));
      const auto result = ids_.find(fmt::format("{}{}", left, right));
      if (result == ids_.end()) {
        return Error(fmt::format("merge {}: \"{}\" and \"{}\" make \"{}{}\", which is not in the vocabulary", number,
                                 left, right, left, right));
      }
      parsed.result = result->second;
      spec_.merges.push_back(parsed);
      ++number;
    }
    return absl::OkStatus();
  }

  // A token that text can never become is the trace of a merge that got lost.
  absl::Status CheckReachable() const {
    if (spec_.ignore_merges) return absl::OkStatus();
    std::vector<bool> made(spec_.tokens.size());
    for (const Merge& merge : spec_.merges) made[merge.result] = true;
    TokenId first = spec_.tokens.size();
    std::string_view first_text;
    for (const auto& [text, id] : ids_) {
      if (made[id] || is_unit_[id] || is_added_[id] || text == unknown_ || id >= first) continue;
      first = id;
      first_text = text;
    }
    if (first < spec_.tokens.size()) {
      return Error(
          fmt::format("token \"{}\" (id {}) is the result of no merge: a merge is missing", first_text, first));
    }
    return absl::OkStatus();
  }

  static constexpr std::string_view kMark = "\u2581";
  static constexpr std::string_view kPatternNames = "gpt2, llama3, qwen2, o200k, cl100k_base";
  static constexpr uint64_t kMaxVocabulary = MergeTable::kMostTokens;  // a slip of the file must not cost gigabytes

  std::string_view what_;
  TokenizerSpec spec_;
  bool prepends_ = false;  // the normalizer puts a mark before the text
  bool replaces_ = false;  // the normalizer makes marks of spaces
  std::string_view unknown_;
  absl::flat_hash_map<std::string_view, TokenId> ids_;  // of the vocabulary's texts
  std::vector<bool> is_added_;                          // by id
  std::vector<bool> is_unit_;                           // by id: what merges begin with
};

}  // namespace

absl::StatusOr<TokenizerSpec> ParseTokenizerFile(std::string_view json, std::string_view what) {
  return Parser(what).Parse(json);
}

}  // namespace rhodes
