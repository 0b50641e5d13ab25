#include "curate/overlap_set.h"

#include <fmt/ranges.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>

#include "base/decompress.h"
#include "base/file.h"
#include "base/text.h"
#include "table/database.h"

namespace rhodes {
namespace {

namespace dom = simdjson::dom;
using Take = std::function<absl::Status(const EvaluationItem&)>;

constexpr std::array<std::string_view, 7> kIdKeys = {"id", "_id", "task_id", "question_id", "item_id", "uid", "qid"};

enum class FileKind { kNone, kLines, kJson, kParquet };

// `lower` without the ending of a compression.
std::string_view WithoutCompression(std::string_view lower) {
  for (const std::string_view ending : {".gz", ".zst", ".bz2", ".xz"}) {
    if (lower.ends_with(ending)) return lower.substr(0, lower.size() - ending.size());
  }
  return lower;
}

FileKind KindOf(const std::string& path) {
  const std::string lower = LowerAscii(path);
  if (lower.ends_with(".parquet")) return FileKind::kParquet;
  const std::string_view bare = WithoutCompression(lower);
  if (bare.ends_with(".jsonl") || bare.ends_with(".ndjson")) return FileKind::kLines;
  return bare.ends_with(".json") ? FileKind::kJson : FileKind::kNone;
}

std::string StemOf(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::string lower = LowerAscii(name);
  std::string_view bare = WithoutCompression(lower);
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json", ".parquet"}) {
    if (!bare.ends_with(ending)) continue;
    bare.remove_suffix(ending.size());
    return std::string(name.substr(0, bare.size()));
  }
  return std::string(name);
}

bool IsNameCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
         c == '.' || c == '|';
}

// Where strings are gathered from one row.
class FieldReader {
 public:
  explicit FieldReader(const EvaluationFields& fields) : fields_(fields) {
    for (const std::string& field : fields.texts) text_paths_.push_back(Split(field, '.'));
    for (const std::string& field : fields.queries) query_paths_.push_back(Split(field, '.'));
  }

  void Read(const dom::element& row, EvaluationItem& item) {
    item.texts.clear();
    item.queries.clear();
    item.id = IdOf(row);
    for (const auto& path : query_paths_) Descend(row, path, 0, item.queries);
    if (text_paths_.empty()) {
      query_begins_.clear();
      for (const std::string_view query : item.queries) query_begins_.insert(query.data());
      TakeAll(row, item.texts);
      if (!query_begins_.empty()) {
        std::erase_if(item.texts, [&](std::string_view text) { return query_begins_.contains(text.data()); });
      }
    }
    for (const auto& path : text_paths_) Descend(row, path, 0, item.texts);
    found_ = found_ || !item.texts.empty();
    ++items_;
    if (!found_) NoteKeys(row);
  }

  // Whether any item had a text; the error that names what there is when none had.
  absl::Status CheckFound(const std::string& set) const {
    if (found_ || items_ == 0 || text_paths_.empty()) return absl::OkStatus();
    return UsageError(fmt::format("evaluation set {}: no item has a string in any of the fields {}; its fields are: {}",
                                  set, fmt::join(fields_.texts, ", "), fmt::join(keys_, ", ")));
  }

 private:
  using Path = std::vector<std::string_view>;

  std::string_view IdOf(const dom::element& row) {
    dom::object object;
    if (row.get(object) != simdjson::SUCCESS) return {};
    for (const std::string_view key : kIdKeys) {
      dom::element value;
      if (object[key].get(value) != simdjson::SUCCESS) continue;
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) return text;
      int64_t number = 0;
      if (value.get(number) != simdjson::SUCCESS) continue;
      id_ = std::to_string(number);
      return id_;
    }
    return {};
  }

  static void TakeAll(const dom::element& value, std::vector<std::string_view>& texts) {
    std::string_view text;
    dom::array array;
    dom::object object;
    if (value.get(text) == simdjson::SUCCESS) {
      if (!text.empty()) texts.push_back(text);
    } else if (value.get(array) == simdjson::SUCCESS) {
      for (const dom::element part : array) TakeAll(part, texts);
    } else if (value.get(object) == simdjson::SUCCESS) {
      for (const dom::key_value_pair part : object) TakeAll(part.value, texts);
    }
  }

  static void Descend(const dom::element& value, const Path& path, size_t depth, std::vector<std::string_view>& texts) {
    if (depth == path.size()) {
      TakeAll(value, texts);
      return;
    }
    dom::array array;
    dom::object object;
    if (value.get(array) == simdjson::SUCCESS) {
      for (const dom::element part : array) Descend(part, path, depth, texts);
    } else if (value.get(object) == simdjson::SUCCESS) {
      dom::element member;
      if (object[path[depth]].get(member) == simdjson::SUCCESS) Descend(member, path, depth + 1, texts);
    }
  }

  void NoteKeys(const dom::element& row) {
    constexpr size_t kMost = 40;
    dom::object object;
    if (row.get(object) != simdjson::SUCCESS) return;
    for (const dom::key_value_pair part : object) {
      if (keys_.size() < kMost) keys_.insert(std::string(part.key));
    }
  }

  const EvaluationFields& fields_;
  std::vector<Path> text_paths_, query_paths_;
  std::set<const char*> query_begins_;
  std::string id_;
  std::set<std::string> keys_;
  bool found_ = false;
  uint64_t items_ = 0;
};

