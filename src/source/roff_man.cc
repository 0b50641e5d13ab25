// The macros of man(7).
#include <algorithm>
#include <set>

#include "base/text.h"
#include "source/roff_page.h"

namespace rhodes {
namespace {

// A tag that stands before its item on the same line: "•", "1.", "a)", "[2]".
bool IsBullet(std::string_view tag) {
  if (tag == "•" || tag == "*" || tag == "-" || tag == "–" || tag == "—" || tag == "o" || tag == "+" || tag == "·" ||
      tag == "○" || tag == "□") {
    return true;
  }
  if (tag.size() > 5 || tag.empty()) return false;
  if (tag[0] >= '0' && tag[0] <= '9') {
    return tag.find_first_not_of("0123456789") == tag.size() - 1 && (tag.back() == '.' || tag.back() == ')');
  }
  if (tag[0] == '[' && tag.back() == ']') {
    return tag.size() > 2 && tag.find_first_not_of("0123456789", 1) == tag.size() - 1;
  }
  return tag.size() <= 3 && (tag.back() == ')' || tag.back() == '.') && tag[0] != '-';
}

}  // namespace

void ManMacros::TextLine(std::string_view text, bool joins) {
  if (Trim(text).empty() && !joins) {
    if (waiting_ == Waiting::kNone) state_.layout.Blank();
    return;
  }
  if (waiting_ == Waiting::kNone && text.starts_with(' ') && state_.layout.fill()) {
    state_.layout.Break();  // a line that begins with blanks keeps its place
  }
  Emit(text, joins);
}

void ManMacros::Emit(std::string_view text, bool joins) {
  switch (waiting_) {
    case Waiting::kNone:
      if (joins) {
        // The pieces of a kept line must not become lines.
        if (state_.layout.fill()) {
          state_.layout.Text(text);
        } else {
          state_.layout.Glue(text);
        }
        state_.layout.Join();
      } else {
        state_.layout.Text(text);
      }
      return;
    case Waiting::kTag:
      Tag(text);
      return;
    case Waiting::kHeading:
      Heading(text);
      return;
  }
}

void ManMacros::Heading(std::string_view text) {
  waiting_ = Waiting::kNone;
  bases_.clear();
  base_ = 0;
  state_.layout.KeepLines(false);
  state_.layout.Blank();
  state_.layout.SetIndent(0);
  state_.layout.Text(Trim(text));
  state_.layout.EndHeading();
}

void ManMacros::Tag(std::string_view text) {
  waiting_ = Waiting::kNone;
  text = Trim(text);
  state_.layout.SetIndent(base_);
  const bool fill = state_.layout.fill();
  if (!fill) state_.layout.KeepLines(false);
  state_.layout.Text(text);
  if (!IsBullet(text)) {
    state_.layout.Break();
    state_.layout.SetIndent(base_ + Layout::kStep);
  }
  if (!fill) state_.layout.KeepLines(true);
}

void ManMacros::Item(std::string_view tag) {
  state_.layout.Blank();
  if (Trim(tag).empty()) {
    state_.layout.SetIndent(base_ + Layout::kStep);
  } else {
    Tag(tag);
  }
}

void ManMacros::Paragraph() {
  waiting_ = Waiting::kNone;
  state_.layout.Blank();
  state_.layout.SetIndent(base_);
}

std::string ManMacros::Joined(std::string_view rest, std::string_view separator) const {
  std::string joined;
  bool first = true;
  for (const std::string& argument : RoffArguments(rest)) {
    if (!first) joined += separator;
    joined += state_.text.Expand(argument);
    first = false;
  }
  return joined;
}

void ManMacros::EndLink(std::string_view punctuation) {
  if (link_ && !link_->empty()) {
    state_.layout.Text("<" + *link_ + ">");
    state_.layout.Glue(punctuation);
  }
  link_.reset();
}

bool ManMacros::Run(std::string_view name, std::string_view rest) {
  static const std::set<std::string_view> kAlternating = {"BR", "RB", "BI", "IB", "IR", "RI"};
  static const std::set<std::string_view> kSame = {"B", "I", "SM", "SB", "R", "L", "CW", "BX"};
  static const std::set<std::string_view> kSilent = {"PD", "DT", "AT", "UC", "ad",  "na", "hy", "nh", "ft", "fam", "ta",
                                                     "ll", "ne", "bp", "pl", "po",  "vs", "ps", "ss", "cs", "it",  "rr",
                                                     "ev", "hw", "lt", "mk", "rt",  "ns", "rs", "nx", "af", "cc",  "ec",
                                                     "eo", "tm", "ab", "do", "als", "rn", "ch", "wh", "di", "IX"};
  Layout& layout = state_.layout;
  const auto line = [&](std::string_view separator) {
    bool joins = false;
    state_.text.Expand(rest, &joins);
    const std::string text = Joined(rest, separator);
    if (!text.empty()) Emit(text, joins);
  };
  if (kAlternating.contains(name)) {
    line("");
  } else if (kSame.contains(name)) {
    line(" ");
  } else if (kSilent.contains(name)) {
    return true;
  } else if (name == "SH" || name == "SS") {
    const std::string text = Joined(rest, " ");
    waiting_ = Waiting::kHeading;
    if (!text.empty()) Heading(text);
  } else if (name == "TP" || name == "TQ") {
    if (name == "TP") {
      layout.Blank();
    } else {
      layout.Break();
    }
    waiting_ = Waiting::kTag;
  } else if (name == "IP") {
    waiting_ = Waiting::kNone;
    const std::vector<std::string> arguments = RoffArguments(rest);
    Item(arguments.empty() ? "" : state_.text.Expand(arguments[0]));
  } else if (name == "PP" || name == "P" || name == "LP" || name == "HP") {
    Paragraph();
  } else if (name == "RS") {
    bases_.push_back(base_);
    if (bases_.size() > 64) bases_.resize(64);
    base_ = std::min(base_ + Layout::kStep, 40);
    layout.SetIndent(base_);
  } else if (name == "RE") {
    base_ = bases_.empty() ? 0 : bases_.back();
    if (!bases_.empty()) bases_.pop_back();
    layout.SetIndent(base_);
  } else if (name == "EX" || name == "EE") {
    layout.KeepLines(name == "EX");
  } else if (name == "TH") {
    const std::vector<std::string> arguments = RoffArguments(rest);
    if (!arguments.empty()) state_.page.title = state_.text.Expand(arguments[0]);
    if (arguments.size() > 1) state_.page.section = state_.text.Expand(arguments[1]);
  } else if (name == "UR" || name == "MT") {
    link_ = Joined(rest, " ");
  } else if (name == "UE" || name == "ME") {
    EndLink(Joined(rest, ""));
  } else if (name == "SY") {
    layout.Break();
    layout.Text(Joined(rest, " "));
  } else if (name == "YS") {
    layout.Break();
  } else if (name == "OP") {
    layout.Text("[" + Joined(rest, " ") + "]");
  } else if (name == "MR") {
    const std::vector<std::string> arguments = RoffArguments(rest);
    std::string text = arguments.empty() ? "" : state_.text.Expand(arguments[0]);
    if (arguments.size() > 1) text += "(" + state_.text.Expand(arguments[1]) + ")";
    if (arguments.size() > 2) text += state_.text.Expand(arguments[2]);
    Emit(text);
  } else {
    return false;
  }
  return true;
}

}  // namespace rhodes
