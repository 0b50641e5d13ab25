#include "store/takedown_list.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "store/source_directory.h"
#include "store/source_lock.h"

namespace rhodes {
namespace {

std::string ListPath(const std::string& out) { return out + "/records/.takedowns.jsonl"; }

std::string ToLine(const Takedown& takedown) {
  switch (takedown.kind) {
    case Takedown::Kind::kPost:
      return fmt::format("{{\"post\":{}}}\n", takedown.post);
    case Takedown::Kind::kAuthor:
      return fmt::format("{{\"author\":{}}}\n", takedown.author);
    case Takedown::Kind::kAuthorPlace:
      return fmt::format("{{\"place_of\":{},\"up_to\":{}}}\n", takedown.author, takedown.up_to_post);
  }
  return "";
}

absl::StatusOr<Takedown> FromLine(std::string_view line, const std::string& path) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line, path));
  Takedown takedown;
  try {
    if (json.contains("post")) {
      takedown.kind = Takedown::Kind::kPost;
      takedown.post = json.at("post").get<uint64_t>();
    } else if (json.contains("author")) {
      takedown.kind = Takedown::Kind::kAuthor;
      takedown.author = json.at("author").get<uint64_t>();
    } else {
      takedown.kind = Takedown::Kind::kAuthorPlace;
      takedown.author = json.at("place_of").get<uint64_t>();
      takedown.up_to_post = json.at("up_to").get<uint64_t>();
    }
  } catch (const Json::exception& error) {
    return absl::DataLossError(fmt::format("{}: {}", path, error.what()));
  }
  return takedown;
}

