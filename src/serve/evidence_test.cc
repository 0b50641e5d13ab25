#include "serve/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "record/document_table.h"
#include "store/record_store.h"
#include "token/tokenize.h"
#include "trace/build.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kFerry = "The ferry to the island leaves the old harbour at noon.";
constexpr std::string_view kBridge = "A bridge of seven arches crosses the river below the mill.";
constexpr std::string_view kArabic = "العبارة إلى الجزيرة تغادر الميناء القديم عند الظهر.";

// A small OUT: one file of records, a document for each and one for all of them, tokens and index.
class EvidenceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    out_ = new std::string(testing::TempDir() + "evidence_out");
    file_ = new std::string(testing::TempDir() + "evidence_input.txt");
    ASSERT_TRUE(RemoveTree(*out_).ok());
    std::string input = "heading\n";
    std::vector<Record> records;
    for (int i = 0; i < 40; ++i) {
      Record record;
      record.text = fmt::format("Entry {}. {}", i, i % 3 == 0 ? kFerry : i % 3 == 1 ? kBridge : kArabic);
      record.source = "entries";
      record.kind = "entry";
      record.id = ContentId({record.source, record.kind, record.text});
      record.origin = {*file_, input.size(), input.size() + record.text.size()};
      record.reader = "test/1";
      input += record.text + "\n";
      records.push_back(std::move(record));
    }
    ASSERT_TRUE(WriteFileAtomically(*file_, input).ok());
    WriteRecords(records);
    WriteCorpus(records);
    RunContext context;
    TokenizeOptions tokenize;
    tokenize.inputs = {*out_ + "/corpus"};
    tokenize.out = *out_;
    tokenize.vocabulary_size = 320;
    const absl::StatusOr<TokenizeReport> tokens = Tokenize(tokenize, context);
    ASSERT_TRUE(tokens.ok()) << tokens.status();
    TraceBuildOptions build;
    build.out = *out_;
    const absl::StatusOr<TraceBuildReport> index = BuildTraceIndex(build, context);
    ASSERT_TRUE(index.ok()) << index.status();
  }
  static void TearDownTestSuite() {
    delete out_;
    delete file_;
  }
  static void WriteRecords(const std::vector<Record>& records) {
    const RunContext context;
    std::unique_ptr<RecordWriter> writer = *RecordWriter::Open(*out_, "entries", RecordWriter::Mode::kReplace, context);
    for (const Record& record : records) ASSERT_TRUE(writer->Append(record).ok());
    ASSERT_TRUE(writer->Commit("key", Json::object(), 0).ok());
  }
  static void WriteCorpus(const std::vector<Record>& records) {
    ASSERT_TRUE(CreateDirectories(*out_ + "/corpus").ok());
    std::unique_ptr<DocumentWriter> writer = *DocumentWriter::Create(*out_ + "/corpus");
    for (const Record& record : records) {
      Document document;
      document.text = record.text;
      document.parents = {record.id};
      document.sources = {"entries"};
      document.id = ContentId({record.text, record.id});
      document.meta = R"({"title": "An entry"})";
      document.language = "en";
      ASSERT_TRUE(writer->Append(document).ok());
    }
    ASSERT_TRUE(writer->Finish().ok());
  }
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Evidence>> evidence = Evidence::Open(*out_, context_);
    ASSERT_TRUE(evidence.ok()) << evidence.status();
    evidence_ = *std::move(evidence);
  }

  static std::string* out_;
  static std::string* file_;
  RunContext context_;
  std::unique_ptr<Evidence> evidence_;
};
std::string* EvidenceTest::out_ = nullptr;
std::string* EvidenceTest::file_ = nullptr;

