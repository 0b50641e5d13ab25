#include "token/text_input.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <random>
#include <thread>

#include "base/file.h"
#include "record/document_table.h"
#include "token/splitter.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Words(Pattern pattern, std::string_view text) {
  std::vector<std::string> words;
  SplitWords(pattern, text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

TEST(WordBorder, ATextCutThereHasTheWordsOfTheWholeByEveryPattern) {
  const char* const pieces[] = {" ", "  ",      "\n",     "\r\n", "\t",   "\u00a0", "\u3000", "a",
                                "B", "wordS",   "'s",     "'",    "12",   "!",      "/",      "\n/",
                                "é", "e\u0301", "\u0301", "وث",   "中文", "\xff",   "\xc3",   "_"};
  std::mt19937 random(3);
  size_t cuts = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text;
    for (size_t i = 0, count = 2 + random() % 9; i < count; ++i) text += pieces[random() % std::size(pieces)];
    for (size_t border = WordBorder(text, 1); border < text.size(); border = WordBorder(text, border + 1)) {
      ++cuts;
      for (const Pattern pattern :
           {Pattern::kGpt2, Pattern::kLlama3, Pattern::kQwen2, Pattern::kO200k, Pattern::kCl100k}) {
        std::vector<std::string> parts = Words(pattern, std::string_view(text).substr(0, border));
        for (std::string& word : Words(pattern, std::string_view(text).substr(border)))
          parts.push_back(std::move(word));
        ASSERT_EQ(parts, Words(pattern, text)) << "cut at " << border << " of: " << text;
      }
    }
  }
  EXPECT_GT(cuts, 1000U);
}

TEST(WordBorder, IsFoundInEnglishArabicAndBetweenLines) {
  EXPECT_EQ(WordBorder("one two", 0), 3U);
  EXPECT_EQ(WordBorder("one two", 4), std::string_view::npos);
  EXPECT_EQ(WordBorder("وثيقة القمر", 0), 10U);
  EXPECT_EQ(WordBorder("12.\nnext", 0), 4U);
  EXPECT_EQ(WordBorder("no  border \n\nhere", 0), std::string_view::npos);
}

class TextInputTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "rhodes_text_input_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(folder_).ok());
    ASSERT_TRUE(CreateDirectories(folder_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(folder_).ok()); }
  std::string Write(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(WriteFileAtomically(folder_ + "/" + name, bytes).ok());
    return folder_ + "/" + name;
  }
  struct All {
    std::vector<std::string> documents;
    std::vector<TextGroup> groups;
    size_t pieces = 0;
    size_t fragments = 0;
  };
  static absl::StatusOr<All> ReadAll(const TextInputOptions& options) {
    ASSIGN_OR_RETURN(const std::unique_ptr<TextInput> input, TextInput::Open(options));
    All all;
    while (true) {
      ASSIGN_OR_RETURN(const std::unique_ptr<TextPiece> piece, input->Next());
      if (piece == nullptr) return all;
      ++all.pieces;
      RETURN_IF_ERROR(piece->Read([&](const TextFragment& part) {
        ++all.fragments;
        if (part.begins) {
          all.documents.emplace_back();
          all.groups.push_back({std::string(part.source), std::string(part.language)});
        }
        all.documents.back() += part.text;
      }));
    }
  }

  std::string folder_;
};

TEST_F(TextInputTest, JsonLinesComeInRangesWithSourceAndLanguage) {
  std::string lines;
  std::vector<std::string> texts;
  for (int i = 0; i < 40'000; ++i) {
    texts.push_back(fmt::format("text {} of many, with some more characters to fill a range", i));
    lines += fmt::format(R"({{"text":"{}","language":"{}","sources":["a"{}]}})", texts.back(), i % 2 == 0 ? "en" : "ar",
                         i % 3 == 0 ? ",\"b\"" : "") +
             "\n";
  }
  const auto all = ReadAll({{Write("web.jsonl", lines)}});
  ASSERT_TRUE(all.ok()) << Message(all.status());
  EXPECT_EQ(all->documents, texts);
  EXPECT_GE(all->pieces, 3U);
  EXPECT_EQ(all->groups[0], (TextGroup{"a+b", "en"}));
  EXPECT_EQ(all->groups[1], (TextGroup{"a", "ar"}));
}

TEST_F(TextInputTest, ADocumentWithoutSourceBelongsToItsInput) {
  ASSERT_TRUE(CreateDirectories(folder_ + "/corpus").ok());
  Write("corpus/one.txt", "first");
  Write("corpus/two.jsonl", "{\"text\":\"second\"}\n\n{\"text\":\"third\",\"id\":7}\n");
  Write("corpus/manifest.json", "{}");
  const auto all = ReadAll({{folder_ + "/corpus/", Write("ar.news.txt", "fourth")}});
  ASSERT_TRUE(all.ok()) << Message(all.status());
  EXPECT_THAT(all->documents, ElementsAre("first", "second", "third", "fourth"));
  EXPECT_EQ(all->groups[0].source, "corpus");
  EXPECT_EQ(all->groups[2].source, "corpus");
  EXPECT_EQ(all->groups[3].source, "ar.news");
}

