#include "source/x_v1.h"

#include "base/text.h"
#include "source/json_array.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kReader = "x-v1/1";

// The members of a tweet that are used. One pass over its keys finds them all: a look-up each would be a pass each.
struct Tweet {
  uint64_t id = 0;
  uint64_t reply_to = 0;
  uint64_t reply_to_user = 0;
  uint64_t quote_of = 0;
  std::string_view text;
  std::string_view created_at;
  std::string_view language;
  std::string_view client;
  std::string_view reply_to_name;
  element entities = NullElement();
  element user = NullElement();
  element reposted = NullElement();
  element quoted = NullElement();
  element coordinates = NullElement();
  element geo = NullElement();
  element place = NullElement();
  bool sensitive = false;
  bool has_text = false;
};

bool IsObject(element value) { return value.is_object(); }

// A string is taken before a number: whatever handled the data as JavaScript does rounded the number, not the string.
void TakeNumber(element value, uint64_t& number) {
  const std::optional<uint64_t> found = UnsignedOf(value);
  if (found && (number == 0 || value.is_string())) number = *found;
}

// extended_tweet holds the whole text of a tweet that is longer than 140 characters, in streams.
void TakeExtended(element extended, Tweet& tweet) {
  std::string_view text;
  if (extended["full_text"].get(text) != simdjson::SUCCESS) return;
  tweet.text = text;
  element entities;
  if (extended["entities"].get(entities) == simdjson::SUCCESS) tweet.entities = entities;
}

Tweet Members(object json, Record* metrics) {
  Tweet tweet;
  element extended = NullElement();
  bool full = false;
  for (const auto field : json) {
    const std::string_view key = field.key;
    const element value = field.value;
    if (value.is_null()) continue;
    switch (key.empty() ? '\0' : key[0]) {
      case 'c':
        if (key == "created_at") tweet.created_at = StringOf(value);
        if (key == "coordinates") tweet.coordinates = value;
        break;
      case 'e':
        if (key == "entities" && tweet.entities.is_null()) tweet.entities = value;
        if (key == "extended_tweet") extended = value;
        break;
      case 'f':
        if (key == "full_text") {
          tweet.text = StringOf(value);
          full = tweet.has_text = value.is_string();
        }
        if (key == "favorite_count" && metrics != nullptr) {
          if (const std::optional<double> count = NumberOf(value)) metrics->channels.emplace_back(key, *count);
        }
        break;
      case 'g':
        if (key == "geo") tweet.geo = value;
        break;
      case 'i':
        if (key == "id" || key == "id_str") TakeNumber(value, tweet.id);
        if (key == "in_reply_to_status_id" || key == "in_reply_to_status_id_str") TakeNumber(value, tweet.reply_to);
        if (key == "in_reply_to_user_id" || key == "in_reply_to_user_id_str") TakeNumber(value, tweet.reply_to_user);
        if (key == "in_reply_to_screen_name") tweet.reply_to_name = StringOf(value);
        break;
      case 'l':
        if (key == "lang") tweet.language = StringOf(value);
        break;
      case 'p':
        if (key == "place") tweet.place = value;
        if (key == "possibly_sensitive") tweet.sensitive = value.is_bool() && value.get_bool().value_unsafe();
        break;
      case 'q':
        if (key == "quoted_status") tweet.quoted = value;
        if (key == "quoted_status_id" || key == "quoted_status_id_str") TakeNumber(value, tweet.quote_of);
        if (key == "quote_count" && metrics != nullptr) {
          if (const std::optional<double> count = NumberOf(value)) metrics->channels.emplace_back(key, *count);
        }
        break;
      case 'r':
        if (key == "retweeted_status") tweet.reposted = value;
        if ((key == "retweet_count" || key == "reply_count") && metrics != nullptr) {
          if (const std::optional<double> count = NumberOf(value)) metrics->channels.emplace_back(key, *count);
        }
        break;
      case 's':
        if (key == "source") tweet.client = StringOf(value);
        break;
      case 't':
        if (key == "text" && !full) {
          tweet.text = StringOf(value);
          tweet.has_text = value.is_string();
        }
        break;
      case 'u':
        if (key == "user") tweet.user = value;
        break;
      default:
        break;
    }
  }
  if (IsObject(extended)) TakeExtended(extended, tweet);
  return tweet;
}

std::string WholeText(const Tweet& tweet) {
  std::string text(tweet.text);
  if (!tweet.entities.is_null()) ExpandXLinks(tweet.entities, text);
  return UnescapeXText(text);
}

