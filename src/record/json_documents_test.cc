#include "record/json_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JsonDocumentsTest : public testing::Test {
 protected:
  JsonDocumentsTest() { CreateDirectories(root_).IgnoreError(); }
  ~JsonDocumentsTest() override { RemoveTree(root_).IgnoreError(); }

  absl::StatusOr<std::vector<Document>> Read(const std::string& bytes, const std::string& name = "in.jsonl") {
    RETURN_IF_ERROR(WriteFileAtomically(root_ + "/" + name, bytes));
    ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocuments> reader, JsonDocuments::Open(root_ + "/" + name));
    std::vector<Document> documents;
    while (true) {
      Document document;
      ASSIGN_OR_RETURN(const bool more, reader->Next(document, spans_));
      if (!more) return documents;
      documents.push_back(std::move(document));
    }
  }
  std::string ErrorOf(const std::string& bytes) {
    const absl::StatusOr<std::vector<Document>> read = Read(bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << bytes;
    return Message(read.status());
  }

  const std::string root_ = testing::TempDir() + "/rhodes_json_documents_test";
  JsonDocuments::Triples spans_;
};

TEST_F(JsonDocumentsTest, ReadsWhatIsKnownAndKeepsTheRestAsWritten) {
  const absl::StatusOr<std::vector<Document>> read = Read(
      "\n{\"id\": 17, \"text\": \"one\\n\\u0627\", \"score\": 1.50, \"a\\\"b\": { \"x\" : [ 1 , null ] } }\r\n"
      "   \n"
      "{\"text\":\"two\",\"id\":null,\"language\":\"en\",\"sources\":[\"b\",3],\"time\":\"2024-01-02 03:04:05.5\"}");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].id, "17");
  EXPECT_EQ((*read)[0].text, "one\nا");
  EXPECT_EQ((*read)[0].meta, R"({"score":1.50,"a\"b":{"x":[1,null]}})");
  EXPECT_EQ((*read)[1].id, ContentId({"two"}));
  EXPECT_EQ((*read)[1].language, "en");
  EXPECT_THAT((*read)[1].sources, ElementsAre("b", "3"));
  EXPECT_EQ((*read)[1].time, int64_t{1704164645500000});
  EXPECT_EQ((*read)[1].meta, "");
}

TEST_F(JsonDocumentsTest, ABrokenLineIsNamed) {
  EXPECT_THAT(ErrorOf("{\"text\":\"a\"}\n\n{\"text\":nope}\n"), HasSubstr("Malformed JSON in line 3"));
  EXPECT_THAT(ErrorOf("{\"text\":\"a\"}\n{\"text\":\"b"), HasSubstr("line 2"));
  EXPECT_THAT(ErrorOf("{\"text\":\"a\"} {\"text\":\"b\"}\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("{\"text\":\"a\"\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("text\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("{\"text\":\"a\"}\n{\"text\":null}\n"), HasSubstr("row 2: there is no \"text\""));
  EXPECT_THAT(ErrorOf("[1, 2]\n"), HasSubstr("row 1: there is no \"text\""));
  EXPECT_TRUE(Read("")->empty());
  EXPECT_TRUE(Read("\n \n")->empty());
}

TEST_F(JsonDocumentsTest, RangesThatCoverAFileGiveEachLineOnce) {
  std::mt19937 random(7);
  std::string bytes;
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    if (random() % 5 == 0) bytes += "\n";
    texts.push_back(std::string(random() % 90, 'a') + std::to_string(i));
    bytes += "{\"text\":\"" + texts.back() + (random() % 4 == 0 ? "\xff\xfe\"}" : "\"}") + (i == 299 ? "" : "\n");
  }
  const std::string path = root_ + "/in.jsonl";
  ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
  for (const size_t size : {1, 3, 17, 64, 1000, 100'000}) {
    std::vector<std::string> found;
    for (size_t begin = 0; begin < bytes.size(); begin += size) {
      const auto reader = JsonDocuments::OpenRange(path, begin, begin + size);
      ASSERT_TRUE(reader.ok()) << reader.status();
      Document document;
      while (*(*reader)->Next(document, spans_)) {
        found.push_back(document.text.substr(0, document.text.find("\xef")));
        EXPECT_EQ((*reader)->row(), found.size());
      }
    }
    EXPECT_EQ(found, texts) << "in ranges of " << size;
  }
}

TEST_F(JsonDocumentsTest, ABrokenLineOfARangeIsNamedAsInTheFile) {
  const std::string bytes = "{\"text\":\"a\"}\n\n{\"text\":\"b\"}\n{\"text\":nope}\n{\"no\":1}\n";
  ASSERT_TRUE(WriteFileAtomically(root_ + "/in.jsonl", bytes).ok());
  const auto error = [&](uint64_t begin) {
    const auto reader = JsonDocuments::OpenRange(root_ + "/in.jsonl", begin, bytes.size());
    Document document;
    return Message((*reader)->Next(document, spans_).status());
  };
  EXPECT_THAT(error(20), HasSubstr("Malformed JSON in line 4"));
  EXPECT_THAT(error(35), HasSubstr("row 4: there is no"));
}

TEST_F(JsonDocumentsTest, InvalidUtf8IsRepairedWhereverItIs) {
  const absl::StatusOr<std::vector<Document>> read =
      Read("{\"text\":\"a\xff\xfe\x62\",\"k\":\"\xc3\"}\n{\"text\":\"next\"}\n{\"text\":\"\x80\"}");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)[0].text,
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  EXPECT_EQ((*read)[0].meta, "{\"k\":\"\xef\xbf\xbd\"}");
  EXPECT_EQ((*read)[1].text, "next");
  EXPECT_EQ((*read)[2].text, "\xef\xbf\xbd");
}

TEST_F(JsonDocumentsTest, LinesOfAnyLengthAndGzip) {
  std::string lines;
  for (const size_t size : {size_t{1}, size_t{3} << 20, size_t{2}, (size_t{1} << 20) - 12, size_t{5} << 20}) {
    lines += fmt::format("{{\"text\":\"{}\"}}\n", std::string(size, 'x'));
  }
  const absl::StatusOr<std::vector<Document>> read = Read(lines);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 5u);
  EXPECT_EQ((*read)[1].text.size(), size_t{3} << 20);
  EXPECT_EQ((*read)[4].text, std::string(size_t{5} << 20, 'x'));
  const gzFile file = gzopen((root_ + "/zipped").c_str(), "wb");
  gzwrite(file, lines.data(), static_cast<unsigned>(lines.size()));
  gzclose(file);
  const absl::StatusOr<std::vector<Document>> zipped = Read(*ReadFile(root_ + "/zipped"), "in.jsonl.gz");
  ASSERT_TRUE(zipped.ok()) << zipped.status();
  EXPECT_EQ(zipped->size(), 5u);
}

