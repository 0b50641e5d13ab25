#include "store/suppression.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/hash.h"

namespace rhodes {
namespace {

constexpr size_t kSeenAtMost = 1 << 20;

std::string ListPath(const std::string& out) { return out + "/records/.erased.json"; }

std::string_view Field(const Record& record, std::string_view name) {
  const auto it = std::lower_bound(record.fields.begin(), record.fields.end(), name,
                                   [](const auto& field, std::string_view wanted) { return field.first < wanted; });
  return it != record.fields.end() && it->first == name ? std::string_view(it->second) : std::string_view();
}

absl::StatusOr<std::string> NewSalt() {
  std::string bytes(32, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read random bytes for", "the salt");
    done += static_cast<size_t>(count);
  }
  return ToHex(bytes);
}

}  // namespace

const std::vector<std::string>& AuthorFields() {
  static const std::vector<std::string> kFields = {"user", "repost_author", "repost_author_id"};
  return kFields;
}

const std::vector<std::string>& QuotedAuthorFields() {
  static const std::vector<std::string> kFields = {"quote_author", "quote_author_id"};
  return kFields;
}

void MaskFields(Record& record, const std::vector<std::string>& names, std::string_view what) {
  std::erase_if(record.fields,
                [&](const auto& field) { return std::find(names.begin(), names.end(), field.first) != names.end(); });
  record.original.clear();
  const auto place = std::lower_bound(record.fields.begin(), record.fields.end(), "masked",
                                      [](const auto& field, std::string_view name) { return field.first < name; });
  if (place != record.fields.end() && place->first == "masked") {
    if (place->second.find(what) == std::string::npos) place->second += fmt::format(" {}", what);
  } else {
    record.fields.insert(place, {"masked", std::string(what)});
  }
}

std::string Suppression::NameHash(std::string_view salt, std::string_view kind, std::string_view name) {
  return HmacSha256Hex(salt, fmt::format("{}{}{}", kind, '\0', name));
}

absl::StatusOr<Suppression> Suppression::Parse(const Json& json, const std::string& path) {
  Suppression list;
  try {
    list.salt_ = json.at("salt").get<std::string>();
    for (const Json& name : json.at("names")) list.names_.insert(name.get<std::string>());
    for (const Json& id : json.at("records")) list.record_ids_.insert(id.get<std::string>());
    for (const Json& source : json.at("sources")) list.sources_.insert(source.get<std::string>());
  } catch (const Json::exception& error) {
    return absl::DataLossError(
        fmt::format("{}: {}; it says what must not be stored again: put it back from a copy", path, error.what()));
  }
  for (const std::string& id : list.record_ids_) list.records_.Insert(KeyOfId(id));
  return list;
}

Json Suppression::ToJson() const {
  return {{"version", 1}, {"salt", salt_}, {"names", names_}, {"records", record_ids_}, {"sources", sources_}};
}

absl::StatusOr<Suppression> Suppression::Load(const std::string& out) {
  const std::string path = ListPath(out);
  if (!PathExists(path)) return Suppression();
  absl::StatusOr<Json> json = ReadJsonFile(path);
  if (!json.ok()) return absl::DataLossError(Message(json.status()));
  return Parse(*json, path);
}

absl::StatusOr<std::string> Suppression::Salt(const std::string& out) {
  ASSIGN_OR_RETURN(Suppression list, Load(out));
  if (!list.salt_.empty()) return list.salt_;
  ASSIGN_OR_RETURN(list.salt_, NewSalt());
  RETURN_IF_ERROR(CreateDirectories(out + "/records"));
  RETURN_IF_ERROR(WriteFileAtomically(ListPath(out), DumpJson(list.ToJson(), 1) + "\n"));
  return list.salt_;
}

absl::Status Suppression::Add(const std::string& out, const Request& request) {
  RETURN_IF_ERROR(Salt(out).status());
  ASSIGN_OR_RETURN(Suppression list, Load(out));
  const Json before = list.ToJson();
  for (const std::string& name : request.authors) list.names_.insert(NameHash(list.salt_, "author", name));
  for (const std::string& name : request.devices) list.names_.insert(NameHash(list.salt_, "device", name));
  list.record_ids_.insert(request.records.begin(), request.records.end());
  list.sources_.insert(request.sources.begin(), request.sources.end());
  const Json after = list.ToJson();
  if (after == before) return absl::OkStatus();
  return WriteFileAtomically(ListPath(out), DumpJson(after, 1) + "\n");
}

bool Suppression::Knows(std::string_view kind, std::string_view name) const {
  if (name.empty()) return false;
  if (seen_.size() >= kSeenAtMost) seen_.clear();
  const auto [it, fresh] = seen_.try_emplace(fmt::format("{}{}{}", kind, '\0', name), false);
  if (fresh) it->second = names_.contains(NameHash(salt_, kind, name));
  return it->second;
}

bool Suppression::Suppresses(const Record& record) const {
  if (empty()) return false;
  if (sources_.contains(record.source) || records_.Contains(KeyOfId(record.id))) return true;
  if (names_.empty()) return false;
  if (Knows("author", record.author)) return true;
  if (record.kind != "post" && Knows("device", record.author)) return true;
  return std::any_of(AuthorFields().begin(), AuthorFields().end(),
                     [&](const std::string& name) { return Knows("author", Field(record, name)); });
}

bool Suppression::Apply(Record& record) const {
  if (empty()) return false;
  if (Suppresses(record)) return true;
  if (std::any_of(QuotedAuthorFields().begin(), QuotedAuthorFields().end(),
                  [&](const std::string& name) { return Knows("author", Field(record, name)); })) {
    MaskFields(record, {"quote_author", "quote_author_id", "quote_text"}, "quote");
  }
  return false;
}

}  // namespace rhodes
