#include "curate/near.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <numeric>
#include <random>
#include <set>

#include "base/file.h"
#include "base/parallel.h"
#include "curate/clusters.h"
#include "curate/matching_text.h"
#include "curate/near_cluster.h"
#include "table/database.h"

namespace rhodes {
namespace {

using testing::HasSubstr;

class Near : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "rhodes_near_" + std::to_string(getpid());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  std::unique_ptr<NearVerdicts> Find(const std::vector<std::string>& texts, const NearSettings& settings = {},
                                     uint64_t memory = 64 << 20, int threads = 2,
                                     const std::vector<uint8_t>& priorities = {}) {
    const NearHasher hasher(settings);
    NearScratch scratch;
    std::unique_ptr<NearIndex> index = *NearIndex::Create(settings, directory_, memory, threads);
    for (size_t i = 0; i < texts.size(); ++i) {
      const uint8_t priority = priorities.empty() ? 0 : priorities[i];
      EXPECT_TRUE(index->Add(i, hasher.Sign(texts[i], scratch), priority).ok());
    }
    absl::StatusOr<std::unique_ptr<NearVerdicts>> verdicts = index->Finish();
    EXPECT_TRUE(verdicts.ok()) << verdicts.status();
    return *std::move(verdicts);
  }

  std::string directory_;
};

// Of this thread: others on the machine do not count.
double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<uint64_t> Kept(const NearVerdicts& verdicts) {
  std::vector<uint64_t> kept;
  for (uint64_t i = 0; i < verdicts.counts().documents; ++i) kept.push_back(verdicts.Of(i).kept);
  return kept;
}

// Words drawn by a law like that of language, so that texts share words, not shingles.
std::string RandomText(size_t words, std::mt19937_64& random) {
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    const double u = std::uniform_real_distribution<double>(0, 1)(random);
    text += "w" + std::to_string(static_cast<int>(std::pow(5000.0, u))) + " ";
  }
  return text;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string_view> views;
  SplitAtSpaces(text, views);
  return {views.begin(), views.end()};
}

std::string Edited(const std::string& text, double rate, std::mt19937_64& random) {
  std::string edited;
  for (const std::string& word : WordsOf(text)) {
    const bool change = std::uniform_real_distribution<double>(0, 1)(random) < rate;
    edited += (change ? "changed" + std::to_string(random() % 100000) : word) + " ";
  }
  return edited;
}

// A corpus of which each third text is an edited copy of an earlier one.
std::vector<std::string> Corpus(size_t size, size_t words, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> texts;
  while (texts.size() < size) {
    if (texts.size() % 3 == 2) {
      const double rate = 0.06 * std::uniform_real_distribution<double>(0, 1)(random);
      texts.push_back(Edited(texts[random() % texts.size()], rate, random));
    } else {
      texts.push_back(RandomText(words / 2 + random() % words, random));
    }
  }
  return texts;
}

std::set<std::string> Shingles(const std::string& text) {
  std::string matching;
  MatchingText(text, matching);
  const std::vector<std::string> words = WordsOf(matching);
  std::set<std::string> shingles;
  for (size_t i = 0; i + kShingleWords <= words.size(); ++i) {
    std::string shingle;
    for (size_t k = 0; k < kShingleWords; ++k) shingle += words[i + k] + " ";
    shingles.insert(shingle);
  }
  return shingles;
}

double Jaccard(const std::set<std::string>& a, const std::set<std::string>& b) {
  size_t both = 0;
  for (const std::string& shingle : a) both += b.count(shingle);
  return static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
}

TEST_F(Near, CopiesAreDroppedForTheFirst) {
  std::mt19937_64 random(1);
  const std::string text = RandomText(60, random);
  const std::unique_ptr<NearVerdicts> verdicts = Find({RandomText(60, random), text, "too short", text, "too short"});
  EXPECT_EQ(Kept(*verdicts), (std::vector<uint64_t>{0, 1, 2, 1, 4}));
  EXPECT_FALSE(verdicts->Of(0).in_cluster);
  EXPECT_TRUE(verdicts->Of(1).in_cluster);
  EXPECT_FALSE(verdicts->Of(1).dropped);
  EXPECT_TRUE(verdicts->Of(3).dropped);
  EXPECT_FALSE(verdicts->Of(4).in_cluster);
  EXPECT_EQ(verdicts->counts().documents, 5u);
  EXPECT_EQ(verdicts->counts().signed_documents, 3u);
  EXPECT_EQ(verdicts->counts().clusters, 1u);
  EXPECT_EQ(verdicts->counts().dropped, 1u);
}

