// JSONTestSuite (y_: must be accepted, n_: must be rejected, i_: either), through both readers of JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/file.h"
#include "source/json.h"
#include "source/jsonl.h"
#include "source/testing.h"

namespace rhodes {
namespace {

using source_testing::Read;
using source_testing::Violation;

using Files = std::vector<std::pair<std::string, std::string>>;

Files SuiteFiles(std::string_view prefix) {
  Files files;
  const std::string directory = source_testing::SampleData("generic/json_suite");
  if (directory.empty()) return files;
  const std::vector<std::string> paths = ListFiles(directory).value();
  for (const std::string& path : paths) {
    if (FileName(path).starts_with(prefix)) files.emplace_back(FileName(path), ReadFile(path).value());
  }
  return files;
}

ParsedBlock ReadBlocks(const Format& format, std::string_view bytes, const std::string& name) {
  ParsedBlock parsed = Read(format, bytes);
  EXPECT_EQ(Violation(parsed, bytes), "") << name;
  for (const Reject& reject : parsed.rejects) EXPECT_LT(reject.reason.size(), 200U) << name;
  EXPECT_TRUE(source_testing::Same(parsed, Read(format, bytes, {}, "/data/file", 1))) << name;
  return parsed;
}

std::string Minified(const std::string& text) {
  simdjson::dom::parser parser;
  return simdjson::minify(parser.parse(simdjson::padded_string(text)));
}

TEST(JsonSuite, WhatIsNoJsonIsRejected) {
  const Files files = SuiteFiles("n_");
  if (files.empty()) GTEST_SKIP() << "no sample data here";
  EXPECT_GT(files.size(), 100U);
  for (const auto& [name, bytes] : files) {
    if (name == "n_single_space.json") continue;  // a blank file is nothing at all
    for (const Format* format : {&JsonFormat(), &JsonlFormat()}) {
      const ParsedBlock parsed = ReadBlocks(*format, bytes, name);
      EXPECT_TRUE(parsed.records.empty()) << name;
      EXPECT_FALSE(parsed.rejects.empty()) << name << " as " << format->name();
      // As a value of an object that would be a record.
      const ParsedBlock wrapped = ReadBlocks(*format, "{\"text\":\"t\",\"v\":" + bytes + "}", name);
      EXPECT_TRUE(wrapped.records.empty()) << name;
      EXPECT_FALSE(wrapped.rejects.empty()) << name;
    }
  }
}

TEST(JsonSuite, WhatIsJsonIsReadWithItsValue) {
  const Files files = SuiteFiles("y_");
  if (files.empty()) GTEST_SKIP() << "no sample data here";
  EXPECT_GT(files.size(), 60U);
  for (const auto& [name, bytes] : files) {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(bytes);
    const simdjson::dom::element root = parser.parse(padded);
    const ParsedBlock parsed = ReadBlocks(JsonFormat(), bytes, name);
    // None of them has a text or a measurement.
    const size_t items = root.is_array() ? root.get_array().value_unsafe().size() : 1;
    EXPECT_EQ(parsed.records.size() + parsed.rejects.size(), items) << name;
    for (const Reject& reject : parsed.rejects) {
      EXPECT_TRUE((!root.is_object() && reject.reason.starts_with("not a JSON object: ")) ||
                  (!root.is_string() && reject.reason.starts_with("no text field")))
          << name << ": " << reject.reason;
    }
    std::string flat = bytes;
    for (char& c : flat) c = c == '\n' || c == '\r' ? ' ' : c;
    const std::string wrapped = "{\"text\":\"t\",\"v\":" + flat + "}";
    for (const Format* format : {&JsonFormat(), &JsonlFormat()}) {
      const ParsedBlock records = ReadBlocks(*format, wrapped, name);
      ASSERT_EQ(records.records.size(), 1U) << name;
      const Record& record = records.records[0];
      if (root.is_object() || root.is_array()) {
        EXPECT_EQ(source_testing::Field(record, "v"), Minified(bytes)) << name;
      } else if (root.is_string()) {
        EXPECT_EQ(source_testing::Field(record, "v"), std::string(root.get_string().value_unsafe())) << name;
      } else if (root.is_number()) {
        ASSERT_EQ(record.channels.size(), 1U) << name;
        EXPECT_EQ(record.channels[0].second, root.get_double().value_unsafe()) << name;
      }
    }
  }
}

TEST(JsonSuite, WhatMayBeEitherIsARecordOrARejectWithAReason) {
  const Files files = SuiteFiles("i_");
  if (files.empty()) GTEST_SKIP() << "no sample data here";
  for (const auto& [name, bytes] : files) {
    for (const Format* format : {&JsonFormat(), &JsonlFormat()}) {
      const ParsedBlock parsed = ReadBlocks(*format, bytes, name);
      EXPECT_TRUE(!parsed.rejects.empty()) << name;
      const ParsedBlock wrapped = ReadBlocks(*format, "{\"text\":\"t\",\"v\":" + bytes + "}", name);
      EXPECT_GE(wrapped.records.size() + wrapped.rejects.size(), 1U) << name;
      if (name.find("surrogate") != std::string::npos) {
        EXPECT_TRUE(wrapped.records.empty()) << name;
        ASSERT_FALSE(wrapped.rejects.empty()) << name;
        EXPECT_TRUE(wrapped.rejects[0].reason.find("lone surrogate at byte ") == 0 ||
                    wrapped.rejects[0].reason.find("invalid UTF-8 at byte ") == 0)
            << name << ": " << wrapped.rejects[0].reason;
      }
    }
  }
}

}  // namespace
}  // namespace rhodes
