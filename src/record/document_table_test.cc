#include "record/document_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DocumentTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "rhodes_document_table_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(root_).ok());
    ASSERT_TRUE(CreateDirectories(root_ + "/a").ok());
    ASSERT_TRUE(CreateDirectories(root_ + "/b").ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_).ok()); }

  static std::vector<Document> Documents(int count) {
    std::vector<Document> documents;
    for (int i = 0; i < count; ++i) {
      Document document;
      document.text = "document " + std::to_string(i) + " وثيقة " + std::string(static_cast<size_t>(i % 97), 'x');
      document.id = ContentId({document.text});
      if (i % 2 == 0) document.time = int64_t{1000000} * i;
      document.language = i % 3 == 0 ? "en" : "";
      document.sources = {"s" + std::to_string(i % 4)};
      document.parents.assign(static_cast<size_t>(i % 5), document.id);
      for (size_t k = 0; k + 1 < document.parents.size(); ++k) document.spans.push_back({k, k + 5, k});
      if (i % 7 == 0) document.meta = "{\"i\":" + std::to_string(i) + "}";
      documents.push_back(document);
    }
    return documents;
  }
  void Write(const std::string& directory, const std::vector<Document>& documents) const {
    absl::StatusOr<std::unique_ptr<DocumentWriter>> writer = DocumentWriter::Create(directory);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Document& document : documents) ASSERT_TRUE((*writer)->Append(document).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  static absl::StatusOr<std::vector<Document>> ReadAll(const std::vector<std::string>& paths) {
    ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open(paths));
    std::vector<Document> all;
    std::vector<Document> batch;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
      if (!more) return all;
      all.insert(all.end(), batch.begin(), batch.end());
    }
  }

  std::string root_;
};

TEST_F(DocumentTableTest, WhatIsWrittenIsReadInOrder) {
  const std::vector<Document> documents = Documents(9001);
  Write(root_ + "/a", documents);
  const absl::StatusOr<std::vector<Document>> read = ReadAll({root_ + "/a"});
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), documents.size());
  for (size_t i = 0; i < documents.size(); ++i) {
    const Document& a = documents[i];
    const Document& b = (*read)[i];
    ASSERT_EQ(a.id, b.id);
    ASSERT_EQ(a.text, b.text);
    ASSERT_EQ(a.time, b.time);
    ASSERT_EQ(a.language, b.language);
    ASSERT_EQ(a.sources, b.sources);
    ASSERT_EQ(a.parents, b.parents);
    ASSERT_EQ(a.meta, b.meta);
    ASSERT_EQ(a.spans, b.spans);
  }
}

TEST_F(DocumentTableTest, PartsWithoutSpansAreReadAndWrongSpansNamed) {
  const std::unique_ptr<Database> database = *Database::Open({});
  const auto copy = [&](const std::string& spans) {
    return database->Execute(
        fmt::format("COPY (SELECT 'id' AS id, 'text' AS text, ['p'] AS parents{}) TO '{}/a/x.parquet'", spans, root_));
  };
  ASSERT_TRUE(copy("").ok());
  EXPECT_TRUE((*ReadAll({root_ + "/a/x.parquet"}))[0].spans.empty());
  ASSERT_TRUE(copy(", [{'begin': 0, 'end': 4, 'parent': 0}] AS spans").ok());
  EXPECT_THAT((*ReadAll({root_ + "/a/x.parquet"}))[0].spans, ElementsAre(Span{0, 4, 0}));
  for (const char* wrong : {"{'begin': 0, 'end': 5, 'parent': 0}", "{'begin': 2, 'end': 2, 'parent': 0}",
                            "{'begin': 0, 'end': 1, 'parent': 1}", "{'begin': NULL, 'end': 1, 'parent': 0}"}) {
    ASSERT_TRUE(copy(fmt::format(", [{}] AS spans", wrong)).ok());
    EXPECT_THAT(Message(ReadAll({root_ + "/a/x.parquet"}).status()), HasSubstr("row 1: a span of bytes")) << wrong;
  }
  ASSERT_TRUE(copy(", 'mine' AS spans").ok());
  EXPECT_TRUE((*ReadAll({root_ + "/a/x.parquet"}))[0].spans.empty());
  ASSERT_TRUE(WriteFileAtomically(root_ + "/b/x.jsonl",
                                  R"({"text":"text","parents":["p"],"spans":[{"begin":1,"end":3,"parent":0}],"k":1})")
                  .ok());
  const Document from_json = (*ReadAll({root_ + "/b"}))[0];
  EXPECT_THAT(from_json.spans, ElementsAre(Span{1, 3, 0}));
  EXPECT_EQ(from_json.meta, R"({"k":1})");
}

