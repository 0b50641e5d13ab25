#include "world/x_lines.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "world/clock.h"

namespace rhodes {
namespace {

// Of the text: that of a repost is another's.
const char* LanguageOf(const XPost& post) {
  return (post.repeats != nullptr ? post.repeats->author : post.author).arabic ? "ar" : "en";
}

Json UserOf(const XAccount& account) {
  return {{"id", account.number},          {"id_str", std::to_string(account.number)}, {"name", account.name},
          {"screen_name", account.handle}, {"followers_count", account.number % 2017}, {"lang", nullptr}};
}

std::string PlaceId(const XPost& post) { return fmt::format("{:016x}", Fingerprint(post.place)); }

Json PlaceOf(const XPost& post) {
  return {{"id", PlaceId(post)},
          {"place_type", "city"},
          {"name", post.place},
          {"full_name", post.place},
          {"country", "Lantern Coast"}};
}

Json TweetOf(const XPost& post) {
  Json tweet = {{"created_at", XTime(post.time)},
                {"id", post.number},
                {"id_str", std::to_string(post.number)},
                {"text", post.text},
                {"source", "<a href=\"https://example.org/app\">Lantern App</a>"},
                {"truncated", false},
                {"in_reply_to_status_id", nullptr}};
  if (post.answers != nullptr) {
    tweet["in_reply_to_status_id"] = post.answers->number;
    tweet["in_reply_to_status_id_str"] = std::to_string(post.answers->number);
    tweet["in_reply_to_user_id_str"] = std::to_string(post.answers->author.number);
    tweet["in_reply_to_screen_name"] = post.answers->author.handle;
  }
  tweet["user"] = UserOf(post.author);
  if (post.point) {
    tweet["coordinates"] = {{"type", "Point"}, {"coordinates", {post.point->longitude, post.point->latitude}}};
  } else {
    tweet["coordinates"] = nullptr;
  }
  tweet["place"] = post.place.empty() ? Json(nullptr) : PlaceOf(post);
  if (post.repeats != nullptr) tweet["retweeted_status"] = TweetOf(*post.repeats);
  tweet["retweet_count"] = 0;
  tweet["favorite_count"] = post.likes;
  tweet["entities"] = {{"hashtags", Json::array()}, {"urls", Json::array()}, {"user_mentions", Json::array()}};
  tweet["lang"] = LanguageOf(post);
  return tweet;
}

Json PostOf(const XPost& post) {
  Json json = {
      {"id", std::to_string(post.number)},
      {"text", post.text},
      {"author_id", std::to_string(post.author.number)},
      {"created_at", IsoMilliseconds(post.time)},
      {"lang", LanguageOf(post)},
      {"edit_history_tweet_ids", {std::to_string(post.number)}},
      {"public_metrics", {{"retweet_count", 0}, {"reply_count", 0}, {"like_count", post.likes}, {"quote_count", 0}}}};
  Json references = Json::array();
  if (post.repeats != nullptr) {
    references.push_back({{"type", "retweeted"}, {"id", std::to_string(post.repeats->number)}});
  }
  if (post.answers != nullptr) {
    references.push_back({{"type", "replied_to"}, {"id", std::to_string(post.answers->number)}});
    json["in_reply_to_user_id"] = std::to_string(post.answers->author.number);
  }
  if (!references.empty()) json["referenced_tweets"] = std::move(references);
  Json geo = Json::object();
  if (!post.place.empty()) geo["place_id"] = PlaceId(post);
  if (post.point) {
    geo["coordinates"] = {{"type", "Point"}, {"coordinates", {post.point->longitude, post.point->latitude}}};
  }
  if (!geo.empty()) json["geo"] = std::move(geo);
  return json;
}

Json UserV2(const XAccount& account) {
  return {{"id", std::to_string(account.number)}, {"name", account.name}, {"username", account.handle}};
}

}  // namespace

std::string FormatXv1(const XPost& post) { return DumpJson(TweetOf(post)); }

std::string FormatXv2Post(const XPost& post) { return DumpJson(PostOf(post)); }

std::string FormatXv2(const XPost& post) {
  Json includes = {{"users", {UserV2(post.author)}}};
  if (!post.place.empty()) {
    includes["places"] = {{{"id", PlaceId(post)}, {"full_name", post.place}, {"country", "Lantern Coast"}}};
  }
  std::string tweets;
  if (post.repeats != nullptr) {
    includes["users"].push_back(UserV2(post.repeats->author));
    if (!post.repeats->place.empty()) {
      includes["places"] = {
          {{"id", PlaceId(*post.repeats)}, {"full_name", post.repeats->place}, {"country", "Lantern Coast"}}};
    }
    includes["tweets"] = {PostOf(*post.repeats)};
  }
  const Json line = {{"data", PostOf(post)},
                     {"includes", std::move(includes)},
                     {"matching_rules", {{{"id", "1700000000000000001"}, {"tag", "lantern coast"}}}}};
  return DumpJson(line);
}

std::string FormatXv1Deletion(const XPost& post, int64_t time) {
  return DumpJson({{"delete",
                    {{"status",
                      {{"id", post.number},
                       {"id_str", std::to_string(post.number)},
                       {"user_id", post.author.number},
                       {"user_id_str", std::to_string(post.author.number)}}},
                     {"timestamp_ms", std::to_string(time / 1000)}}}});
}

std::string FormatXv2Deletion(const XPost& post, int64_t time) {
  return DumpJson(
      {{"data",
        {{"delete",
          {{"tweet", {{"id", std::to_string(post.number)}, {"author_id", std::to_string(post.author.number)}}},
           {"event_at", IsoMilliseconds(time)}}}}}});
}

}  // namespace rhodes
