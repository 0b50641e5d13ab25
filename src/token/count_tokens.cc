#include "token/count_tokens.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "token/character_class.h"
#include "token/tokenizer.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
using GroupCounts = std::map<TextGroup, TextCounts>;

// Texts are encoded in parts of about this many bytes, so that their tokens stay in the cache.
constexpr size_t kPartBytes = size_t{256} << 10;

// Whether a text's tokens are those of its parts when it is cut at WordBorder().
bool CanBeCut(const TokenizerSpec& spec) {
  if (spec.sentence_piece.has_value()) return false;
  return std::none_of(spec.added.begin(), spec.added.end(), [](const AddedToken& token) {
    return token.lstrip || token.rstrip || WordBorder(token.text, 0) != std::string_view::npos;
  });
}

absl::StatusOr<bool> CanBeCut(const std::string& bytes, const std::string& path) {
  // A rank file's tokens lie within words, and its special tokens are well known.
  if (!Trim(bytes).starts_with('{')) return true;
  ASSIGN_OR_RETURN(const TokenizerSpec spec, ParseTokenizerFile(bytes, path));
  return CanBeCut(spec);
}

class Counter {
 public:
  Counter(const Tokenizer& tokenizer, bool in_parts, bool allow_special)
      : tokenizer_(tokenizer), in_parts_(in_parts), allow_special_(allow_special) {}

  absl::StatusOr<GroupCounts> Count(TextPiece& piece) const {
    GroupCounts groups;
    std::vector<TokenId> ids;
    // Documents of one group mostly stand together.
    GroupCounts::iterator last = groups.end();
    RETURN_IF_ERROR(piece.Read([&](const TextFragment& part) {
      const std::string_view language = part.language.empty() ? "und" : part.language;
      if (last == groups.end() || last->first.source != part.source || last->first.language != language) {
        last = groups.try_emplace({std::string(part.source), std::string(language)}).first;
      }
      TextCounts& counts = last->second;
      counts.documents += part.begins ? 1 : 0;
      counts.bytes += part.text.size();
      CountWords(part.text, counts);
      for (std::string_view rest = part.text; !rest.empty();) {
        const size_t border = in_parts_ ? WordBorder(rest, kPartBytes) : std::string_view::npos;
        const std::string_view text = rest.substr(0, border);
        ids.clear();
        tokenizer_.Encode(text, ids, allow_special_);
        counts.tokens += ids.size();
        rest.remove_prefix(text.size());
      }
    }));
    return groups;
  }

 private:
  const Tokenizer& tokenizer_;
  const bool in_parts_;
  const bool allow_special_;
};

void Add(const TextCounts& counts, TextCounts& sum) {
  sum.documents += counts.documents;
  sum.bytes += counts.bytes;
  sum.characters += counts.characters;
  sum.words += counts.words;
  sum.tokens += counts.tokens;
}

Json CountsJson(const TextCounts& counts) {
  const auto ratio = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  return {{"documents", counts.documents},
          {"bytes", counts.bytes},
          {"characters", counts.characters},
          {"words", counts.words},
          {"tokens", counts.tokens},
          {"bytes_per_token", ratio(counts.bytes, counts.tokens)},
          {"tokens_per_word", ratio(counts.tokens, counts.words)}};
}

}  // namespace

void CountWords(std::string_view text, TextCounts& counts) {
  const uint8_t* const classes = CharacterClasses();
  const char* const end = text.data() + text.size();
  bool in_word = false;
  for (const char* at = text.data(); at < end;) {
    const Character character = DecodeCharacter(at, end, classes);
    const bool space = (character.character_class & kSpace) != 0;
    counts.words += !space && !in_word ? 1 : 0;
    in_word = !space;
    at += character.length;
  }
  // By itself, this loop is one that the compiler makes vector code of.
  uint64_t characters = 0;
  for (const char byte : text) characters += IsUtf8Continuation(byte) ? 0 : 1;
  counts.characters += characters;
}

Json ToJson(const CountTokensReport& report) {
  Json json = CountsJson(report.all);
  json["by_source"] = Json::object();
  json["by_language"] = Json::object();
  for (const auto& [name, counts] : report.by_source) json["by_source"][name] = CountsJson(counts);
  for (const auto& [name, counts] : report.by_language) json["by_language"][name] = CountsJson(counts);
  json["seconds"] = report.seconds;
  return json;
}

absl::StatusOr<CountTokensReport> CountTokens(const CountTokensOptions& options, RunContext& context) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.tokenizer));
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(options.tokenizer, options.pattern));
  ASSIGN_OR_RETURN(const bool in_parts, CanBeCut(bytes, options.tokenizer));
  TextInputOptions input_options = options.input;
  input_options.whole_texts = !in_parts;
  ASSIGN_OR_RETURN(const std::unique_ptr<TextInput> input, TextInput::Open(std::move(input_options)));

  const Clock::time_point begun = Clock::now();
  context.progress->Begin("count", input->total_bytes(), "bytes");
  const Counter counter(*tokenizer, in_parts, options.allow_special);
  CountTokensReport report;
  const absl::Status counted = OrderedPipeline<std::unique_ptr<TextPiece>, GroupCounts>(
      context.Threads(), 2 * static_cast<size_t>(context.Threads()),
      [&]() -> absl::StatusOr<std::optional<std::unique_ptr<TextPiece>>> {
        RETURN_IF_ERROR(context.CheckCancelled());
        context.progress->Update(input->read_bytes(), "");
        ASSIGN_OR_RETURN(std::unique_ptr<TextPiece> piece, input->Next());
        if (piece == nullptr) return std::optional<std::unique_ptr<TextPiece>>();
        return std::optional(std::move(piece));
      },
      [&](std::unique_ptr<TextPiece> piece) { return counter.Count(*piece); },
      [&](const GroupCounts& groups) {
        for (const auto& [name, counts] : groups) {
          Add(counts, report.all);
          Add(counts, report.by_source[name.source]);
          Add(counts, report.by_language[name.language]);
        }
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(counted);
  context.progress->End();
  report.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  return report;
}

}  // namespace rhodes
