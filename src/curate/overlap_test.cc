#include "curate/overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>

namespace rhodes {
namespace {

constexpr std::string_view kItem = "Natalia sold clips to 48 of her friends in April, and then she sold half as many.";

TEST(Overlap, FindsAnItemWhateverItsCaseAndPunctuation) {
  OverlapIndex index(13);
  index.Add(2, 7, kItem);
  uint64_t total = 0;
  const auto found =
      index.Find("Before. NATALIA sold clips -- to 48 of her friends (in April) and then she sold. After", &total);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].set, 2U);
  EXPECT_EQ(found[0].item, 7U);
  EXPECT_EQ(found[0].ngrams, 2U);
  EXPECT_EQ(total, 4U);
  EXPECT_TRUE(index.Find("Natalia sold clips to 48 of her friends in May and then she sold half", &total).empty());
}

TEST(Overlap, LooksThroughArabicVowelMarksAndTatweel) {
  OverlapIndex index(3);
  index.Add(0, 0, "ذهب الولد إلى");
  uint64_t total = 0;
  EXPECT_EQ(index.Find("ذَهَبَ الولـــد، إلى المدرسة", &total).size(), 1U);
}

TEST(Overlap, CountsAsBruteForceDoes) {
  std::mt19937 random(1);
  const auto words = [&](size_t count) {
    std::vector<std::string> made;
    for (size_t i = 0; i < count; ++i) made.push_back(std::string(1, static_cast<char>('a' + random() % 3)));
    return made;
  };
  const auto join = [](const std::vector<std::string>& parts, size_t begin, size_t end) {
    std::string text;
    for (size_t i = begin; i < end; ++i) text += parts[i] + " ";
    return text;
  };
  for (const size_t n : {1U, 2U, 5U}) {
    for (int turn = 0; turn < 50; ++turn) {
      const auto item = words(20);
      const auto document = words(60);
      std::set<std::string> ngrams;
      for (size_t i = 0; i + n <= item.size(); ++i) ngrams.insert(join(item, i, i + n));
      uint64_t wanted = 0;
      for (size_t i = 0; i + n <= document.size(); ++i) wanted += ngrams.count(join(document, i, i + n));
      OverlapIndex index(n);
      index.Add(0, 0, join(item, 0, item.size()));
      uint64_t total = 0;
      const auto found = index.Find(join(document, 0, document.size()), &total);
      EXPECT_EQ(found.empty() ? 0 : found[0].ngrams, wanted);
      EXPECT_EQ(total, document.size() - n + 1);
    }
  }
}

TEST(Overlap, NamesTheLineThatIsNotJson) {
  const std::string path = ::testing::TempDir() + "/overlap_bad.jsonl";
  std::ofstream(path) << "{\"text\":\"one\"}\n{";
  OverlapSettings settings;
  settings.sets = {path};
  const auto loaded = OverlapIndex::Load(settings);
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(std::string(loaded.status().message()), ::testing::HasSubstr("line 2"));
}

}  // namespace
}  // namespace rhodes
