#include "source/roff.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "source/roff_page.h"

namespace rhodes {
namespace {

constexpr size_t kDeepestMacro = 32;
constexpr int kDeepestLine = 64;
constexpr size_t kMostSteps = 400'000;

// \{ less \} in a line.
int Braces(std::string_view line) {
  int braces = 0;
  for (size_t at = line.find('\\'); at != std::string_view::npos && at + 1 < line.size();
       at = line.find('\\', at + 2)) {
    if (line[at + 1] == '{') ++braces;
    if (line[at + 1] == '}') --braces;
    if (line[at + 1] == '"') break;
  }
  return braces;
}

std::string_view TrimBlanks(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// Macro bodies and strings are read in copy mode, in which \\ stands for one backslash.
std::string CopyMode(std::string_view line) {
  std::string copied;
  copied.reserve(line.size());
  for (size_t at = 0; at < line.size(); ++at) {
    copied += line[at];
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\\') ++at;
  }
  return copied;
}

// `text` up to a comment.
std::string_view WithoutComment(std::string_view text) {
  for (size_t at = text.find('\\'); at != std::string_view::npos && at + 1 < text.size();
       at = text.find('\\', at + 2)) {
    if (text[at + 1] == '"') return text.substr(0, at);
  }
  return text;
}

std::string_view TakeWord(std::string_view& rest) {
  rest = TrimBlanks(rest);
  const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

// Puts arguments into one line of a macro's body.
std::string PutArguments(const std::string& line, const std::vector<std::string>& arguments) {
  std::string put;
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\\' || at + 2 >= line.size() || line[at + 1] != '$') {
      put += line[at];
      continue;
    }
    const char which = line[at + 2];
    if (which >= '1' && which <= '9') {
      const size_t index = static_cast<size_t>(which - '1');
      if (index < arguments.size()) put += arguments[index];
    } else if (which == '*' || which == '@') {
      for (size_t i = 0; i < arguments.size(); ++i) {
        if (i > 0) put += ' ';
        put += which == '@' ? '"' + arguments[i] + '"' : arguments[i];
      }
    }
    at += 2;
    if (put.size() > (size_t{64} << 10)) break;
  }
  return put;
}

}  // namespace

RoffInterpreter::RoffInterpreter(std::string_view source) : source_(source), man_(state_), mdoc_(state_) {}

std::optional<std::string> RoffInterpreter::NextLine() {
  std::string joined;
  while (true) {
    std::string line;
    while (!frames_.empty() && frames_.back().next == frames_.back().lines.size()) frames_.pop_back();
    if (!frames_.empty()) {
      line = frames_.back().lines[frames_.back().next++];
    } else if (at_ < source_.size()) {
      const size_t end = std::min(source_.find('\n', at_), source_.size());
      line = source_.substr(at_, end - at_);
      at_ = end + 1;
      if (line.ends_with('\r')) line.pop_back();
    } else {
      return joined.empty() ? std::nullopt : std::optional<std::string>(std::move(joined));
    }
    size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    const bool goes_on = slashes % 2 == 1 && joined.size() < (size_t{1} << 20);
    if (goes_on) line.pop_back();
    joined += line;
    if (!goes_on) return joined;
  }
}

ManualPage RoffInterpreter::Run() {
  const size_t largest = 16 * source_.size() + (size_t{1} << 20);
  const size_t lines = static_cast<size_t>(std::count(source_.begin(), source_.end(), '\n'));
  while (std::optional<std::string> line = NextLine()) {
    if (++steps_ > kMostSteps + lines || state_.layout.size() > largest) {
      state_.page.endless = true;
      break;
    }
    Line(*std::move(line));
  }
  state_.page.text = state_.layout.Take();
  // A request with a delimiter or a limit may have cut a character in two.
  for (std::string* text : {&state_.page.text, &state_.page.title, &state_.page.section}) {
    if (!simdjson::validate_utf8(*text)) *text = ReplaceInvalidUtf8(*text);
  }
  return std::move(state_.page);
}

void RoffInterpreter::Line(std::string line) {
  if (depth_ >= kDeepestLine) return;
  ++depth_;
  if (!line.empty() && (line[0] == '.' || line[0] == '\'')) {
    Control(TrimBlanks(std::string_view(line).substr(1)));
  } else {
    bool joins = false;
    std::string text = state_.text.Expand(line, &joins);
    // A comment alone on its line is no blank line.
    if (text.empty() && !line.empty()) {
      if (joins) state_.layout.Join();
    } else if (mdoc_.active()) {
      mdoc_.TextLine(text, joins);
    } else {
      man_.TextLine(text, joins);
    }
  }
  --depth_;
}

void RoffInterpreter::Control(std::string_view line) {
  if (line.empty() || line.starts_with("\\\"") || line.starts_with("\\#")) return;
  size_t end = std::min(line.find_first_of(" \t\\"), line.size());
  if (line.starts_with("\\}")) return;
  const std::string_view name = line.substr(0, end);
  if (name.empty()) return;
  const std::string_view rest = TrimBlanks(line.substr(end));
  if (Request(name, rest)) return;
  if (mdoc_.Run(name, rest)) return;
  if (!mdoc_.active() && man_.Run(name, rest)) return;
  if (const auto macro = macros_.find(name); macro != macros_.end()) Call(macro->second, rest);
}

bool RoffInterpreter::Request(std::string_view name, std::string_view rest) {
  Layout& layout = state_.layout;
  if (name == "if" || name == "ie" || name == "el") {
    Conditional(name, rest);
  } else if (name == "br" || name == "in" || name == "ti" || name == "ce") {
    layout.Break();
  } else if (name == "sp") {
    layout.Blank();
  } else if (name == "nf") {
    layout.KeepLines(true);
  } else if (name == "fi") {
    layout.KeepLines(false);
  } else if (name == "TS") {
    Table();
  } else if (name == "PS" || name == "G1") {
    TakeUntil(name == "PS" ? "PE" : "G2");
  } else if (name == "so") {
    if (layout.size() == 0) state_.page.redirect = std::string(Trim(WithoutComment(rest)));
  } else if (name == "tr") {
    state_.text.Translate(WithoutComment(rest));
  } else {
    return Define(name, rest);
  }
  return true;
}

// Definitions of macros, strings and registers.
bool RoffInterpreter::Define(std::string_view name, std::string_view rest) {
  if (name == "de" || name == "de1" || name == "am" || name == "am1" || name == "ig") {
    const std::string macro(name == "ig" ? std::string_view() : TakeWord(rest));
    const std::string end(TakeWord(rest));
    std::vector<std::string> body = TakeUntil(end.empty() || end.starts_with("\\\"") ? "." : end);
    if (macro.empty() || macros_.size() > 1000) return true;
    std::vector<std::string>& stored = macros_[macro];
    if (!name.starts_with("am")) stored.clear();
    for (const std::string& line : body) stored.push_back(CopyMode(line));
  } else if (name == "ds" || name == "ds1" || name == "as" || name == "as1") {
    const std::string string(TakeWord(rest));
    rest = TrimBlanks(rest);
    if (rest.starts_with('"')) rest.remove_prefix(1);
    const std::string value = CopyMode(WithoutComment(rest).substr(0, 4096));
    if (name[0] == 'd') {
      state_.text.SetString(string, value);
    } else {
      state_.text.AppendString(string, value);
    }
  } else if (name == "nr") {
    const std::string number(TakeWord(rest));
    const std::string_view value = TakeWord(rest);
    state_.text.SetRegister(number, value);
  } else if (name == "rm") {
    for (std::string_view word = TakeWord(rest); !word.empty(); word = TakeWord(rest)) {
      macros_.erase(std::string(word));
      state_.text.RemoveString(std::string(word));
    }
  } else {
    return false;
  }
  return true;
}

// The lines up to one that is ".`end`", which is taken too.
std::vector<std::string> RoffInterpreter::TakeUntil(std::string_view end) {
  std::vector<std::string> lines;
  while (std::optional<std::string> line = NextLine()) {
    ++steps_;
    if (line->starts_with('.') || line->starts_with('\'')) {
      std::string_view rest = std::string_view(*line).substr(1);
      if (TakeWord(rest).substr(0, end.size() + 1) == end) break;
    }
    lines.push_back(*std::move(line));
  }
  return lines;
}

void RoffInterpreter::Conditional(std::string_view name, std::string_view rest) {
  bool taken = false;
  if (name == "el") {
    taken = !else_.empty() && !else_.back();
    if (!else_.empty()) else_.pop_back();
  } else {
    taken = Condition(rest);
    if (name == "ie" && else_.size() < 1000) else_.push_back(taken);
  }
  Branch(taken, TrimBlanks(rest));
}

// Reads a condition off the front of `rest`.
bool RoffInterpreter::Condition(std::string_view& rest) {
  rest = TrimBlanks(rest);
  bool negated = false;
  while (rest.starts_with('!')) {
    negated = !negated;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return false;
  bool value = false;
  const char first = rest[0];
  const bool single = rest.size() == 1 || rest[1] == ' ' || rest[1] == '\t' || rest[1] == '\\';
  if (single && (first == 'n' || first == 't' || first == 'o' || first == 'e' || first == 'v')) {
    value = first == 'n' || first == 'o';
    rest.remove_prefix(1);
  } else if ((first == 'd' || first == 'r' || first == 'm' || first == 'c' || first == 'F' || first == 'S') && single) {
    rest.remove_prefix(1);
    const std::string name(TakeWord(rest));
    value = first == 'd'   ? state_.text.HasString(name) || macros_.contains(name)
            : first == 'r' ? state_.text.HasRegister(name)
                           : false;
  } else if (std::string_view("0123456789+-(\\.|").find(first) != std::string_view::npos && !rest.starts_with("\\*")) {
    // Up to a blank outside of escapes' arguments: \w'a b' has one inside.
    size_t end = 0;
    bool quoted = false;
    for (; end < rest.size() && (quoted || (rest[end] != ' ' && rest[end] != '\t')); ++end) {
      if (rest[end] == '\'') quoted = !quoted;
      if (!quoted && rest.substr(end, 2) == "\\{") break;
    }
    value = state_.text.Evaluate(rest.substr(0, end)) > 0;
    rest.remove_prefix(end);
  } else {  // 'this'that'
    const char delimiter = first;
    const size_t middle = rest.find(delimiter, 1);
    const size_t end = middle == std::string_view::npos ? middle : rest.find(delimiter, middle + 1);
    if (end == std::string_view::npos) {
      rest = {};
      return false;
    }
    value =
        state_.text.Expand(rest.substr(1, middle - 1)) == state_.text.Expand(rest.substr(middle + 1, end - middle - 1));
    rest.remove_prefix(end + 1);
  }
  return value != negated;
}

void RoffInterpreter::Branch(bool taken, std::string_view rest) {
  if (taken) {
    // A block's lines simply run; its closing \} means nothing then.
    if (rest.starts_with("\\{")) rest = TrimBlanks(rest.substr(2));
    std::string line(rest);
    for (size_t at = line.find("\\}"); at != std::string::npos; at = line.find("\\}", at)) line.erase(at, 2);
    if (!line.empty()) Line(std::move(line));
    return;
  }
  for (int open = Braces(rest); open > 0;) {
    const std::optional<std::string> line = NextLine();
    if (!line) return;
    ++steps_;
    open += Braces(*line);
  }
}

void RoffInterpreter::Call(const std::vector<std::string>& body, std::string_view rest) {
  if (frames_.size() >= kDeepestMacro) return;
  const std::vector<std::string> arguments = RoffArguments(rest);
  Frame frame;
  for (const std::string& line : body) frame.lines.push_back(PutArguments(line, arguments));
  steps_ += frame.lines.size();
  if (steps_ < kMostSteps) frames_.push_back(std::move(frame));
}

void RoffInterpreter::Table() {
  state_.layout.Blank();
  const bool fill = state_.layout.fill();
  state_.layout.KeepLines(true);
  for (const std::string& row : RenderTable(TakeUntil("TE"), state_.text)) state_.layout.Text(row);
  state_.layout.KeepLines(!fill);
  state_.layout.Blank();
}

ManualPage RenderManualPage(std::string_view source) { return RoffInterpreter(source).Run(); }

}  // namespace rhodes
