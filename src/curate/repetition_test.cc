#include "curate/repetition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <set>

#include "base/text.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

RepetitionMeasures Measure(std::string_view text, uint64_t min_count = 2) {
  Words words;
  WordSplitter().Split(text, WordRules::kRhodes, words);
  RepetitionScratch scratch;
  return MeasureRepetition(text, words, 7, min_count, scratch);
}

// The reference's own procedure, written out over strings.
std::vector<std::string> Pieces(const std::string& text, size_t separator) {
  std::vector<std::string> pieces(1);
  for (size_t i = 0; i < text.size();) {
    size_t run = i;
    while (run < text.size() && text[run] == '\n') ++run;
    if (run - i >= separator) {
      pieces.emplace_back();
      i = run;
    } else {
      pieces.back() += text[i++];
    }
  }
  return pieces;
}

std::pair<double, double> Duplicates(const std::vector<std::string>& pieces, double code_points) {
  std::set<std::string> seen;
  double count = 0;
  double characters = 0;
  for (const std::string& piece : pieces) {
    if (seen.insert(piece).second) continue;
    ++count;
    characters += static_cast<double>(CodePoints(piece));
  }
  return {count / static_cast<double>(pieces.size()), characters / code_points};
}

double TopNgram(const std::vector<std::string>& words, size_t n, double code_points, int min_count) {
  std::map<std::string, int> counts;
  std::vector<std::string> order;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string joined = words[i];
    for (size_t j = 1; j < n; ++j) joined += " " + words[i + j];
    if (counts[joined]++ == 0) order.push_back(joined);
  }
  const std::string* top = nullptr;
  for (const std::string& ngram : order) {
    if (top == nullptr || counts[ngram] > counts[*top]) top = &ngram;
  }
  if (top == nullptr || counts[*top] < min_count) return 0;
  return static_cast<double>(CodePoints(*top)) * counts[*top] / code_points;
}

double DuplicateNgrams(const std::vector<std::string>& words, size_t n, double code_points) {
  std::set<std::string> seen;
  double characters = 0;
  for (size_t i = 0; i + n <= words.size();) {
    std::string joined;
    for (size_t j = 0; j < n; ++j) joined += words[i + j];
    if (seen.insert(joined).second) {
      ++i;
    } else {
      characters += static_cast<double>(CodePoints(joined));
      i += n;
    }
  }
  return characters / code_points;
}

TEST(Repetition, MeasuresEqualTheReferencesProcedureOnRandomText) {
  std::mt19937 random(20240611);
  const std::vector<std::string> vocabulary = {"a",   "paquet", "Übung", "كتاب", "of",
                                               "the", "list",   "zebra", "qq",   "longword"};
  for (int round = 0; round < 300; ++round) {
    const size_t distinct = 1 + random() % vocabulary.size();
    const size_t count = random() % 120;
    std::vector<std::string> words;
    std::string text;
    for (size_t i = 0; i < count; ++i) {
      words.push_back(vocabulary[random() % distinct]);
      text += words.back();
      if (i + 1 < count) text += random() % 6 == 0 ? std::string(1 + random() % 2, '\n') : " ";
    }
    const double code_points = std::max(1.0, static_cast<double>(CodePoints(text)));
    for (const int min_count : {1, 2}) {
      const RepetitionMeasures measures = Measure(text, static_cast<uint64_t>(min_count));
      const auto [lines, line_characters] = Duplicates(Pieces(text, 1), code_points);
      const auto [paragraphs, paragraph_characters] = Duplicates(Pieces(std::string(Trim(text)), 2), code_points);
      EXPECT_DOUBLE_EQ(measures.duplicate_lines, lines) << text;
      EXPECT_DOUBLE_EQ(measures.duplicate_line_characters, line_characters) << text;
      EXPECT_DOUBLE_EQ(measures.duplicate_paragraphs, paragraphs) << text;
      EXPECT_DOUBLE_EQ(measures.duplicate_paragraph_characters, paragraph_characters) << text;
      for (size_t n = 2; n <= 4; ++n) {
        EXPECT_DOUBLE_EQ(measures.top_ngram[n - 2], TopNgram(words, n, code_points, min_count)) << n << ": " << text;
      }
      for (size_t n = 5; n <= 10; ++n) {
        EXPECT_DOUBLE_EQ(measures.duplicate_ngrams[n - 5], DuplicateNgrams(words, n, code_points)) << n << ": " << text;
      }
    }
  }
}

TEST(Repetition, NamesTheReasonsOfTheReference) {
  const auto reason = [](std::string_view text) {
    Words words;
    WordSplitter().Split(text, WordRules::kRhodes, words);
    RepetitionScratch scratch;
    Findings findings("repetition");
    JudgeRepetition(
        text, words.code_points, [&]() -> const Words& { return words; }, 7, RepetitionSettings(), scratch, findings);
    return std::string(findings.Take().reason);
  };
  EXPECT_EQ(reason("A paragraph with several words in it.\n\nAnother one, which says something else entirely."), "");
  EXPECT_EQ(reason("same\n\nsame\n\nsame\n\nother"), "dup_para_frac");
  EXPECT_EQ(reason("same\nsame\nsame\nother"), "dup_line_frac");
  EXPECT_EQ(
      reason("a long line that stands twice in this text\nx y\nz w\nu v\na long line that stands twice in this text"),
      "dup_line_char_frac");
  EXPECT_EQ(reason("buy now and buy now or buy now but buy now"), "top_2_gram");
  std::string numbers;
  for (int i = 0; i < 60; ++i) numbers += "number" + std::to_string(i % 30) + " ";
  EXPECT_EQ(reason(numbers), "duplicated_5_n_grams");
}

TEST(Repetition, AShortDocumentIsNotRepetitiveForBeingShort) {
  const RepetitionMeasures ours = Measure("GNU grep tool");
  EXPECT_EQ(ours.top_ngram[0], 0);
  EXPECT_GT(Measure("GNU grep tool", 1).top_ngram[0], 0.2) << "the reference counts n-grams that occur once";
}

double Seconds(const std::string& text) {
  const auto begun = std::chrono::steady_clock::now();
  Measure(text);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

TEST(Repetition, IsLinearOnAdversarialText) {
  const auto text_of = [](int kind, size_t size) {
    std::string text;
    for (uint64_t i = 0; text.size() < size; ++i) {
      if (kind == 0) text += "word ";
      if (kind == 1) text += "\n";
      if (kind == 2) text += "x\n";
      if (kind == 3) text += std::to_string(i * 2654435761u) + " ";
      if (kind == 4) text += "\xCC\x81";
      if (kind == 5) text.push_back('\0');
      if (kind == 6) text += i % 2 == 0 ? "." : ",";
    }
    return text;
  };
  for (int kind = 0; kind <= 6; ++kind) {
    const double short_time = Seconds(text_of(kind, 1'000'000));
    const double long_time = Seconds(text_of(kind, 4'000'000));
    EXPECT_LT(long_time, 12 * short_time + 0.5) << "kind " << kind;
  }
}

}  // namespace
}  // namespace rhodes
