// X's formats: examples written by hand, and the samples where they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/decompress.h"
#include "source/testing.h"
#include "source/x_archive.h"
#include "source/x_text.h"
#include "source/x_v1.h"
#include "source/x_v2.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::Read;
using source_testing::Violation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// In blocks of any size the result is the same, and every range holds its record.
ParsedBlock ReadChecked(const Format& format, std::string_view bytes, std::string_view path = "/data/file") {
  const ParsedBlock whole = Read(format, bytes, {}, path);
  EXPECT_EQ(Violation(whole, bytes), "");
  for (const size_t block : {size_t{1}, size_t{50}, size_t{700}}) {
    EXPECT_TRUE(source_testing::Same(whole, Read(format, bytes, {}, path, block))) << block;
  }
  return whole;
}

std::string Sample(const std::string& name) {
  const std::string path = std::string(RHODES_SOURCE_DIR) + "/../shared/data/" + name;
  return std::filesystem::exists(path) ? ReadWholeFile(path, uint64_t{1} << 30).value() : "";
}

std::map<std::string, int> Kinds(const ParsedBlock& parsed) {
  std::map<std::string, int> kinds;
  for (const Record& record : parsed.records) ++kinds[record.kind];
  kinds["rejected"] = static_cast<int>(parsed.rejects.size());
  return kinds;
}

constexpr char kTweet[] =
    R"({"created_at":"Thu Feb 29 21:04:05 +0000 2024","id":1763312345678901248,"id_str":"1763312345678901248",)"
    R"("text":"Lamp 4 is out &amp; dark https://t.co/abcdefghij","entities":{"urls":[{"url":"https://t.co/abcdefghij",)"
    R"("expanded_url":"https://example.org/lamps?id=4"}]},"user":{"id":77,"id_str":"77","screen_name":"mira"},)"
    R"("in_reply_to_status_id":null,"coordinates":{"type":"Point","coordinates":[10.14,54.32]},)"
    R"("place":{"full_name":"Kiel, Germany","country":"Germany"},"retweet_count":2,"favorite_count":5,"lang":"en",)"
    R"("source":"<a href=\"https://example.org\">Lamp Bot</a>"})";

TEST(XV1, ATweetGivesItsTextLinksPlaceAndNumbers) {
  const ParsedBlock parsed = ReadChecked(XV1Format(), kTweet);
  ASSERT_EQ(parsed.records.size(), 1u);
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.kind, "post");
  EXPECT_EQ(record.text, "Lamp 4 is out & dark https://example.org/lamps?id=4");
  EXPECT_EQ(record.author, "mira");
  EXPECT_EQ(record.time, 1709240645000000);
  EXPECT_EQ(record.time_precision, TimePrecision::kSecond);
  EXPECT_EQ(record.latitude, 54.32);
  EXPECT_EQ(record.longitude, 10.14);
  EXPECT_EQ(record.language, "en");
  EXPECT_EQ(Field(record, "post"), "1763312345678901248");
  EXPECT_EQ(Field(record, "user"), "77");
  EXPECT_EQ(Field(record, "client"), "Lamp Bot");
  EXPECT_EQ(Field(record, "place"), "Kiel, Germany");
  EXPECT_EQ(Field(record, "type"), "post");
  EXPECT_THAT(record.channels, ElementsAre(std::pair<std::string, double>("favorite_count", 5),
                                           std::pair<std::string, double>("retweet_count", 2)));
  EXPECT_EQ(record.numbers.post, 1763312345678901248u);
}

TEST(XV1, LongRepostedAndQuotedTextsAreWhole) {
  const ParsedBlock parsed = ReadChecked(
      XV1Format(),
      R"({"id_str":"20","text":"cut ...","truncated":true,"extended_tweet":{"full_text":"not cut at all"},"user":{"id":1}})"
      "\n\n"
      R"({"id":21,"text":"RT @b: cut","user":{"id":1,"screen_name":"a"},"retweeted_status":{"id":5,"full_text":"whole","user":{"id":2,"screen_name":"b"},"lang":"ar"}})"
      "\n"
      R"({"id":22,"text":"see","user":{"id":1,"screen_name":"a"},"is_quote_status":true,"quoted_status_id":6,"quoted_status":{"id":6,"text":"this &lt;3","user":{"id":3,"screen_name":"c"}}})"
      "\n"
      R"({"id":23,"text":"yes","user":{"id":1},"in_reply_to_status_id_str":"9","in_reply_to_screen_name":"d"})");
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_EQ(parsed.records[0].text, "not cut at all");
  EXPECT_EQ(parsed.records[0].author, "1");
  EXPECT_FALSE(parsed.records[0].time.has_value());  // 20 is of the days when posts were counted
  EXPECT_EQ(parsed.records[1].text, "whole");
  EXPECT_EQ(Field(parsed.records[1], "type"), "repost");
  EXPECT_EQ(Field(parsed.records[1], "repost_author"), "b");
  EXPECT_EQ(parsed.records[1].numbers.repost_of, 5u);
  EXPECT_EQ(parsed.records[1].language, "ar");
  EXPECT_EQ(parsed.records[2].text, "see");
  EXPECT_EQ(Field(parsed.records[2], "quote_text"), "this <3");
  EXPECT_EQ(Field(parsed.records[2], "quote_author"), "c");
  EXPECT_EQ(parsed.records[2].numbers.quote_of, 6u);
  EXPECT_EQ(Field(parsed.records[3], "type"), "reply");
  EXPECT_EQ(Field(parsed.records[3], "reply_to"), "9");
}

