// The macros of mdoc(7).
#include <algorithm>
#include <map>
#include <set>

#include "base/status.h"
#include "base/text.h"
#include "source/roff_page.h"

namespace rhodes {
namespace {

struct Enclosure {
  std::string_view open;
  std::string_view close;
};

// One-line forms: the rest of the line is enclosed.
const std::map<std::string_view, Enclosure>& Enclosures() {
  static const std::map<std::string_view, Enclosure> kAll = {
      {"Op", {"[", "]"}}, {"Pq", {"(", ")"}},   {"Bq", {"[", "]"}}, {"Brq", {"{", "}"}}, {"Aq", {"<", ">"}},
      {"Dq", {"“", "”"}}, {"Qq", {"\"", "\""}}, {"Sq", {"‘", "’"}}, {"Ql", {"‘", "’"}},  {"Eq", {"", ""}}};
  return kAll;
}

// Forms with an end of their own, over several lines.
const std::map<std::string_view, std::string_view>& Marks() {
  static const std::map<std::string_view, std::string_view> kAll = {
      {"Oo", "["}, {"Po", "("}, {"Bo", "["}, {"Bro", "{"}, {"Ao", "<"}, {"Do", "“"}, {"Qo", "\""}, {"So", "‘"},
      {"Oc", "]"}, {"Pc", ")"}, {"Bc", "]"}, {"Brc", "}"}, {"Ac", ">"}, {"Dc", "”"}, {"Qc", "\""}, {"Sc", "’"}};
  return kAll;
}

// Macros that only change the font of their words.
bool IsFont(std::string_view name) {
  static const std::set<std::string_view> kAll = {"Em", "Sy", "Li", "Ic", "Cm", "Ev", "Va", "Vt",
                                                  "Dv", "Er", "Ad", "An", "Ms", "Sx", "Tn", "Lb",
                                                  "No", "Ft", "Fd", "Cd", "Fr", "Db", "Hf"};
  return kAll.contains(name);
}

std::string_view System(std::string_view name) {
  static const std::map<std::string_view, std::string_view> kAll = {{"Ux", "UNIX"},
                                                                    {"Bx", "BSD"},
                                                                    {"Nx", "NetBSD"},
                                                                    {"Fx", "FreeBSD"},
                                                                    {"Ox", "OpenBSD"},
                                                                    {"Bsx", "BSD/OS"},
                                                                    {"Dx", "DragonFly"},
                                                                    {"At", "AT&T UNIX"},
                                                                    {"Bt", "is currently in beta test."},
                                                                    {"Ud", "currently under development."}};
  const auto it = kAll.find(name);
  return it == kAll.end() ? std::string_view() : it->second;
}

bool IsCallable(std::string_view token) {
  static const std::set<std::string_view> kOthers = {"Fl", "Ar", "Nm", "Pa", "Xr", "Ns", "Pf", "Ap", "Fn", "Fa",
                                                     "In", "Lk", "Mt", "Ex", "Rv", "St", "Sm", "Nd", "Ta", "Bk",
                                                     "Ek", "Fo", "Fc", "Eo", "Ec", "Xo", "Xc", "Es", "En"};
  return token.size() >= 2 && token.size() <= 3 && token[0] >= 'A' && token[0] <= 'Z' &&
         (kOthers.contains(token) || IsFont(token) || Enclosures().contains(token) || Marks().contains(token) ||
          !System(token).empty());
}

bool IsClosing(std::string_view token) {
  return token == "." || token == "," || token == ":" || token == ";" || token == ")" || token == "]" || token == "?" ||
         token == "!";
}

bool IsOpening(std::string_view token) { return token == "(" || token == "["; }

}  // namespace

void MdocMacros::Word(std::string_view word) {
  if (word.empty()) {
    return;
  }
  if (attach_ || IsClosing(word) || state_.layout.line_empty()) {
    state_.layout.Glue(word);
  } else {
    state_.layout.Text(word);
  }
  attach_ = IsOpening(word) || !spacing_;
}

void MdocMacros::Open(std::string_view mark) {
  Word(mark);
  attach_ = true;
}

void MdocMacros::Close(std::string_view mark) {
  state_.layout.Glue(mark);
  attach_ = !spacing_;
}

void MdocMacros::TextLine(std::string_view text, bool joins) {
  if (Trim(text).empty() && !joins) {
    state_.layout.Blank();
    return;
  }
  if (!state_.layout.fill()) {
    state_.layout.Text(text);
  } else {
    if (text.starts_with(' ')) state_.layout.Break();
    if (attach_) {
      state_.layout.Glue(Trim(text));
    } else {
      state_.layout.Text(text);
    }
  }
  attach_ = joins;
}

bool MdocMacros::Run(std::string_view name, std::string_view rest) {
  std::vector<std::string> arguments = RoffArguments(rest);
  if (name == "Dd" || name == "Dt" || name == "Os") {
    Prologue(name, arguments);
    return true;
  }
  if (name == "Sh") active_ = true;
  if (!active_) return false;
  if (name.size() == 2 && name[0] == '%') {
    Reference(name, arguments);
    return true;
  }
  if (Block(name, arguments)) return true;
  if (!IsCallable(name)) return false;
  if (name == "Nm" && section_ == "SYNOPSIS") state_.layout.Break();
  if ((name == "Fn" || name == "Fo" || name == "In" || name == "Ft" || name == "Cd" || name == "Fd") &&
      section_ == "SYNOPSIS" && function_arguments_ < 0) {
    state_.layout.Break();
  }
  arguments.insert(arguments.begin(), std::string(name));
  const bool kept = !state_.layout.fill();
  if (kept) {
    const std::string line = Render(std::move(arguments));
    state_.layout.Text(line);
  } else {
    Inline(arguments);
  }
  return true;
}

// Renders tokens to a string of their own, as for a heading or a tag.
std::string MdocMacros::Render(std::vector<std::string> tokens) {
  Layout outer;
  std::swap(outer, state_.layout);
  attach_ = false;
  Inline(tokens);
  std::string line = state_.layout.Take();
  std::swap(outer, state_.layout);
  attach_ = false;
  while (line.ends_with('\n')) line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

void MdocMacros::Prologue(std::string_view name, const std::vector<std::string>& arguments) {
  active_ = true;
  if (name != "Dt") return;
  if (!arguments.empty()) state_.page.title = state_.text.Expand(arguments[0]);
  if (arguments.size() > 1) state_.page.section = state_.text.Expand(arguments[1]);
}

bool MdocMacros::Block(std::string_view name, std::vector<std::string>& arguments) {
  Layout& layout = state_.layout;
  if (name == "Sh" || name == "Ss") {
    if (name == "Sh") lists_.clear();
    layout.KeepLines(false);
    layout.Blank();
    layout.SetIndent(0);
    const std::string heading = Render(std::move(arguments));
    if (name == "Sh") section_ = heading;
    layout.Text(heading);
    layout.EndHeading();
    attach_ = false;
  } else if (name == "Pp" || name == "Lp") {
    layout.Blank();
    attach_ = false;
  } else if (name == "Nd") {
    Word("-");
    Inline(arguments);
  } else if (name == "Bl") {
    BeginList(arguments);
  } else if (name == "El") {
    if (lists_.empty()) return true;
    layout.SetIndent(lists_.back().indent);
    lists_.pop_back();
    layout.Blank();
  } else if (name == "It") {
    Item(std::move(arguments));
  } else if (name == "Bd") {
    layout.Blank();
    const bool keeps = std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
      return argument == "-literal" || argument == "-unfilled";
    });
    layout.SetIndent(layout.indent() + (keeps ? Layout::kStep : 0));
    layout.KeepLines(keeps);
  } else if (name == "Ed") {
    if (!layout.fill()) layout.SetIndent(layout.indent() - Layout::kStep);
    layout.KeepLines(false);
    layout.Blank();
  } else if (name == "D1" || name == "Dl") {
    layout.Break();
    const int indent = layout.indent();
    layout.SetIndent(indent + Layout::kStep);
    layout.Text(Render(std::move(arguments)));
    layout.SetIndent(indent);
  } else if (name == "Rs" || name == "Re") {
    if (name == "Re") {
      std::string joined;
      for (const std::string& part : reference_) joined += (joined.empty() ? "" : ", ") + part;
      if (!joined.empty()) layout.Text(joined + ".");
      layout.Break();
    }
    reference_.clear();
    in_reference_ = name == "Rs";
  } else {
    return false;
  }
  return true;
}

