#include "source/x_v2.h"

#include "absl/container/flat_hash_map.h"
#include "base/text.h"
#include "source/json_array.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/x_text.h"

namespace rhodes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kReader = "x-v2/1";

std::string_view StringAt(element json, std::string_view key) {
  element value;
  return json[key].get(value) == simdjson::SUCCESS ? StringOf(value) : std::string_view();
}

uint64_t NumberAt(element json, std::string_view key) {
  element value;
  return json[key].get(value) == simdjson::SUCCESS ? UnsignedOf(value).value_or(0) : 0;
}

// What the posts of one page refer to.
struct Includes {
  absl::flat_hash_map<uint64_t, std::string_view> users;  // id -> username
  absl::flat_hash_map<uint64_t, element> posts;
  absl::flat_hash_map<std::string, element> places;
};

Includes IncludesOf(element page) {
  Includes found;
  const auto each = [&](std::string_view list, const auto& take) {
    simdjson::dom::array values;
    if (page["includes"][list].get(values) != simdjson::SUCCESS) return;
    for (const element value : values) take(value);
  };
  each("users", [&](element user) { found.users[NumberAt(user, "id")] = StringAt(user, "username"); });
  each("tweets", [&](element post) { found.posts[NumberAt(post, "id")] = post; });
  each("places", [&](element place) { found.places[std::string(StringAt(place, "id"))] = place; });
  return found;
}

// The whole text: of a long post its note_tweet's; links expanded, references unescaped.
std::string WholeText(element post) {
  element note;
  element entities;
  std::string text;
  if (post["note_tweet"].get(note) == simdjson::SUCCESS && !StringAt(note, "text").empty()) {
    text = StringAt(note, "text");
    if (note["entities"].get(entities) == simdjson::SUCCESS) ExpandXLinks(entities, text);
  } else {
    text = StringAt(post, "text");
  }
  if (post["entities"].get(entities) == simdjson::SUCCESS) ExpandXLinks(entities, text);
  return UnescapeXText(text);
}

// The author's name: given inline in flattened posts, among the users of a page.
std::string_view AuthorOf(element post, const Includes& includes) {
  element author;
  if (post["author"].get(author) == simdjson::SUCCESS) return StringAt(author, "username");
  const auto user = includes.users.find(NumberAt(post, "author_id"));
  return user == includes.users.end() ? std::string_view() : user->second;
}

void ReadReference(element reference, const Includes& includes, std::string_view& type, Record& record) {
  const std::string_view kind = StringAt(reference, "type");
  const uint64_t number = NumberAt(reference, "id");
  // Flattened posts hold the referenced one inline; pages have it among the includes.
  element other = reference;
  const auto included = includes.posts.find(number);
  if (included != includes.posts.end()) other = included->second;
  const bool whole = !StringAt(other, "text").empty();
  const std::string_view author = whole ? AuthorOf(other, includes) : std::string_view();
  const uint64_t author_id = NumberAt(other, "author_id");
  if (kind == "replied_to") {
    if (type == "post") type = "reply";
    AddNumberField("reply_to", number, record);
    AddField("reply_to_user", author, record);
  } else if (kind == "retweeted") {
    type = "repost";
    record.numbers.repost_of = number;
    record.numbers.repost_author = author_id;
    if (whole) record.text = WholeText(other);
    AddNumberField("repost_of", number, record);
    AddField("repost_author", author, record);
    AddNumberField("repost_author_id", author_id, record);
  } else if (kind == "quoted") {
    if (type != "repost") type = "quote";
    record.numbers.quote_of = number;
    record.numbers.quote_author = author_id;
    AddNumberField("quote_of", number, record);
    if (whole) AddField("quote_text", WholeText(other), record);
    AddField("quote_author", author, record);
    AddNumberField("quote_author_id", author_id, record);
  }
}