TEST_F(Near, TheHighestPriorityIsKeptThenTheFirst) {
  std::mt19937_64 random(2);
  const std::string text = RandomText(60, random);
  EXPECT_EQ(Kept(*Find({text, text, text, text}, {}, 64 << 20, 2, {0, 2, 7, 7})), (std::vector<uint64_t>{2, 2, 2, 2}));
  EXPECT_EQ(Kept(*Find({text, text, text}, {}, 64 << 20, 2, {5, 0, 0})), (std::vector<uint64_t>{0, 0, 0}));
}

TEST_F(Near, OrdinalsMayBeLeftOut) {
  std::mt19937_64 random(3);
  const NearHasher hasher({});
  NearScratch scratch;
  const NearSignature signature = hasher.Sign(RandomText(60, random), scratch);
  std::unique_ptr<NearIndex> index = *NearIndex::Create({}, directory_, 64 << 20, 1);
  ASSERT_TRUE(index->Add(5, signature).ok());
  ASSERT_TRUE(index->Add(9, signature, 1).ok());
  ASSERT_TRUE(index->Add(12, signature).ok());
  EXPECT_THAT(index->Add(12, signature).message(), HasSubstr("document 12 comes after document 13"));
  EXPECT_EQ(index->Add(uint64_t{1} << 32, signature).code(), absl::StatusCode::kResourceExhausted);
  const std::unique_ptr<NearVerdicts> verdicts = *index->Finish();
  EXPECT_EQ(Kept(*verdicts), (std::vector<uint64_t>{0, 1, 2, 3, 4, 9, 6, 7, 8, 9, 10, 11, 9}));
}

TEST_F(Near, NoDocumentsAtAll) {
  std::unique_ptr<NearIndex> index = *NearIndex::Create({}, directory_, 64 << 20, 2);
  EXPECT_EQ((*index->Finish())->counts().documents, 0u);
}

TEST_F(Near, WrongSettingsAreNamed) {
  EXPECT_THAT(NearIndex::Create({}, directory_, 1000, 1).status().message(), HasSubstr("1000 bytes of memory"));
  NearSettings settings;
  settings.verify_similarity = 1.5;
  EXPECT_THAT(NearIndex::Create(settings, directory_, 64 << 20, 1).status().message(),
              HasSubstr("between 0 and 1, not 1.5"));
}

// Against all pairs: nothing below a similarity of 0.5 is joined directly, and of the pairs of 0.85 and more, 98 in 100
// are found. Texts of 100 words; 0.85 is where both errors must be rare.
TEST_F(Near, FindsWhatTheExactSimilarityOfAllPairsFinds) {
  const std::vector<std::string> texts = Corpus(900, 100, 4);
  std::vector<std::set<std::string>> shingles;
  for (const std::string& text : texts) shingles.push_back(Shingles(text));
  const std::unique_ptr<NearVerdicts> verdicts = Find(texts);
  int similar = 0;
  int found = 0;
  std::vector<double> nearest(texts.size(), 0);
  for (size_t i = 0; i < texts.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const double jaccard = Jaccard(shingles[i], shingles[k]);
      nearest[i] = std::max(nearest[i], jaccard);
      nearest[k] = std::max(nearest[k], jaccard);
      if (jaccard < 0.85) continue;
      ++similar;
      found += verdicts->Of(i).kept == verdicts->Of(k).kept ? 1 : 0;
    }
  }
  EXPECT_GT(similar, 80);
  EXPECT_GE(found, similar * 98 / 100) << similar;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (verdicts->Of(i).in_cluster) {
      EXPECT_GE(nearest[i], 0.5) << i;
    }
  }
  EXPECT_GT(verdicts->counts().dropped, 50u);
}

TEST_F(Near, VerificationKeepsApartWhatOneBandJoins) {
  std::mt19937_64 random(5);
  NearHasher hasher({});
  NearScratch scratch;
  NearSignature a = hasher.Sign(RandomText(100, random), scratch);
  NearSignature b = hasher.Sign(RandomText(100, random), scratch);
  b.bands[3] = a.bands[3];
  for (const double similarity : {0.0, 0.72}) {
    NearSettings settings;
    settings.verify_similarity = similarity;
    std::unique_ptr<NearIndex> index = *NearIndex::Create(settings, directory_, 64 << 20, 1);
    ASSERT_TRUE(index->Add(0, a).ok());
    ASSERT_TRUE(index->Add(1, b).ok());
    const std::unique_ptr<NearVerdicts> verdicts = *index->Finish();
    EXPECT_EQ(verdicts->counts().candidates, 1u);
    EXPECT_EQ(verdicts->counts().dropped, similarity == 0 ? 1u : 0u);
  }
}