void MdocMacros::BeginList(const std::vector<std::string>& arguments) {
  List list;
  list.indent = state_.layout.indent();
  for (const std::string& argument : arguments) {
    if (argument == "-bullet") list.kind = List::Kind::kBullet;
    if (argument == "-dash" || argument == "-hyphen") list.kind = List::Kind::kDash;
    if (argument == "-enum") list.kind = List::Kind::kEnum;
    if (argument == "-tag" || argument == "-hang" || argument == "-ohang" || argument == "-diag" ||
        argument == "-inset") {
      list.kind = List::Kind::kTag;
    }
    if (argument == "-column") list.kind = List::Kind::kColumn;
  }
  state_.layout.Blank();
  if (lists_.size() < 32) lists_.push_back(list);
}

void MdocMacros::Item(std::vector<std::string> arguments) {
  if (lists_.empty()) return;
  List& list = lists_.back();
  Layout& layout = state_.layout;
  attach_ = false;
  layout.KeepLines(false);
  layout.Break();
  layout.SetIndent(list.indent);
  ++list.count;
  switch (list.kind) {
    case List::Kind::kBullet:
      layout.Text("•");
      break;
    case List::Kind::kDash:
      layout.Text("-");
      break;
    case List::Kind::kEnum:
      layout.Text(fmt::format("{}.", list.count));
      break;
    case List::Kind::kTag:
      layout.Blank();
      layout.Text(Render(std::move(arguments)));
      layout.Break();
      layout.SetIndent(list.indent + Layout::kStep);
      break;
    case List::Kind::kColumn:
    case List::Kind::kPlain: {
      std::string row = Render(std::move(arguments));
      for (size_t at = row.find('\t'); at != std::string::npos; at = row.find('\t', at)) row.replace(at, 1, " | ");
      layout.Text(row);
      break;
    }
  }
}