TEST_F(DocumentTableTest, TheSameDocumentsGiveTheSameBytes) {
  Write(root_ + "/a", Documents(20000));
  Write(root_ + "/b", Documents(20000));
  EXPECT_EQ(*Sha256OfFile(root_ + "/a/part-00000.parquet"), *Sha256OfFile(root_ + "/b/part-00000.parquet"));
}

TEST_F(DocumentTableTest, JsonLinesOfAnotherToolAreReadAndTheirOtherFieldsKept) {
  ASSERT_TRUE(WriteFileAtomically(root_ + "/in.jsonl",
                                  "{\"id\":\"1\",\"text\":\"one\",\"url\":\"u\"}\n"
                                  "{\"text\":\"tw\\u0627\",\"sources\":[\"web\"],\"time\":\"2024-01-02T03:04:05Z\"}\n")
                  .ok());
  const absl::StatusOr<std::vector<Document>> read = ReadAll({root_ + "/in.jsonl"});
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].id, "1");
  EXPECT_EQ((*read)[0].meta, "{\"url\":\"u\"}");
  EXPECT_EQ((*read)[1].text, "twا");
  EXPECT_EQ((*read)[1].id, ContentId({"twا"}));
  EXPECT_EQ((*read)[1].time, int64_t{1704164645000000});
  EXPECT_THAT((*read)[1].sources, ElementsAre("web"));
}

TEST_F(DocumentTableTest, ParquetOfAnotherToolIsReadAndItsOtherColumnsKept) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({});
  ASSERT_TRUE((*database)
                  ->Execute("COPY (SELECT 'x' AS text, 3 AS score, 'u' AS url) TO " +
                            SqlLiteral(root_ + "/in.parquet") + " (FORMAT parquet)")
                  .ok());
  const absl::StatusOr<std::vector<Document>> read = ReadAll({root_ + "/in.parquet"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)[0].meta, "{\"score\":3,\"url\":\"u\"}");
}

TEST_F(DocumentTableTest, BrokenInputNamesFileAndRow) {
  ASSERT_TRUE(WriteFileAtomically(root_ + "/in.jsonl", "{\"text\":\"a\"}\n{\"text\":nope}\n{\"text\":\"c\"}\n").ok());
  EXPECT_THAT(Message(ReadAll({root_ + "/in.jsonl"}).status()),
              ::testing::AllOf(HasSubstr("in.jsonl"), HasSubstr("line 2")));
  ASSERT_TRUE(WriteFileAtomically(root_ + "/none.jsonl", "{\"text\":\"a\"}\n{\"body\":\"b\"}\n").ok());
  EXPECT_THAT(Message(ReadAll({root_ + "/none.jsonl"}).status()), HasSubstr("row 2: there is no \"text\""));
  ASSERT_TRUE(WriteFileAtomically(root_ + "/x.parquet", "PAR1 this is not Parquet").ok());
  EXPECT_THAT(Message(ReadAll({root_ + "/x.parquet"}).status()), HasSubstr("x.parquet"));
  EXPECT_TRUE(absl::IsNotFound(ReadAll({root_ + "/missing"}).status()));
  EXPECT_THAT(Message(ReadAll({root_ + "/b"}).status()), HasSubstr("no .parquet or .jsonl file"));
}

}  // namespace
}  // namespace rhodes
