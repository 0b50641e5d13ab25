// What the tests and fuzz targets of the formats share.
#ifndef RHODES_SOURCE_TESTING_H_
#define RHODES_SOURCE_TESTING_H_

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/text.h"
#include "source/format.h"

namespace rhodes::source_testing {

// Reads `bytes` as a file of `format`, cut into blocks of about `block_bytes`.
inline ParsedBlock Read(const Format& format, std::string_view bytes, const ReadOptions& options = {},
                        std::string_view path = "/data/file", size_t block_bytes = ReadOptions::kBlockBytes) {
  ParsedBlock parsed;
  if (format.framing() == Format::Framing::kWholeFile) {
    if (!bytes.empty()) format.Parse(Block{path, bytes, 0, 0, nullptr}, options, parsed);
    return parsed;
  }
  const std::unique_ptr<FileState> state = format.Prepare(bytes, options);
  for (size_t begin = 0; begin < bytes.size();) {
    const std::string_view rest = bytes.substr(begin);
    size_t size = rest.size();
    if (size > block_bytes) {
      const size_t cut = format.Cut(rest, begin, block_bytes, true, state.get(), options);
      if (cut > 0) size = std::min(cut, size);
    }
    format.Parse(Block{path, rest.substr(0, size), begin, rest.size() - size, state.get()}, options, parsed);
    begin += size;
  }
  return parsed;
}

#ifdef RHODES_SOURCE_DIR  // tests have it, fuzz targets do not
// The directory of sample files `name`: below RHODES_SAMPLE_DATA, or ../shared/data beside the project; empty when it
// is not there, and the test is to be skipped.
inline std::string SampleData(const std::string& name) {
  const char* set = std::getenv("RHODES_SAMPLE_DATA");
  const std::string path = (set != nullptr ? std::string(set) : RHODES_SOURCE_DIR "/../shared/data") + "/" + name;
  return PathExists(path) ? path : "";
}
#endif

// The value of a field, or "(none)".
inline std::string Field(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.fields) {
    if (key == name) return value;
  }
  return "(none)";
}

// What must hold of every record and reject read from `bytes`; the first thing that does not, or "".
inline std::string Violation(const ParsedBlock& parsed, std::string_view bytes) {
  for (const Record& record : parsed.records) {
    const Origin& origin = record.origin;
    if (origin.begin > origin.end || origin.end > bytes.size()) return "a record's range lies outside of the file";
    if (bytes.substr(origin.begin, origin.end - origin.begin) != record.original)
      return "a range does not hold its record";
    if (record.id.size() != 32 || record.reader.empty() || record.kind.empty()) return "a record is not sealed";
    for (size_t i = 1; i < record.fields.size(); ++i) {
      if (record.fields[i - 1].first >= record.fields[i].first) return "fields are not sorted or repeat";
    }
    for (size_t i = 1; i < record.channels.size(); ++i) {
      if (record.channels[i - 1].first >= record.channels[i].first) return "channels are not sorted or repeat";
    }
  }
  for (const Reject& reject : parsed.rejects) {
    if (reject.reason.empty()) return "a reject without reason";
    if (reject.origin.begin > reject.origin.end || reject.origin.end > bytes.size()) {
      return "a reject's range lies outside of the file";
    }
  }
  return "";
}

// Whether both are the same records and rejects.
inline bool Same(const ParsedBlock& a, const ParsedBlock& b) {
  const auto same_origin = [](const Origin& x, const Origin& y) {
    return x.file == y.file && x.begin == y.begin && x.end == y.end;
  };
  return std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(),
                    [&](const Record& x, const Record& y) {
                      return x.id == y.id && x.text == y.text && x.fields == y.fields && x.channels == y.channels &&
                             x.time == y.time && same_origin(x.origin, y.origin);
                    }) &&
         std::equal(
             a.rejects.begin(), a.rejects.end(), b.rejects.begin(), b.rejects.end(),
             [&](const Reject& x, const Reject& y) { return x.reason == y.reason && same_origin(x.origin, y.origin); });
}

// For fuzz targets: reads `bytes` whole and in small blocks, and stops the process when anything that must hold does
// not.
inline void CheckAnyInput(const Format& format, std::string_view bytes) {
  ReadOptions options;
  options.source = "fuzz";
  options.record_limit = 4096;
  const ParsedBlock whole = Read(format, bytes, options);
  if (!Violation(whole, bytes).empty()) std::abort();
  for (const Record& record : whole.records) {
    if (!IsValidUtf8(record.text) || !IsValidUtf8(record.author)) std::abort();
    for (const auto& [name, value] : record.fields) {
      if (!IsValidUtf8(name) || !IsValidUtf8(value)) std::abort();
    }
  }
  if (format.framing() != Format::Framing::kBlocks) return;
  for (const size_t block : {size_t{1}, size_t{64}}) {
    if (!Same(whole, Read(format, bytes, options, "/data/file", block))) std::abort();
  }
}

}  // namespace rhodes::source_testing

#endif  // RHODES_SOURCE_TESTING_H_
