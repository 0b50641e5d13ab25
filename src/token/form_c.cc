#include "token/form_c.h"

#include <unicode/normalizer2.h>
#include <unicode/uniset.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "token/character_class.h"

namespace rhodes {
namespace {

// Runs of more marks than this are sorted here: ICU moves each mark past those before it that belong behind it, one
// after the other, which for a text of nothing but marks takes the square of its length.
constexpr int kManyMarks = 32;
// Texts are normalised in stretches of about this many bytes: ICU counts in 32 bits.
constexpr size_t kStretch = size_t{1} << 20;
constexpr size_t kMostBytes = INT32_MAX / 4;  // of one stretch; more marks than that in a row stay as they are

const icu::Normalizer2& ReferenceNfc() {
  static const icu::Normalizer2* const nfc = [] {
    UErrorCode error = U_ZERO_ERROR;
    static const icu::UnicodeSet known(icu::UnicodeString(u"[:age=9.0:]"), error);
    return new icu::FilteredNormalizer2(*icu::Normalizer2::getNFCInstance(error), known);
  }();
  return *nfc;
}

// Letters that are classed as marks are none that could change places.
bool IsMark(const Character& character) {
  return (character.character_class & (kLetter | kUpperLike | kLowerLike)) == (kUpperLike | kLowerLike);
}

// The end of the run of marks that begins at `at`, and how many there are.
std::pair<const char*, int> MarksEnd(const char* at, const char* end) {
  int count = 0;
  while (at < end) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    if (!IsMark(character)) break;
    at += character.length;
    ++count;
  }
  return {at, count};
}

// Appends a run of marks, taken apart and in canonical order.
void AppendInOrder(std::string_view marks, std::string& out) {
  const icu::Normalizer2& nfc = ReferenceNfc();
  std::vector<std::pair<uint8_t, UChar32>> apart;  // combining class and code point
  icu::UnicodeString parts;
  const auto add = [&](UChar32 code) { apart.emplace_back(nfc.getCombiningClass(code), code); };
  for (const char *at = marks.data(), *const end = at + marks.size(); at < end;) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    at += character.length;
    const auto code = static_cast<UChar32>(character.code);
    if (!nfc.getDecomposition(code, parts)) {
      add(code);
      continue;
    }
    for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) add(parts.char32At(i));
  }
  for (auto begin = apart.begin(); begin != apart.end();) {
    // What has class 0 stays where it is, and nothing passes it.
    const auto end = std::find_if(begin, apart.end(), [](const auto& one) { return one.first == 0; });
    std::stable_sort(begin, end, [](const auto& one, const auto& other) { return one.first < other.first; });
    begin = end == apart.end() ? end : end + 1;
  }
  for (const auto& [combining_class, code] : apart) AppendUtf8(static_cast<char32_t>(code), out);
}

// `text` with every long run of marks in order: to a normaliser the same text. False when there is none.
bool SortLongRuns(std::string_view text, std::string& sorted) {
  const char* copied = text.data();
  const char* const end = copied + text.size();
  for (const char* at = copied; at < end;) {
    if (static_cast<uint8_t>(*at) < 0xCC) {  // no mark begins with it
      ++at;
      continue;
    }
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    if (!IsMark(character)) {
      at += character.length;
      continue;
    }
    const auto [run_end, count] = MarksEnd(at, end);
    if (count > kManyMarks) {
      sorted.append(copied, at);
      AppendInOrder({at, static_cast<size_t>(run_end - at)}, sorted);
      copied = run_end;
    }
    at = run_end;
  }
  if (copied == text.data()) return false;
  sorted.append(copied, end);
  return true;
}

// Appends the form C of `text`. False when it is in that form; then nothing is appended.
bool AppendFormC(std::string_view text, std::string& out) {
  if (text.size() > kMostBytes) return false;
  std::string sorted;
  const std::string_view input = SortLongRuns(text, sorted) ? std::string_view(sorted) : text;
  const icu::Normalizer2& nfc = ReferenceNfc();
  UErrorCode error = U_ZERO_ERROR;
  const icu::StringPiece piece(input.data(), static_cast<int32_t>(input.size()));
  if (nfc.isNormalizedUTF8(piece, error)) {
    if (input == text) return false;
    out += input;
    return true;
  }
  icu::StringByteSink<std::string> sink(&out);
  nfc.normalizeUTF8(0, piece, sink, nullptr, error);
  return U_SUCCESS(error);
}

// The size of the first stretch of `text` that can be normalised by itself: kStretch bytes, and on to where nothing
// combines with what is before it.
size_t StretchSize(std::string_view text) {
  if (text.size() <= kStretch) return text.size();
  const char* at = text.data() + kStretch;
  while (IsUtf8Continuation(*at)) --at;
  for (const char* const end = text.data() + text.size(); at < end;) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    if (ReferenceNfc().hasBoundaryBefore(static_cast<UChar32>(character.code))) break;
    at += character.length;
  }
  return static_cast<size_t>(at - text.data());
}

}  // namespace

bool NormaliseToFormC(std::string_view text, std::string& normalised) {
  if (!IsValidUtf8(text)) return false;
  std::string out;  // from the first stretch that changes on; before that, nothing is copied
  bool changed = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view stretch = rest.substr(0, StretchSize(rest));
    const std::string_view before = text.substr(0, text.size() - rest.size());
    rest.remove_prefix(stretch.size());
    if (!AppendFormC(stretch, out)) {
      if (changed) out += stretch;
      continue;
    }
    if (!changed) out.insert(0, before);
    changed = true;
  }
  if (changed) normalised = std::move(out);
  return changed;
}

}  // namespace rhodes
