#include "source/x_archive.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/json_array.h"
#include "source/json_document.h"
#include "source/row_builder.h"
#include "source/x_text.h"
#include "source/x_v1.h"

namespace rhodes {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kReader = "x-archive/1";

// Beginnings of the names of parts that hold what was said to few, or says who and where somebody is.
constexpr std::array<std::string_view, 36> kPrivateParts = {"account",
                                                            "ad-",
                                                            "ageinfo",
                                                            "app",
                                                            "block",
                                                            "branch-links",
                                                            "connected-application",
                                                            "contact",
                                                            "deleted-",
                                                            "device-token",
                                                            "direct-message",
                                                            "email-address",
                                                            "follower",
                                                            "following",
                                                            "grok",
                                                            "ip-audit",
                                                            "key-registry",
                                                            "lists-",
                                                            "mute",
                                                            "ni-devices",
                                                            "periscope-account",
                                                            "periscope-ban",
                                                            "personalization",
                                                            "phone-number",
                                                            "product-",
                                                            "profile",
                                                            "protected-history",
                                                            "saved-search",
                                                            "screen-name",
                                                            "shopify-account",
                                                            "smartblock",
                                                            "sso",
                                                            "twitter-circle",
                                                            "user-link-clicks",
                                                            "verified",
                                                            "birdwatch-note-rating"};

// "tweets-part12.js" is the part "tweets".
std::string PartName(std::string_view file_name) {
  std::string name = LowerAscii(StripCompressionSuffix(FileName(file_name)));
  if (!name.ends_with(".js")) return "";
  name.resize(name.size() - 3);
  const size_t part = name.rfind("-part");
  if (part != std::string::npos && part + 5 < name.size() &&
      name.find_first_not_of("0123456789", part + 5) == std::string::npos) {
    name.resize(part);
  }
  return name;
}

bool HoldsPosts(const std::string& part) {
  static constexpr std::array<std::string_view, 6> kParts = {"tweets",          "tweet", "note-tweet",
                                                             "community-tweet", "like",  "tweet-headers"};
  return std::find(kParts.begin(), kParts.end(), part) != kParts.end();
}

uint64_t NumberIn(object json, std::string_view key) {
  element value;
  return json[key].get(value) == simdjson::SUCCESS ? UnsignedOf(value).value_or(0) : 0;
}

std::string_view StringIn(object json, std::string_view key) {
  element value;
  return json[key].get(value) == simdjson::SUCCESS ? StringOf(value) : std::string_view();
}

// {"noteTweet": {"noteTweetId", "createdAt", "core": {"text", "urls", ...}}}. Its number is not the post's: nothing in
// the archive says which post it is the text of.
std::string ReadNote(object note, const std::string& owner, Record& record) {
  object core;
  if (note["core"].get(core) != simdjson::SUCCESS) return "no long post: it has no core";
  element text;
  if (core["text"].get(text) != simdjson::SUCCESS || !text.is_string()) return "no long post: it has no text";
  record.kind = "note";
  record.author = owner;
  record.text = StringOf(text);
  simdjson::dom::array urls;
  if (core["urls"].get(urls) == simdjson::SUCCESS) {
    for (const element url : urls) {
      object link;
      if (url.get(link) != simdjson::SUCCESS) continue;
      const std::string_view shortened = StringIn(link, "shortUrl");
      const std::string_view expanded = StringIn(link, "expandedUrl");
      if (shortened.size() < 8 || expanded.empty()) continue;
      for (size_t at = record.text.find(shortened); at != std::string::npos; at = record.text.find(shortened, at)) {
        record.text.replace(at, shortened.size(), expanded);
        at += expanded.size();
      }
    }
  }
  record.text = UnescapeXText(record.text);
  const uint64_t number = NumberIn(note, "noteTweetId");
  SetXTime(StringIn(note, "createdAt"), number, record);
  AddNumberField("note", number, record);
  AddField("updated", StringIn(note, "updatedAt"), record);
  return "";
}

std::string ReadLike(object like, Record& record) {
  const uint64_t post = NumberIn(like, "tweetId");
  if (post == 0) return "no like: it names no post";
  record.kind = "like";
  record.text = UnescapeXText(StringIn(like, "fullText"));
  record.numbers.post = post;
  record.time = TimeOfXNumber(post);
  if (record.time) record.time_precision = TimePrecision::kMillisecond;
  AddNumberField("post", post, record);
  AddField("url", StringIn(like, "expandedUrl"), record);
  return "";
}

std::string ReadHeader(object header, Record& record) {
  const uint64_t post = NumberIn(header, "tweet_id");
  if (post == 0) return "no header: it names no post";
  record.kind = "header";
  record.numbers.post = post;
  record.numbers.author = NumberIn(header, "user_id");
  SetXTime(StringIn(header, "created_at"), post, record);
  AddNumberField("post", post, record);
  AddNumberField("user", record.numbers.author, record);
  return "";
}

// An element is {"tweet": {...}}, {"noteTweet": {...}}, {"like": {...}}; in the oldest archives the tweet itself.
std::string ReadElement(object json, const std::string& owner, Record& record) {
  object inner;
  if (json["tweet"].get(inner) == simdjson::SUCCESS) {
    if (inner["tweet_id"].error() == simdjson::SUCCESS) return ReadHeader(inner, record);
    return ReadXTweet(inner, owner, record);
  }
  if (json["noteTweet"].get(inner) == simdjson::SUCCESS) return ReadNote(inner, owner, record);
  if (json["like"].get(inner) == simdjson::SUCCESS) return ReadLike(inner, record);
  if (json["id_str"].error() == simdjson::SUCCESS) return ReadXTweet(json, owner, record);
  return "no post: none of tweet, noteTweet and like is in it";
}

class XArchive final : public Format {
 public:
  std::string_view name() const override { return "x-archive"; }
  Framing framing() const override { return Framing::kBlocks; }
  std::string_view default_training_reason() const override {
    return "a personal archive belongs to its account's owner, whose consent is not stated; it holds other people's "
           "words too";
  }