TEST_F(TextInputTest, ParquetDocumentsAreRead) {
  ASSERT_TRUE(CreateDirectories(folder_ + "/parts").ok());
  const auto writer = DocumentWriter::Create(folder_ + "/parts");
  Document document;
  document.id = "1";
  document.text = "a text";
  document.language = "en";
  document.sources = {"news"};
  ASSERT_TRUE((*writer)->Append(document).ok() && (*writer)->Finish().ok());
  const auto all = ReadAll({{folder_ + "/parts"}});
  ASSERT_TRUE(all.ok()) << Message(all.status());
  EXPECT_THAT(all->documents, ElementsAre("a text"));
  EXPECT_EQ(all->groups[0], (TextGroup{"news", "en"}));
}

TEST_F(TextInputTest, ALongTextComesInPartsUnlessItIsWantedWhole) {
  std::string text;
  for (int i = 0; text.size() < 5 << 20; ++i) text += fmt::format("line {} of a long book\n", i);
  const std::string path = Write("book.txt", text);
  for (const bool whole : {false, true}) {
    const auto all = ReadAll({{path}, TextFormat::kAuto, whole});
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(all->documents, std::vector<std::string>{text});
    EXPECT_EQ(all->fragments > 1, !whole);
  }
  const auto lines = ReadAll({{path}, TextFormat::kLines});
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ(lines->documents[1000], "line 1000 of a long book");
  EXPECT_GT(lines->pieces, 3U);
}

TEST_F(TextInputTest, AnEmptyTextIsADocumentAndAnEmptyFileOfLinesHasNone) {
  EXPECT_EQ(ReadAll({{Write("a.txt", "")}})->documents.size(), 1U);
  EXPECT_EQ(ReadAll({{Write("a.jsonl", "")}})->documents.size(), 0U);
  EXPECT_EQ(ReadAll({{folder_ + "/a.txt"}, TextFormat::kLines})->documents.size(), 0U);
}

// What comes through a pipe, named like a file.
TEST_F(TextInputTest, APipeIsReadAsWhatItsFirstLineSays) {
  std::string lines;
  for (int i = 0; i < 150'000; ++i) lines += fmt::format("{{\"text\":\"text {} of the pipe\"}}\n", i);
  std::string book;
  for (int i = 0; book.size() < 9 << 20; ++i) book += fmt::format("{{line}} {} of the book\n", i);
  for (const std::string* const bytes : {&lines, &book}) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::thread writer([&] {
      for (size_t at = 0; at < bytes->size();) {
        const ssize_t count = write(ends[1], bytes->data() + at, bytes->size() - at);
        if (count <= 0) break;
        at += static_cast<size_t>(count);
      }
      close(ends[1]);
    });
    const auto all = ReadAll({{fmt::format("/dev/fd/{}", ends[0])}});
    writer.join();
    close(ends[0]);
    ASSERT_TRUE(all.ok()) << Message(all.status());
    EXPECT_GE(all->pieces, 2U);
    if (bytes == &book) {
      EXPECT_EQ(all->documents, std::vector<std::string>{book});
    } else {
      ASSERT_EQ(all->documents.size(), 150'000U);
      EXPECT_EQ(all->documents[149'999], "text 149999 of the pipe");
    }
  }
}

TEST_F(TextInputTest, IdentityChangesWithTheFiles) {
  const std::string path = Write("a.txt", "one");
  const std::string before = (*TextInput::Open({{path}}))->identity();
  EXPECT_EQ((*TextInput::Open({{path}}))->identity(), before);
  EXPECT_NE((*TextInput::Open({{path}, TextFormat::kLines}))->identity(), before);
  Write("a.txt", "other");
  EXPECT_NE((*TextInput::Open({{path}}))->identity(), before);
  EXPECT_EQ((*TextInput::Open({{"-"}}))->identity(), "");
}

TEST_F(TextInputTest, WhatIsBrokenIsNamed) {
  EXPECT_THAT(Message(ReadAll({{folder_ + "/none.txt"}}).status()), HasSubstr("none.txt"));
  ASSERT_TRUE(CreateDirectories(folder_ + "/empty").ok());
  EXPECT_THAT(Message(ReadAll({{folder_ + "/empty"}}).status()), HasSubstr("no .parquet, .jsonl or .txt file in"));
  const auto torn = ReadAll({{Write("torn.jsonl", "{\"text\":\"a\"}\n{\"text\":\n")}});
  EXPECT_THAT(Message(torn.status()), HasSubstr("torn.jsonl: Malformed JSON in line 2"));
  const auto without = ReadAll({{Write("without.jsonl", "{\"text\":\"a\"}\n\n{\"words\":1}\n")}});
  EXPECT_THAT(Message(without.status()), HasSubstr("without.jsonl: row 2: there is no \"text\""));
  EXPECT_EQ(ExitCodeOf(TextFormatFromName("csv").status()), ExitCode::kUsage);
}

}  // namespace
}  // namespace rhodes
