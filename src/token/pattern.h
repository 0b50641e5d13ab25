// The pre-tokenizer patterns that models in use are trained with, each as a hand-written splitter.
//
// A pattern cuts text into words; merges never cross a word. The splitters are equal to the regular expressions (with
// Unicode properties), and linear in the text for all inputs, which a backtracking engine is not.
#ifndef RHODES_TOKEN_PATTERN_H_
#define RHODES_TOKEN_PATTERN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

enum class Pattern {
  kGpt2,    // llama.cpp "gpt-2"
  kLlama3,  // llama.cpp "llama-bpe"; tiktoken's cl100k_base in its first form; digits in groups of up to three
  kQwen2,   // llama.cpp "qwen2" and "grok-2": as llama3, each digit by itself
  kO200k,   // llama.cpp "gpt-4o": words are cut where an upper-case letter follows a lower-case one
  kCl100k,  // tiktoken's cl100k_base as it is now: as llama3, but white space that ends the text is one word
};

// "gpt2", "llama3", "qwen2", "o200k", "cl100k_base".
std::string_view PatternName(Pattern pattern);
// By name; also the aliases "cl100k", "llama-bpe" (llama3), "grok2", "grok-2" (qwen2), "gpt-2", "gpt-4o".
// INVALID_ARGUMENT naming the known ones.
absl::StatusOr<Pattern> PatternFromName(std::string_view name);
// The regular expression, as tokenizer.json files carry it.
std::string_view PatternRegex(Pattern pattern);
// The pattern that a regular expression from a tokenizer.json states, in any of the spellings known; nothing otherwise.
std::optional<Pattern> PatternFromRegex(std::string_view regex);

}  // namespace rhodes

#endif  // RHODES_TOKEN_PATTERN_H_
