#include "entity/normal_form.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr UChar32 kTatweel = 0x0640;

UChar32 FoldArabic(UChar32 c) {
  switch (c) {
    case 0x0649:  // alef maksura
    case 0x06CC:  // Farsi yeh
      return 0x064A;
    case 0x0629:  // teh marbuta
      return 0x0647;
    case 0x06A9:  // keheh
      return 0x0643;
    case 0x0671:  // alef wasla
      return 0x0627;
    default:
      return c;
  }
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool IsWord(char c) { return IsDigit(c) || IsLetter(c); }

// Hyphens, points and slashes hold a word together until it is known what it is.
bool IsJoint(char c) { return c == '-' || c == '.' || c == '/' || c == '_'; }

Word::Kind KindOf(std::string_view word) {
  const bool digits = std::any_of(word.begin(), word.end(), IsDigit);
  if (!digits) return Word::Kind::kPlain;
  const bool letters = std::any_of(word.begin(), word.end(), IsLetter);
  if (letters) return word.size() >= 4 ? Word::Kind::kCode : Word::Kind::kNumber;
  const bool year = word.size() == 4 && (word.starts_with("19") || word.starts_with("20"));
  return word.size() >= 4 && !year && word.find('.') == std::string_view::npos ? Word::Kind::kCode
                                                                               : Word::Kind::kNumber;
}

void AddPieces(std::string_view chunk, std::vector<Word>& words) {
  const bool digits = std::any_of(chunk.begin(), chunk.end(), IsDigit);
  const bool letters = std::any_of(chunk.begin(), chunk.end(), IsLetter);
  const bool decimal = digits && !letters && std::count(chunk.begin(), chunk.end(), '.') == 1 &&
                       std::all_of(chunk.begin(), chunk.end(), [](char c) { return IsDigit(c) || c == '.'; });
  if ((digits && letters) || decimal) {
    Word word;
    for (const char c : chunk) {
      if (IsWord(c) || decimal) word.text += c;
    }
    if (decimal) {  // 10.0 is 10
      while (word.text.ends_with('0')) word.text.pop_back();
      if (word.text.ends_with('.')) word.text.pop_back();
      if (word.text.empty()) word.text = "0";
    }
    word.kind = decimal ? Word::Kind::kNumber : KindOf(word.text);
    words.push_back(std::move(word));
    return;
  }
  for (size_t begin = 0; begin < chunk.size();) {
    size_t end = begin;
    while (end < chunk.size() && IsWord(chunk[end])) ++end;
    if (end > begin)
      words.push_back({std::string(chunk.substr(begin, end - begin)), KindOf(chunk.substr(begin, end - begin))});
    begin = end + 1;
  }
}

// What an Arabic letter is in the usual Latin transcriptions, vowels left out.
std::string_view Consonant(UChar32 c) {
  switch (c) {
    case 0x0628:
      return "b";
    case 0x062A:
      return "t";
    case 0x062B:
      return "t";  // th
    case 0x062C:
      return "j";
    case 0x062D:
      return "h";
    case 0x062E:
      return "k";  // kh
    case 0x062F:
      return "d";
    case 0x0630:
      return "d";  // dh
    case 0x0631:
      return "r";
    case 0x0632:
      return "z";
    case 0x0633:
      return "s";
    case 0x0634:
      return "s";  // sh
    case 0x0635:
      return "s";
    case 0x0636:
      return "d";
    case 0x0637:
      return "t";
    case 0x0638:
      return "z";
    case 0x063A:
      return "g";  // gh
    case 0x0641:
      return "f";
    case 0x0642:
      return "k";
    case 0x0643:
      return "k";
    case 0x0644:
      return "l";
    case 0x0645:
      return "m";
    case 0x0646:
      return "n";
    case 0x0647:
      return "h";
    default:
      return "";
  }
}

void AppendOnce(std::string& skeleton, char c) {
  if (skeleton.empty() || skeleton.back() != c) skeleton += c;
}

void LatinSkeleton(std::string_view word, std::string& skeleton) {
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    const char next = i + 1 < word.size() ? word[i + 1] : '\0';
    if (std::string_view("aeiouwy").find(c) != std::string_view::npos) continue;
    const bool digraph = next == 'h' && std::string_view("tkdsgc").find(c) != std::string_view::npos;
    char letter = c;
    if (c == 'q' || c == 'x' || (c == 'c' && !digraph)) letter = 'k';
    if (c == 'c' && digraph) letter = 's';
    if (c == 'p') letter = 'b';  // Arabic has neither p nor v
    if (c == 'v') letter = 'f';
    AppendOnce(skeleton, letter);
    if (digraph) ++i;
  }
}

}  // namespace