struct User {
  uint64_t id = 0;
  std::string_view name;
};

User UserOf(element user) {
  User result;
  object json;
  if (user.get(json) != simdjson::SUCCESS) return result;
  for (const auto field : json) {
    if (field.key == "id" || field.key == "id_str") TakeNumber(field.value, result.id);
    if (field.key == "screen_name") result.name = StringOf(field.value);
  }
  return result;
}

// Repeats nobody's words but the original's: its text is the original's whole text.
void ReadRepost(element reposted, Record& record) {
  const Tweet original = Members(object(reposted), nullptr);
  const User author = UserOf(original.user);
  record.text = WholeText(original);
  record.numbers.repost_of = original.id;
  record.numbers.repost_author = author.id;
  AddNumberField("repost_of", original.id, record);
  AddField("repost_author", author.name, record);
  AddNumberField("repost_author_id", author.id, record);
  if (record.language.empty()) record.language = LanguageOfX(original.language);
}

void ReadQuote(const Tweet& tweet, Record& record) {
  uint64_t quote_of = tweet.quote_of;
  if (IsObject(tweet.quoted)) {
    const Tweet quoted = Members(object(tweet.quoted), nullptr);
    const User author = UserOf(quoted.user);
    if (quoted.id != 0) quote_of = quoted.id;
    record.numbers.quote_author = author.id;
    AddField("quote_text", WholeText(quoted), record);
    AddField("quote_author", author.name, record);
    AddNumberField("quote_author_id", author.id, record);
  }
  record.numbers.quote_of = quote_of;
  AddNumberField("quote_of", quote_of, record);
}

void ReadPlace(const Tweet& tweet, Record& record) {
  if (IsObject(tweet.coordinates)) {
    SetXPlace(tweet.coordinates, true, record);
  } else if (IsObject(tweet.geo)) {
    SetXPlace(tweet.geo, false, record);
  }
  object place;
  if (tweet.place.get(place) != simdjson::SUCCESS) return;
  std::string_view text;
  if (place["full_name"].get(text) == simdjson::SUCCESS || place["name"].get(text) == simdjson::SUCCESS) {
    AddField("place", text, record);
  }
  if (place["country"].get(text) == simdjson::SUCCESS) AddField("country", text, record);
}

// {"delete": {"status": {"id": 1, "user_id": 2}}} and its kin. False when `json` is none.
bool ReadNotice(object json, Record& record, std::string& reason) {
  const auto field = json.begin();
  if (json.size() == 0 || json.size() > 2) return false;
  const std::string_view key = (*field).key;
  const element value = (*field).value;
  const auto number = [&](std::string_view name) -> uint64_t {
    element found;
    return value[name].get(found) == simdjson::SUCCESS ? UnsignedOf(found).value_or(0) : 0;
  };
  const auto either = [&](std::string_view name, std::string_view text_name) {
    const uint64_t found = number(text_name);
    return found != 0 ? found : number(name);
  };
  if (key == "delete") {
    element status = NullElement();
    if (value["status"].get(status) != simdjson::SUCCESS && value["favorite"].get(status) == simdjson::SUCCESS) {
      record.kind = "notice";  // somebody took a like back: no post goes
      AddField("notice", TextOf(value), record);
      return true;
    }
    const auto of_status = [&](std::string_view name, std::string_view text_name) -> uint64_t {
      element found;
      if (status[text_name].get(found) == simdjson::SUCCESS && UnsignedOf(found)) return *UnsignedOf(found);
      return status[name].get(found) == simdjson::SUCCESS ? UnsignedOf(found).value_or(0) : 0;
    };
    const uint64_t post = status.is_object() ? of_status("id", "id_str") : 0;
    if (post == 0) reason = "a delete notice that names no post";
    record.kind = "delete";
    record.takedown = Takedown{Takedown::Kind::kPost, post, 0, 0};
    AddNumberField("post", post, record);
    if (status.is_object()) AddNumberField("user", of_status("user_id", "user_id_str"), record);
    if (element moment; value["timestamp_ms"].get(moment) == simdjson::SUCCESS) {
      if (const std::optional<double> time = NumberOf(moment)) record.time = static_cast<int64_t>(*time) * 1000;
      if (record.time) record.time_precision = TimePrecision::kMillisecond;
    }
    return true;
  }
  if (key == "scrub_geo") {
    record.kind = "scrub-geo";
    const uint64_t user = either("user_id", "user_id_str");
    const uint64_t up_to = either("up_to_status_id", "up_to_status_id_str");
    if (user == 0 || up_to == 0) reason = "a scrub_geo notice that names no user or no post";
    record.takedown = Takedown{Takedown::Kind::kAuthorPlace, 0, user, up_to};
    AddNumberField("user", user, record);
    AddNumberField("up_to_post", up_to, record);
    return true;
  }
  if (key == "limit") {
    record.kind = "limit";
    if (const uint64_t track = number("track"); track != 0) record.channels.emplace_back("track", track);
    if (element moment; value["timestamp_ms"].get(moment) == simdjson::SUCCESS) {
      if (const std::optional<double> time = NumberOf(moment)) record.time = static_cast<int64_t>(*time) * 1000;
      if (record.time) record.time_precision = TimePrecision::kMillisecond;
    }
    return true;
  }
  if (key == "status_withheld" || key == "user_withheld") {
    record.kind = "withheld";
    AddNumberField(key == "status_withheld" ? "post" : "user", number("id"), record);
    if (key == "status_withheld") AddNumberField("user", number("user_id"), record);
    if (element countries; value["withheld_in_countries"].get(countries) == simdjson::SUCCESS) {
      AddField("countries", TextOf(countries), record);
    }
    return true;
  }
  for (const std::string_view other :
       {"disconnect", "warning", "friends", "friends_str", "event", "for_user", "control", "info"}) {
    if (key != other) continue;
    record.kind = "notice";
    AddField("notice", simdjson::minify(json), record);
    return true;
  }
  return false;
}

