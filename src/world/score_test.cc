#include "world/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "record/document_table.h"
#include "store/record_store.h"
#include "world/record_key.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MatchDocuments, PairsThoseWithTheMostInCommonFirst) {
  const RecordSets events = {{1, 2, 3, 4}, {5, 6}, {7}};
  EXPECT_THAT(MatchDocuments({{1, 2, 5}, {3, 4, 1, 2}, {5}}, events), ElementsAre(1, 0, -1))
      << "the second takes event 0, so the first is left with the one record of event 1";
  EXPECT_THAT(MatchDocuments({{9}, {7, 9}}, events), ElementsAre(-1, 2));
  EXPECT_THAT(MatchDocuments({}, events), ElementsAre());
  EXPECT_THAT(MatchDocuments({{1}, {2}}, events), ElementsAre(0, -1)) << "an event told twice is found once";
}

class ScoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "rhodes_score_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_).ok()); }

  static std::string IdOf(int post) { return ContentId({"post", std::to_string(post)}); }

  // Posts with these numbers are stored, and as many rejects and duplicates counted.
  void Store(const std::vector<int>& posts, int rejects, int duplicates) const {
    const RunContext context;
    auto writer = *RecordWriter::Open(directory_ + "/out", "posts", RecordWriter::Mode::kReplace, context);
    const auto append = [&](int post) {
      Record record;
      record.id = IdOf(post);
      record.source = "posts";
      record.kind = "post";
      record.text = "text";
      record.fields = {{"post", std::to_string(post)}};
      ASSERT_TRUE(writer->Append(record).ok());
    };
    for (const int post : posts) append(post);
    for (int i = 0; i < duplicates; ++i) append(posts.front());
    for (int i = 0; i < rejects; ++i) ASSERT_TRUE(writer->AddReject({{"file", 0, 1}, "broken"}).ok());
    ASSERT_TRUE(writer->Commit("", Json::object(), 0).ok());
  }
  void Fuse(const std::vector<std::vector<int>>& documents) const {
    ASSERT_TRUE(CreateDirectories(directory_ + "/out/documents").ok());
    auto writer = *DocumentWriter::Create(directory_ + "/out/documents");
    for (const std::vector<int>& posts : documents) {
      Document document;
      document.text = "event";
      document.meta = R"({"view":"event"})";
      for (const int post : posts) document.parents.push_back(IdOf(post));
      document.id = ContentId({document.text, document.parents.front()});
      ASSERT_TRUE(writer->Append(document).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  // Events of these posts; `expected` must be stored, besides so many duplicates and broken pieces.
  std::string Truth(const std::vector<std::vector<int>>& events, const std::vector<int>& expected, int duplicates,
                    int corrupted, const std::vector<int>& deleted = {}) const {
    std::string text = R"({"type":"world","format":1})"
                       "\n";
    for (const std::vector<int>& posts : events) {
      Json records = Json::array();
      for (const int post : posts) records.push_back(PostKey(static_cast<uint64_t>(post)));
      text += DumpJson({{"type", "event"}, {"kind", "storm"}, {"records", {{"posts", {{"file", records}}}}}}) + "\n";
    }
    for (const int post : deleted) {
      text += DumpJson({{"type", "deleted"}, {"record", PostKey(static_cast<uint64_t>(post))}}) + "\n";
    }
    uint64_t keys = 0;
    for (const int post : expected) keys += KeyFingerprint(PostKey(static_cast<uint64_t>(post)));
    text += DumpJson({{"type", "source"},
                      {"source", "posts"},
                      {"unique", expected.size()},
                      {"duplicates", duplicates},
                      {"corrupted", corrupted},
                      {"taken_back", 0},
                      {"keys", fmt::format("{:x}", keys)}});
    const std::string path = directory_ + "/truth.jsonl";
    EXPECT_TRUE(WriteFileAtomically(path, text).ok());
    return path;
  }
  absl::StatusOr<FusionScore> Score(const std::string& truth, const std::string& view = "event") const {
    RunContext context;
    return ScoreFusion(directory_ + "/out", truth, view, context);
  }

  std::string directory_;
};

TEST_F(ScoreTest, CountsPairsOfRecordsAndEvents) {
  Store({1, 2, 3, 4, 5, 6}, 2, 1);
  Fuse({{1, 2, 5}, {4}});  // 3 is missing, 5 is in no event, 4 is the second event but 6 is missing
  const absl::StatusOr<FusionScore> score = Score(Truth({{1, 2, 3}, {4, 6}}, {1, 2, 3, 4, 5, 6}, 1, 2));
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->events, 2u);
  EXPECT_EQ(score->documents, 2u);
  EXPECT_EQ(score->matched, 2u);
  EXPECT_EQ(score->pairs.right, 3u);
  EXPECT_EQ(score->pairs.claimed, 4u);
  EXPECT_EQ(score->pairs.true_pairs, 5u);
  EXPECT_DOUBLE_EQ(score->pairs.Precision(), 0.75);
  EXPECT_DOUBLE_EQ(score->pairs.Recall(), 0.6);
  EXPECT_EQ(score->by_kind.at("storm").matched, 2u);
  EXPECT_EQ(score->by_source.at("posts").right, 3u);
  EXPECT_TRUE(score->Sound());
  EXPECT_EQ(ToJson(*score)["precision"], 0.75);
}

TEST_F(ScoreTest, SaysWhenARecordIsAnotherOrMissing) {
  Store({1, 2, 7}, 0, 0);
  Fuse({{1, 2}});
  const absl::StatusOr<FusionScore> score = Score(Truth({{1, 2}}, {1, 2, 3}, 0, 0));
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_TRUE(score->balance.at("posts").balanced) << "the counts add up";
  EXPECT_FALSE(score->balance.at("posts").complete) << "but 7 is there instead of 3";
  EXPECT_FALSE(score->Sound());
  EXPECT_THAT(FormatScore(*score), HasSubstr("RECORDS DIFFER FROM THE WORLD'S"));
}

TEST_F(ScoreTest, SaysWhenCountsDoNotBalance) {
  Store({1, 2}, 0, 0);
  Fuse({{1, 2}});
  const absl::StatusOr<FusionScore> score = Score(Truth({{1, 2}}, {1, 2}, 0, 1));
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_TRUE(score->balance.at("posts").complete);
  EXPECT_FALSE(score->balance.at("posts").balanced) << "a broken piece was written and never read";
}

TEST_F(ScoreTest, SaysWhenADeletedPostIsStored) {
  Store({1, 2}, 0, 0);
  Fuse({{1, 2}});
  const absl::StatusOr<FusionScore> score = Score(Truth({{1, 2}}, {1, 2}, 0, 0, {2, 9}));
  ASSERT_TRUE(score.ok()) << score.status();
  EXPECT_EQ(score->deleted, 2u);
  EXPECT_EQ(score->deleted_stored, 1u);
  EXPECT_FALSE(score->Sound());
}

TEST_F(ScoreTest, NamesAViewWithoutDocumentsAndAFolderWithoutAny) {
  Store({1}, 0, 0);
  const std::string truth = Truth({{1}}, {1}, 0, 0);
  EXPECT_THAT(Message(Score(truth).status()), HasSubstr("has no documents; run `rhodes fuse` first"));
  Fuse({{1}});
  const absl::Status status = Score(truth, "events").status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("is of the view \"events\""));
}

}  // namespace
}  // namespace rhodes
