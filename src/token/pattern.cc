#include "token/pattern.h"

#include <utility>

namespace rhodes {
namespace {

constexpr std::string_view kGpt2Regex = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Regex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kRegex =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// tiktoken writes \s++$, which its engine takes for the end of the text; to Oniguruma that is \z.
constexpr std::string_view kCl100kRegex =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Other spellings of the same languages.
constexpr std::pair<std::string_view, Pattern> kSpellings[] = {
    {kGpt2Regex, Pattern::kGpt2},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", Pattern::kGpt2},
    {kLlama3Regex, Pattern::kLlama3},
    {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     Pattern::kLlama3},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     Pattern::kLlama3},
    {kQwen2Regex, Pattern::kQwen2},
    {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     Pattern::kQwen2},
    {kO200kRegex, Pattern::kO200k},
    {kCl100kRegex, Pattern::kCl100k},
};

constexpr std::pair<std::string_view, Pattern> kNames[] = {
    {"gpt2", Pattern::kGpt2},        {"llama3", Pattern::kLlama3},      {"qwen2", Pattern::kQwen2},
    {"o200k", Pattern::kO200k},      {"gpt-2", Pattern::kGpt2},         {"cl100k", Pattern::kLlama3},
    {"llama-bpe", Pattern::kLlama3}, {"grok2", Pattern::kQwen2},        {"grok-2", Pattern::kQwen2},
    {"gpt-4o", Pattern::kO200k},     {"cl100k_base", Pattern::kCl100k},
};

}  // namespace

std::string_view PatternName(Pattern pattern) {
  for (const auto& [name, value] : kNames) {
    if (value == pattern) return name;
  }
  return "";
}

absl::StatusOr<Pattern> PatternFromName(std::string_view name) {
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return absl::InvalidArgumentError(
      fmt::format("unknown pre-tokenizer pattern \"{}\"; known: gpt2, llama3, qwen2, o200k, cl100k_base", name));
}

std::string_view PatternRegex(Pattern pattern) {
  switch (pattern) {
    case Pattern::kGpt2:
      return kGpt2Regex;
    case Pattern::kLlama3:
      return kLlama3Regex;
    case Pattern::kQwen2:
      return kQwen2Regex;
    case Pattern::kO200k:
      return kO200kRegex;
    case Pattern::kCl100k:
      return kCl100kRegex;
  }
  return "";
}

std::optional<Pattern> PatternFromRegex(std::string_view regex) {
  for (const auto& [known, value] : kSpellings) {
    if (known == regex) return value;
  }
  return std::nullopt;
}

}  // namespace rhodes
