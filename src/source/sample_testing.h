// What the tests of formats with sample files share.
#ifndef RHODES_SOURCE_SAMPLE_TESTING_H_
#define RHODES_SOURCE_SAMPLE_TESTING_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/decompress.h"
#include "source/testing.h"

namespace rhodes::source_testing {

// In blocks of any size the result is the same, and every range holds its record.
inline ParsedBlock ReadChecked(const Format& format, std::string_view bytes, const ReadOptions& options = {},
                               std::string_view path = "/data/file") {
  ParsedBlock whole = Read(format, bytes, options, path);
  EXPECT_EQ(Violation(whole, bytes), "");
  for (const size_t block : {size_t{1}, size_t{50}, size_t{700}}) {
    if (bytes.size() > (1 << 20) && block < 700) continue;
    EXPECT_TRUE(Same(whole, Read(format, bytes, options, path, block))) << block;
  }
  return whole;
}

// A file of the sample data, which is in the folder RHODES_SAMPLE_DATA or beside the project; "" where it is not there.
inline std::string SamplePath(const std::string& name) {
  const char* folder = std::getenv("RHODES_SAMPLE_DATA");
  return (folder != nullptr ? std::string(folder) : std::string(RHODES_SOURCE_DIR) + "/../shared/data") + "/" + name;
}
inline std::string Sample(const std::string& name) {
  const std::string path = SamplePath(name);
  return std::filesystem::exists(path) ? ReadWholeFile(path, uint64_t{1} << 30).value() : "";
}

inline std::optional<double> Channel(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.channels) {
    if (key == name) return value;
  }
  return std::nullopt;
}

inline std::string Unit(const Record& record, std::string_view name) {
  for (const auto& [key, value] : record.units) {
    if (key == name) return value;
  }
  return "(none)";
}

inline std::map<std::string, int> Kinds(const ParsedBlock& parsed) {
  std::map<std::string, int> kinds;
  for (const Record& record : parsed.records) ++kinds[record.kind];
  if (!parsed.rejects.empty()) kinds["rejected"] = static_cast<int>(parsed.rejects.size());
  return kinds;
}

}  // namespace rhodes::source_testing

#endif  // RHODES_SOURCE_SAMPLE_TESTING_H_