void MdocMacros::Reference(std::string_view name, const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += (text.empty() ? "" : " ") + state_.text.Expand(argument);
  if (name == "%T" || name == "%B" || name == "%J" || name == "%I") {
    text = name == "%T" ? "“" + text + "”" : text;
  }
  if (in_reference_) {
    reference_.push_back(std::move(text));
  } else {
    Word(text);
  }
}

void MdocMacros::Inline(const std::vector<std::string>& tokens) {
  // Punctuation at the end of the line stands outside of what the line encloses.
  size_t count = tokens.size();
  while (count > 1 && IsClosing(tokens[count - 1])) --count;
  const std::vector<std::string> inner(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(count));
  std::vector<std::string> closers;
  for (size_t at = 0; at < inner.size();) {
    if (IsCallable(inner[at])) {
      at = InlineMacro(inner, at, closers);
    } else {
      Word(state_.text.Expand(inner[at++]));
    }
  }
  for (size_t i = closers.size(); i-- > 0;) Close(closers[i]);
  for (size_t i = count; i < tokens.size(); ++i) Word(tokens[i]);
}

// Words up to the next macro, each with `prefix`; `none` when there is none. Returns where the next macro is.
size_t MdocMacros::Words(const std::vector<std::string>& tokens, size_t at, std::string_view prefix,
                         std::string_view none) {
  bool any = false;
  for (; at < tokens.size() && !IsCallable(tokens[at]); ++at) {
    const std::string word = state_.text.Expand(tokens[at]);
    if (IsClosing(word) || IsOpening(word) || word == "|") {
      if (!any && IsClosing(word)) break;
      Word(word);
      continue;
    }
    Word(std::string(prefix) + word);
    any = true;
  }
  if (!any) Word(none);
  return at;
}