TEST(XV1, NoticesOfTheStreamAreRecordsThatTakeBack) {
  const ParsedBlock parsed =
      ReadChecked(XV1Format(),
                  "{\"delete\":{\"status\":{\"id\":1234,\"id_str\":\"1234\",\"user_id\":3,\"user_id_str\":\"3\"},"
                  "\"timestamp_ms\":\"1709240645123\"}}\r\n"
                  "\r\n"
                  "{\"scrub_geo\":{\"user_id\":14,\"user_id_str\":\"14\",\"up_to_status_id\":238,\"up_to_status_id_"
                  "str\":\"238\"}}\n"
                  "{\"limit\":{\"track\":12,\"timestamp_ms\":\"1709240645123\"}}\n"
                  "{\"status_withheld\":{\"id\":9,\"user_id\":8,\"withheld_in_countries\":[\"DE\"]}}\n"
                  "{\"disconnect\":{\"code\":4,\"stream_name\":\"s\",\"reason\":\"\"}}\n"
                  "{\"delete\":{}}\n{\"id\":1}\n[1]\n{\"id\":");
  ASSERT_EQ(parsed.records.size(), 5u);
  EXPECT_EQ(parsed.records[0].kind, "delete");
  ASSERT_TRUE(parsed.records[0].takedown.has_value());
  EXPECT_EQ(parsed.records[0].takedown->post, 1234u);
  EXPECT_EQ(parsed.records[0].time, 1709240645123000);
  EXPECT_EQ(parsed.records[1].takedown->kind, Takedown::Kind::kAuthorPlace);
  EXPECT_EQ(parsed.records[1].takedown->author, 14u);
  EXPECT_EQ(parsed.records[1].takedown->up_to_post, 238u);
  EXPECT_EQ(parsed.records[2].kind, "limit");
  EXPECT_EQ(parsed.records[2].channels[0].second, 12);
  EXPECT_EQ(Field(parsed.records[3], "countries"), "[\"DE\"]");
  EXPECT_EQ(parsed.records[4].kind, "notice");
  ASSERT_EQ(parsed.rejects.size(), 4u);
  EXPECT_EQ(parsed.rejects[0].reason, "a delete notice that names no post");
  EXPECT_EQ(parsed.rejects[1].reason, "no tweet: it has no text");
  EXPECT_EQ(parsed.rejects[2].reason, "not a JSON object");
  EXPECT_THAT(parsed.rejects[3].reason, HasSubstr("not JSON"));
}

TEST(XV1, NumbersThatJavaScriptRoundedAreTakenFromTheirStrings) {
  const ParsedBlock parsed = ReadChecked(
      XV1Format(),
      "{\"delete\":{\"status\":{\"id\":1234567890123456256,\"id_str\":\"1234567890123456203\"}}}\n"
      "{\"id_str\":\"1234567890123456202\",\"id\":1234567890123456256,\"text\":\"t\",\"user\":{\"id\":3}}\n");
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].takedown->post, 1234567890123456203u);
  EXPECT_EQ(parsed.records[1].numbers.post, 1234567890123456202u);
}

TEST(XV1, SearchResponsesAndArraysAreReadElementByElement) {
  const std::string tweet = kTweet;
  const std::string pretty =
      "{\n  \"statuses\": [\n    " + tweet + ",\n    " + tweet + "\n  ],\n  \"search_metadata\": {}\n}\n";
  EXPECT_EQ(ReadChecked(XV1Format(), pretty).records.size(), 2u);
  EXPECT_EQ(ReadChecked(XV1Format(), "{\"statuses\":[" + tweet + "],\"search_metadata\":{}}\n" + tweet).records.size(),
            2u);
  const ParsedBlock cut = ReadChecked(XV1Format(), "[" + tweet + ", " + tweet.substr(0, 200));
  EXPECT_EQ(cut.records.size(), 1u);
  ASSERT_EQ(cut.rejects.size(), 1u);
}

