#include "curate/c4_quality.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "curate/lines.h"
#include "curate/spaces.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

// A piece of the text that stays, and where.
struct Piece {
  size_t begin;
  size_t end;
  size_t moved;
};

// Bytes of the citation mark "[12]", "[edit]" or "[citation needed]" at `at`, or 0.
size_t CitationAt(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  for (const std::string_view mark : {"[edit]", "[citation needed]"}) {
    if (rest.starts_with(mark)) return mark.size();
  }
  size_t end = 1;
  while (end < rest.size() && rest[end] != ']') {
    if (u_isdigit(static_cast<UChar32>(DecodeUtf8(rest, &end))) == 0) return 0;
  }
  return end < rest.size() ? end + 1 : 0;
}

class LineFilter {
 public:
  LineFilter(std::string_view text, const C4QualitySettings& settings, WordRules rules, WordSplitter& splitter,
             Findings& findings)
      : text_(text), settings_(settings), rules_(rules), splitter_(splitter), findings_(findings) {
    FindPhrases(text, hits_);
    std::sort(hits_.begin(), hits_.end(), [](const PhraseHit& a, const PhraseHit& b) { return a.begin < b.begin; });
    bracket_ = text.find('{') != std::string_view::npos;
    citation_ = settings.remove_citations && text.find('[') != std::string_view::npos;
    // Counting ends when there are enough, unless somebody wants to see the number.
    wanted_ = findings.collecting() ? UINT64_MAX : settings.min_sentences;
  }

  // Whether the document stays.
  bool Run() {
    ForEachLine(text_, true, [&](std::string_view line) { Line(StripWhiteSpace(line)); });
    findings_.Add("lorem_ipsum", lorem_ipsum_ ? 1 : 0, 0, lorem_ipsum_);
    findings_.Add("curly_bracket", curly_bracket_ ? 1 : 0, 0, curly_bracket_);
    if (Stopped()) return false;
    if (settings_.min_sentences != 0) {
      findings_.Below("too_few_sentences", static_cast<double>(sentences_),
                      static_cast<double>(settings_.min_sentences));
    }
    return sentences_ >= settings_.min_sentences;
  }

  // The lines that stay, joined.
  std::string Join(std::vector<Piece>& pieces) {
    std::string joined;
    joined.reserve(text_.size());
    for (const KeptLine& line : kept_) {
      if (&line != &kept_.front()) joined += '\n';
      ForEachKept(line.text, line.citations, [&](std::string_view part) {
        const auto begin = static_cast<size_t>(part.data() - text_.data());
        pieces.push_back({begin, begin + part.size(), joined.size()});
        joined += part;
      });
    }
    const std::string_view stripped = StripWhiteSpace(joined);
    if (stripped.size() == joined.size()) return joined;
    const auto front = static_cast<size_t>(stripped.data() - joined.data());
    for (Piece& piece : pieces) {
      const size_t cut = std::min(front - std::min(front, piece.moved), piece.end - piece.begin);
      piece.begin += cut;
      piece.moved = std::min(std::max(piece.moved, front) - front, stripped.size());
      piece.end = std::min(piece.end, piece.begin + stripped.size() - piece.moved);
    }
    return std::string(stripped);
  }

 private:
  struct KeptLine {
    std::string_view text;
    bool citations;
  };

  bool Stopped() const { return lorem_ipsum_ || curly_bracket_; }

  // Calls `visit(part)` for what stays of a line without its citation marks.
  template <typename Visit>
  static void ForEachKept(std::string_view line, bool citations, Visit visit) {
    size_t begin = 0;
    for (size_t at = citations ? line.find('[') : std::string_view::npos; at != std::string_view::npos;) {
      const size_t size = CitationAt(line, at);
      if (size != 0) {
        if (at > begin) visit(line.substr(begin, at - begin));
        begin = at + size;
      }
      at = line.find('[', at + std::max<size_t>(size, 1));
    }
    if (begin < line.size()) visit(line.substr(begin));
  }

  void Line(std::string_view line) {
    if (Stopped()) return;
    if (HasLongWord(line)) return;
    bool cut = false;
    std::string_view edited = line;
    if (citation_ && line.find('[') != std::string_view::npos) {
      buffer_.clear();
      ForEachKept(line, true, [&](std::string_view part) { buffer_ += part; });
      cut = buffer_.size() != line.size();
      edited = buffer_;
    }
    if (settings_.require_end_punctuation && !IsEnded(edited)) return;
    if (!HasWords(line)) return;
    if (!JudgePhrases(line, edited, cut)) return;
    if (sentences_ < wanted_) {
      sentences_ += splitter_.CountSentences(edited, rules_, wanted_ - sentences_);
    }
    kept_.push_back({line, cut});
  }

