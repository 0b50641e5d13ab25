#include "follow/http_body.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kMaxHeadBytes = 64 << 10;
constexpr size_t kPieceBytes = 64 << 10;
constexpr uint64_t kMostBytes = uint64_t{1} << 62;

absl::Status NotHttp(std::string_view what) { return absl::InvalidArgumentError(fmt::format("not HTTP: {}", what)); }

// All of `text` as a number.
std::optional<uint64_t> Number(std::string_view text, int base) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > kMostBytes) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string HttpBody::Header(std::string_view name) const {
  std::string value;
  for (const auto& [key, text] : headers_) {
    if (key == name) value += (value.empty() ? "" : ", ") + text;
  }
  return value;
}

absl::StatusOr<std::optional<std::string>> HttpBody::TakeLine(std::string_view& bytes) {
  const size_t newline = bytes.find('\n');
  const size_t size = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (head_bytes_ + size > kMaxHeadBytes) return NotHttp("a head that does not end");
  head_bytes_ += size;
  line_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  if (newline == std::string_view::npos) return std::optional<std::string>();
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  return std::exchange(line_, {});
}

absl::Status HttpBody::TakeHeadLine(std::string_view line) {
  if (status_ == 0) {
    // "HTTP/1.1 200 OK", the words optional.
    const bool known = line.starts_with("HTTP/1.0 ") || line.starts_with("HTTP/1.1 ");
    const auto code = known ? Number(line.substr(9, 3), 10) : std::nullopt;
    if (!code || *code < 100 || *code > 599 || (line.size() > 12 && line[12] != ' ')) return NotHttp("no status line");
    status_ = static_cast<int>(*code);
    return absl::OkStatus();
  }
  if (line.empty()) return EndHead();
  const size_t colon = line.find(':');
  // A name is followed by its colon at once; a line that begins with a blank continued the one before in old days.
  if (colon == 0 || colon == std::string_view::npos ||
      line.substr(0, colon).find_first_of(" \t") != std::string_view::npos) {
    return NotHttp("a header without a name");
  }
  headers_.emplace_back(LowerAscii(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  return absl::OkStatus();
}

absl::Status HttpBody::EndHead() {
  head_bytes_ = 0;
  if (status_ < 200) {  // there is another one to come
    if (status_ == 101) return NotHttp("the server speaks another protocol");
    status_ = 0;
    headers_.clear();
    return absl::OkStatus();
  }
  const std::string encoding = LowerAscii(Header("content-encoding"));
  if (encoding == "gzip" || encoding == "x-gzip") {
    decoder_ = Decoder::Create(Compression::kGzip);
  } else if (!encoding.empty() && encoding != "identity") {
    return absl::InvalidArgumentError(
        fmt::format("the answer's Content-Encoding is {}; gzip is read", ReplaceInvalidUtf8(encoding)));
  }
  const std::string transfer = LowerAscii(Header("transfer-encoding"));
  const std::string length = Header("content-length");
  if (status_ == 204 || status_ == 304) {
    state_ = State::kDone;
  } else if (transfer == "chunked") {  // a Content-Length beside it does not count
    state_ = State::kChunkSize;
  } else if (!transfer.empty()) {
    return NotHttp("an unknown Transfer-Encoding");
  } else if (!length.empty()) {
    const auto size = Number(length, 10);
    if (!size) return NotHttp("a Content-Length that is no number");
    left_ = *size;
    state_ = left_ == 0 ? State::kDone : State::kSized;
  } else {
    state_ = State::kUntilClose;
  }
  return absl::OkStatus();
}

absl::Status HttpBody::TakeChunkSize(std::string_view line) {
  head_bytes_ = 0;
  const auto size = Number(Trim(line.substr(0, line.find(';'))), 16);
  if (!size) return NotHttp("a chunk without a size");
  left_ = *size;
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return absl::OkStatus();
}

absl::Status HttpBody::TakeLines(std::string_view& bytes) {
  ASSIGN_OR_RETURN(const std::optional<std::string> line, TakeLine(bytes));
  if (!line) return absl::OkStatus();
  switch (state_) {
    case State::kHead:
      return TakeHeadLine(*line);
    case State::kChunkSize:
      return TakeChunkSize(*line);
    case State::kChunkEnd:
      if (!line->empty()) return NotHttp("a chunk longer than its size");
      head_bytes_ = 0;
      state_ = State::kChunkSize;
      return absl::OkStatus();
    default:  // the trailer's fields say nothing that is wanted
      if (line->empty()) state_ = State::kDone;
      return absl::OkStatus();
  }
}

absl::Status HttpBody::Step(std::string_view& bytes, std::string& out) {
  if (state_ != State::kSized && state_ != State::kChunkData && state_ != State::kUntilClose) return TakeLines(bytes);
  const size_t size = state_ == State::kUntilClose ? bytes.size() : std::min<uint64_t>(left_, bytes.size());
  const std::string_view body = bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (state_ != State::kUntilClose) {
    left_ -= size;
    if (left_ == 0) state_ = state_ == State::kSized ? State::kDone : State::kChunkEnd;
  }
  return Decode(body, out);
}

absl::Status HttpBody::Decode(std::string_view bytes, std::string& out) {
  if (decoder_ == nullptr) {
    out.append(bytes);
    return absl::OkStatus();
  }
  undecoded_.append(bytes);
  std::array<char, kPieceBytes> piece;
  std::string_view input = undecoded_;
  while (true) {
    ASSIGN_OR_RETURN(const Decoder::Step step, decoder_->Decode(input, false, piece.data(), piece.size()));
    out.append(piece.data(), step.produced);
    input.remove_prefix(step.consumed);
    if (step.consumed == 0 && step.produced == 0) break;
  }
  undecoded_ = std::string(input);
  return absl::OkStatus();
}

absl::Status HttpBody::Add(std::string_view bytes, std::string& out) {
  while (broken_.ok() && !bytes.empty() && state_ != State::kDone) broken_ = Step(bytes, out);
  return broken_;
}

}  // namespace rhodes
