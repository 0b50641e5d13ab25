#include "follow/message_parser.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kPadding = 64;                // what a vector parser may read behind the bytes
constexpr size_t kTogether = size_t{4} << 20;  // bytes parsed at once
constexpr std::array<std::string_view, 4> kOfLines = {"jsonl", "x-v1", "x-v2", "tesla-telemetry"};

// Whether a message can stand as a line among others.
bool IsLine(std::string_view bytes) {
  return !bytes.empty() && bytes.front() == '{' && std::memchr(bytes.data(), '\n', bytes.size()) == nullptr;
}

Reject RejectOf(const std::string& address, const QueueMessage& message, std::string reason) {
  Reject reject;
  reject.origin = {address, message.position, message.position + 1};
  reject.reason = std::move(reason);
  reject.bytes = message.bytes;
  return reject;
}

}  // namespace

absl::StatusOr<MessageParser> MessageParser::Create(const std::string& format,
                                                    std::shared_ptr<const ReadOptions> options) {
  MessageParser parser(std::move(options));
  if (format.empty() || format == "auto") return parser;
  ASSIGN_OR_RETURN(parser.format_, FindFormat(format));
  if (parser.format_->framing() == Format::Framing::kRows) {
    return UsageError(fmt::format("format {} has to see a file as a whole: a message cannot hold one", format));
  }
  return parser;
}

void MessageParser::Parse(const std::string& address, std::span<const QueueMessage> messages, ParsedBlock& out) {
  size_t first = 0;  // of the run of lines
  size_t bytes = 0;
  const auto flush = [&](size_t end) {
    if (end > first) ParseTogether(address, messages.subspan(first, end - first), out);
    bytes = 0;
  };
  for (size_t i = 0; i < messages.size(); ++i) {
    const QueueMessage& message = messages[i];
    if (format_ == nullptr && !Trim(message.bytes).empty()) {
      absl::StatusOr<const Format*> detected = DetectFormat(address, message.bytes);
      if (detected.ok() && (*detected)->framing() != Format::Framing::kRows) format_ = *detected;
    }
    const bool of_lines =
        format_ != nullptr && std::find(kOfLines.begin(), kOfLines.end(), format_->name()) != kOfLines.end();
    if (of_lines && IsLine(message.bytes)) {
      bytes += message.bytes.size();
      if (bytes >= kTogether) {
        flush(i + 1);
        first = i + 1;
      }
      continue;
    }
    flush(i);
    first = i + 1;
    ParseAlone(address, message, out);
  }
  flush(messages.size());
}

// Appends what joined_ holds, as if it were a file of its own.
void MessageParser::ParseJoined(const std::string& address, ParsedBlock& out) {
  const size_t size = joined_.size();
  joined_.append(kPadding, '\0');
  Block block;
  block.path = address;
  block.bytes = std::string_view(joined_.data(), size);
  block.padding = kPadding;
  block.last = true;
  const std::unique_ptr<FileState> state =
      format_->framing() == Format::Framing::kBlocks ? format_->Prepare(block.bytes, *options_) : nullptr;
  block.state = state.get();
  format_->Parse(block, *options_, out);
}

void MessageParser::ParseTogether(const std::string& address, std::span<const QueueMessage> messages,
                                  ParsedBlock& out) {
  joined_.clear();
  begins_.clear();
  for (const QueueMessage& message : messages) {
    begins_.push_back(joined_.size());
    joined_.append(message.bytes);
    joined_ += '\n';
  }
  const size_t first_record = out.records.size();
  const size_t first_reject = out.rejects.size();
  ParseJoined(address, out);
  told_.assign(messages.size(), 0);
  // Of the messages, the one that holds the byte. Records come in the order of their messages, so that it is mostly the
  // one of the record before or the next.
  size_t index = 0;
  const auto place = [&](Origin& origin) {
    if (origin.begin < begins_[index]) index = 0;
    while (index + 1 < begins_.size() && begins_[index + 1] <= origin.begin) ++index;
    told_[index] = 1;
    origin.begin = messages[index].position;
    origin.end = messages[index].position + 1;
  };
  for (size_t i = first_record; i < out.records.size(); ++i) place(out.records[i].origin);
  index = 0;
  for (size_t i = first_reject; i < out.rejects.size(); ++i) {
    place(out.rejects[i].origin);
    out.rejects[i].bytes = messages[index].bytes;
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    if (told_[i] == 0) out.rejects.push_back(RejectOf(address, messages[i], "the message holds no record"));
  }
}

void MessageParser::ParseAlone(const std::string& address, const QueueMessage& message, ParsedBlock& out) {
  if (message.bytes.empty()) {
    out.rejects.push_back(RejectOf(address, message, "the message is empty"));
    return;
  }
  if (format_ == nullptr) {
    out.rejects.push_back(RejectOf(address, message, "no format fits the message: state one with format="));
    return;
  }
  joined_.assign(message.bytes);
  const size_t first_record = out.records.size();
  const size_t first_reject = out.rejects.size();
  ParseJoined(address, out);
  const bool nothing = out.records.size() == first_record && out.rejects.size() == first_reject;
  const Origin origin{address, message.position, message.position + 1};
  for (size_t i = first_record; i < out.records.size(); ++i) out.records[i].origin = origin;
  for (size_t i = first_reject; i < out.rejects.size(); ++i) {
    out.rejects[i].origin = origin;
    out.rejects[i].bytes = message.bytes;
  }
  if (nothing) out.rejects.push_back(RejectOf(address, message, "the message holds no record"));
}

}  // namespace rhodes