std::string FoldedText(std::string_view text) {
  if (IsAscii(text)) return LowerAscii(text);
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const decomposed = icu::Normalizer2::getNFKDInstance(error);
  const icu::UnicodeString source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  icu::UnicodeString flat = U_SUCCESS(error) ? decomposed->normalize(source, error) : source;
  if (U_FAILURE(error)) flat = source;
  flat.foldCase();
  icu::UnicodeString folded;
  for (int32_t i = 0; i < flat.length(); i = flat.moveIndex32(i, 1)) {
    const UChar32 c = flat.char32At(i);
    const int8_t type = u_charType(c);
    if (type == U_NON_SPACING_MARK || type == U_FORMAT_CHAR || c == kTatweel) continue;
    const int32_t digit = u_charDigitValue(c);
    if (digit >= 0) {
      folded.append(static_cast<UChar32>('0' + digit));
    } else if (c < 0x80 || u_isalpha(c)) {
      folded.append(FoldArabic(c));
    } else {
      folded.append(static_cast<UChar32>(' '));  // signs of any script part words
    }
  }
  std::string result;
  folded.toUTF8String(result);
  return result;
}

std::vector<Word> WordsOf(std::string_view text) {
  const std::string folded = FoldedText(text);
  std::vector<Word> words;
  for (size_t begin = 0; begin < folded.size();) {
    size_t end = begin;
    while (end < folded.size() && (IsWord(folded[end]) || IsJoint(folded[end]))) ++end;
    if (end > begin) AddPieces(std::string_view(folded).substr(begin, end - begin), words);
    begin = end + 1;
  }
  return words;
}

bool HasArabic(std::string_view text) {
  // U+0600 to U+06FF are the lead bytes D8 to DB.
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xD8 && byte <= 0xDB;
  });
}

std::string Skeleton(std::string_view word) {
  std::string skeleton;
  if (!HasArabic(word)) {
    LatinSkeleton(word, skeleton);
    return skeleton;
  }
  const icu::UnicodeString letters =
      icu::UnicodeString::fromUTF8(icu::StringPiece(word.data(), static_cast<int32_t>(word.size())));
  for (int32_t i = 0; i < letters.length(); i = letters.moveIndex32(i, 1)) {
    const UChar32 c = letters.char32At(i);
    if (c == 0x0647 && i > 0 && letters.moveIndex32(i, 1) >= letters.length()) continue;  // -a, -ah at the end
    for (const char consonant : Consonant(c)) AppendOnce(skeleton, consonant);
    if (c >= '0' && c <= '9') skeleton += static_cast<char>(c);
  }
  return skeleton;
}

std::optional<double> NumberIn(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (IsDigit(c) || (c == '.' && IsDigit(next)) || (c == '-' && digits.empty() && (IsDigit(next) || next == '.'))) {
      digits += c;
    } else if (!digits.empty() && !(c == ',' && IsDigit(next))) {
      break;
    }
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::pair<double, double>> PlaceIn(std::string_view text) {
  std::pair<double, double> place;
  const std::string_view trimmed = Trim(text);
  const char* const end = trimmed.data() + trimmed.size();
  const auto [middle, first] = std::from_chars(trimmed.data(), end, place.first);
  if (first != std::errc()) return std::nullopt;
  const char* begin = middle;
  while (begin < end && (*begin == ' ' || *begin == ',' || *begin == ';' || *begin == '\t')) ++begin;
  if (begin == middle) return std::nullopt;
  const auto [last, second] = std::from_chars(begin, end, place.second);
  if (second != std::errc() || last != end) return std::nullopt;
  if (!(std::abs(place.first) <= 90) || !(std::abs(place.second) <= 180)) return std::nullopt;
  return place;
}

}  // namespace rhodes
