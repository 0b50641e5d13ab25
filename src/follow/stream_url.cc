#include "follow/stream_url.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace rhodes {
namespace {

struct Scheme {
  const char* name;
  const char* form;
  uint16_t port;  // 0: it has none of its own
  bool has_host;
  std::vector<std::string> keys;
};

const std::vector<Scheme>& Schemes() {
  static const auto* const schemes = new std::vector<Scheme>{
      {"kafka", "kafka://host:port/topic?group=G&format=F", 9092, true, {"group", "format", "name", "from", "config"}},
      {"http", "http://host:port/path?format=F", 80, true, {}},
      {"https", "https://host:port/path?format=F", 443, true, {}},
      {"dir", "dir:///path?format=F", 0, false, {"format", "name", "pattern", "quiet", "rescan"}},
      {"grpc", "grpc://host:port/dish", 9200, true, {"every", "name"}}};
  return *schemes;
}

absl::Status Wrong(std::string_view text, std::string_view what, const Scheme* scheme) {
  std::string forms;
  for (const Scheme& known : Schemes()) {
    if (scheme == nullptr || scheme == &known) forms += (forms.empty() ? "" : ", ") + std::string(known.form);
  }
  return UsageError(fmt::format("--source {}: {}; write {}", text, what, forms));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.1. A '%' without two digits stands for itself.
std::string Decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

absl::Status ReadHost(std::string_view authority, const Scheme& scheme, StreamUrl& url) {
  size_t colon = authority.rfind(':');
  if (!authority.empty() && authority[0] == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Wrong(url.text, "the address in brackets does not end", &scheme);
    url.host = authority.substr(1, close - 1);
    colon = close + 1 < authority.size() && authority[close + 1] == ':' ? close + 1 : std::string_view::npos;
  } else {
    url.host = authority.substr(0, colon);
  }
  url.port = scheme.port;
  if (colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc() || end != digits.data() + digits.size() || url.port == 0) {
      return Wrong(url.text, fmt::format("\"{}\" is no port", digits), &scheme);
    }
  }
  if (url.host.empty()) return Wrong(url.text, "it names no host", &scheme);
  return absl::OkStatus();
}

absl::Status ReadQuery(std::string_view query, const Scheme& scheme, StreamUrl& url) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string key = Decoded(pair.substr(0, equals));
    if (!scheme.keys.empty() && std::find(scheme.keys.begin(), scheme.keys.end(), key) == scheme.keys.end()) {
      const std::string nearest = Nearest(key, scheme.keys);
      return Wrong(url.text,
                   fmt::format("there is no \"{}\"{}", key,
                               nearest.empty() ? "" : fmt::format(", did you mean \"{}\"?", nearest)),
                   &scheme);
    }
    url.query[key] = equals == std::string_view::npos ? "" : Decoded(pair.substr(equals + 1));
  }
  return absl::OkStatus();
}

}  // namespace

std::string StreamUrl::Get(std::string_view key, std::string_view otherwise) const {
  const auto found = query.find(std::string(key));
  return found == query.end() ? std::string(otherwise) : found->second;
}

absl::StatusOr<StreamUrl> ParseStreamUrl(std::string_view text) {
  StreamUrl url;
  url.text = text;
  const size_t mark = text.find("://");
  if (mark == std::string_view::npos) return Wrong(text, "it is no address of a stream", nullptr);
  url.scheme = text.substr(0, mark);
  const auto scheme =
      std::find_if(Schemes().begin(), Schemes().end(), [&](const Scheme& known) { return known.name == url.scheme; });
  if (scheme == Schemes().end()) return Wrong(text, fmt::format("\"{}\" is no kind of stream", url.scheme), nullptr);
  std::string_view rest = text.substr(mark + 3);
  if (const size_t fragment = rest.find('#'); fragment != std::string_view::npos) rest = rest.substr(0, fragment);
  const size_t question = rest.find('?');
  const std::string_view place = rest.substr(0, question);
  const size_t slash = place.find('/');
  const std::string_view authority = place.substr(0, slash);
  if (slash != std::string_view::npos) url.path = Decoded(place.substr(slash));
  if (scheme->has_host) {
    RETURN_IF_ERROR(ReadHost(authority, *scheme, url));
  } else if (!authority.empty()) {
    return Wrong(text, "a path begins with three slashes", &*scheme);
  }
  if (!url.scheme.starts_with("http") && url.path.size() < 2)
    return Wrong(text, "it names nothing behind the host", &*scheme);
  if (question != std::string_view::npos) RETURN_IF_ERROR(ReadQuery(rest.substr(question + 1), *scheme, url));
  return url;
}

}  // namespace rhodes