// Signatures made up: 80,000 documents, of which many share bands in long chains and large groups, so that clusters
// are joined from many sides at once and runs are spilled.
std::unique_ptr<NearVerdicts> FindMadeUp(const std::string& directory, uint64_t memory, int threads) {
  NearSettings settings;
  settings.verify_similarity = 0;
  std::mt19937_64 random(6);
  std::unique_ptr<NearIndex> index = *NearIndex::Create(settings, directory, memory, threads);
  for (uint64_t i = 0; i < 80000; ++i) {
    NearSignature signature;
    signature.present = i % 50 != 0;
    for (size_t band = 0; band < NearSignature::kMaxBands; ++band) {
      signature.bands[band] = random() % 10 < 1 ? (random() % 100000) * 0x9E3779B97F4A7C15 : random();
    }
    if (i % 40 == 3) signature.bands[0] = 77;
    EXPECT_TRUE(index->Add(i, signature, static_cast<uint8_t>(i % 7 == 0 ? 3 : 0)).ok());
  }
  return *index->Finish();
}

TEST_F(Near, TheSameForAnyThreadsAndAnyMemory) {
  const std::unique_ptr<NearVerdicts> one = FindMadeUp(directory_, 256 << 20, 1);
  EXPECT_EQ(one->counts().spilled_bytes, 0u);
  EXPECT_GT(one->counts().dropped, 5000u);
  const std::vector<uint64_t> kept = Kept(*one);
  for (const int threads : {2, 7, 30}) {
    for (const uint64_t memory : {NearIndex::kMinMemory, uint64_t{48} << 20, uint64_t{256} << 20}) {
      const std::unique_ptr<NearVerdicts> other = FindMadeUp(directory_, memory, threads);
      if (memory == NearIndex::kMinMemory) {
        EXPECT_GT(other->counts().spilled_bytes, 0u);
      }
      EXPECT_EQ(Kept(*other), kept) << threads << " threads, " << memory << " bytes";
      EXPECT_EQ(other->counts().candidates, one->counts().candidates);
      EXPECT_EQ(other->counts().clusters, one->counts().clusters);
      EXPECT_EQ(other->counts().dropped, one->counts().dropped);
    }
  }
}

TEST_F(Near, SketchesAndPrioritiesThatSpillAreTheSame) {
  const std::vector<std::string> texts = Corpus(3000, 20, 8);
  std::vector<NearSignature> signatures;
  const NearHasher hasher({});
  NearScratch scratch;
  for (const std::string& text : texts) signatures.push_back(hasher.Sign(text, scratch));
  const auto find = [&](uint64_t memory) {
    std::unique_ptr<NearIndex> index = *NearIndex::Create({}, directory_, memory, 2);
    for (uint64_t i = 0; i < 120000; ++i) {
      EXPECT_TRUE(index->Add(i, signatures[i * 7919 % signatures.size()], static_cast<uint8_t>(i % 3)).ok());
    }
    return *index->Finish();
  };
  const std::unique_ptr<NearVerdicts> all = find(512 << 20);
  EXPECT_EQ(all->counts().spilled_bytes, 0u);
  const std::unique_ptr<NearVerdicts> spilled = find(NearIndex::kMinMemory);
  EXPECT_GT(spilled->counts().spilled_bytes, uint64_t{120000} * (kOwnBands * 12 + kSketchBytes - 20));
  EXPECT_EQ(Kept(*spilled), Kept(*all));
}

TEST_F(Near, GroupsOfOneHashAreReadInPiecesWithNothingLost) {
  BandEntries entries(1, 4 << 20, 1, directory_);
  const uint32_t count = 3 * BandEntries::kGroupPiece + 5;
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t hash = 42;
    ASSERT_TRUE(entries.Add(i, {&hash, 1}).ok());
  }
  ASSERT_TRUE(entries.EndRuns().ok());
  EXPECT_GT(entries.spilled_bytes(), 0u);
  uint32_t next = 0;
  ASSERT_TRUE(entries
                  .ForEachGroup(0,
                                [&](std::span<const uint32_t> group) {
                                  EXPECT_LE(group.size(), BandEntries::kGroupPiece);
                                  EXPECT_EQ(group[0], next == 0 ? 0 : next - 1);
                                  for (size_t i = next == 0 ? 0 : 1; i < group.size(); ++i) EXPECT_EQ(group[i], next++);
                                  return absl::OkStatus();
                                })
                  .ok());
  EXPECT_EQ(next, count);
}

TEST_F(Near, ClustersLieInAFileWhenMemoryIsShort) {
  SpilledBytes priorities(directory_, 1 << 20);
  const absl::StatusOr<std::unique_ptr<NearClusters>> clusters =
      NearClusters::Create(100000, priorities, directory_, 1);
  ASSERT_TRUE(clusters.ok()) << clusters.status();
  for (uint32_t i = 0; i + 2 < 100000; ++i) (*clusters)->Join(i + 2, i);
  ASSERT_TRUE((*clusters)->Settle(2, {.documents = 100000}).ok());
  EXPECT_EQ((*clusters)->Of(99998).kept, 0u);
  EXPECT_EQ((*clusters)->Of(99999).kept, 1u);
  EXPECT_EQ((*clusters)->counts().clusters, 2u);
}

