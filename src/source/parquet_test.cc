#include "source/parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "source/parquet_check.h"
#include "source/testing.h"
#include "table/database.h"

namespace rhodes {
namespace {

using source_testing::Field;
using source_testing::SampleData;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr uint64_t kMemory = uint64_t{256} << 20;

// All rows; what cannot be opened or read on is a reject, as ingest makes one of it.
ParsedBlock ReadRows(const std::string& path, const ReadOptions& options = {}) {
  ParsedBlock parsed;
  auto rows = ParquetFormat().OpenRows(path, options, kMemory);
  if (!rows.ok()) {
    parsed.rejects.push_back({Origin{path, 0, 0}, Message(rows.status())});
    return parsed;
  }
  while (true) {
    const absl::StatusOr<bool> more = (*rows)->Next(parsed);
    if (!more.ok()) parsed.rejects.push_back({Origin{path, 0, 0}, Message(more.status())});
    if (!more.ok() || !*more) return parsed;
  }
}

class ParquetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / fmt::format("rhodes_parquet_test_{}", getpid())).string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // A file of what `query` gives.
  const std::string& Write(const std::string& query, const std::string& settings = "") {
    auto database = Database::Open({}).value();
    EXPECT_TRUE(database->Execute("SET TimeZone = 'UTC'").ok());
    const absl::Status written =
        database->Execute("COPY (" + query + ") TO " + SqlLiteral(path_) + " (FORMAT parquet" + settings + ")");
    EXPECT_TRUE(written.ok()) << Message(written);
    return path_;
  }

  std::string path_;
};

TEST_F(ParquetTest, Next_ARowWithItsNumberAndItsOriginal) {
  const ParsedBlock parsed = ReadRows(
      Write("SELECT 'Lamp ' || i AS text, TIMESTAMP '2024-02-29 12:00:00' + to_seconds(i) AS time, i / 2 AS lux "
            "FROM range(3) t(i)"));
  EXPECT_THAT(parsed.rejects, IsEmpty());
  ASSERT_THAT(parsed.records, SizeIs(3));
  const Record& record = parsed.records[1];
  EXPECT_EQ(record.text, "Lamp 1");
  EXPECT_EQ(record.time, 1709208001000000);
  EXPECT_EQ(record.time_precision, TimePrecision::kMicrosecond);
  EXPECT_THAT(record.channels, ElementsAre(Pair("lux", 0.5)));
  EXPECT_THAT(record.fields, ElementsAre(Pair("row", "1")));
  EXPECT_EQ(record.original, R"({"text":"Lamp 1","time":"2024-02-29 12:00:01","lux":0.5})");
  EXPECT_EQ(record.origin.begin, 0U);
  EXPECT_EQ(record.origin.end, std::filesystem::file_size(path_));
}