// The elements of the longest array of objects among the members of `value`; false when there is none.
bool FindRows(const dom::element& value, dom::array& rows) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return false;
  size_t longest = 0;
  for (const dom::key_value_pair member : object) {
    dom::array array;
    if (member.value.get(array) != simdjson::SUCCESS) continue;
    const size_t size = array.size();
    if (size <= longest || !array.at(0).is_object()) continue;
    longest = size;
    rows = array;
  }
  return longest > 0;
}

class SetReader {
 public:
  SetReader(std::string set, const EvaluationReadOptions& options, const Take& take)
      : set_(std::move(set)), options_(options), fields_(options.fields), take_(take) {}

  absl::Status Lines(const std::string& path, ByteReader& reader) {
    constexpr size_t kRead = size_t{1} << 18;
    std::string bytes;
    uint64_t line = 0;
    size_t begin = 0;
    for (bool ended = false; !ended;) {
      bytes.erase(0, begin);
      begin = 0;
      const size_t held = bytes.size();
      if (held > options_.max_json_bytes) return At(path, line + 1, TooLong("the line"));
      bytes.resize(held + std::max(kRead, held));
      ASSIGN_OR_RETURN(const size_t count, Read(reader, path, bytes.data() + held, bytes.size() - held));
      bytes.resize(held + count);
      ended = count == 0;
      size_t looked = held;
      while (true) {
        size_t end = bytes.find('\n', looked);
        if (end == std::string::npos) {
          if (!ended || begin == bytes.size()) break;
          end = bytes.size();
        }
        ++line;
        RETURN_IF_ERROR(Line(path, line, std::string_view(bytes).substr(begin, end - begin)));
        begin = looked = std::min(end + 1, bytes.size());
      }
    }
    return absl::OkStatus();
  }

  absl::Status Json(const std::string& path, std::unique_ptr<ByteReader> reader, bool* is_lines) {
    std::string bytes;
    while (true) {
      const size_t held = bytes.size();
      if (held > options_.max_json_bytes) {
        return UsageError(fmt::format("evaluation set {}: {}: {}; give it as JSON Lines", set_, path, TooLong("it")));
      }
      bytes.resize(held + std::max<size_t>(size_t{1} << 18, held / 2));
      ASSIGN_OR_RETURN(const size_t count, Read(*reader, path, bytes.data() + held, bytes.size() - held));
      bytes.resize(held + count);
      if (count == 0) break;
    }
    dom::element value;
    const simdjson::error_code error = Parse(bytes, value);
    if (error != simdjson::SUCCESS) {
      // Many a file of this name has one value a line. If its first line is none either, the error is that of the
      // whole.
      const std::string_view first = std::string_view(bytes).substr(0, bytes.find('\n'));
      dom::element ignored;
      *is_lines = first.size() < bytes.size() && Parse(first, ignored) == simdjson::SUCCESS;
      if (*is_lines) return absl::OkStatus();
      return UsageError(fmt::format("evaluation set {}: {}: not JSON: {}", set_, path, simdjson::error_message(error)));
    }
    dom::array rows;
    if (value.get(rows) != simdjson::SUCCESS && !FindRows(value, rows)) return Row(value, 1);
    uint64_t row = 0;
    for (const dom::element part : rows) RETURN_IF_ERROR(Row(part, ++row));
    return absl::OkStatus();
  }

  absl::Status Parquet(const std::string& path) {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    const auto failed = [&](const absl::Status& status) {
      return UsageError(fmt::format("evaluation set {}: {}: {}", set_, path, Message(status)));
    };
    absl::StatusOr<QueryResult> result =
        database->Query(fmt::format("SELECT CAST(to_json(t) AS VARCHAR) FROM read_parquet({}) AS t", SqlLiteral(path)));
    if (!result.ok()) return failed(result.status());
    uint64_t row = 0;
    while (true) {
      const absl::StatusOr<bool> more = result->Next();
      if (!more.ok()) return failed(more.status());
      if (!*more) return absl::OkStatus();
      for (size_t i = 0; i < result->row_count(); ++i) RETURN_IF_ERROR(Line(path, ++row, result->String(0, i)));
    }
  }

  absl::Status CheckFound() const { return fields_.CheckFound(set_); }
  void set_file(size_t file) { item_.file = file; }

 private:
  absl::StatusOr<size_t> Read(ByteReader& reader, const std::string& path, char* output, size_t size) const {
    absl::StatusOr<size_t> count = reader.Read(output, size);
    if (count.ok()) return count;
    return UsageError(fmt::format("evaluation set {}: {}: {}", set_, path, Message(count.status())));
  }

  std::string TooLong(std::string_view what) const {
    return fmt::format("{} is longer than {} bytes", what, options_.max_json_bytes);
  }
  absl::Status At(const std::string& path, uint64_t line, std::string_view message) const {
    return UsageError(fmt::format("evaluation set {}: {} line {}: {}", set_, path, line, message));
  }

