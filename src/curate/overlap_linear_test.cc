// Time is linear in the text, whatever the text: twice the bytes take about twice the time. Of each size the fastest of
// several runs counts, so that other work on the machine does not matter much; quadratic time would be four times.
#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/overlap_rule.h"

namespace rhodes {
namespace {

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string Repeat(std::string_view piece, size_t bytes) {
  std::string text;
  while (text.size() + piece.size() <= bytes) text += piece;
  return text;
}

// An evaluation set whose items are all but one word the same: each n-gram is in thousands of items.
std::string WriteSet(const std::filesystem::path& directory) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) {
    lines += DumpJson(Json{{"text", fmt::format("buffalo {} x {}", Repeat("buffalo ", 120), i)}}) + "\n";
  }
  lines += DumpJson(Json{{"text", Repeat("\u0301 ", 200)}}) + "\n";
  const std::string path = (directory / "set.jsonl").string();
  EXPECT_TRUE(WriteFileAtomically(path, lines).ok());
  return path;
}

TEST(OverlapLinear, TwiceTheTextTakesTwiceTheTime) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("rhodes-overlap-linear-{}", getpid());
  std::filesystem::create_directories(directory);
  OverlapSettings settings;
  settings.sets = {WriteSet(directory)};
  const std::vector<std::pair<const char*, std::string>> texts = {
      {"one word that is in every item", "buffalo "},
      {"one word that is in none", "elsewhere "},
      {"no spaces", "abcdefghij"},
      {"no spaces, Arabic", "\u0645\u062F\u0631\u0633\u0629"},
      {"ideographs", "\u4E2D\u6587"},
      {"combining marks alone", "\u0301"},
      {"combining marks as words", "\u0301 "},
      {"vowel marks that are left out", "\u064E"},
      {"apostrophes", "'"},
      {"zero bytes", std::string(1, '\0')},
      {"replacement characters, as of invalid UTF-8", "\uFFFD"},
      {"characters of many letters", "\uFDFA"},
      {"beyond the basic plane", "\U0001D400\U0001F600"},
      {"matches and others in turn", Repeat("buffalo ", 112) + "river "}};
  OverlapScratch scratch;
  for (const bool cut : {false, true}) {
    settings.cut = cut;
    settings.margin = 100000;
    const auto index = OverlapIndex::Load(settings, {}, uint64_t{256} << 20);
    ASSERT_TRUE(index.ok()) << index.status();
    for (const auto& [name, piece] : texts) {
      const auto seconds = [&](size_t bytes) {
        const std::string text = Repeat(piece, bytes);
        double best = 1e9;
        for (int run = 0; run < 4; ++run) {
          const double begun = ProcessorSeconds();
          JudgeOverlap(text, settings, **index, scratch, nullptr, nullptr);
          best = std::min(best, ProcessorSeconds() - begun);
        }
        return best;
      };
      constexpr size_t kBytes = size_t{1} << 19;
      const double once = seconds(kBytes);
      const double twice = seconds(2 * kBytes);
      EXPECT_LT(twice, 3 * once + 5e-4) << name << (cut ? ", cut" : "") << ": " << once << " s, " << twice << " s";
    }
  }
  std::filesystem::remove_all(directory);
}

TEST(OverlapLinear, WithTheReferencesNgramsToo) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("rhodes-overlap-linear-reference-{}", getpid());
  std::filesystem::create_directories(directory);
  OverlapSettings settings;
  settings.sets = {WriteSet(directory)};
  const auto index = OverlapIndex::Load(settings, {true}, uint64_t{256} << 20);
  ASSERT_TRUE(index.ok()) << index.status();
  OverlapScratch scratch;
  OverlapResult result;
  for (const std::string_view piece : {"buffalo ", "abcdefghij", "\u0301", "\u0903", "\u060C", "7", "a.b"}) {
    const auto seconds = [&](size_t bytes) {
      const std::string text = Repeat(piece, bytes);
      double best = 1e9;
      for (int run = 0; run < 3; ++run) {
        const double begun = ProcessorSeconds();
        (*index)->Find(text, false, scratch, result);
        best = std::min(best, ProcessorSeconds() - begun);
      }
      return best;
    };
    constexpr size_t kBytes = size_t{1} << 18;
    const double once = seconds(kBytes);
    EXPECT_LT(seconds(2 * kBytes), 3 * once + 5e-4) << piece << ": " << once << " s";
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace rhodes