  // Whether the line stays. `line` is of the text; `edited` is what is left of it.
  bool JudgePhrases(std::string_view line, std::string_view edited, bool cut) {
    bool lorem_ipsum = false;
    bool javascript = false;
    bool policy = false;
    const auto note = [&](const PhraseHit& hit) {
      lorem_ipsum |= hit.phrase == Phrase::kLoremIpsum;
      javascript |= hit.phrase == Phrase::kJavascript;
      policy |= hit.phrase == Phrase::kPolicy;
    };
    if (cut) {  // parts that came together may make a phrase
      std::vector<PhraseHit> hits;
      FindPhrases(edited, hits);
      for (const PhraseHit& hit : hits) note(hit);
    } else if (!hits_.empty()) {
      const auto begin = static_cast<size_t>(line.data() - text_.data());
      while (next_hit_ < hits_.size() && hits_[next_hit_].begin < begin) ++next_hit_;
      for (size_t i = next_hit_; i < hits_.size() && hits_[i].end <= begin + line.size(); ++i) note(hits_[i]);
    }
    if (settings_.drop_lorem_ipsum && lorem_ipsum) {
      lorem_ipsum_ = true;
      return false;
    }
    if (settings_.cut_javascript && javascript) return false;
    if (bracket_ && settings_.drop_curly_bracket && edited.find('{') != std::string_view::npos) {
      curly_bracket_ = true;
      return false;
    }
    return !(settings_.cut_policy && policy);
  }

  static bool IsEnded(std::string_view line) {
    if (line.empty() || line.ends_with("...")) return false;
    return std::string_view(".?!\"'").find(line.back()) != std::string_view::npos;
  }

  // Calls `visit(word)` for what stands between white space, until it returns false.
  template <typename Visit>
  static void ForEachWord(std::string_view line, Visit visit) {
    size_t begin = 0;
    for (size_t at = 0; at < line.size();) {
      const size_t space = WhiteSpaceAt(line, at);
      if (space == 0) {
        ++at;
        continue;
      }
      if (at > begin && !visit(line.substr(begin, at - begin))) return;
      at += space;
      begin = at;
    }
    if (begin < line.size()) visit(line.substr(begin));
  }

  bool HasLongWord(std::string_view line) const {
    if (settings_.max_word_length == 0 || line.size() <= settings_.max_word_length) return false;
    bool found = false;
    ForEachWord(line, [&](std::string_view word) {
      found = word.size() > settings_.max_word_length && CodePoints(word) > settings_.max_word_length;
      return !found;
    });
    return found;
  }

  bool HasWords(std::string_view line) const {
    if (settings_.min_words_per_line == 0) return true;
    uint64_t words = 0;
    ForEachWord(line, [&](std::string_view) { return ++words < settings_.min_words_per_line; });
    return words >= settings_.min_words_per_line;
  }

  std::string_view text_;
  const C4QualitySettings& settings_;
  WordRules rules_;
  WordSplitter& splitter_;
  Findings& findings_;
  std::vector<PhraseHit> hits_;
  size_t next_hit_ = 0;
  bool bracket_ = false;
  bool citation_ = false;
  std::string buffer_;
  std::vector<KeptLine> kept_;
  uint64_t wanted_ = 0;
  uint64_t sentences_ = 0;
  bool lorem_ipsum_ = false;
  bool curly_bracket_ = false;
};

// `pieces` and `marks` are ascending.
void MoveMarks(const std::vector<Piece>& pieces, std::vector<size_t>& marks) {
  size_t next = 0;
  for (size_t& mark : marks) {
    while (next < pieces.size() && pieces[next].end < mark) ++next;
    if (next < pieces.size() && mark >= pieces[next].begin) {
      mark = pieces[next].moved + mark - pieces[next].begin;
    } else if (next > 0) {
      mark = pieces[next - 1].moved + pieces[next - 1].end - pieces[next - 1].begin;
    } else {
      mark = 0;
    }
  }
}

}  // namespace

bool JudgeC4Quality(std::string& text, const C4QualitySettings& settings, WordRules rules, WordSplitter& splitter,
                    std::vector<size_t>* marks, Findings& findings) {
  LineFilter filter(text, settings, rules, splitter, findings);
  if (!filter.Run()) return false;
  std::vector<Piece> pieces;
  std::string joined = filter.Join(pieces);
  if (joined == text) return false;
  if (marks != nullptr) MoveMarks(pieces, *marks);
  text = std::move(joined);
  return true;
}

}  // namespace rhodes