void ReadGeo(element geo, const Includes& includes, Record& record) {
  element point;
  if (geo["coordinates"].get(point) == simdjson::SUCCESS) SetXPlace(point, true, record);
  element place = geo;  // flattened posts hold it inline
  const auto included = includes.places.find(std::string(StringAt(geo, "place_id")));
  if (included != includes.places.end()) place = included->second;
  AddField("place", StringAt(place, "full_name"), record);
  AddField("country", StringAt(place, "country"), record);
  AddField("place_id", StringAt(geo, "place_id"), record);
}

std::string ReadPost(element post, const Includes& includes, Record& record) {
  const uint64_t id = NumberAt(post, "id");
  if (id == 0) return "no post: it has no id";
  element text;
  if (post["text"].get(text) != simdjson::SUCCESS || !text.is_string()) return "no post: it has no text";
  record.kind = "post";
  record.numbers.post = id;
  record.numbers.author = NumberAt(post, "author_id");
  record.author = AuthorOf(post, includes);
  if (record.author.empty() && record.numbers.author != 0) {
    record.author = fmt::format_int(record.numbers.author).str();
  }
  record.text = WholeText(post);
  record.language = LanguageOfX(StringAt(post, "lang"));
  SetXTime(StringAt(post, "created_at"), id, record);
  AddNumberField("post", id, record);
  AddNumberField("user", record.numbers.author, record);
  AddNumberField("conversation", NumberAt(post, "conversation_id"), record);
  AddNumberField("reply_to_user_id", NumberAt(post, "in_reply_to_user_id"), record);
  AddField("client", StringAt(post, "source"), record);
  AddField("community", StringAt(post, "community_id"), record);
  if (bool sensitive = false; post["possibly_sensitive"].get(sensitive) == simdjson::SUCCESS && sensitive) {
    AddField("sensitive", "true", record);
  }
  if (element withheld; post["withheld"].get(withheld) == simdjson::SUCCESS) {
    AddField("withheld", TextOf(withheld), record);
  }
  std::string_view type = "post";
  if (simdjson::dom::array references; post["referenced_tweets"].get(references) == simdjson::SUCCESS) {
    for (const element reference : references) ReadReference(reference, includes, type, record);
  }
  AddField("type", type, record);
  if (element geo; post["geo"].get(geo) == simdjson::SUCCESS) ReadGeo(geo, includes, record);
  if (object metrics; post["public_metrics"].get(metrics) == simdjson::SUCCESS) {
    for (const auto metric : metrics) {
      if (const std::optional<double> count = NumberOf(metric.value)) {
        record.channels.emplace_back(metric.key, *count);
      }
    }
  }
  return "";
}

// An event of the compliance stream: {"delete": {"tweet": {"id", "author_id"}, "event_at"}}. False when it is none.
bool ReadEvent(element data, Record& record) {
  object json;
  if (data.get(json) != simdjson::SUCCESS || json.size() != 1) return false;
  const std::string_view name = (*json.begin()).key;
  const element event = (*json.begin()).value;
  element tweet;
  element user;
  const uint64_t post = event["tweet"].get(tweet) == simdjson::SUCCESS ? NumberAt(tweet, "id") : 0;
  uint64_t author = post != 0 ? NumberAt(tweet, "author_id") : 0;
  if (event["user"].get(user) == simdjson::SUCCESS) author = NumberAt(user, "id");
  if (post == 0 && author == 0) return false;
  record.kind = "notice";
  if ((name == "delete" || name == "tweet_delete") && post != 0) {
    record.kind = "delete";
    record.takedown = Takedown{Takedown::Kind::kPost, post, 0, 0};
  } else if (name == "user_delete" && post == 0) {
    record.kind = "delete";
    record.takedown = Takedown{Takedown::Kind::kAuthor, 0, author, 0};
  } else if (name == "scrub_geo" || name == "user_scrub_geo") {
    uint64_t up_to = NumberAt(event, "up_to_tweet_id");
    if (up_to == 0) up_to = NumberAt(event, "up_to_status_id");
    if (up_to == 0 && post != 0) up_to = post;
    if (author != 0 && up_to != 0) {
      record.kind = "scrub-geo";
      record.takedown = Takedown{Takedown::Kind::kAuthorPlace, 0, author, up_to};
      AddNumberField("up_to_post", up_to, record);
    }
  } else if (name == "withheld" || name == "tweet_withheld" || name == "user_withheld") {
    record.kind = "withheld";
    element countries;
    if (event["withheld_in_countries"].get(countries) == simdjson::SUCCESS) {
      AddField("countries", TextOf(countries), record);
    }
  }
  AddNumberField("post", post, record);
  AddNumberField("user", author, record);
  AddField("event", name, record);
  SetXTime(StringAt(event, "event_at"), 0, record);
  return true;
}