TEST_F(ParquetTest, Next_NumbersInStructsAreChannelsByTheirPath) {
  ReadOptions options;
  options.columns.latitude = "place.at.lat";
  options.columns.longitude = "place.at.lon";
  options.columns.author = "place.keeper";
  const ParsedBlock parsed =
      ReadRows(Write("SELECT {'at': {'lat': 54.3, 'lon': 13.4}, 'lux': 7, 'keeper': 'mira', 'o''clock': 3} AS place, "
                     "[{'a': 1}] AS list, MAP {'k': 2} AS map, [1.5, 'nan'::DOUBLE] AS odd"),
               options);
  ASSERT_THAT(parsed.records, SizeIs(1));
  const Record& record = parsed.records[0];
  EXPECT_EQ(record.latitude, 54.3);
  EXPECT_EQ(record.longitude, 13.4);
  EXPECT_EQ(record.author, "mira");
  EXPECT_THAT(record.channels, ElementsAre(Pair("place.lux", 7.0), Pair("place.o'clock", 3.0)));
  EXPECT_EQ(Field(record, "place"), R"({"at":{"lat":54.3,"lon":13.4},"lux":7,"keeper":"mira","o'clock":3})");
  EXPECT_EQ(Field(record, "list"), R"([{"a":1}])");
  EXPECT_EQ(Field(record, "map"), R"({"k":2})");
  EXPECT_EQ(Field(record, "odd"), R"([1.5,"NaN"])");
  EXPECT_THAT(record.original, HasSubstr(R"("odd":[1.5,"NaN"])"));
}

TEST_F(ParquetTest, Next_EveryKindOfValue) {
  const ParsedBlock parsed = ReadRows(
      Write("SELECT 255::UTINYINT AS u8, -5::BIGINT AS i64, 18446744073709551615::UBIGINT AS u64, 12.30::DECIMAL(9,2) "
            "AS price, 12345678901234567890.12::DECIMAL(38,2) AS sum, 'nan'::DOUBLE AS n, 'inf'::FLOAT AS inf, "
            "true AS yes, DATE '2024-02-29' AS day, TIME '12:00:01' AS clock, INTERVAL 3 DAYS AS span, "
            "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS uuid, '\\xFF\\x00'::BLOB AS bytes, 'abc'::BLOB AS word, "
            "repeat('\\x00', 2000)::BLOB AS long, NULL::INT AS none"));
  ASSERT_THAT(parsed.records, SizeIs(1));
  const Record& record = parsed.records[0];
  EXPECT_THAT(record.channels, ElementsAre(Pair("i64", -5.0), Pair("price", 12.3), Pair("u8", 255.0)));
  EXPECT_THAT(
      record.fields,
      ElementsAre(Pair("bytes", "0xff00"), Pair("clock", "12:00:01"), Pair("day", "2024-02-29"), Pair("inf", "inf"),
                  Pair("long", "(2000 bytes)"), Pair("n", "nan"), Pair("row", "0"), Pair("span", "3 days"),
                  Pair("sum", "12345678901234567890.12"), Pair("u64", "18446744073709551615"),
                  Pair("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"), Pair("word", "abc"), Pair("yes", "true")));
}

TEST_F(ParquetTest, Next_TimesWithAndWithoutZone) {
  ReadOptions options;
  options.time_zone = "Europe/Berlin";
  const auto time = [&](const std::string& expression) {
    const ParsedBlock parsed = ReadRows(Write("SELECT " + expression + " AS time"), options);
    return std::pair(parsed.records.at(0).time.value_or(0), parsed.records.at(0).time_precision);
  };
  EXPECT_EQ(time("TIMESTAMPTZ '2024-02-29 12:00:00.5+00'"),
            std::pair(int64_t{1709208000500000}, TimePrecision::kMicrosecond));
  EXPECT_EQ(time("TIMESTAMP '2024-02-29 13:00:00'"), std::pair(int64_t{1709208000000000}, TimePrecision::kMicrosecond));
  EXPECT_EQ(time("TIMESTAMP_NS '2024-02-29 13:00:00.123456789'"),
            std::pair(int64_t{1709208000123456}, TimePrecision::kMicrosecond));
  EXPECT_EQ(time("DATE '2024-02-29'"), std::pair(int64_t{1709164800000000}, TimePrecision::kDay));
  EXPECT_EQ(time("TIMESTAMP '2024-10-27 02:30:00'").first, 0);  // twice on that clock
}

TEST_F(ParquetTest, Next_AColumnCalledRowKeepsItsName) {
  const ParsedBlock parsed = ReadRows(Write("SELECT 'front' AS row, 1 AS n"));
  ASSERT_THAT(parsed.records, SizeIs(1));
  EXPECT_EQ(Field(parsed.records[0], "row"), "front");
  EXPECT_EQ(Field(parsed.records[0], "file_row"), "0");
  const ParsedBlock numbered = ReadRows(Write("SELECT 7 + i AS file_row_number FROM range(2) t(i)"));
  ASSERT_THAT(numbered.records, SizeIs(2));
  EXPECT_THAT(numbered.records[1].channels, ElementsAre(Pair("file_row_number", 8.0)));
  EXPECT_EQ(Field(numbered.records[1], "row"), "1");
}

TEST_F(ParquetTest, OpenRows_ATruncatedFileIsAnError) {
  const std::string bytes = ReadFile(Write("SELECT i, 'x' || i AS s FROM range(1000) t(i)")).value();
  for (const size_t size : {size_t{4}, size_t{11}, size_t{12}, bytes.size() / 2, bytes.size() - 1}) {
    ASSERT_TRUE(WriteFileAtomically(path_, bytes.substr(0, size)).ok());
    const ParsedBlock parsed = ReadRows(path_);
    EXPECT_THAT(parsed.records, IsEmpty());
    ASSERT_THAT(parsed.rejects, SizeIs(1)) << size;
    EXPECT_THAT(parsed.rejects[0].reason, HasSubstr("not readable as Parquet"));
    EXPECT_THAT(parsed.rejects[0].reason, Not(HasSubstr("\n")));
  }
}

// Rows of the files of the Apache Parquet testing suite that are sound, counted with PyArrow 22 too, all sums of whose
// numeric columns are equal to those read here.
const std::vector<std::pair<const char*, size_t>>& SoundFiles() {
  static const std::vector<std::pair<const char*, size_t>> kFiles = {{"alltypes_dictionary", 2},
                                                                     {"alltypes_plain", 8},
                                                                     {"alltypes_tiny_pages", 7300},
                                                                     {"alltypes_tiny_pages_plain", 7300},
                                                                     {"binary_truncated_min_max", 12},
                                                                     {"byte_array_decimal", 24},
                                                                     {"column_chunk_key_value_metadata", 0},
                                                                     {"crs-arbitrary-value", 1},
                                                                     {"crs-geography", 1},
                                                                     {"crs-projjson", 1},
                                                                     {"data_index_bloom_encoding_stats", 14},
                                                                     {"data_index_bloom_encoding_with_length", 14},
                                                                     {"datapage_v1-snappy-compressed-checksum", 5120},
                                                                     {"datapage_v1-uncompressed-checksum", 5120},
                                                                     {"datapage_v2_empty_datapage.snappy", 1},
                                                                     {"delta_binary_packed", 200},
                                                                     {"delta_encoding_optional_column", 100},
                                                                     {"delta_encoding_required_column", 100},
                                                                     {"dict-page-offset-zero", 39},
                                                                     {"fixed_length_byte_array", 1000},
                                                                     {"fixed_length_decimal_legacy", 24},
                                                                     {"float16_nonzeros_and_nans", 8},
                                                                     {"floating_orders_nan_count", 50},
                                                                     {"geography-lines", 499},
                                                                     {"geography-points", 500},
                                                                     {"geospatial", 196},
                                                                     {"geospatial-with-nan", 3},
                                                                     {"incorrect_map_schema", 1},
                                                                     {"int32_with_null_pages", 1000},
                                                                     {"int64_decimal", 24},
                                                                     {"list_columns", 3},
                                                                     {"lz4_raw_compressed_larger", 10000},
                                                                     {"nation.dict-malformed", 25},
                                                                     {"nested_lists.snappy", 3},
                                                                     {"nested_structs.rust", 1},
                                                                     {"null_list", 1},
                                                                     {"nullable.impala", 7},
                                                                     {"old_list_structure", 1},
                                                                     {"overflow_i16_page_cnt", 40000},
                                                                     {"plain-dict-uncompressed-checksum", 1000},
                                                                     {"repeated_no_annotation", 6},
                                                                     {"rle-dict-snappy-checksum", 1000},
                                                                     {"single_nan", 1},
                                                                     {"sort_columns", 6}};
  return kFiles;
}

TEST(ParquetSuite, SoundFilesGiveAllTheirRows) {
  const std::string directory = SampleData("generic/parquet");
  if (directory.empty()) GTEST_SKIP() << "no sample data here";
  for (const auto& [name, rows] : SoundFiles()) {
    const ParsedBlock parsed = ReadRows(fmt::format("{}/{}.parquet", directory, name));
    EXPECT_THAT(parsed.records, SizeIs(rows)) << name;
    EXPECT_THAT(parsed.rejects, IsEmpty()) << name << ": " << (parsed.rejects.empty() ? "" : parsed.rejects[0].reason);
  }
}

double Sum(const ParsedBlock& parsed, std::string_view channel) {
  double sum = 0;
  for (const Record& record : parsed.records) {
    for (const auto& [name, value] : record.channels) sum += name == channel ? value : 0;
  }
  return sum;
}

TEST(ParquetSuite, ValuesAreThoseOfTheFile) {
  const std::string directory = SampleData("generic/parquet");
  if (directory.empty()) GTEST_SKIP() << "no sample data here";
  const auto read = [&](const std::string& name) { return ReadRows(directory + "/" + name + ".parquet"); };
  EXPECT_EQ(Sum(read("byte_array_decimal"), "value"), 300);  // 1.00 to 24.00
  EXPECT_EQ(Sum(read("int64_decimal"), "value"), 300);
  EXPECT_EQ(Sum(read("fixed_length_decimal_legacy"), "value"), 300);
  EXPECT_EQ(Sum(read("float16_nonzeros_and_nans"), "x"), 0);
  EXPECT_EQ(Field(read("float16_nonzeros_and_nans").records[3], "x"), "nan");
  EXPECT_EQ(Field(read("single_nan").records[0], "mycol"), "(none)");  // its only value is null
  EXPECT_EQ(Field(read("nullable.impala").records[0], "int_map"), R"({"k1":1,"k2":100})");
  EXPECT_THAT(read("nullable.impala").records[0].channels, Contains(Pair("nested_struct.A", 1.0)));
  EXPECT_EQ(Field(read("geospatial").records[0], "geometry"), "0x01010000000000000000003e400000000000002440");
  EXPECT_EQ(Field(read("old_list_structure").records[0], "a"), "[[1,2],[3,4]]");
  EXPECT_EQ(Field(read("alltypes_plain").records[0], "timestamp_col"), "2009-03-01 00:00:00");
  EXPECT_THAT(read("nested_structs.rust").records[0].channels, Contains(Pair("ACTUAL_DEPTH.max", 312.16)));
}

TEST(ParquetSuite, WhatIsNotReadIsRejectedWithAReason) {
  const std::string directory = SampleData("generic");
  if (directory.empty()) GTEST_SKIP() << "no sample data here";
  for (const auto& [name, reason] : std::vector<std::pair<std::string, std::string>>{
           {"parquet/byte_stream_split_extended.gzip", "BYTE_STREAM_SPLIT"},
           {"parquet/hadoop_lz4_compressed_larger", "Unsupported compression codec \"LZ4\""},
           {"parquet/non_hadoop_lz4_compressed", "Unsupported compression codec \"LZ4\""},
           {"parquet/large_string_map.brotli", "failed to allocate"},
           {"parquet/map_no_value", "MAP_KEY_VALUE requires two children"},
           {"parquet/rle-dict-uncompressed-corrupt-checksum",
            "rows 0 to 999: column \"long_field\": the page at byte 23 does not match its checksum"},
           {"parquet_bad/ARROW-GH-41317", "Invalid data"},
           {"parquet_bad/ARROW-GH-41321", ""},
           {"parquet_bad/ARROW-GH-45185", "the first row begins in the middle of a list"},
           {"parquet_bad/ARROW-GH-47662", "Out of buffer"},
           {"parquet_bad/PARQUET-1481", "Invalid data"}}) {
    const ParsedBlock parsed = ReadRows(directory + "/" + name + ".parquet");
    EXPECT_THAT(parsed.records, IsEmpty()) << name;
    ASSERT_THAT(parsed.rejects, SizeIs(1)) << name;
    EXPECT_THAT(parsed.rejects[0].reason, HasSubstr(reason)) << name;
    EXPECT_THAT(parsed.rejects[0].reason, Not(HasSubstr("\n"))) << name;
  }
}

TEST(ParquetCheck, FindParquetDamage_NamesTheRowsOfThePage) {
  const std::string path = SampleData("generic/parquet/datapage_v1-uncompressed-checksum.parquet");
  if (path.empty()) GTEST_SKIP() << "no sample data here";
  std::string bytes = ReadFile(path).value();
  EXPECT_THAT(FindParquetDamage(bytes), IsEmpty());
  bytes[1000] = static_cast<char>(bytes[1000] ^ 1);
  const std::vector<ParquetDamage> damage = FindParquetDamage(bytes);
  ASSERT_THAT(damage, SizeIs(1));
  EXPECT_EQ(damage[0].begin, 0U);
  EXPECT_EQ(damage[0].end, 5120U);
  EXPECT_THAT(damage[0].reason, HasSubstr("does not match its checksum"));
  for (size_t size = 0; size < 300; ++size) FindParquetDamage(std::string_view(bytes).substr(bytes.size() - size));
}

}  // namespace
}  // namespace rhodes