  // `value` lives until the next call.
  simdjson::error_code Parse(std::string_view json, dom::element& value) {
    simdjson::error_code error = parser_.parse(json.data(), json.size(), true).get(value);
    if (error != simdjson::UTF8_ERROR) return error;
    repaired_ = ReplaceInvalidUtf8(json);
    return parser_.parse(repaired_.data(), repaired_.size(), true).get(value);
  }

  absl::Status Line(const std::string& path, uint64_t number, std::string_view line) {
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    line = Trim(line);
    if (line.empty()) return absl::OkStatus();
    dom::element value;
    if (const simdjson::error_code error = Parse(line, value); error != simdjson::SUCCESS) {
      return At(path, number, fmt::format("not JSON: {}", simdjson::error_message(error)));
    }
    return Row(value, number);
  }

  absl::Status Row(const dom::element& value, uint64_t number) {
    item_.line = number;
    fields_.Read(value, item_);
    return take_(item_);
  }

  const std::string set_;
  const EvaluationReadOptions& options_;
  FieldReader fields_;
  const Take& take_;
  dom::parser parser_;
  std::string repaired_;
  EvaluationItem item_;
};

absl::Status ReadJsonFileOf(SetReader& reader, const std::string& path) {
  bool is_lines = KindOf(path) == FileKind::kLines;
  if (!is_lines) {
    ASSIGN_OR_RETURN(std::unique_ptr<ByteReader> bytes, ByteReader::Open(path));
    RETURN_IF_ERROR(reader.Json(path, std::move(bytes), &is_lines));
    if (!is_lines) return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<ByteReader> bytes, ByteReader::Open(path));
  return reader.Lines(path, *bytes);
}

}  // namespace

EvaluationSetPath ParseEvaluationSetPath(std::string_view given) {
  const size_t colon = given.find(':');
  const std::string_view name = given.substr(0, colon);
  const bool named = colon != std::string_view::npos && colon > 0 && colon + 1 < given.size() &&
                     std::all_of(name.begin(), name.end(), IsNameCharacter);
  // A file may have a colon in its name, too.
  if (named && !PathExists(std::string(given))) return {std::string(name), std::string(given.substr(colon + 1))};
  return {StemOf(given), std::string(given)};
}

absl::StatusOr<std::vector<EvaluationSet>> FindEvaluationSets(const std::vector<std::string>& given) {
  std::vector<EvaluationSet> sets;
  std::set<std::string> names;
  for (const std::string& one : given) {
    const EvaluationSetPath parsed = ParseEvaluationSetPath(one);
    const std::string where = fmt::format("evaluation set {}: {}", parsed.name, parsed.path);
    if (!PathExists(parsed.path)) return UsageError(where + " is not there");
    if (!names.insert(parsed.name).second) {
      return UsageError(where + ": there is another set of this name; tell them apart with overlap=NAME:PATH");
    }
    EvaluationSet set{parsed.name, {}};
    std::error_code error;
    if (std::filesystem::is_directory(parsed.path, error)) {
      ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(parsed.path));
      for (const std::string& file : files) {
        if (KindOf(file) != FileKind::kNone) set.files.push_back(file);
      }
      if (set.files.empty()) return UsageError(where + ": the directory has no .jsonl, .json or .parquet file");
    } else if (KindOf(parsed.path) == FileKind::kNone) {
      return UsageError(where + ": the name ends in none of .jsonl, .json (each also .gz, .zst) and .parquet");
    } else {
      set.files.push_back(parsed.path);
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

absl::Status ReadEvaluationSet(const EvaluationSet& set, const EvaluationReadOptions& options, const Take& take) {
  SetReader reader(set.name, options, take);
  for (size_t file = 0; file < set.files.size(); ++file) {
    const std::string& path = set.files[file];
    reader.set_file(file);
    if (KindOf(path) == FileKind::kParquet) {
      RETURN_IF_ERROR(reader.Parquet(path));
      continue;
    }
    const absl::Status status = ReadJsonFileOf(reader, path);
    if (status.ok()) continue;
    if (ExitCodeOf(status) == ExitCode::kUsage || status.code() == absl::StatusCode::kResourceExhausted) return status;
    return UsageError(fmt::format("evaluation set {}: {}", set.name, Message(status)));  // cannot be opened
  }
  return reader.CheckFound();
}

absl::Status ReadEvaluationBytes(const std::string& name, std::string bytes, const EvaluationReadOptions& options,
                                 const Take& take) {
  SetReader reader(StemOf(name), options, take);
  bool is_lines = KindOf(name) == FileKind::kLines;
  if (!is_lines) {
    RETURN_IF_ERROR(reader.Json(name, ByteReader::OfBytes(name, bytes), &is_lines));
    if (!is_lines) return reader.CheckFound();
  }
  const std::unique_ptr<ByteReader> again = ByteReader::OfBytes(name, std::move(bytes));
  RETURN_IF_ERROR(reader.Lines(name, *again));
  return reader.CheckFound();
}

}  // namespace rhodes