void MdocMacros::Function(const std::vector<std::string>& tokens, size_t* at) {
  std::string call;
  size_t count = 0;
  for (; *at < tokens.size() && !IsCallable(tokens[*at]) && !IsClosing(tokens[*at]); ++*at, ++count) {
    if (count > 1) call += ", ";
    call += state_.text.Expand(tokens[*at]);
    if (count == 0) call += "(";
  }
  if (count > 0) Word(call + ")");
}

size_t MdocMacros::InlineMacro(const std::vector<std::string>& tokens, size_t at, std::vector<std::string>& closers) {
  const std::string_view name = tokens[at++];
  const auto argument = [&] { return at < tokens.size() ? state_.text.Expand(tokens[at++]) : std::string(); };
  if (const auto enclosure = Enclosures().find(name); enclosure != Enclosures().end()) {
    Open(enclosure->second.open);
    if (closers.size() < 64) closers.emplace_back(enclosure->second.close);
  } else if (const auto mark = Marks().find(name); mark != Marks().end()) {
    if (name.back() == 'c') {
      Close(mark->second);
    } else {
      Open(mark->second);
    }
  } else if (name == "Fl") {
    at = Words(tokens, at, "-", "-");
  } else if (name == "Ar") {
    at = Words(tokens, at, "", "file ...");
  } else if (name == "Pa") {
    at = Words(tokens, at, "", "~");
  } else if (name == "Nm") {
    const bool named = at < tokens.size() && !IsCallable(tokens[at]) && !IsClosing(tokens[at]);
    if (named && name_.empty()) name_ = state_.text.Expand(tokens[at]);
    at = Words(tokens, at, "", name_);
  } else if (name == "Xr") {
    const std::string page = argument();
    const bool has_section = at < tokens.size() && !IsCallable(tokens[at]) && !IsClosing(tokens[at]);
    Word(has_section ? page + "(" + argument() + ")" : page);
  } else if (name == "Ns") {
    attach_ = true;
  } else if (name == "Ap") {
    state_.layout.Glue("'");
    attach_ = true;
  } else if (name == "Pf") {
    Word(argument());
    attach_ = true;
  } else if (name == "Sm") {
    const std::string mode = argument();
    spacing_ = mode == "on" || (mode != "off" && !spacing_);
    attach_ = !spacing_;
  } else if (name == "Fn") {
    Function(tokens, &at);
  } else if (name == "Fo") {
    Open(argument() + "(");
    function_arguments_ = 0;
  } else if (name == "Fc") {
    Close(")");
    function_arguments_ = -1;
  } else if (name == "Fa") {
    if (function_arguments_ > 0) Close(",");
    if (function_arguments_ > 0) attach_ = false;
    if (function_arguments_ >= 0) ++function_arguments_;
    at = Words(tokens, at, "", "");
  } else if (name == "In") {
    Word("<" + argument() + ">");
  } else if (name == "Lk" || name == "Mt") {
    const std::string target = argument();
    const bool has_text = name == "Lk" && at < tokens.size() && !IsCallable(tokens[at]) && !IsClosing(tokens[at]);
    Word(has_text ? argument() + " <" + target + ">" : target);
  } else if (name == "Ta") {
    state_.layout.Text("|");
    attach_ = false;
  } else if (name == "Ex") {
    at = tokens.size();
    Word(fmt::format("The {} utility exits 0 on success, and >0 if an error occurs.", name_));
  } else if (name == "Rv") {
    at = tokens.size();
    Word("Upon success 0 is returned; otherwise -1 is returned and errno is set to indicate the error.");
  } else if (name == "St") {
    const std::string standard = argument();
    Word(standard.starts_with("-p1003")   ? "POSIX.1"
         : standard.starts_with("-ansiC") ? "ANSI C"
                                          : standard.substr(standard.starts_with('-') ? 1 : 0));
  } else if (const std::string_view system = System(name); !system.empty()) {
    Word(system);
    at = Words(tokens, at, "", "");
  } else if (name == "Nd") {
    Word("-");
  } else if (name == "Bk" || name == "Ek" || name == "Xo" || name == "Xc" || name == "Eo" || name == "Ec" ||
             name == "Es" || name == "En") {
    if (name == "Bk") argument();
  } else {
    at = Words(tokens, at, "", "");
  }
  return at;
}

}  // namespace rhodes