  int Detect(std::string_view /*path*/, std::string_view head) const override {
    const std::string_view text = Trim(head.substr(0, 256));
    return text.starts_with("window.YTD.") || text.starts_with("window.__THAR_CONFIG") ? 95 : 0;
  }

  std::unique_ptr<FileState> Prepare(std::string_view head, const ReadOptions& /*options*/) const override {
    const size_t prefix = FindJsonArray(head);
    return std::make_unique<JsonArrayState>(prefix == std::string_view::npos ? 0 : prefix);
  }

  size_t Cut(std::string_view bytes, uint64_t begin, size_t target, bool at_end, const FileState* state,
             const ReadOptions& /*options*/) const override {
    const auto& array = static_cast<const JsonArrayState&>(*state);
    if (array.prefix() == 0) return at_end ? bytes.size() : CutAtLine(bytes, target);
    return CutAtJsonElement(bytes, begin, target, at_end, array);
  }

  void Parse(const Block& block, const ReadOptions& options, ParsedBlock& out) const override {
    const auto& array = static_cast<const JsonArrayState&>(*block.state);
    if (block.begin == 0) {
      const std::string refusal = Refusal(block.path, array);
      if (!refusal.empty()) {
        out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), refusal));
        return;
      }
    }
    if (array.prefix() == 0 || XArchivePartOf(block.path) == XArchivePart::kPrivate) return;  // said at its beginning
    JsonElements elements(block, array);
    JsonElements::Element found;
    JsonDocument document;
    while (elements.Next(found)) ReadOne(block, found, options, document, out);
    if (const std::string_view tail = Trim(elements.tail()); !tail.empty() && tail != ";") {
      const size_t begin = static_cast<size_t>(tail.data() - block.bytes.data());
      out.rejects.push_back(MakeReject(block, begin, begin + tail.size(), "text after the end of the array"));
    }
  }

 private:
  static std::string Refusal(std::string_view path, const JsonArrayState& array) {
    switch (XArchivePartOf(path)) {
      case XArchivePart::kPrivate:
        return "a private part of an X archive: never read";
      case XArchivePart::kManifest:
        return "the manifest of an X archive: it has no posts";
      case XArchivePart::kPosts:
      case XArchivePart::kOther:
        break;
    }
    return array.prefix() == 0 ? "no part of an X archive: window.YTD.NAME.partN = [ is not at its beginning" : "";
  }

  static void ReadOne(const Block& block, const JsonElements::Element& found, const ReadOptions& options,
                      JsonDocument& document, ParsedBlock& out) {
    const auto reject = [&](std::string reason) {
      out.rejects.push_back(MakeReject(block, found.begin, found.end, std::move(reason)));
    };
    if (!found.whole && block.padding == 0) return reject("the file breaks off inside this element");
    const std::string_view text = block.bytes.substr(found.begin, found.end - found.begin);
    if (text.size() > options.record_limit) {
      return reject(fmt::format("an element longer than {} bytes", options.record_limit));
    }
    element root;
    std::string reason =
        document.Parse(text, block.bytes.size() - found.end + block.padding, block.begin + found.begin, root);
    object json;
    if (reason.empty() && root.get(json) != simdjson::SUCCESS) reason = "not a JSON object";
    if (!reason.empty()) return reject(std::move(reason));
    Record record;
    reason = ReadElement(json, options.owner, record);
    if (!reason.empty()) return reject(std::move(reason));
    SortValues(record);
    record.original = text;
    record.origin = {std::string(block.path), block.begin + found.begin, block.begin + found.end};
    const std::string kind = record.kind;
    SealRecord(options, kind, kReader, record);
    out.records.push_back(std::move(record));
  }
};

}  // namespace

XArchivePart XArchivePartOf(std::string_view file_name) {
  const std::string part = PartName(file_name);
  if (part == "manifest") return XArchivePart::kManifest;
  if (HoldsPosts(part)) return XArchivePart::kPosts;
  for (const std::string_view name : kPrivateParts) {
    if (part.starts_with(name)) return XArchivePart::kPrivate;
  }
  return XArchivePart::kOther;
}

std::string XArchiveOwner(std::string_view manifest) {
  const size_t begin = manifest.find('{');
  if (begin == std::string_view::npos) return "";
  JsonDocument document;
  element root;
  std::string_view name;
  if (!document.Parse(manifest.substr(begin, EndOfJsonValue(manifest, begin) - begin), 0, begin, root).empty())
    return "";
  return root["userInfo"]["userName"].get(name) == simdjson::SUCCESS ? std::string(name) : "";
}

const Format& XArchiveFormat() {
  static const XArchive format;
  return format;
}

}  // namespace rhodes