TEST_F(EvidenceTest, FromASpanToTheBytesOfTheFile) {
  const absl::StatusOr<Json> trace =
      evidence_->Trace("I heard the ferry to the island leaves the old harbour at noon.");
  ASSERT_TRUE(trace.ok()) << trace.status();
  ASSERT_FALSE(trace->at("spans").empty());
  Json longest = (*trace)["spans"][0];
  for (const Json& span : (*trace)["spans"]) {
    if (span["text"].get<std::string>().size() > longest["text"].get<std::string>().size()) longest = span;
  }
  EXPECT_THAT(longest["text"].get<std::string>(), HasSubstr("ferry to the island leaves the old harbour"));
  const Json& document = longest["documents"][0];
  EXPECT_THAT(document["snippet"].get<std::string>(), HasSubstr("ferry to the island"));
  EXPECT_EQ(document["title"], "An entry");
  const Json& origin = document["records"][0];
  const absl::StatusOr<Json> record = evidence_->Record(origin["id"].get<std::string>());
  ASSERT_TRUE(record.ok()) << record.status();
  const std::string bytes = *ReadFile(origin["file"].get<std::string>());
  const size_t begin = origin["begin"].get<size_t>();
  EXPECT_EQ((*record)["text"], bytes.substr(begin, origin["end"].get<size_t>() - begin));
  EXPECT_THAT(bytes, HasSubstr((*record)["before"].get<std::string>() + (*record)["text"].get<std::string>() +
                               (*record)["after"].get<std::string>()));
  EXPECT_FALSE(record->contains("note"));
  const absl::StatusOr<Json> whole = evidence_->Document(document["id"].get<std::string>());
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ((*whole)["title"], "An entry");
  EXPECT_EQ((*whole)["parents"][0]["id"], origin["id"]);
  EXPECT_EQ((*whole)["sources"], Json::array({"entries"}));
}

TEST_F(EvidenceTest, Trace_CutsArabicAtCharacters) {
  const absl::StatusOr<Json> trace = evidence_->Trace("قيل إن العبارة إلى الجزيرة تغادر الميناء القديم عند الظهر.");
  ASSERT_TRUE(trace.ok()) << trace.status();
  ASSERT_FALSE(trace->at("spans").empty());
  for (const Json& span : (*trace)["spans"]) {
    EXPECT_TRUE(IsValidUtf8(span["text"].get<std::string>()));
    for (const Json& document : span["documents"]) EXPECT_TRUE(IsValidUtf8(document["snippet"].get<std::string>()));
  }
}

TEST_F(EvidenceTest, Record_SaysWhenTheFileIsNotWhatItWas) {
  const Json trace = *evidence_->Trace(std::string(kBridge));
  const std::string id = trace["spans"][0]["documents"][0]["records"][0]["id"].get<std::string>();
  const std::string bytes = *ReadFile(*file_);
  ASSERT_TRUE(WriteFileAtomically(*file_, "X" + bytes).ok());
  absl::StatusOr<Json> record = evidence_->Record(id);
  ASSERT_TRUE(record.ok());
  EXPECT_THAT((*record)["note"].get<std::string>(), HasSubstr("the file has changed"));
  EXPECT_THAT((*record)["text"].get<std::string>(), HasSubstr(kBridge));
  ASSERT_TRUE(RemoveTree(*file_).ok());
  record = evidence_->Record(id);
  EXPECT_THAT((*record)["note"].get<std::string>(), HasSubstr("No such file"));
  ASSERT_TRUE(WriteFileAtomically(*file_, bytes).ok());
}

TEST_F(EvidenceTest, UnknownIds_AreNotFound) {
  EXPECT_EQ(evidence_->Document("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(evidence_->Record("none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(evidence_->Trace(std::string(300'000, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(EvidenceTest, SummaryOf_CountsTheSources) {
  const Json summary = SummaryOf(*out_);
  EXPECT_EQ(summary["sources"][0]["name"], "entries");
  EXPECT_EQ(summary["sources"][0]["records"], 40);
  EXPECT_TRUE(summary.contains("shards"));
  EXPECT_FALSE(summary.contains("training"));
  EXPECT_EQ(SummaryOf("/nowhere")["sources"], Json::array());
}

}  // namespace
}  // namespace rhodes
