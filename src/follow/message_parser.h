// Messages of a queue into records: each message is whole, so that their bytes need no cutting.
#ifndef RHODES_FOLLOW_MESSAGE_PARSER_H_
#define RHODES_FOLLOW_MESSAGE_PARSER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "source/format.h"

namespace rhodes {

struct QueueMessage {
  std::string_view bytes;
  uint64_t position = 0;  // in its partition
};

// Immutable once a format is chosen; not thread-safe.
class MessageParser {
 public:
  // `format`: a name of docs/sources.md whose records can be cut out of bytes, or "auto": decided by the first message
  // that has one and kept. UsageError for a format that has to see a file as a whole (Parquet).
  static absl::StatusOr<MessageParser> Create(const std::string& format, std::shared_ptr<const ReadOptions> options);

  // Appends what `messages` hold to `out`, in order. Records and rejects have `address` as their file and the message's
  // position as their range [position, position + 1). A message that holds nothing (empty, a keep-alive) is a reject; a
  // reject carries the message's bytes. Messages of one line each are parsed together: 5 times as fast for small ones.
  void Parse(const std::string& address, std::span<const QueueMessage> messages, ParsedBlock& out);

  // Its name; "auto" as long as no message told.
  std::string_view format() const { return format_ == nullptr ? "auto" : format_->name(); }

 private:
  explicit MessageParser(std::shared_ptr<const ReadOptions> options) : options_(std::move(options)) {}
  void ParseJoined(const std::string& address, ParsedBlock& out);
  void ParseTogether(const std::string& address, std::span<const QueueMessage> messages, ParsedBlock& out);
  void ParseAlone(const std::string& address, const QueueMessage& message, ParsedBlock& out);

  std::shared_ptr<const ReadOptions> options_;
  const Format* format_ = nullptr;
  std::string joined_;
  std::vector<size_t> begins_;  // of the messages in joined_
  std::vector<char> told_;      // which of them gave a record or a reject
};

}  // namespace rhodes

#endif  // RHODES_FOLLOW_MESSAGE_PARSER_H_