class XV1State final : public FileState {
 public:
  XV1State(bool by_line, size_t prefix) : lines(by_line), array(prefix) {}
  const bool lines;
  const JsonArrayState array;
};

class Reader {
 public:
  Reader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  void ReadLines() {
    BlockLines lines(block_);
    size_t begin = 0;
    size_t end = 0;
    while (lines.Next(begin, end)) ReadText(begin, end, true);
  }

  void ReadArray(const JsonArrayState& state) {
    JsonElements elements(block_, state);
    JsonElements::Element found;
    while (elements.Next(found)) {
      if (!found.whole && block_.padding == 0) {
        Reject(found.begin, found.end, "the file breaks off inside this tweet");
      } else {
        ReadText(found.begin, found.end);
      }
    }
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin, end, std::move(reason)));
  }

  // A search response on one line: each status is a record.
  void ReadStatuses(size_t begin, size_t end) {
    const std::string_view line = block_.bytes.substr(begin, end - begin);
    const size_t prefix = FindJsonArray(line, "statuses");
    simdjson::dom::element root;
    std::string broken = document_.Parse(line, block_.bytes.size() - end + block_.padding, block_.begin + begin, root);
    if (!broken.empty()) return Reject(begin, end, std::move(broken));
    if (prefix == std::string_view::npos) return Reject(begin, end, "\"statuses\" is not an array");
    const JsonArrayState state(prefix);
    JsonElements elements(Block{block_.path, line, 0, 0, &state}, state);
    JsonElements::Element found;
    while (elements.Next(found)) ReadText(begin + found.begin, begin + found.end);
  }

  // `line`: it may be a search response. Looking for its key before parsing cost a fifth of the time of reading.
  void ReadText(size_t begin, size_t end, bool line = false) {
    const std::string_view text = block_.bytes.substr(begin, end - begin);
    if (text.size() > options_.record_limit) {
      return Reject(begin, end, fmt::format("a tweet longer than {} bytes", options_.record_limit));
    }
    simdjson::dom::element root;
    std::string reason = document_.Parse(text, block_.bytes.size() - end + block_.padding, block_.begin + begin, root);
    if (!reason.empty()) return Reject(begin, end, std::move(reason));
    object json;
    if (root.get(json) != simdjson::SUCCESS) return Reject(begin, end, "not a JSON object");
    if (line && json["statuses"].error() == simdjson::SUCCESS) return ReadStatuses(begin, end);
    Record record;
    if (!ReadNotice(json, record, reason)) reason = ReadXTweet(json, options_.owner, record);
    if (!reason.empty()) return Reject(begin, end, std::move(reason));
    SortValues(record);
    record.original = text;
    record.origin = {std::string(block_.path), block_.begin + begin, block_.begin + end};
    const std::string kind = record.kind;
    SealRecord(options_, kind, kReader, record);
    out_.records.push_back(std::move(record));
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonDocument document_;
};

