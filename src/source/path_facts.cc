#include "source/path_facts.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"
#include "source/format.h"

namespace rhodes {
namespace {

bool IsLetters(std::string_view text, size_t least, size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
}

}  // namespace

std::string PackageOfPath(std::string_view path) {
  const std::vector<std::string_view> parts = Split(path, '/');
  for (size_t i = 0; i + 2 < parts.size(); ++i) {
    if (parts[i] != "usr") continue;
    if (i > 0 && !parts[i - 1].empty()) return std::string(parts[i - 1]);
    if (parts[i + 1] == "share" && parts[i + 2] == "doc" && i + 4 < parts.size()) return std::string(parts[i + 3]);
    return "";
  }
  return "";
}

std::string LanguageTag(std::string_view locale) {
  locale = locale.substr(0, locale.find_first_of(".@"));
  std::string tag;
  for (const std::string_view part : Split(locale, locale.find('_') == std::string_view::npos ? '-' : '_')) {
    const bool first = tag.empty();
    const bool good = first ? IsLetters(part, 2, 3)
                            : part.size() >= 2 && part.size() <= 8 && std::all_of(part.begin(), part.end(), [](char c) {
                                return std::isalnum(static_cast<unsigned char>(c)) != 0;
                              });
    if (!good) return "";
    // Cases as RFC 5646, section 2.1.1 recommends: pt-BR, zh-Hant.
    std::string cased = LowerAscii(part);
    const size_t capitals = first ? 0 : IsLetters(part, 2, 2) ? 2 : IsLetters(part, 4, 4) ? 1 : 0;
    for (size_t i = 0; i < capitals; ++i)
      cased[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(cased[i])));
    if (!first) tag += '-';
    tag += cased;
  }
  return tag;
}

std::string LanguageOfManPath(std::string_view path) {
  const std::vector<std::string_view> parts = Split(path, '/');
  const size_t count = parts.size();
  if (count < 3 || !parts[count - 2].starts_with("man") || parts[count - 2].size() < 4) return "";
  if (parts[count - 3] == "man") return "en";
  if (count >= 4 && parts[count - 4] == "man") return LanguageTag(parts[count - 3]);
  return "";
}

std::string LanguageOfPath(std::string_view path) {
  const std::string_view name = FileName(StripCompressionSuffix(path));
  if (const size_t dash = name.rfind("Translation-"); dash != std::string_view::npos) {
    return LanguageTag(name.substr(dash + 12));
  }
  // Two-letter codes only, and a region in capitals: longer words in these places are names, not languages.
  const auto plausible = [](std::string_view part) {
    return (part.size() == 2 && IsLetters(part, 2, 2) && LowerAscii(part) == part) ||
           (part.size() == 5 && (part[2] == '-' || part[2] == '_') &&
            LowerAscii(part.substr(0, 2)) == part.substr(0, 2) && IsLetters(part.substr(0, 2), 2, 2) &&
            IsLetters(part.substr(3), 2, 2) && LowerAscii(part.substr(3)) != part.substr(3));
  };
  const std::vector<std::string_view> dots = Split(name, '.');
  for (size_t i = dots.size(); i-- > 1;) {
    // The last piece is the file's type, unless it is not one ("page.html.de").
    if (plausible(dots[i]) && (i + 1 < dots.size() || dots.size() > 2) && dots[i] != "md") return LanguageTag(dots[i]);
  }
  const std::vector<std::string_view> parts = Split(path, '/');
  for (size_t i = 0; i + 2 < parts.size(); ++i) {
    if ((parts[i] == "html" || parts[i] == "doc" || parts[i] == "docs") && plausible(parts[i + 1])) {
      return LanguageTag(parts[i + 1]);
    }
  }
  return "";
}

}  // namespace rhodes
