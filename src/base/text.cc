#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace rhodes {
namespace {

constexpr std::string_view kSpaces = " \t\r\n\f\v";

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

// Length of the valid sequence at the start of `bytes`, or 0; `*skip` is then the length of the maximal invalid prefix
// (Unicode 15, section 3.9, "substitution of maximal subparts").
size_t ValidSequence(std::string_view bytes, size_t* skip) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t lead = byte(0);
  *skip = 1;
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if (i >= bytes.size() || byte(i) < low || byte(i) > high) {
      *skip = i;
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::string Nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest;
  size_t best = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (const size_t distance = EditDistance(word, candidate); distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

bool IsValidUtf8(std::string_view bytes) {
  size_t skip = 0;
  while (!bytes.empty()) {
    // Eight bytes of ASCII at a time: most of what is asked about is nothing else.
    uint64_t eight = 0;
    while (bytes.size() >= sizeof(eight)) {
      std::memcpy(&eight, bytes.data(), sizeof(eight));
      if ((eight & 0x8080808080808080u) != 0) break;
      bytes.remove_prefix(sizeof(eight));
    }
    if (bytes.empty()) return true;
    const size_t length = ValidSequence(bytes, &skip);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view bytes) {
  std::string valid;
  valid.reserve(bytes.size());
  size_t skip = 0;
  while (!bytes.empty()) {
    if (const size_t length = ValidSequence(bytes, &skip); length > 0) {
      valid.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    } else {
      valid.append("\xEF\xBF\xBD");
      bytes.remove_prefix(skip);
    }
  }
  return valid;
}

std::string_view Utf8Prefix(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && IsUtf8Continuation(text[most])) --most;
  return text.substr(0, most);
}

size_t UnfinishedUtf8(std::string_view text) {
  for (size_t back = std::min<size_t>(3, text.size()); back > 0; --back) {
    const std::string_view end = text.substr(text.size() - back);
    const auto lead = static_cast<uint8_t>(end[0]);
    size_t skip = 0;
    if (lead >= 0xC2 && lead <= 0xF4 && ValidSequence(end, &skip) == 0 && skip == back) return back;
  }
  return 0;
}

void AppendUtf8(char32_t code_point, std::string& out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) code_point = 0xFFFD;
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | (code_point >> 6));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | (code_point >> 12));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code_point >> 18));
    out += static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code_point & 0x3F));
  }
}

}  // namespace rhodes