class XV2State final : public FileState {
 public:
  explicit XV2State(bool by_line) : lines(by_line) {}
  const bool lines;
};

class Reader {
 public:
  Reader(const Block& block, const ReadOptions& options, ParsedBlock& out)
      : block_(block), options_(options), out_(out) {}

  // One page, message or post.
  void ReadDocument(size_t begin, size_t end) {
    text_ = block_.bytes.substr(begin, end - begin);
    begin_ = begin;
    if (text_.size() > options_.record_limit) {
      return Reject(0, text_.size(), fmt::format("longer than {} bytes", options_.record_limit));
    }
    std::string broken =
        document_.Parse(text_, block_.bytes.size() - end + block_.padding, block_.begin + begin, root_);
    if (!broken.empty()) return Reject(0, text_.size(), std::move(broken));
    if (!root_.is_object()) return Reject(0, text_.size(), "not a JSON object");
    includes_ = IncludesOf(root_);
    const size_t before = out_.records.size() + out_.rejects.size();
    const size_t data = FindJsonValue(text_, "data");
    if (data != std::string_view::npos) {
      ReadData(data);
    } else if (root_["id"].error() == simdjson::SUCCESS) {
      return AddPost(root_, 0, text_.size());
    }
    ReadIncluded();
    ReadErrors();
    if (out_.records.size() + out_.rejects.size() == before) AddNotice(root_, 0, text_.size());
  }

 private:
  void Reject(size_t begin, size_t end, std::string reason) {
    out_.rejects.push_back(MakeReject(block_, begin_ + begin, begin_ + end, std::move(reason)));
  }

  void ReadData(size_t at) {
    element data;
    if (root_["data"].get(data) != simdjson::SUCCESS) return;
    if (data.is_array()) return ReadEach(data, at, [&](element post, size_t b, size_t e) { AddPost(post, b, e); });
    const size_t end = EndOfJsonValue(text_, at);
    if (!data.is_object()) return Reject(at, end, "\"data\" is neither a post nor a list of posts");
    Record event;
    if (ReadEvent(data, event)) return Add(std::move(event), 0, text_.size());
    AddPost(data, at, end);
  }

  void ReadIncluded() {
    const size_t includes = FindJsonValue(text_, "includes");
    if (includes == std::string_view::npos) return;
    const size_t tweets = FindJsonValue(text_.substr(includes), "tweets");
    element list;
    if (tweets == std::string_view::npos || root_["includes"]["tweets"].get(list) != simdjson::SUCCESS) return;
    ReadEach(list, includes + tweets, [&](element post, size_t b, size_t e) { AddPost(post, b, e); });
  }

  void ReadErrors() {
    const size_t errors = FindJsonValue(text_, "errors");
    element list;
    if (errors == std::string_view::npos || root_["errors"].get(list) != simdjson::SUCCESS) return;
    ReadEach(list, errors, [&](element error, size_t b, size_t e) { AddNotice(error, b, e); });
  }

  // Calls `take` with each element of the array that lies at `at` and its bytes.
  template <typename Take>
  void ReadEach(element list, size_t at, const Take& take) {
    simdjson::dom::array values;
    if (list.get(values) != simdjson::SUCCESS) return;
    const JsonArrayState state(at + 1);
    JsonElements elements(Block{block_.path, text_, 0, 0, &state}, state);
    JsonElements::Element found;
    for (const element value : values) {
      if (!elements.Next(found)) return;
      take(value, found.begin, found.end);
    }
  }

