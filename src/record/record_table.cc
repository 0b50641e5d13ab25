#include "record/record_table.h"

#include <algorithm>

#include "base/text.h"

namespace rhodes {
namespace {

enum Column : size_t {
  kId,
  kSource,
  kKind,
  kTime,
  kTimePrecision,
  kAuthor,
  kLatitude,
  kLongitude,
  kLanguage,
  kText,
  kChannels,
  kUnits,
  kFields,
  kOriginal,
  kFile,
  kBegin,
  kEnd,
  kReader
};

constexpr size_t kLongestValue = size_t{2} << 30;

template <typename Value>
using Entries = std::vector<std::pair<std::string, Value>>;

// A map with one key twice is refused by many readers of Parquet, and a source may well name a thing twice.
template <typename Value>
Entries<Value> WithUniqueNames(const Entries<Value>& entries) {
  Entries<Value> unique = entries;
  size_t same = 1;
  for (size_t i = 1; i < entries.size(); ++i) {
    same = entries[i].first == entries[i - 1].first ? same + 1 : 1;
    if (same > 1) unique[i].first += fmt::format("[{}]", same);
  }
  return unique;
}

template <typename Value>
void SetEntries(RowChunks& row, size_t column, const Entries<Value>& entries) {
  if (entries.empty()) return;
  const bool repeated = std::adjacent_find(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
                          return a.first == b.first;
                        }) != entries.end();
  row.SetMap(column, repeated ? WithUniqueNames(entries) : entries);
}

void SetUnlessEmpty(RowChunks& row, size_t column, const std::string& value) {
  if (!value.empty()) row.SetString(column, value);
}

}  // namespace

uint64_t RecordBytes(const Record& record) {
  uint64_t bytes = 128 + record.text.size() + record.original.size() + record.author.size() +
                   record.origin.file.size() + 40 * record.channels.size() + 24 * record.units.size();
  for (const auto& [name, value] : record.fields) bytes += 32 + name.size() + value.size();
  return bytes;
}

const char kRecordColumns[] =
    "id VARCHAR, source VARCHAR, kind VARCHAR, time TIMESTAMP, time_precision VARCHAR, author VARCHAR, "
    "latitude DOUBLE, longitude DOUBLE, language VARCHAR, text VARCHAR, channels MAP(VARCHAR, DOUBLE), "
    "units MAP(VARCHAR, VARCHAR), fields MAP(VARCHAR, VARCHAR), original BLOB, file VARCHAR, \"begin\" UBIGINT, "
    "\"end\" UBIGINT, reader VARCHAR";

absl::StatusOr<std::unique_ptr<RecordPartWriter>> RecordPartWriter::Create(const std::string& directory, int first_part,
                                                                           int compressing) {
  ParquetPartWriter::Options options;
  options.directory = directory;
  options.columns = kRecordColumns;
  options.part_bytes = kPartBytes;
  options.compressing = compressing;
  options.first_part = first_part;
  ASSIGN_OR_RETURN(std::unique_ptr<ParquetPartWriter> parts, ParquetPartWriter::Create(options));
  return std::unique_ptr<RecordPartWriter>(new RecordPartWriter(std::move(parts)));
}

absl::Status RecordPartWriter::Append(const Record& record) {
  if (record.text.size() >= kLongestValue || record.original.size() >= kLongestValue) {
    return absl::InvalidArgumentError(fmt::format("{}: bytes {} to {}: a record of 2 GiB or more", record.origin.file,
                                                  record.origin.begin, record.origin.end));
  }
  RowChunks& row = parts_->row();
  row.SetString(kId, record.id);
  row.SetString(kSource, record.source);
  SetUnlessEmpty(row, kKind, record.kind);
  if (record.time.has_value()) row.SetInt64(kTime, *record.time);
  if (record.time.has_value() && record.time_precision != TimePrecision::kNone) {
    row.SetString(kTimePrecision, NameOf(record.time_precision));
  }
  SetUnlessEmpty(row, kAuthor, record.author);
  if (record.latitude.has_value()) row.SetDouble(kLatitude, *record.latitude);
  if (record.longitude.has_value()) row.SetDouble(kLongitude, *record.longitude);
  SetUnlessEmpty(row, kLanguage, record.language);
  const bool valid = record.text.empty() || row.SetString(kText, record.text);
  SetEntries(row, kChannels, record.channels);
  SetEntries(row, kUnits, record.units);
  SetEntries(row, kFields, record.fields);
  if (!record.original.empty() && record.original != record.text) {
    row.SetString(kOriginal, record.original);
  } else if (!valid) {
    row.SetString(kOriginal, record.text);
  }
  row.SetString(kFile, record.origin.file);
  row.SetUInt64(kBegin, record.origin.begin);
  row.SetUInt64(kEnd, record.origin.end);
  SetUnlessEmpty(row, kReader, record.reader);
  return parts_->EndRow(RecordBytes(record));
}

absl::StatusOr<std::vector<PartInfo>> RecordPartWriter::Finish() { return parts_->Finish(); }

}  // namespace rhodes
