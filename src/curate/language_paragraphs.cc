#include "curate/language_paragraphs.h"

#include <unicode/uscript.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "curate/language.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

constexpr double kSure = 0.5;

// Of a code point; USCRIPT_COMMON for those of many scripts. The scripts of Japanese are one.
UScriptCode ScriptOf(char32_t code_point) {
  if (code_point < 0x80) {
    const bool letter = (code_point | 0x20) >= 'a' && (code_point | 0x20) <= 'z';
    return letter ? USCRIPT_LATIN : USCRIPT_COMMON;
  }
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(code_point), &error);
  if (U_FAILURE(error) || script == USCRIPT_INHERITED || script == USCRIPT_UNKNOWN) return USCRIPT_COMMON;
  return script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ? USCRIPT_HAN : script;
}

// Of the first letter.
UScriptCode ScriptOf(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const UScriptCode script = ScriptOf(DecodeUtf8(text, &at));
    if (script != USCRIPT_COMMON) return script;
  }
  return USCRIPT_COMMON;
}

struct Part {
  size_t begin = 0;
  size_t text_end = 0;  // of its last line's text
  UScriptCode script = USCRIPT_COMMON;
  std::string code;  // empty: not known by itself
};

// Lines, short ones joined.
std::vector<Part> CutParts(std::string_view text) {
  std::vector<Part> parts;
  bool blank_before = true;  // a blank line, or the text's begin
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      blank_before = true;
    } else {
      const UScriptCode script = ScriptOf(line);
      const bool joins = !blank_before && line.size() < kShortParagraph &&
                         parts.back().text_end - parts.back().begin < kShortParagraph &&
                         (script == parts.back().script || script == USCRIPT_COMMON);
      if (!joins) parts.push_back({at, end, script, {}});
      parts.back().text_end = end;
      blank_before = false;
    }
    at = end + 1;
  }
  return parts;
}

std::string CodeOf(std::string_view text, const LanguageModel* model, FastTextScratch& scratch) {
  if (model == nullptr) {
    DetectedLanguage detected = DetectLanguage(text);
    return detected.reliable && detected.confidence >= kSure && detected.code != "und" ? detected.code : "";
  }
  const FastTextGuess guess = model->classifier().Best(text, scratch);
  if (guess.label == FastTextGuess::kNone || guess.probability < kSure) return "";
  const std::string& code = model->codes()[guess.label];
  return code == "und" ? "" : code;
}

// The languages last seen: in each script and in any.
class Neighbours {
 public:
  void See(const Part& part) {
    by_script_[part.script] = part.code;
    any_ = part.code;
  }
  std::string InScript(UScriptCode script) const {
    const auto found = by_script_.find(script);
    return found == by_script_.end() ? "" : found->second;
  }
  const std::string& any() const { return any_; }

 private:
  std::map<UScriptCode, std::string> by_script_;
  std::string any_;
};

// Gives the parts that are not known by themselves their neighbours' languages.
void FillIn(const std::vector<std::string>& own, std::vector<Part>& parts) {
  std::vector<std::string> behind(parts.size());      // in the same script
  std::vector<std::string> behind_any(parts.size());  // in any
  Neighbours later;
  for (size_t i = parts.size(); i-- > 0;) {
    if (parts[i].code.empty()) {
      behind[i] = later.InScript(parts[i].script);
      behind_any[i] = later.any();
    } else {
      later.See(parts[i]);
    }
  }
  Neighbours before;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].code.empty()) {
      before.See(parts[i]);
      continue;
    }
    for (const std::string& code :
         {before.InScript(parts[i].script), behind[i], own[i], before.any(), behind_any[i], std::string("und")}) {
      if (code.empty()) continue;
      parts[i].code = code;
      break;
    }
  }
}

struct Piece {
  size_t begin;
  size_t end;
  size_t moved;  // where it begins now
};

// `pieces` and `marks` are ascending.
void MoveMarks(const std::vector<Piece>& pieces, size_t size, std::vector<size_t>& marks) {
  size_t next = 0;
  for (size_t& mark : marks) {
    while (next < pieces.size() && pieces[next].end < mark) ++next;
    if (next < pieces.size() && mark >= pieces[next].begin) {
      mark = pieces[next].moved + mark - pieces[next].begin;
    } else if (next < pieces.size()) {
      mark = pieces[next].moved;
    } else {
      mark = size;
    }
    mark = std::min(mark, size);
  }
}

}  // namespace

std::vector<LanguageParagraph> FindLanguageParagraphs(std::string_view text, const LanguageModel* model,
                                                      FastTextScratch& scratch) {
  std::vector<Part> parts = CutParts(text);
  std::vector<std::string> own;  // what a short part is by itself
  own.reserve(parts.size());
  for (Part& part : parts) {
    std::string code = CodeOf(text.substr(part.begin, part.text_end - part.begin), model, scratch);
    own.push_back(code);
    if (part.text_end - part.begin >= kShortParagraph) part.code = std::move(code);
  }
  FillIn(own, parts);
  std::vector<LanguageParagraph> paragraphs;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t begin = i == 0 ? 0 : parts[i].begin;
    const size_t end = i + 1 == parts.size() ? text.size() : parts[i + 1].begin;
    paragraphs.push_back({begin, end, std::move(parts[i].code)});
  }
  return paragraphs;
}

std::vector<std::pair<std::string, double>> LanguageShares(const std::vector<LanguageParagraph>& paragraphs) {
  std::map<std::string, size_t> bytes;
  size_t total = 0;
  for (const LanguageParagraph& paragraph : paragraphs) {
    bytes[paragraph.code] += paragraph.end - paragraph.begin;
    total += paragraph.end - paragraph.begin;
  }
  std::vector<std::pair<std::string, size_t>> sorted(bytes.begin(), bytes.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::pair<std::string, double>> shares;
  shares.reserve(sorted.size());
  for (const auto& [code, size] : sorted) {
    shares.emplace_back(code, std::round(1e4 * static_cast<double>(size) / static_cast<double>(total)) / 1e4);
  }
  return shares;
}

bool DropOtherLanguages(const std::vector<LanguageParagraph>& paragraphs, std::string_view wanted, std::string& text,
                        std::vector<size_t>* marks) {
  std::vector<Piece> pieces;
  std::string kept;
  for (const LanguageParagraph& paragraph : paragraphs) {
    if (paragraph.code != "und" && !SameLanguage(paragraph.code, wanted)) continue;
    pieces.push_back({paragraph.begin, paragraph.end, kept.size()});
    kept.append(text, paragraph.begin, paragraph.end - paragraph.begin);
  }
  if (pieces.size() == paragraphs.size()) return false;
  if (pieces.empty() || pieces.back().end != text.size()) {
    while (!kept.empty() && (kept.back() == '\n' || kept.back() == '\r')) kept.pop_back();
  }
  if (marks != nullptr) MoveMarks(pieces, kept.size(), *marks);
  text = std::move(kept);
  return true;
}

}  // namespace rhodes