TEST_F(JsonDocumentsTest, SpansAreGivenAsStated) {
  ASSERT_TRUE(Read(R"({"text":"text","parents":["p"],"spans":[{"begin":1,"end":3,"parent":0},{"end":4}]})").ok());
  ASSERT_EQ(spans_.size(), 2u);
  EXPECT_THAT(spans_[0], ElementsAre(1u, 3u, 0u));
  EXPECT_EQ(spans_[1][0], std::numeric_limits<uint64_t>::max());
  ASSERT_TRUE(Read(R"({"text":"text","spans":"mine"})").ok());
  EXPECT_TRUE(spans_.empty());
}

// The oracle: DuckDB's reader, which read these files before.
TEST_F(JsonDocumentsTest, AgreesWithDuckDbOnRandomRows) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a",    " ", "\\n", "\\\"", "\\u0041", "é", "ا",
                                           "\\\\", "/", "\\t", "{",    "}",       ","};
  const auto text = [&] {
    std::string out;
    for (unsigned i = random() % 12; i > 0; --i) out += pieces[random() % pieces.size()];
    return "\"" + out + "\"";
  };
  std::string lines;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> members = {"\"text\":" + text()};
    if (random() % 2) members.push_back("\"id\":" + text());
    if (random() % 3 == 0) members.push_back("\"language\":" + text());
    if (random() % 3 == 0) members.push_back(fmt::format("\"sources\":[{},{}]", text(), text()));
    if (random() % 3 == 0)
      members.push_back(fmt::format("\"k{}\":{{\"n\":[{},true,null,{}]}}", random() % 3, random() % 100, text()));
    if (random() % 4 == 0) members.push_back("\"time\":\"2021-02-03T04:05:06Z\"");
    std::shuffle(members.begin(), members.end(), random);
    lines += "{";
    for (size_t m = 0; m < members.size(); ++m) lines += (m > 0 ? "," : "") + members[m];
    lines += "}\n";
  }
  const absl::StatusOr<std::vector<Document>> read = Read(lines);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 500u);
  const std::unique_ptr<Database> database = *Database::Open({});
  absl::StatusOr<QueryResult> rows = database->Query(fmt::format(
      "SELECT json->>'$.id', json->>'$.text', TRY_CAST(json->>'$.time' AS TIMESTAMP), json->>'$.language', "
      "TRY_CAST(json->'$.sources' AS VARCHAR[]), nullif(CAST(json_merge_patch(json, '{{\"id\":null,\"text\":null,"
      "\"time\":null,\"language\":null,\"sources\":null}}') AS VARCHAR), '{{}}') "
      "FROM read_json_objects({}, format = 'newline_delimited')",
      SqlLiteral(root_ + "/in.jsonl")));
  ASSERT_TRUE(rows.ok()) << rows.status();
  size_t i = 0;
  while (*rows->Next()) {
    for (size_t row = 0; row < rows->row_count(); ++row, ++i) {
      const Document& document = (*read)[i];
      EXPECT_EQ(document.text, rows->String(1, row));
      EXPECT_EQ(document.id, rows->IsNull(0, row) ? ContentId({document.text}) : std::string(rows->String(0, row)));
      EXPECT_EQ(document.time.has_value(), !rows->IsNull(2, row));
      if (document.time) {
        EXPECT_EQ(*document.time, rows->Int64(2, row));
      }
      EXPECT_EQ(document.language, rows->IsNull(3, row) ? "" : rows->String(3, row));
      std::vector<std::string> sources;
      for (const std::string_view source : rows->StringList(4, row)) sources.emplace_back(source);
      EXPECT_EQ(document.sources, sources);
      // DuckDB writes escapes anew, so what the JSON says is compared.
      const Json ours = document.meta.empty() ? Json() : Json::parse(document.meta);
      const Json theirs = rows->IsNull(5, row) ? Json() : Json::parse(rows->String(5, row));
      EXPECT_EQ(ours, theirs);
    }
  }
  EXPECT_EQ(i, 500u);
}

}  // namespace
}  // namespace rhodes