// Held while the list is read and added to.
class ListLock {
 public:
  explicit ListLock(const std::string& out)
      : descriptor_(open((out + "/records/.takedowns.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    while (descriptor_ >= 0 && flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~ListLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  ListLock(const ListLock&) = delete;
  ListLock& operator=(const ListLock&) = delete;

 private:
  const int descriptor_;
};

void EraseFields(Record& record, const std::vector<std::string>& names) {
  std::erase_if(record.fields,
                [&](const auto& field) { return std::find(names.begin(), names.end(), field.first) != names.end(); });
}

void Mask(Record& record, std::string_view what) {
  record.original.clear();
  const auto place = std::lower_bound(record.fields.begin(), record.fields.end(), "masked",
                                      [](const auto& field, std::string_view name) { return field.first < name; });
  if (place != record.fields.end() && place->first == "masked") {
    place->second += fmt::format(" {}", what);
  } else {
    record.fields.insert(place, {"masked", std::string(what)});
  }
}

// Whether a post as received holds an object that says where.
bool NamesPlace(std::string_view original) {
  for (const std::string_view key : {"\"place\"", "\"geo\"", "\"coordinates\""}) {
    for (size_t at = original.find(key); at != std::string_view::npos; at = original.find(key, at + 1)) {
      const size_t colon = original.find_first_not_of(" \t\n", at + key.size());
      if (colon == std::string_view::npos || original[colon] != ':') continue;
      const size_t value = original.find_first_not_of(" \t\n", colon + 1);
      if (value != std::string_view::npos && original[value] == '{') return true;
    }
  }
  return false;
}

bool HasPlace(const Record& record) {
  if (record.latitude || record.longitude || NamesPlace(record.original)) return true;
  const std::vector<std::string>& names = PlaceFields();
  return std::any_of(record.fields.begin(), record.fields.end(), [&](const auto& field) {
    return std::find(names.begin(), names.end(), field.first) != names.end();
  });
}

std::string Values(const absl::flat_hash_set<uint64_t>& numbers) {
  std::vector<uint64_t> sorted(numbers.begin(), numbers.end());
  std::sort(sorted.begin(), sorted.end());
  std::string values;
  for (const uint64_t number : sorted) values += fmt::format("{}({})", values.empty() ? "" : ",", number);
  return values;
}

}  // namespace

const std::vector<std::string>& PlaceFields() {
  static const std::vector<std::string> kFields = {"coordinates", "country",         "country_code", "geo",
                                                   "place",       "place_full_name", "place_id",     "place_type"};
  return kFields;
}

const std::vector<std::string>& QuoteFields() {
  static const std::vector<std::string> kFields = {"quote_author", "quote_author_id", "quote_text"};
  return kFields;
}

// "post" may be absent (NULL): then nothing is said of the row.
const char TakedownList::kRemoved[] =
    "(kind IN ('post', 'like', 'header') AND "
    "coalesce(try_cast(fields['post'] AS UBIGINT) IN (SELECT number FROM taken_posts), false))"
    " OR coalesce(try_cast(fields['repost_of'] AS UBIGINT) IN (SELECT number FROM taken_posts), false)"
    " OR (kind IN ('post', 'note', 'header') AND coalesce(try_cast(fields['user'] AS UBIGINT) IN (SELECT number FROM "
    "taken_authors), false))"
    " OR coalesce(try_cast(fields['repost_author_id'] AS UBIGINT) IN (SELECT number FROM taken_authors), false)";
const char TakedownList::kQuoteMasked[] =
    "(coalesce(try_cast(fields['quote_of'] AS UBIGINT) IN (SELECT number FROM taken_posts), false)"
    " OR coalesce(try_cast(fields['quote_author_id'] AS UBIGINT) IN (SELECT number FROM taken_authors), false))"
    " AND NOT coalesce(fields['masked'] LIKE '%quote%', false)";
// The original is a BLOB, which DuckDB shows with its quotation marks as \x22.
const char TakedownList::kPlaceMasked[] =
    "kind = 'post' AND NOT coalesce(fields['masked'] LIKE '%place%', false) AND ("
    "EXISTS (SELECT 1 FROM taken_places p WHERE try_cast(fields['user'] AS UBIGINT) = p.author AND "
    "try_cast(fields['post'] AS UBIGINT) <= p.up_to)"
    " OR EXISTS (SELECT 1 FROM taken_places p WHERE try_cast(fields['repost_author_id'] AS UBIGINT) = p.author AND "
    "try_cast(fields['repost_of'] AS UBIGINT) <= p.up_to)"
    " OR EXISTS (SELECT 1 FROM taken_places p WHERE try_cast(fields['quote_author_id'] AS UBIGINT) = p.author AND "
    "try_cast(fields['quote_of'] AS UBIGINT) <= p.up_to))"
    " AND (latitude IS NOT NULL OR len(list_intersect(map_keys(fields), ['coordinates', 'country', 'country_code', "
    "'geo', 'place', 'place_full_name', 'place_id', 'place_type'])) > 0 OR coalesce(regexp_matches(original::VARCHAR, "
    "'\\\\x22(place|geo|coordinates)\\\\x22( |\\\\x0A|\\\\x09)*:( |\\\\x0A|\\\\x09)*[{]'), false))";

absl::StatusOr<TakedownList> TakedownList::Load(const std::string& out) {
  TakedownList list;
  const std::string path = ListPath(out);
  if (!PathExists(path)) return list;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  for (const std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    ASSIGN_OR_RETURN(const Takedown takedown, FromLine(line, path));
    list.Add(takedown);
  }
  if (!list.empty()) list.version_ = ContentFingerprint(text);
  return list;
}

absl::Status TakedownList::Append(const std::string& out, const std::vector<Takedown>& takedowns) {
  if (takedowns.empty()) return absl::OkStatus();
  const std::string path = ListPath(out);
  const ListLock lock(out);
  std::string text;
  if (PathExists(path)) {
    ASSIGN_OR_RETURN(text, ReadFile(path));
  }
  absl::flat_hash_set<std::string> there;
  for (const std::string_view line : Split(text, '\n')) there.insert(std::string(line) + "\n");
  const size_t before = text.size();
  for (const Takedown& takedown : takedowns) {
    std::string line = ToLine(takedown);
    if (there.insert(line).second) text += line;
  }
  return text.size() == before ? absl::OkStatus() : WriteFileAtomically(path, text);
}

PartEdit TakedownList::Edit() const {
  PartEdit edit;
  edit.prepare = [this](Database& database) { return database.Execute(CreateTables()); };
  edit.remove = kRemoved;
  edit.masks.push_back({kQuoteMasked, {{"fields", FieldsWithout(QuoteFields(), "quote")}, {"original", "NULL"}}});
  edit.masks.push_back({kPlaceMasked,
                        {{"fields", FieldsWithout(PlaceFields(), "place")},
                         {"latitude", "NULL"},
                         {"longitude", "NULL"},
                         {"original", "NULL"}}});
  return edit;
}

absl::StatusOr<ObeyedTakedowns> ReadObeyedTakedowns(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(directory + "/manifest.json"));
  ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(directory));
  return ObeyedTakedowns{manifest.manifest.extra.value(kObeyedTakedowns, ""), ContentFingerprint(bytes)};
}

