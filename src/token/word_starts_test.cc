#include "token/word_starts.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace rhodes {
namespace {

template <Pattern kPattern>
std::vector<std::string> ByStretches(const std::string& text) {
  std::vector<std::string> words;
  const auto found = std::make_unique<WordStarts>();
  SplitByStretches<kPattern>(
      text, *found,
      [&](const char* base, const WordStarts& starts) {
        for (size_t i = 0; i < starts.words; ++i) {
          words.emplace_back(base + starts.begins[i], base + starts.begins[i + 1]);
        }
      },
      [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

template <Pattern kPattern>
std::vector<std::string> OneByOne(const std::string& text) {
  std::vector<std::string> words;
  SplitWith<kPattern>(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

template <Pattern kPattern>
void ExpectSame(const std::string& text) {
  ASSERT_EQ(ByStretches<kPattern>(text), OneByOne<kPattern>(text)) << PatternName(kPattern) << ": " << text;
}

void ExpectSameOfAll(const std::string& text) {
  ExpectSame<Pattern::kGpt2>(text);
  ExpectSame<Pattern::kLlama3>(text);
  ExpectSame<Pattern::kQwen2>(text);
  ExpectSame<Pattern::kO200k>(text);
  ExpectSame<Pattern::kCl100k>(text);
}

// Each kind of character that a pattern tells from others, single and in the combinations it looks for.
const char* const kPieces[] = {"a",
                               "b",
                               "word",
                               "A",
                               "W",
                               "HTTPServer",
                               "iPhone",
                               " ",
                               " ",
                               " ",
                               " ",
                               "  ",
                               "\n",
                               "\n\n",
                               "\r\n",
                               "\t",
                               "1",
                               "12",
                               "2024",
                               "1234567",
                               ".",
                               ",",
                               "...",
                               "/",
                               "//",
                               "\n/",
                               "'",
                               "'s",
                               "'S",
                               "'re",
                               "'LL",
                               "'\u017f",
                               "\"",
                               "(",
                               "_",
                               "\u00e9",
                               "\u00c9",
                               "e\u0301",
                               "\u0301",
                               "\u00aa",
                               "\u01c5",
                               "\u02b0",
                               "\u0645\u0631\u062d\u0628\u0627",
                               "\u0645",
                               "\u064b",
                               "\u4e2d",
                               "\u6587\u5b57",
                               "\u3001",
                               "\u0663",
                               "\u0663\u0664\u0665\u0666",
                               "\u2167",
                               "\u00bd",
                               "\u00a0",
                               "\u3000",
                               "\u2028",
                               "\u0085",
                               "\u201c",
                               "\u2019",
                               "\u2014",
                               "\U0001f642",
                               "\U00010400",
                               "\u0915\u093f",
                               "\xff",
                               "\xc3",
                               "\xe2\x80",
                               "\x1c",
                               "the quick brown fox jumps over the lazy dog"};

TEST(WordStarts, FindsTheWordsThatSplittingOneByOneFinds) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    const size_t pieces = 1 + random() % 60;
    // Few kinds in one text: more of their combinations.
    const size_t kinds = 2 + random() % std::size(kPieces);
    const size_t first = random() % std::size(kPieces);
    for (size_t i = 0; i < pieces; ++i) text += kPieces[(first + random() % kinds * 7) % std::size(kPieces)];
    ExpectSameOfAll(text);
    if (HasFatalFailure()) return;
  }
}

TEST(WordStarts, FindsThemAcrossBlocksAndStretches) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    while (text.size() < 10000) text += kPieces[random() % std::size(kPieces)];
    ExpectSameOfAll(text);
    if (HasFatalFailure()) return;
  }
  for (size_t spaces = 0; spaces < 140; ++spaces) {
    for (const char* run : {" ", "\n", "1", "a", "A", ".", "'", "\u0301", "\u0645", " \n", "\n/"}) {
      std::string text = "x";
      for (size_t i = 0; i < spaces; ++i) text += run;
      for (const char* rest : {"", "word", ".end", "9 a", "'s b", "\nA", "B c"}) ExpectSameOfAll(text + rest);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(WordStarts, TakesAnyBytes) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 300, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    ExpectSameOfAll(text);
    if (HasFatalFailure()) return;
  }
  ExpectSameOfAll(std::string(100000, 'a'));
  ExpectSameOfAll(std::string(100000, ' '));
}

TEST(WordStarts, FindsThemWhateverTheVectorsAre) {
  // Every code point, alone between letters.
  std::string text;
  for (uint32_t code = 1; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    text += "a ";
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    } else if (code < 0x10000) {
      text += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
               static_cast<char>(0x80 | (code & 0x3F))};
    } else {
      text += {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 0x3F)),
               static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
    }
    if (code % 3 == 0) text += "b";
  }
  ExpectSameOfAll(text);
}

}  // namespace
}  // namespace rhodes