TEST(XV1, DatesThatDoNotExistAndPlacesOutOfRangeStayInFields) {
  const ParsedBlock parsed = ReadChecked(
      XV1Format(),
      R"({"id":1763312345678901248,"text":"x","created_at":"Thu Feb 30 21:04:05 +0000 2024","coordinates":{"type":"Point","coordinates":[200,95]}})");
  ASSERT_EQ(parsed.records.size(), 1u);
  EXPECT_EQ(Field(parsed.records[0], "created_at"), "Thu Feb 30 21:04:05 +0000 2024");
  EXPECT_EQ(parsed.records[0].time, *TimeOfXNumber(1763312345678901248u));
  EXPECT_FALSE(parsed.records[0].latitude.has_value());
  EXPECT_THAT(Field(parsed.records[0], "coordinates"), HasSubstr("[200,95]"));
}

TEST(XV2, PagesGiveThePostsOfDataAndIncludesWithTheirOwnBytes) {
  const std::string page =
      R"({"data":[{"id":"1763312345678901248","text":"RT @b: cu…","author_id":"1","created_at":"2024-02-29T21:04:05.000Z",)"
      R"("lang":"en","public_metrics":{"like_count":3},"referenced_tweets":[{"type":"retweeted","id":"7"}]},)"
      R"({"id":"8","text":"short","note_tweet":{"text":"long &amp; whole"},"author_id":"1","geo":{"place_id":"p1","coordinates":{"type":"Point","coordinates":[10.14,54.32]}}}],)"
      R"("includes":{"users":[{"id":"1","username":"a"},{"id":"2","username":"b"}],"tweets":[{"id":"7","text":"whole","author_id":"2"}],)"
      R"("places":[{"id":"p1","full_name":"Kiel","country":"Germany"}]},"errors":[{"title":"Not Found Error","resource_id":"5"}],)"
      R"("meta":{"result_count":2}})";
  const ParsedBlock parsed = ReadChecked(XV2Format(), page);
  ASSERT_EQ(parsed.records.size(), 4u);
  EXPECT_EQ(parsed.records[0].text, "whole");
  EXPECT_EQ(parsed.records[0].author, "a");
  EXPECT_EQ(Field(parsed.records[0], "repost_author"), "b");
  EXPECT_EQ(Field(parsed.records[0], "type"), "repost");
  EXPECT_EQ(parsed.records[0].time_precision, TimePrecision::kMillisecond);
  EXPECT_EQ(parsed.records[1].text, "long & whole");
  EXPECT_EQ(parsed.records[1].latitude, 54.32);
  EXPECT_EQ(Field(parsed.records[1], "place"), "Kiel");
  EXPECT_EQ(parsed.records[2].author, "b");
  EXPECT_EQ(parsed.records[3].kind, "notice");
  EXPECT_EQ(Field(parsed.records[3], "title"), "Not Found Error");
}

TEST(XV2, FlattenedStreamAndComplianceLines) {
  const ParsedBlock parsed = ReadChecked(
      XV2Format(),
      R"({"id":"9","text":"hi","author_id":"1","author":{"id":"1","username":"a"},"referenced_tweets":[{"type":"quoted","id":"4","text":"q","author_id":"2","author":{"username":"b"}}]})"
      "\n"
      R"({"data":{"id":"10","text":"hello"},"matching_rules":[{"id":"1","tag":"lamps"}]})"
      "\n"
      R"({"data":{"delete":{"tweet":{"id":"11","author_id":"1"},"event_at":"2024-02-29T21:04:05.000Z"}}})"
      "\n"
      R"({"data":{"user_delete":{"user":{"id":"12"},"event_at":"2024-02-29T21:04:05.000Z"}}})"
      "\n"
      R"({"meta":{"result_count":0}})");
  ASSERT_EQ(parsed.records.size(), 5u);
  EXPECT_EQ(Field(parsed.records[0], "quote_text"), "q");
  EXPECT_EQ(Field(parsed.records[0], "quote_author"), "b");
  EXPECT_THAT(Field(parsed.records[1], "matching_rules"), HasSubstr("lamps"));
  EXPECT_EQ(parsed.records[2].takedown->post, 11u);
  EXPECT_EQ(parsed.records[3].takedown->author, 12u);
  EXPECT_EQ(parsed.records[4].kind, "notice");
}

TEST(XArchive, PartsAreToldByTheirNames) {
  EXPECT_EQ(XArchivePartOf("/a/data/tweets-part12.js"), XArchivePart::kPosts);
  EXPECT_EQ(XArchivePartOf("note-tweet.js"), XArchivePart::kPosts);
  EXPECT_EQ(XArchivePartOf("manifest.js"), XArchivePart::kManifest);
  for (const char* name : {"direct-messages.js", "direct-messages-group-part1.js", "contact.js", "ip-audit.js",
                           "phone-number.js", "deleted-tweets.js", "account.js", "device-token.js",
                           "email-address-change.js", "ad-impressions.js", "twitter-circle-tweet.js"}) {
    EXPECT_EQ(XArchivePartOf(name), XArchivePart::kPrivate) << name;
  }
  EXPECT_EQ(XArchivePartOf("moment.js"), XArchivePart::kOther);
}