bool LooksLikeTweet(std::string_view head) {
  const auto has = [&](std::string_view key) { return head.find(key) != std::string_view::npos; };
  return has("\"created_at\"") && has("\"id_str\"") && has("\"user\"") && (has("\"full_text\"") || has("\"text\"")) &&
         (has("\"retweet_count\"") || has("\"entities\"") || has("\"screen_name\""));
}

bool LooksLikeNotice(std::string_view line) {
  for (const std::string_view begin : {"{\"delete\":{\"status\"", "{\"scrub_geo\":", "{\"limit\":{\"track\"",
                                       "{\"status_withheld\":", "{\"user_withheld\":"}) {
    if (line.starts_with(begin)) return true;
  }
  return false;
}

class XV1 final : public Format {
 public:
  std::string_view name() const override { return "x-v1"; }
  Framing framing() const override { return Framing::kBlocks; }
  std::string_view default_training() const override { return "not-allowed"; }
  std::string_view default_training_reason() const override { return kXTermsReason; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const std::string_view text = Trim(head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head);
    if (!text.starts_with('{') && !text.starts_with('[')) return 0;
    if (LooksLikeNotice(text)) return 95;
    // An archive has the same members, but in an assignment; the APIs' v2 has no id_str.
    return LooksLikeTweet(text.substr(0, 16 << 10)) ? 92 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    if (const size_t prefix = FindJsonArray(head); prefix != std::string_view::npos) {
      return std::make_unique<XV1State>(false, prefix);
    }
    // One object over several lines is a search response; else each line is an object of its own.
    const size_t begin = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    const size_t newline = head.find('\n', begin == std::string_view::npos ? 0 : begin);
    const size_t prefix = FindJsonArray(head, "statuses");
    if (prefix != std::string_view::npos && begin != std::string_view::npos) {
      const bool closes = newline == std::string_view::npos ? false : EndOfJsonValue(head, begin) <= newline;
      if (!closes) return std::make_unique<XV1State>(false, prefix);
    }
    return std::make_unique<XV1State>(true, 0);
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const auto& own = static_cast<const XV1State&>(*state);
    if (own.lines) return CutAtLine(bytes, target);
    return CutAtJsonElement(bytes, begin, target, at_end, own.array);
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto& own = static_cast<const XV1State&>(*block.state);
    Reader reader(block, options, out);
    if (own.lines) return reader.ReadLines();
    reader.ReadArray(own.array);
  }
};

}  // namespace

std::string ReadXTweet(object json, const std::string& owner, Record& record) {
  const Tweet tweet = Members(json, &record);
  if (tweet.id == 0) return "no tweet: it has no id";
  if (!tweet.has_text && !IsObject(tweet.reposted) && tweet.text.empty()) return "no tweet: it has no text";
  const User user = UserOf(tweet.user);
  record.kind = "post";
  record.numbers.post = tweet.id;
  record.numbers.author = user.id;
  record.author = user.name;
  if (record.author.empty()) record.author = owner;
  if (record.author.empty() && user.id != 0) record.author = fmt::format_int(user.id).str();
  record.language = LanguageOfX(tweet.language);
  SetXTime(tweet.created_at, tweet.id, record);
  AddNumberField("post", tweet.id, record);
  AddNumberField("user", user.id, record);
  AddNumberField("reply_to", tweet.reply_to, record);
  AddField("reply_to_user", tweet.reply_to_name, record);
  AddNumberField("reply_to_user_id", tweet.reply_to_user, record);
  AddField("client", ClientOfX(tweet.client), record);
  if (tweet.sensitive) AddField("sensitive", "true", record);
  ReadPlace(tweet, record);
  const char* type = tweet.reply_to != 0 ? "reply" : "post";
  if (IsObject(tweet.reposted)) {
    type = "repost";
    ReadRepost(tweet.reposted, record);
  } else {
    record.text = WholeText(tweet);
    if (tweet.quote_of != 0 || IsObject(tweet.quoted)) type = "quote";
    ReadQuote(tweet, record);
    if (tweet.text.starts_with("RT @") && tweet.user.is_null()) {  // archives keep no more than this of a repost
      type = "repost";
      const size_t colon = tweet.text.find(':');
      if (colon != std::string_view::npos && colon < 24) {
        AddField("repost_author", tweet.text.substr(4, colon - 4), record);
      }
    }
  }
  AddField("type", type, record);
  return "";
}

const Format& XV1Format() {
  static const XV1 format;
  return format;
}

}  // namespace rhodes
