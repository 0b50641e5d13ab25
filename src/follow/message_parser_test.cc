#include "follow/message_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

MessageParser Parser(const std::string& format) {
  auto options = std::make_shared<ReadOptions>();
  options->source = "posts";
  return *MessageParser::Create(format, options);
}

TEST(MessageParser, EachMessageIsARecordAtItsOffset) {
  MessageParser parser = Parser("jsonl");
  const std::vector<QueueMessage> messages = {
      {R"({"text": "one"})", 7}, {R"({"text": "two"})", 9}, {"{\n \"text\": \"three\"\n}", 10}};
  ParsedBlock out;
  parser.Parse("kafka://posts/3", messages, out);
  ASSERT_THAT(out.records, SizeIs(2));
  EXPECT_EQ(out.records[0].text, "one");
  EXPECT_EQ(out.records[0].origin.file, "kafka://posts/3");
  EXPECT_EQ(out.records[0].origin.begin, 7u);
  EXPECT_EQ(out.records[0].origin.end, 8u);
  EXPECT_EQ(out.records[1].origin.begin, 9u);
  // JSON Lines are lines: a message of three is rejected line by line, each with the whole message.
  for (const Reject& reject : out.rejects) {
    EXPECT_EQ(reject.origin.begin, 10u);
    EXPECT_EQ(reject.bytes, "{\n \"text\": \"three\"\n}");
  }
}

TEST(MessageParser, WhatIsNoRecordKeepsItsBytesAndItsOffset) {
  MessageParser parser = Parser("jsonl");
  const std::vector<QueueMessage> messages = {{"", 1}, {R"({"text": "good"})", 2}, {"{broken", 3}, {"\x01\x02", 4}};
  ParsedBlock out;
  parser.Parse("kafka://posts/0", messages, out);
  EXPECT_THAT(out.records, SizeIs(1));
  ASSERT_THAT(out.rejects, SizeIs(3));
  std::vector<uint64_t> offsets;
  for (const Reject& reject : out.rejects) {
    offsets.push_back(reject.origin.begin);
    EXPECT_FALSE(reject.reason.empty());
  }
  std::sort(offsets.begin(), offsets.end());
  EXPECT_THAT(offsets, ElementsAre(1, 3, 4));
  for (const Reject& reject : out.rejects) {
    if (reject.origin.begin == 3) {
      EXPECT_EQ(reject.bytes, "{broken");
    }
  }
}

TEST(MessageParser, ManyMessagesTogetherGiveWhatEachGivesAlone) {
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back(fmt::format(R"({{"text": "message {}", "n": {}}})", i, i));
  std::vector<QueueMessage> messages;
  for (size_t i = 0; i < texts.size(); ++i) messages.push_back({texts[i], 100 + i});
  MessageParser together = Parser("jsonl");
  ParsedBlock all, each;
  together.Parse("kafka://posts/0", messages, all);
  MessageParser alone = Parser("jsonl");
  for (const QueueMessage& message : messages) alone.Parse("kafka://posts/0", {&message, 1}, each);
  ASSERT_EQ(all.records.size(), each.records.size());
  ASSERT_THAT(all.records, SizeIs(texts.size()));
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(all.records[i].id, each.records[i].id);
    EXPECT_EQ(all.records[i].origin.begin, 100 + i);
  }
}

TEST(MessageParser, TheFirstMessageThatTellsAFormatDecides) {
  MessageParser parser = Parser("auto");
  EXPECT_EQ(parser.format(), "auto");
  ParsedBlock out;
  const std::vector<QueueMessage> messages = {{" ", 0}, {R"({"text": "hello"})", 1}};
  parser.Parse("kafka://posts/0", messages, out);
  EXPECT_EQ(parser.format(), "jsonl");
  EXPECT_THAT(out.records, SizeIs(1));
}

TEST(MessageParser, FleetTelemetryInBothForms) {
  MessageParser parser = Parser("tesla-telemetry");
  // Payload{data: [{key: 4 (VehicleSpeed), value: {stringValue: "61"}}], createdAt: 1709208000 s, vin}, by hand.
  const std::string vin = "5YJ3E1EA7JF000001";
  std::string payload("\x0a\x08\x08\x04\x12\x04\x0a\x02\x36\x31\x12\x06\x08\xc0\xe3\x81\xaf\x06\x1a\x11", 20);
  payload += vin;
  const std::string decoded =
      R"({"data":[{"key":"VehicleSpeed","value":{"stringValue":"61"}}],"createdAt":"2024-02-29T12:00:00Z","vin":")" +
      vin + R"("})";
  const std::vector<QueueMessage> messages = {{payload, 0}, {decoded, 1}};
  ParsedBlock out;
  parser.Parse("kafka://tesla_V/0", messages, out);
  ASSERT_THAT(out.records, SizeIs(2)) << (out.rejects.empty() ? "" : out.rejects[0].reason);
  for (const Record& record : out.records) {
    EXPECT_EQ(record.author, vin);
    EXPECT_EQ(record.time, 1709208000000000);
  }
}

TEST(MessageParser, AFormatThatNeedsAWholeFileIsRefused) {
  const absl::Status status = MessageParser::Create("parquet", std::make_shared<ReadOptions>()).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
  EXPECT_THAT(Message(status), HasSubstr("as a whole"));
}

}  // namespace
}  // namespace rhodes
