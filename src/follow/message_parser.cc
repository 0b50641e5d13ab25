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

// What joined_ holds, as if it were a file of its own.
ParsedBlock MessageParser::ParseJoined(const std::string& address) {
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
  ParsedBlock parsed;
  format_->Parse(block, *options_, parsed);
  return parsed;
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
  ParsedBlock parsed = ParseJoined(address);
  std::vector<bool> told(messages.size(), false);
  size_t index = 0;  // records stand in order, so the next one's message is this one or the one behind it
  const auto place = [&](Origin& origin) {
    const bool near = begins_[index] <= origin.begin;
    while (near && index + 1 < begins_.size() && begins_[index + 1] <= origin.begin) ++index;
    if (!near) {
      const auto after = std::upper_bound(begins_.begin(), begins_.end(), origin.begin);
      index = static_cast<size_t>(after - begins_.begin()) - 1;
    }
    told[index] = true;
    origin = {address, messages[index].position, messages[index].position + 1};
    return index;
  };
  out.records.reserve(out.records.size() + parsed.records.size());
  for (Record& record : parsed.records) {
    place(record.origin);
    out.records.push_back(std::move(record));
  }
  for (Reject& reject : parsed.rejects) {
    reject.bytes = messages[place(reject.origin)].bytes;
    out.rejects.push_back(std::move(reject));
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    if (!told[i]) out.rejects.push_back(RejectOf(address, messages[i], "the message holds no record"));
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
  ParsedBlock parsed = ParseJoined(address);
  const bool nothing = parsed.records.empty() && parsed.rejects.empty();
  const Origin origin{address, message.position, message.position + 1};
  for (Record& record : parsed.records) {
    record.origin = origin;
    out.records.push_back(std::move(record));
  }
  for (Reject& reject : parsed.rejects) {
    reject.origin = origin;
    reject.bytes = message.bytes;
    out.rejects.push_back(std::move(reject));
  }
  if (nothing) out.rejects.push_back(RejectOf(address, message, "the message holds no record"));
}

}  // namespace rhodes
