// Addresses of HTTP streams: what is ours in them, what the server's, and where a server sends us on.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "follow/http_stream.h"
#include "source/time.h"

namespace rhodes {
namespace {

// Keys of the query that are not sent on.
constexpr std::string_view kOurs[] = {"format", "name", "token_file", "token_env", "ca_file", "stall", "encoding"};
constexpr std::string_view kServer = "server.";

// `text` as it may stand in a request line: no byte of it ends the line.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view WithoutFragment(std::string_view text) { return text.substr(0, text.find('#')); }

// The path and query behind "scheme://authority".
std::string_view TargetOf(std::string_view text) {
  const size_t authority = text.find("://");
  if (authority == std::string_view::npos) return "/";
  const size_t begin = text.find_first_of("/?", authority + 3);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string Rooted(std::string_view target) { return (target.starts_with('/') ? "" : "/") + std::string(target); }

}  // namespace

HttpAddress HttpAddressOf(const StreamUrl& url) {
  const std::string_view target = TargetOf(WithoutFragment(url.text));
  const size_t question = target.find('?');
  std::string kept;
  if (question != std::string_view::npos) {
    for (std::string_view pair : Split(target.substr(question + 1), '&')) {
      const std::string_view key = pair.substr(0, pair.find('='));
      if (std::find(std::begin(kOurs), std::end(kOurs), key) != std::end(kOurs)) continue;
      if (key.starts_with(kServer)) pair.remove_prefix(kServer.size());
      if (!pair.empty()) kept += (kept.empty() ? "?" : "&") + std::string(pair);
    }
  }
  return {url.scheme == "https", url.host, url.port, Escaped(Rooted(std::string(target.substr(0, question)) + kept))};
}

absl::StatusOr<HttpAddress> RedirectOf(const HttpAddress& from, std::string_view location) {
  location = WithoutFragment(Trim(location));
  if (location.empty()) return absl::InvalidArgumentError("a redirect without a Location");
  HttpAddress to = from;
  if (location.starts_with("//")) {
    return RedirectOf(from, (from.tls ? "https:" : "http:") + std::string(location));
  }
  if (location.starts_with('/')) {
    to.target = Escaped(location);
    return to;
  }
  const std::string_view scheme = location.substr(0, std::min(location.find(':'), location.find('/')));
  if (scheme.size() < location.size() && location.substr(scheme.size()).starts_with("://")) {
    const StreamUrl place{std::string(location), LowerAscii(scheme), "", 0, "", {}};
    if (place.scheme != "http" && place.scheme != "https") {
      return absl::InvalidArgumentError(fmt::format("a redirect to {}, which is no HTTP", location));
    }
    ASSIGN_OR_RETURN(const StreamUrl url, ParseStreamUrl(place.scheme + std::string(location.substr(scheme.size()))));
    if (from.tls && url.scheme == "http") {
      return absl::InvalidArgumentError(fmt::format("a redirect from https to {}", location));
    }
    return HttpAddress{url.scheme == "https", url.host, url.port, Escaped(Rooted(std::string(TargetOf(location))))};
  }
  const std::string path = from.target.substr(0, from.target.find('?'));
  to.target =
      location.starts_with('?') ? path + Escaped(location) : path.substr(0, path.rfind('/') + 1) + Escaped(location);
  return to;
}

std::optional<std::chrono::milliseconds> AskedPause(const std::string& retry_after, const std::string& reset,
                                                    int64_t now_seconds) {
  const auto number = [](std::string_view text) -> std::optional<int64_t> {
    int64_t value = 0;
    text = Trim(text);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
  };
  constexpr int64_t kDay = 86'400;
  const auto until = [&](int64_t second) {
    return std::chrono::seconds(std::clamp<int64_t>(second - now_seconds, 0, kDay));
  };
  if (const auto seconds = number(retry_after)) return std::chrono::seconds(std::min(*seconds, kDay));
  if (const auto date = retry_after.empty() ? std::nullopt : ParseTime(retry_after)) return until(*date / 1'000'000);
  if (const auto second = number(reset)) return until(std::min(*second, now_seconds + kDay));
  return std::nullopt;
}

}  // namespace rhodes
