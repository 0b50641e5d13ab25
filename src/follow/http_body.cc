#include "follow/http_body.h"

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/text.h"

namespace rhodes {
namespace http = boost::beast::http;

namespace {
constexpr uint32_t kMaxHeadBytes = 64 << 10;
constexpr size_t kPieceBytes = 64 << 10;
}  // namespace

struct HttpBody::Parser {
  http::response_parser<http::buffer_body> parser;
};

HttpBody::HttpBody() : parser_(std::make_unique<Parser>()) {
  parser_->parser.header_limit(kMaxHeadBytes);
  parser_->parser.body_limit(boost::none);
  parser_->parser.eager(true);
}

HttpBody::~HttpBody() = default;

bool HttpBody::has_head() const { return parser_->parser.is_header_done(); }
int HttpBody::status() const { return static_cast<int>(parser_->parser.get().result_int()); }
bool HttpBody::done() const { return parser_->parser.is_done(); }

std::string HttpBody::Header(std::string_view name) const {
  const auto value = parser_->parser.get()[boost::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

absl::Status HttpBody::BeginBody() {
  begun_ = true;
  const std::string encoding = LowerAscii(Trim(Header("Content-Encoding")));
  if (encoding.empty() || encoding == "identity") return absl::OkStatus();
  if (encoding != "gzip" && encoding != "x-gzip") {
    return absl::InvalidArgumentError(fmt::format("the answer's Content-Encoding is {}; gzip is read", encoding));
  }
  decoder_ = Decoder::Create(Compression::kGzip);
  return absl::OkStatus();
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
  pending_.append(bytes);
  std::string_view input = pending_;
  std::array<char, kPieceBytes> piece;
  absl::Status result;
  while (!input.empty() && result.ok() && !parser_->parser.is_done()) {
    auto& body = parser_->parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    boost::system::error_code error;
    const size_t used = parser_->parser.put(boost::asio::buffer(input.data(), input.size()), error);
    input.remove_prefix(used);
    const size_t produced = piece.size() - body.size;
    if (has_head() && !begun_) result = BeginBody();
    if (result.ok() && produced > 0) result = Decode(std::string_view(piece.data(), produced), out);
    if (error == http::error::need_more) break;
    if (error && error != http::error::need_buffer && result.ok()) {
      result = absl::InvalidArgumentError(fmt::format("not HTTP: {}", error.message()));
    }
    if (!error && used == 0) break;
  }
  pending_ = std::string(input);
  if (result.ok() && pending_.size() > kMaxHeadBytes && !done()) {
    result = absl::InvalidArgumentError("not HTTP: a head that does not end");
  }
  return result;
}

bool HttpBody::AddEnd() {
  if (!has_head()) return false;
  boost::system::error_code error;
  parser_->parser.put_eof(error);
  return !error;
}

}  // namespace rhodes
