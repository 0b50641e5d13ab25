#include "curate/judged_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace rhodes {
namespace {

class JudgedPieceTest : public testing::Test {
 protected:
  JudgedPieceTest() : path_(testing::TempDir() + fmt::format("/rhodes_judged_piece_{}", getpid())) {}
  ~JudgedPieceTest() override { RemoveTree(path_).IgnoreError(); }

  static JudgedDocument Kept() {
    JudgedDocument judged;
    judged.document.id = "one";
    judged.document.text = std::string("text\0with all bytes\xff", 21);
    judged.document.time = -5;
    judged.document.language = "ar";
    judged.document.sources = {"a", "b"};
    judged.document.parents = {"p", ""};
    judged.document.meta = R"({"x":1})";
    judged.document.spans = {{0, 4, 1}, {5, 9, 0}};
    judged.hash = HashText(judged.document.text);
    judged.input_bytes = 77;
    judged.personal_data[2] = 3;
    judged.overlap_cut = true;
    judged.overlap.resize(2);
    judged.overlap[1].set = 4;
    judged.overlap[1].places = {5, 1'000'000};
    return judged;
  }
  static JudgedDocument Dropped() {
    JudgedDocument judged;
    judged.document.id = "two";
    judged.verdict = {"gopher-quality", "gopher_short_doc", "detail"};
    return judged;
  }
  void Write(bool signatures) const {
    NearSignature signature;
    signature.present = true;
    signature.bands[3] = 33;
    signature.sketch[5] = 55;
    NormaliseCounts counts;
    counts.control_characters = 9;
    JudgedPieceWriter writer(signatures);
    writer.Add(Kept(), 7, signature, {{"r", "s", 0.5, 0.25, true}});
    writer.Add(Dropped(), 0, {}, {});
    ASSERT_TRUE(writer.Write(path_, counts).ok());
  }

  const std::string path_;
};

TEST_F(JudgedPieceTest, GivesBackWhatWasPutIn) {
  for (const bool signatures : {true, false}) {
    Write(signatures);
    absl::StatusOr<JudgedPiece> piece = JudgedPiece::Open(path_);
    ASSERT_TRUE(piece.ok()) << piece.status();
    EXPECT_EQ(piece->documents(), 2u);
    EXPECT_EQ(piece->normalised().control_characters, 9u);

    JudgedDocument judged;
    std::vector<Measure> measures;
    ASSERT_TRUE(*piece->NextDocument(judged, measures));
    const JudgedDocument kept = Kept();
    EXPECT_EQ(judged.document.id, kept.document.id);
    EXPECT_EQ(judged.document.text, kept.document.text);
    EXPECT_EQ(judged.document.time, kept.document.time);
    EXPECT_EQ(judged.document.language, kept.document.language);
    EXPECT_EQ(judged.document.sources, kept.document.sources);
    EXPECT_EQ(judged.document.parents, kept.document.parents);
    EXPECT_EQ(judged.document.meta, kept.document.meta);
    EXPECT_EQ(judged.document.spans, kept.document.spans);
    EXPECT_EQ(judged.hash, kept.hash);
    EXPECT_EQ(judged.input_bytes, 77u);
    EXPECT_EQ(judged.personal_data, kept.personal_data);
    EXPECT_TRUE(judged.overlap_cut);
    ASSERT_EQ(judged.overlap.size(), 2u);
    EXPECT_EQ(judged.overlap[1].set, 4u);
    EXPECT_EQ(judged.overlap[1].places, kept.overlap[1].places);
    EXPECT_TRUE(judged.verdict.kept());
    ASSERT_EQ(measures.size(), 1u);
    EXPECT_EQ(measures[0].reason, "s");
    EXPECT_EQ(measures[0].threshold, 0.25);
    EXPECT_TRUE(measures[0].dropped);
    ASSERT_TRUE(*piece->NextDocument(judged, measures));
    EXPECT_EQ(judged.verdict.rule, "gopher-quality");
    EXPECT_EQ(judged.verdict.reason, "gopher_short_doc");
    EXPECT_EQ(judged.verdict.detail, "detail");
    EXPECT_FALSE(judged.document.time.has_value());
    EXPECT_TRUE(measures.empty());
    EXPECT_FALSE(*piece->NextDocument(judged, measures));

    JudgedMark mark;
    ASSERT_TRUE(*piece->NextMark(mark));
    EXPECT_EQ(mark.id, "one");
    EXPECT_TRUE(mark.kept);
    EXPECT_EQ(mark.rank, 7);
    EXPECT_EQ(mark.hash, kept.hash);
    EXPECT_EQ(mark.signature.present, signatures);
    EXPECT_EQ(mark.signature.bands[3], signatures ? 33u : 0u);
    EXPECT_EQ(mark.signature.sketch[5], signatures ? 55 : 0);
    ASSERT_TRUE(*piece->NextMark(mark));
    EXPECT_FALSE(mark.kept);
    EXPECT_FALSE(*piece->NextMark(mark));
  }
}

TEST_F(JudgedPieceTest, ADamagedFileIsNeverTaken) {
  Write(true);
  const std::string bytes = *ReadFile(path_);
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    ASSERT_TRUE(WriteScratchFile(path_, damaged).ok());
    EXPECT_TRUE(absl::IsDataLoss(JudgedPiece::Open(path_).status())) << "byte " << at;
    ASSERT_TRUE(WriteScratchFile(path_, bytes.substr(0, at)).ok());
    EXPECT_TRUE(absl::IsDataLoss(JudgedPiece::Open(path_).status())) << "cut at " << at;
    EXPECT_TRUE(absl::IsDataLoss(JudgedPiece::Open(path_, JudgedPiece::Parts::kMarks).status())) << "cut at " << at;
  }
}

}  // namespace
}  // namespace rhodes
