#include "store/takedown_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "table/database.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Takedown Post(uint64_t number) { return {Takedown::Kind::kPost, number, 0, 0}; }

Record MakePost(uint64_t post, uint64_t author) {
  Record record;
  record.kind = "post";
  record.text = "words";
  record.original = "{}";
  record.numbers.post = post;
  record.numbers.author = author;
  record.fields = {{"post", fmt::format("{}", post)}, {"user", fmt::format("{}", author)}};
  return record;
}

TEST(TakedownList, RefusesThePostAndItsRepostsAndMasksItsQuotes) {
  TakedownList list;
  list.Add(Post(7));
  list.Add({Takedown::Kind::kAuthor, 0, 3, 0});
  std::string reason;
  Record post = MakePost(7, 1);
  EXPECT_TRUE(list.Apply(post, reason));
  EXPECT_THAT(reason, HasSubstr("names post 7"));
  Record repost = MakePost(8, 1);
  repost.numbers.repost_of = 7;
  EXPECT_TRUE(list.Apply(repost, reason));
  Record of_author = MakePost(9, 3);
  EXPECT_TRUE(list.Apply(of_author, reason));
  Record quote = MakePost(10, 1);
  quote.numbers.quote_of = 7;
  quote.fields.insert(quote.fields.begin() + 1, {"quote_text", "secret"});
  EXPECT_FALSE(list.Apply(quote, reason));
  EXPECT_EQ(quote.text, "words");
  EXPECT_EQ(quote.original, "");
  EXPECT_THAT(quote.fields, ElementsAre(std::pair<std::string, std::string>("masked", "quote"),
                                        std::pair<std::string, std::string>("post", "10"),
                                        std::pair<std::string, std::string>("user", "1")));
  Record other = MakePost(11, 1);
  EXPECT_FALSE(list.Apply(other, reason));
  EXPECT_EQ(other.original, "{}");
}

TEST(TakedownList, TakesPlacesOfPostsUpToTheOneNamed) {
  TakedownList list;
  list.Add({Takedown::Kind::kAuthorPlace, 0, 14, 100});
  std::string reason;
  Record old = MakePost(100, 14);
  old.latitude = 1;
  old.longitude = 2;
  old.fields.insert(old.fields.begin(), {"place", "Kiel"});
  EXPECT_FALSE(list.Apply(old, reason));
  EXPECT_FALSE(old.latitude.has_value());
  EXPECT_EQ(old.fields[0].first, "masked");
  Record later = MakePost(101, 14);
  later.latitude = 1;
  EXPECT_FALSE(list.Apply(later, reason));
  EXPECT_TRUE(later.latitude.has_value());
}

TEST(TakedownList, IsKeptInOutOnceEach) {
  const std::string out =
      (std::filesystem::temp_directory_path() / fmt::format("rhodes-takedown-{}", getpid())).string();
  std::filesystem::create_directories(out + "/records");
  ASSERT_TRUE(TakedownList::Append(out, {Post(1), Post(2), Post(1)}).ok());
  ASSERT_TRUE(TakedownList::Append(out, {Post(2), {Takedown::Kind::kAuthorPlace, 0, 5, 6}}).ok());
  EXPECT_EQ(ReadFile(out + "/records/.takedowns.jsonl").value(),
            "{\"post\":1}\n{\"post\":2}\n{\"place_of\":5,\"up_to\":6}\n");
  const TakedownList list = TakedownList::Load(out).value();
  std::string reason;
  Record post = MakePost(2, 1);
  EXPECT_TRUE(list.Apply(post, reason));
  std::filesystem::remove_all(out);
}

// The SQL says of stored rows what Apply() says of records.
TEST(TakedownList, TheConditionsInSqlAgree) {
  TakedownList list;
  list.Add(Post(7));
  list.Add({Takedown::Kind::kAuthor, 0, 3, 0});
  list.Add({Takedown::Kind::kAuthorPlace, 0, 14, 100});
  const std::unique_ptr<Database> database = Database::Open({}).value();
  ASSERT_TRUE(database->Execute(list.CreateTables()).ok());
  ASSERT_TRUE(
      database
          ->Execute("CREATE TABLE r AS SELECT * FROM (VALUES "
                    "(1, 'post', MAP{'post': '7', 'user': '1'}), (2, 'delete', MAP{'post': '7'}), "
                    "(3, 'post', MAP{'post': '8', 'repost_of': '7'}), (4, 'post', MAP{'post': '9', 'user': '3'}), "
                    "(5, 'post', MAP{'post': '10', 'quote_of': '7'}), (6, 'row', MAP{'x': 'y'}), "
                    "(7, 'post', MAP{'post': '99', 'user': '14', 'place': 'Kiel'}), "
                    "(8, 'post', MAP{'post': '101', 'user': '14', 'place': 'Kiel'}), "
                    "(9, 'post', MAP{'post': '98', 'user': '14'}), "
                    "(10, 'post', MAP{'post': '150', 'user': '1', 'repost_of': '97', 'repost_author_id': '14'})) "
                    "f(n, kind, fields), LATERAL (SELECT CASE WHEN n = 10 THEN encode('{\"é\":1,\"place\": {') END AS "
                    "original, NULL::DOUBLE AS latitude)")
          .ok());
  const auto rows = [&](const char* condition) {
    std::vector<uint64_t> found;
    QueryResult result =
        database->Query(fmt::format("SELECT n::UBIGINT FROM r WHERE {} ORDER BY n", condition)).value();
    while (result.Next().value()) {
      for (size_t row = 0; row < result.row_count(); ++row) found.push_back(result.UInt64(0, row));
    }
    return found;
  };
  EXPECT_THAT(rows(TakedownList::kRemoved), ElementsAre(1, 3, 4));
  EXPECT_THAT(rows(TakedownList::kQuoteMasked), ElementsAre(5));
  EXPECT_THAT(rows(TakedownList::kPlaceMasked), ElementsAre(7, 10));
}

}  // namespace
}  // namespace rhodes