  void AddPost(element post, size_t begin, size_t end) {
    Record record;
    std::string reason = ReadPost(post, includes_, record);
    if (!reason.empty()) return Reject(begin, end, std::move(reason));
    element rules;
    if (root_["matching_rules"].get(rules) == simdjson::SUCCESS) {
      AddField("matching_rules", TextOf(rules), record);
    }
    Add(std::move(record), begin, end);
  }

  void AddNotice(element json, size_t begin, size_t end) {
    Record record;
    record.kind = "notice";
    for (const char* key : {"title", "detail", "type", "resource_id", "resource_type", "value", "section", "status"}) {
      element value;
      if (json[key].get(value) == simdjson::SUCCESS) AddField(key, TextOf(value), record);
    }
    Add(std::move(record), begin, end);
  }

  void Add(Record record, size_t begin, size_t end) {
    SortValues(record);
    record.original = text_.substr(begin, end - begin);
    record.origin = {std::string(block_.path), block_.begin + begin_ + begin, block_.begin + begin_ + end};
    const std::string kind = record.kind;
    SealRecord(options_, kind, kReader, record);
    out_.records.push_back(std::move(record));
  }

  const Block& block_;
  const ReadOptions& options_;
  ParsedBlock& out_;
  JsonDocument document_;
  element root_ = NullElement();
  Includes includes_;
  std::string_view text_;
  size_t begin_ = 0;
};

class XV2 final : public Format {
 public:
  std::string_view name() const override { return "x-v2"; }
  Framing framing() const override { return Framing::kBlocks; }
  std::string_view default_training() const override { return "not-allowed"; }
  std::string_view default_training_reason() const override { return kXTermsReason; }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const std::string_view text = Trim(head.starts_with("\xEF\xBB\xBF") ? head.substr(3) : head);
    if (!text.starts_with('{')) return 0;
    const auto has = [&](std::string_view key) { return text.find(key) != std::string_view::npos; };
    // Some of these are in every answer to a request for posts with any fields asked for.
    const bool post = has("\"text\"") && has("\"id\"") &&
                      (has("\"edit_history_tweet_ids\"") || has("\"public_metrics\"") || has("\"conversation_id\"") ||
                       (has("\"author_id\"") && has("\"created_at\"")) || has("\"matching_rules\""));
    if (!post) {
      const bool event = text.starts_with("{\"data\":{\"") && has("\"event_at\"") &&
                         (has("\"tweet\":{\"id\"") || has("\"user\":{\"id\""));
      return event ? 90 : 0;
    }
    return has("\"id_str\"") ? 0 : 90;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    const size_t begin = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (begin == std::string_view::npos) return std::make_unique<XV2State>(true);
    const size_t newline = head.find('\n', begin);
    if (newline == std::string_view::npos) return std::make_unique<XV2State>(true);
    const std::string_view line = Trim(head.substr(begin, newline - begin));
    return std::make_unique<XV2State>(line.ends_with('}') || !line.starts_with('{'));
  }

  size_t Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    if (static_cast<const XV2State&>(*state).lines) return CutAtLine(bytes, target);
    return at_end ? bytes.size() : 0;
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    Reader reader(block, options, out);
    if (!static_cast<const XV2State&>(*block.state).lines) {
      const std::string_view text = Trim(block.bytes);
      if (text.empty()) return;
      const size_t begin = static_cast<size_t>(text.data() - block.bytes.data());
      return reader.ReadDocument(begin, begin + text.size());
    }
    BlockLines lines(block);
    size_t begin = 0;
    size_t end = 0;
    while (lines.Next(begin, end)) reader.ReadDocument(begin, end);
  }
};

}  // namespace

const Format& XV2Format() {
  static const XV2 format;
  return format;
}

}  // namespace rhodes