TEST(XArchive, PostsNotesAndLikes) {
  ReadOptions options;
  options.owner = "mira";
  const std::string tweets =
      "window.YTD.tweets.part0 = [\n  {\n    \"tweet\" : {\"id\" : \"1763312345678901248\", \"full_text\" : \"a &gt; "
      "b\", "
      "\"created_at\" : \"Thu Feb 29 21:04:05 +0000 2024\", \"lang\" : \"ar\", \"favorite_count\" : \"3\"}\n  },\n"
      "  {\"tweet\": {\"id_str\":\"5\",\"full_text\":\"RT @bo: cut\"}}\n]";
  const ParsedBlock parsed = Read(XArchiveFormat(), tweets, options, "/x/data/tweets.js");
  ASSERT_EQ(parsed.records.size(), 2u);
  EXPECT_EQ(parsed.records[0].author, "mira");
  EXPECT_EQ(parsed.records[0].text, "a > b");
  EXPECT_EQ(parsed.records[0].channels[0].second, 3);
  EXPECT_EQ(Field(parsed.records[1], "type"), "repost");
  EXPECT_EQ(Field(parsed.records[1], "repost_author"), "bo");
  const ParsedBlock note =
      Read(XArchiveFormat(),
           "window.YTD.note_tweet.part0 = [{\"noteTweet\":{\"noteTweetId\":\"1763312345678901248\","
           "\"createdAt\":\"2024-02-29T21:04:05.000Z\",\"core\":{\"text\":\"long\",\"urls\":[]}}}]",
           options, "/x/data/note-tweet.js");
  ASSERT_EQ(note.records.size(), 1u);
  EXPECT_EQ(note.records[0].kind, "note");
  const ParsedBlock secret = Read(XArchiveFormat(), "window.YTD.direct_messages.part0 = [{\"dmConversation\":{}}]",
                                  options, "/x/data/direct-messages.js");
  EXPECT_EQ(secret.records.size(), 0u);
  ASSERT_EQ(secret.rejects.size(), 1u);
  EXPECT_EQ(secret.rejects[0].reason, "a private part of an X archive: never read");
  EXPECT_EQ(XArchiveOwner("window.__THAR_CONFIG = {\"userInfo\":{\"accountId\":\"1\",\"userName\":\"mira\"}}"), "mira");
}

// Counts made with Python's json module over the same files.
TEST(XSamples, CountsBalance) {
  if (Sample("x/v11/twitter.json").empty()) GTEST_SKIP() << "no samples here";
  EXPECT_EQ(Kinds(ReadChecked(XV1Format(), Sample("x/v11/twitter.json"))),
            (std::map<std::string, int>{{"post", 100}, {"rejected", 0}}));
  const ParsedBlock arabic = Read(XV1Format(), Sample("x/v11/ar_tweets_20181207_part1.jsonl.gz"));
  EXPECT_EQ(Kinds(arabic), (std::map<std::string, int>{{"post", 4594}, {"rejected", 0}}));
  EXPECT_EQ(std::count_if(arabic.records.begin(), arabic.records.end(),
                          [](const Record& record) { return Field(record, "type") == "repost"; }),
            1927);
  ReadOptions options;
  const ParsedBlock archive = Read(XArchiveFormat(), Sample("x/archive/tweets.js"), options, "/tweets.js");
  EXPECT_GT(archive.records.size(), 1000u);
  EXPECT_EQ(archive.rejects.size(), 0u);
  for (const char* name : {"like.js", "note-tweet.js", "tweet-headers.js"}) {
    const ParsedBlock part = Read(XArchiveFormat(), Sample(std::string("x/archive/") + name), options, name);
    EXPECT_GT(part.records.size(), 10u) << name;
    EXPECT_EQ(part.rejects.size(), 0u) << name;
  }
  EXPECT_EQ(XArchiveOwner(Sample("x/archive/manifest.js")).empty(), false);
  for (const char* name : {"2sets.jsonl", "brexit.jsonl", "flat.jsonl", "kpop.jsonl", "noflat.jsonl"}) {
    const std::string bytes = Sample(std::string("x/v2/") + name);
    EXPECT_EQ(DetectFormat(std::string("/") + name, std::string_view(bytes).substr(0, 65536)).value(), &XV2Format())
        << name;
    const ParsedBlock parsed = ReadChecked(XV2Format(), bytes);
    EXPECT_EQ(parsed.rejects.size(), 0u) << name;
    EXPECT_GT(Kinds(parsed)["post"], 50) << name;
  }
}

}  // namespace
}  // namespace rhodes