// A kill cannot leave what has no name.
TEST_F(Near, SpilledFilesHaveNoNames) {
  const NearHasher hasher({});
  NearScratch scratch;
  std::mt19937_64 random(9);
  const NearSignature signature = hasher.Sign(RandomText(30, random), scratch);
  std::unique_ptr<NearIndex> index = *NearIndex::Create({}, directory_, NearIndex::kMinMemory, 1);
  for (uint64_t i = 0; i < 100000; ++i) ASSERT_TRUE(index->Add(i, signature).ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  const std::unique_ptr<NearVerdicts> verdicts = *index->Finish();
  EXPECT_GT(verdicts->counts().spilled_bytes, 0u);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(Near, AMissingDirectoryIsNamed) {
  std::unique_ptr<NearIndex> index = *NearIndex::Create({}, directory_ + "/missing", NearIndex::kMinMemory, 1);
  NearSignature signature;
  signature.present = true;
  absl::Status status;
  for (uint64_t i = 0; i < 100000 && status.ok(); ++i) status = index->Add(i, signature);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("missing/near."));
}

TEST_F(Near, TheReferencesModeTakesAnyWordSplitter) {
  NearSettings settings;
  settings.datatrove = true;
  NearScratch scratch;
  const std::string text = "One two three four five. Six";
  const NearSignature plain = NearHasher(settings).Sign(text, scratch);
  EXPECT_TRUE(plain.present);
  settings.split_words = [](std::string_view simplified, std::vector<std::string_view>& words) {
    SplitAtSpaces(simplified, words);
    words.pop_back();
  };
  const NearSignature shorter = NearHasher(settings).Sign(text, scratch);
  EXPECT_NE(plain.bands, shorter.bands);
  settings.split_words = SplitAtSpaces;
  EXPECT_EQ(NearHasher(settings).Sign("one TWO three (four) five", scratch).bands, shorter.bands);
  EXPECT_EQ(Kept(*Find({text, "x", "ONE two three four five six!"}, settings)), (std::vector<uint64_t>{0, 1, 0}));
}

TEST_F(Near, SigningTakesTimeInProportionToTheText) {
  const auto seconds = [](std::string_view piece, size_t bytes, bool datatrove) {
    std::string text;
    while (text.size() < bytes) text += piece;
    NearSettings settings;
    settings.datatrove = datatrove;
    const NearHasher hasher(settings);
    NearScratch scratch;
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      const double begun = ProcessorSeconds();
      hasher.Sign(text, scratch);
      best = std::min(best, ProcessorSeconds() - begun);
    }
    return best;
  };
  for (const std::string_view piece : {"a ", "word", "\u0301", "\u0627\u0640", "\u4E2D"}) {
    for (const bool datatrove : {false, true}) {
      EXPECT_LT(seconds(piece, 1 << 20, datatrove), 3 * seconds(piece, 1 << 19, datatrove) + 0.02) << piece;
    }
  }
}

TEST_F(Near, ClustersAreATableOfIds) {
  std::mt19937_64 random(10);
  const std::string a = RandomText(60, random);
  const std::string b = RandomText(60, random);
  const std::unique_ptr<NearVerdicts> verdicts = Find({a, b, a, "alone", b, b}, {}, 64 << 20, 2, {0, 0, 1, 0, 0, 0});
  DocumentIds ids(directory_, 1 << 20);
  for (const char* id : {"first", "second", "third", "", "fifth", "sixth"}) ASSERT_TRUE(ids.Append(id).ok());
  const auto parts = WriteClusters(*verdicts, ids, directory_);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_EQ(parts->size(), 1u);
  const std::unique_ptr<Database> database = *Database::Open({});
  absl::StatusOr<QueryResult> rows =
      database->Query("SELECT cluster, id, kept_id FROM " + SqlLiteral(directory_ + "/" + parts->front().file));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_TRUE(*rows->Next());
  std::vector<std::string> lines;
  for (size_t i = 0; i < rows->row_count(); ++i) {
    lines.push_back(fmt::format("{} {} {}", rows->UInt64(0, i), rows->String(1, i), rows->String(2, i)));
  }
  EXPECT_THAT(lines, testing::ElementsAre("2 first third", "1 second second", "2 third third", "1 fifth second",
                                          "1 sixth second"));
  EXPECT_EQ(*ids.Get(3), "");
  EXPECT_EQ(ids.Get(6).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace rhodes