absl::Status SetObeyedTakedowns(const std::string& directory, const ObeyedTakedowns& seen, const std::string& version) {
  const std::filesystem::path path(directory);
  ASSIGN_OR_RETURN(const SourceLock lock, SourceLock::Take(path.parent_path().string(), path.filename().string()));
  ASSIGN_OR_RETURN(const ObeyedTakedowns now, ReadObeyedTakedowns(directory));
  if (now.manifest != seen.manifest || now.version == version) return absl::OkStatus();
  ASSIGN_OR_RETURN(SourceManifest manifest, ReadSourceManifest(directory));
  manifest.manifest.extra[kObeyedTakedowns] = version;
  return WriteSourceManifest(directory, manifest);
}

void TakedownList::Add(const Takedown& takedown) {
  switch (takedown.kind) {
    case Takedown::Kind::kPost:
      posts_.insert(takedown.post);
      break;
    case Takedown::Kind::kAuthor:
      authors_.insert(takedown.author);
      break;
    case Takedown::Kind::kAuthorPlace: {
      uint64_t& up_to = places_[takedown.author];
      up_to = std::max(up_to, takedown.up_to_post);
      break;
    }
  }
}

bool TakedownList::Apply(Record& record, std::string& reason) const {
  if (empty() || record.takedown) return false;
  const PostNumbers& numbers = record.numbers;
  const auto post = [&](uint64_t number) { return number != 0 && posts_.contains(number); };
  const auto author = [&](uint64_t number) { return number != 0 && authors_.contains(number); };
  if (post(numbers.post)) {
    reason = fmt::format("taken back: a delete notice names post {}", numbers.post);
    return true;
  }
  if (post(numbers.repost_of)) {
    reason = fmt::format("taken back: it repeats post {}, which a delete notice names", numbers.repost_of);
    return true;
  }
  if (author(numbers.author) || author(numbers.repost_author)) {
    reason = fmt::format("taken back: a notice names its author {}",
                         author(numbers.author) ? numbers.author : numbers.repost_author);
    return true;
  }
  if (post(numbers.quote_of) || author(numbers.quote_author)) {
    EraseFields(record, QuoteFields());
    Mask(record, "quote");
  }
  const auto taken = [&](uint64_t whose, uint64_t number) {
    const auto place = whose == 0 ? places_.end() : places_.find(whose);
    return place != places_.end() && number != 0 && number <= place->second;
  };
  if ((taken(numbers.author, numbers.post) || taken(numbers.repost_author, numbers.repost_of) ||
       taken(numbers.quote_author, numbers.quote_of)) &&
      HasPlace(record)) {
    record.latitude.reset();
    record.longitude.reset();
    EraseFields(record, PlaceFields());
    Mask(record, "place");
  }
  return false;
}

std::string TakedownList::CreateTables() const {
  std::string sql =
      "CREATE TEMP TABLE taken_posts (number UBIGINT); CREATE TEMP TABLE taken_authors (number UBIGINT);"
      "CREATE TEMP TABLE taken_places (author UBIGINT, up_to UBIGINT);";
  if (!posts_.empty()) sql += "INSERT INTO taken_posts VALUES " + Values(posts_) + ";";
  if (!authors_.empty()) sql += "INSERT INTO taken_authors VALUES " + Values(authors_) + ";";
  for (const auto& [author, up_to] : places_) {
    sql += fmt::format("INSERT INTO taken_places VALUES ({}, {});", author, up_to);
  }
  return sql;
}

}  // namespace rhodes
