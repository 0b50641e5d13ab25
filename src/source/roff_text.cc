#include "source/roff_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

#include "base/text.h"
#include "source/encoding.h"

namespace rhodes {
namespace {

constexpr int kDepth = 8;                   // of strings in strings
constexpr size_t kLongestLine = 256 << 10;  // of an expanded line: strings that double themselves end here

const std::unordered_map<std::string_view, std::string_view>& Characters() {
  // groff_char(7), those that occur in manual pages.
  static const std::unordered_map<std::string_view, std::string_view> kAll = {
      {"bu", "•"},       {"em", "—"},  {"en", "–"},   {"hy", "-"},   {"lq", "“"},  {"rq", "”"},  {"oq", "‘"},
      {"cq", "’"},       {"aq", "'"},  {"dq", "\""},  {"Bq", "„"},   {"bq", "‚"},  {"co", "©"},  {"rg", "®"},
      {"tm", "™"},       {"de", "°"},  {"mu", "×"},   {"di", "÷"},   {"+-", "±"},  {"-+", "∓"},  {"<=", "≤"},
      {">=", "≥"},       {"!=", "≠"},  {"==", "≡"},   {"ne", "≢"},   {"~~", "≈"},  {"~=", "≅"},  {"->", "→"},
      {"<-", "←"},       {"<>", "↔"},  {"ua", "↑"},   {"da", "↓"},   {"rA", "⇒"},  {"lA", "⇐"},  {"hA", "⇔"},
      {"Fo", "«"},       {"Fc", "»"},  {"fo", "‹"},   {"fc", "›"},   {"ss", "ß"},  {":a", "ä"},  {":o", "ö"},
      {":u", "ü"},       {":A", "Ä"},  {":O", "Ö"},   {":U", "Ü"},   {":e", "ë"},  {":i", "ï"},  {":y", "ÿ"},
      {":E", "Ë"},       {":I", "Ï"},  {"'a", "á"},   {"'e", "é"},   {"'i", "í"},  {"'o", "ó"},  {"'u", "ú"},
      {"'y", "ý"},       {"'A", "Á"},  {"'E", "É"},   {"'I", "Í"},   {"'O", "Ó"},  {"'U", "Ú"},  {"'c", "ć"},
      {"'C", "Ć"},       {"'n", "ń"},  {"'s", "ś"},   {"'z", "ź"},   {"`a", "à"},  {"`e", "è"},  {"`i", "ì"},
      {"`o", "ò"},       {"`u", "ù"},  {"`A", "À"},   {"`E", "È"},   {"`I", "Ì"},  {"`O", "Ò"},  {"`U", "Ù"},
      {"^a", "â"},       {"^e", "ê"},  {"^i", "î"},   {"^o", "ô"},   {"^u", "û"},  {"^A", "Â"},  {"^E", "Ê"},
      {"^I", "Î"},       {"^O", "Ô"},  {"^U", "Û"},   {"~a", "ã"},   {"~n", "ñ"},  {"~o", "õ"},  {"~A", "Ã"},
      {"~N", "Ñ"},       {"~O", "Õ"},  {",c", "ç"},   {",C", "Ç"},   {"oa", "å"},  {"oA", "Å"},  {"/o", "ø"},
      {"/O", "Ø"},       {"/l", "ł"},  {"/L", "Ł"},   {"ae", "æ"},   {"AE", "Æ"},  {"oe", "œ"},  {"OE", "Œ"},
      {"vs", "š"},       {"vS", "Š"},  {"vz", "ž"},   {"vZ", "Ž"},   {"vc", "č"},  {"vC", "Č"},  {"Sd", "ð"},
      {"-D", "Ð"},       {"Tp", "þ"},  {"TP", "Þ"},   {".i", "ı"},   {"r!", "¡"},  {"r?", "¿"},  {"Of", "ª"},
      {"Om", "º"},       {"ga", "`"},  {"ha", "^"},   {"ti", "~"},   {"rs", "\\"}, {"sl", "/"},  {"ul", "_"},
      {"ru", "_"},       {"ba", "|"},  {"or", "|"},   {"bv", "|"},   {"br", "│"},  {"bb", "¦"},  {"at", "@"},
      {"sh", "#"},       {"Do", "$"},  {"Eu", "€"},   {"eu", "€"},   {"Po", "£"},  {"ct", "¢"},  {"Ye", "¥"},
      {"sc", "§"},       {"ps", "¶"},  {"dg", "†"},   {"dd", "‡"},   {"lB", "["},  {"rB", "]"},  {"lC", "{"},
      {"rC", "}"},       {"la", "⟨"},  {"ra", "⟩"},   {"lc", "⌈"},   {"rc", "⌉"},  {"lf", "⌊"},  {"rf", "⌋"},
      {"ci", "○"},       {"sq", "□"},  {"OK", "✓"},   {"fm", "′"},   {"sd", "″"},  {"mc", "µ"},  {"12", "½"},
      {"14", "¼"},       {"34", "¾"},  {"S1", "¹"},   {"S2", "²"},   {"S3", "³"},  {"if", "∞"},  {"sr", "√"},
      {"no", "¬"},       {"tno", "¬"}, {"AN", "∧"},   {"OR", "∨"},   {"mo", "∈"},  {"nm", "∉"},  {"es", "∅"},
      {"fa", "∀"},       {"te", "∃"},  {"ca", "∩"},   {"cu", "∪"},   {"sb", "⊂"},  {"sp", "⊃"},  {"ib", "⊆"},
      {"ip", "⊇"},       {"pl", "+"},  {"mi", "-"},   {"eq", "="},   {"**", "*"},  {"sum", "∑"}, {"product", "∏"},
      {"integral", "∫"}, {"pd", "∂"},  {"gr", "∇"},   {"*a", "α"},   {"*b", "β"},  {"*g", "γ"},  {"*d", "δ"},
      {"*e", "ε"},       {"*z", "ζ"},  {"*y", "η"},   {"*h", "θ"},   {"*i", "ι"},  {"*k", "κ"},  {"*l", "λ"},
      {"*m", "μ"},       {"*n", "ν"},  {"*c", "ξ"},   {"*o", "ο"},   {"*p", "π"},  {"*r", "ρ"},  {"*s", "σ"},
      {"*t", "τ"},       {"*u", "υ"},  {"*f", "φ"},   {"*x", "χ"},   {"*q", "ψ"},  {"*w", "ω"},  {"*G", "Γ"},
      {"*D", "Δ"},       {"*H", "Θ"},  {"*L", "Λ"},   {"*P", "Π"},   {"*S", "Σ"},  {"*F", "Φ"},  {"*Q", "Ψ"},
      {"*W", "Ω"},       {"*X", "Χ"},  {"aa", "´"},   {"a^", "^"},   {"a~", "~"},  {"ad", "¨"},  {"ac", "¸"},
      {"ho", "˛"},       {"a-", "¯"},  {"ab", "˘"},   {"a.", "˙"},   {"ao", "˚"},  {"ah", "ˇ"},  {"fi", "fi"},
      {"fl", "fl"},      {"ff", "ff"}, {"Fi", "ffi"}, {"Fl", "ffl"}, {"pc", "·"},  {"md", "·"},  {"lh", "☜"},
      {"rh", "☞"},       {"f/", "⁄"},  {"wp", "℘"},   {"Re", "ℜ"},   {"Im", "ℑ"},  {"lz", "◊"},  {"IJ", "Ĳ"},
      {"ij", "ĳ"},       {"an", "─"}};
  return kAll;
}

size_t CharacterLength(std::string_view text, size_t at) {
  size_t length = 1;
  while (at + length < text.size() && (static_cast<uint8_t>(text[at + length]) & 0xC0) == 0x80) ++length;
  return length;
}

// The name after an escape letter: X, (XX or [any]; `*at` moves behind it.
std::string_view TakeName(std::string_view text, size_t* at) {
  if (*at >= text.size()) return {};
  if (text[*at] == '(') {
    const size_t begin = std::min(*at + 1, text.size());
    size_t end = begin;
    for (int i = 0; i < 2 && end < text.size(); ++i) end += CharacterLength(text, end);
    *at = end;
    return text.substr(begin, end - begin);
  }
  if (text[*at] == '[') {
    const size_t begin = *at + 1;
    const size_t close = text.find(']', begin);
    const size_t end = close == std::string_view::npos ? text.size() : close;
    *at = close == std::string_view::npos ? end : end + 1;
    return text.substr(begin, end - begin);
  }
  const size_t begin = *at;
  *at += CharacterLength(text, begin);
  return text.substr(begin, *at - begin);
}

// What stands between two equal delimiters, as in \h'1n'; `*at` moves behind it.
std::string_view TakeDelimited(std::string_view text, size_t* at) {
  if (*at >= text.size()) return {};
  const size_t length = CharacterLength(text, *at);
  const std::string_view delimiter = text.substr(*at, length);
  const size_t begin = *at + length;
  const size_t close = text.find(delimiter, begin);
  if (close == std::string_view::npos) {
    *at = text.size();
    return text.substr(begin);
  }
  *at = close + length;
  return text.substr(begin, close - begin);
}

// A recursive-descent reader of numeric expressions; roff has no precedence, only parentheses.
class Expression {
 public:
  explicit Expression(std::string_view text) : text_(text) {}

  double Value(int depth = 0) {
    double value = Operand(depth);
    while (at_ < text_.size() && text_[at_] != ')') {
      const std::string_view rest = text_.substr(at_);
      const auto take = [&](std::string_view token) {
        if (!rest.starts_with(token)) return false;
        at_ += token.size();
        return true;
      };
      if (take("<=")) {
        value = value <= Operand(depth) ? 1 : 0;
      } else if (take(">=")) {
        value = value >= Operand(depth) ? 1 : 0;
      } else if (take("==") || take("=")) {
        value = value == Operand(depth) ? 1 : 0;
      } else if (take("<")) {
        value = value < Operand(depth) ? 1 : 0;
      } else if (take(">")) {
        value = value > Operand(depth) ? 1 : 0;
      } else if (take("+")) {
        value += Operand(depth);
      } else if (take("-")) {
        value -= Operand(depth);
      } else if (take("*")) {
        value *= Operand(depth);
      } else if (take("/") || take("%")) {
        const double divisor = Operand(depth);
        value = divisor == 0 ? 0 : rest[0] == '/' ? std::trunc(value / divisor) : std::fmod(value, divisor);
      } else if (take("&")) {
        const double right = Operand(depth);
        value = value > 0 && right > 0 ? 1 : 0;
      } else if (take(":")) {
        const double right = Operand(depth);
        value = value > 0 || right > 0 ? 1 : 0;
      } else {
        break;
      }
    }
    return value;
  }

 private:
  double Operand(int depth) {
    if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) {
      const double sign = text_[at_++] == '-' ? -1 : 1;
      return depth < 32 ? sign * Operand(depth + 1) : 0;
    }
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      const double value = depth < 32 ? Value(depth + 1) : 0;
      if (at_ < text_.size() && text_[at_] == ')') ++at_;
      return value;
    }
    double value = 0;
    double scale = 0;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '.' && scale == 0) {
        scale = 1;
      } else if (text_[at_] >= '0' && text_[at_] <= '9') {
        value = value * 10 + (text_[at_] - '0');
        scale *= 10;
      } else {
        break;
      }
    }
    if (at_ < text_.size() && std::string_view("icpPmnuvsfMz").find(text_[at_]) != std::string_view::npos) ++at_;
    return scale > 1 ? value / scale : value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::string RoffCharacter(std::string_view name) {
  if (const auto it = Characters().find(name); it != Characters().end()) return std::string(it->second);
  const auto number = [](std::string_view digits, char32_t base) -> char32_t {
    char32_t value = 0;
    for (const char c : digits) {
      const char32_t digit = c >= '0' && c <= '9'   ? static_cast<char32_t>(c - '0')
                             : c >= 'A' && c <= 'F' ? static_cast<char32_t>(c - 'A') + 10
                             : c >= 'a' && c <= 'f' ? static_cast<char32_t>(c - 'a') + 10
                                                    : base;
      if (digit >= base || value > 0x110000) return 0;
      value = value * base + digit;
    }
    return value;
  };
  std::string text;
  if (name.size() >= 5 && name[0] == 'u') {  // u00E9, and u0065_0301 for composed ones
    while (name.starts_with('u') || name.starts_with('_')) {
      name.remove_prefix(1);
      const size_t end = std::min(name.find('_'), name.size());
      const char32_t code_point = number(name.substr(0, end), 16);
      if (code_point == 0) return "";
      AppendUtf8(code_point, text);
      name.remove_prefix(end);
    }
    return text;
  }
  if (name.starts_with("char") && name.size() > 4) {
    if (const char32_t code_point = number(name.substr(4), 10); code_point != 0) AppendUtf8(code_point, text);
  }
  return text;
}

std::vector<std::string> RoffArguments(std::string_view line) {
  std::vector<std::string> arguments;
  size_t at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    if (at == line.size() || line.substr(at, 2) == "\\\"" || line.substr(at, 2) == "\\#") return arguments;
    std::string& argument = arguments.emplace_back();
    if (line[at] == '"') {
      for (++at; at < line.size(); ++at) {
        if (line[at] == '"') {
          if (at + 1 >= line.size() || line[at + 1] != '"') break;
          ++at;
        }
        if (line.substr(at, 2) == "\\\"") return arguments;
        argument += line[at];
      }
      if (at < line.size()) ++at;
      continue;
    }
    while (at < line.size() && line[at] != ' ' && line[at] != '\t') {
      if (line[at] == '\\' && at + 1 < line.size()) {
        if (line[at + 1] == '"') return arguments;
        argument += line[at++];  // "\ " is no separator
      }
      argument += line[at++];
    }
  }
}

RoffText::RoffText() {
  strings_ = {{"lq", "“"}, {"rq", "”"},   {"R", "®"},  {"Tm", "™"}, {"S", ""},   {"Aq", "'"}, {"<=", "≤"}, {">=", "≥"},
              {"Gt", ">"}, {"Lt", "<"},   {"Ge", "≥"}, {"Le", "≤"}, {"Ne", "≠"}, {"Am", "&"}, {"Ba", "|"}, {"Pi", "π"},
              {"If", "∞"}, {"Na", "NaN"}, {"Pm", "±"}, {"q", "\""}, {"Rq", "”"}, {"Lq", "“"}, {"ua", "↑"}};
  registers_ = {{".g", 1}, {".$", 0}, {".x", 1}, {".y", 22}, {".l", 78}, {".H", 24}, {".V", 40}, {"year", 2000}};
}

void RoffText::SetRegister(const std::string& name, std::string_view expression) {
  double value = Evaluate(expression);
  if (expression.starts_with('+') || expression.starts_with('-')) value += registers_[name];
  registers_[name] = value;
}

double RoffText::Evaluate(std::string_view expression) const {
  const std::string text = Expand(expression);
  return Expression(text).Value();
}

void RoffText::Translate(std::string_view pairs) {
  const auto take = [&](size_t* at) -> std::string {
    if (*at >= pairs.size()) return "";
    if (pairs[*at] != '\\' || *at + 1 >= pairs.size()) {
      const size_t begin = *at;
      *at += CharacterLength(pairs, begin);
      return std::string(pairs.substr(begin, *at - begin));
    }
    const size_t begin = ++*at;
    if (pairs[begin] == '(' || pairs[begin] == '[') return "\\" + std::string(TakeName(pairs, at));
    ++*at;
    return "\\" + std::string(pairs.substr(begin, 1));
  };
  for (size_t at = 0; at < pairs.size();) {
    const std::string from = take(&at);
    const std::string to = take(&at);
    // Only special characters: translating letters is for tricks that no page needs.
    if (from.size() > 2 && from[0] == '\\') {
      translations_[from.substr(1)] = to.starts_with('\\') ? RoffCharacter(std::string_view(to).substr(1)) : to;
    }
  }
}

std::string RoffText::RegisterText(const std::string& name) const {
  const auto it = registers_.find(name);
  return fmt::format("{}",
                     it == registers_.end() ? int64_t{0} : static_cast<int64_t>(std::clamp(it->second, -1e15, 1e15)));
}

void RoffText::AddCharacter(std::string_view name, std::string& out) const {
  if (const auto it = translations_.find(std::string(name)); it != translations_.end()) {
    out += it->second;
    return;
  }
  out += RoffCharacter(name);
}

std::string RoffText::Expand(std::string_view text, bool* continues) const {
  std::string out;
  out.reserve(text.size());
  ExpandInto(text, 0, out, continues);
  return out;
}

void RoffText::ExpandInto(std::string_view text, int depth, std::string& out, bool* continues) const {
  for (size_t at = 0; at < text.size() && out.size() < kLongestLine;) {
    const size_t escape = std::min(text.find('\\', at), text.size());
    out.append(text.substr(at, escape - at));
    if (escape == text.size()) return;
    at = ExpandEscape(text, escape + 1, depth, out, continues);
  }
}

// Handles the escape whose letter is at `at`; returns where the text goes on.
size_t RoffText::ExpandEscape(std::string_view text, size_t at, int depth, std::string& out, bool* continues) const {
  if (at >= text.size()) return at;
  const char letter = text[at++];
  switch (letter) {
    case '"':
    case '#':
      return text.size();
    case '-':
    case '.':
    case '\'':
    case '`':
    case '_':
      out += letter;
      return at;
    case 'e':
    case 'E':
    case '\\':
      out += '\\';
      return at;
    case ' ':
    case '~':
    case '0':
      out += ' ';
      return at;
    case 't':
      out += '\t';
      return at;
    case 'c':
      if (continues != nullptr) *continues = true;
      return at;
    case '(':
    case '[':
      --at;
      AddCharacter(TakeName(text, &at), out);
      return at;
    case 'C':
      AddCharacter(TakeDelimited(text, &at), out);
      return at;
    case 'N': {
      const std::string_view number = TakeDelimited(text, &at);
      out += RoffCharacter("char" + std::string(number));
      return at;
    }
    case '*': {
      const std::string name(TakeName(text, &at));
      const auto it = strings_.find(name.substr(0, name.find(' ')));
      if (it != strings_.end() && depth < kDepth) ExpandInto(it->second, depth + 1, out, continues);
      return at;
    }
    case 'n': {
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      out += RegisterText(std::string(TakeName(text, &at)));
      return at;
    }
    case 'f':
    case 'F':
    case 'm':
    case 'M':
    case 'g':
    case 'k':
    case 'V':
    case 'Y':
    case 'O':
    case '$':
      TakeName(text, &at);
      return at;
    case 's':
      if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
      if (at < text.size() && text[at] == '\'') {
        TakeDelimited(text, &at);
      } else if (at < text.size() && text[at] >= '1' && text[at] <= '3' && at + 1 < text.size() &&
                 text[at + 1] >= '0' && text[at + 1] <= '9') {
        at += 2;  // \s10
      } else {
        TakeName(text, &at);
      }
      return at;
    case 'o':
    case 'b': {  // one over the other: the first stands for all
      const std::string_view stack = TakeDelimited(text, &at);
      if (depth < kDepth && !stack.empty()) {
        ExpandInto(stack[0] == '\\' ? stack : stack.substr(0, CharacterLength(stack, 0)), depth + 1, out, nullptr);
      }
      return at;
    }
    case 'h':
    case 'v':
    case 'x':
    case 'l':
    case 'L':
    case 'D':
    case 'H':
    case 'S':
    case 'R':
    case 'X':
    case 'A':
    case 'B':
      TakeDelimited(text, &at);
      return at;
    case 'w': {  // a width: as many as characters, for conditions that ask for one
      const std::string_view measured = TakeDelimited(text, &at);
      out += fmt::format("{}", measured.size() * 24);
      return at;
    }
    case 'Z': {
      const std::string_view inner = TakeDelimited(text, &at);
      if (depth < kDepth) ExpandInto(inner, depth + 1, out, nullptr);
      return at;
    }
    case '{':
    case '}':
    case '&':
    case ')':
    case '|':
    case '^':
    case '/':
    case ',':
    case '%':
    case ':':
    case '!':
    case '?':
    case 'a':
    case 'd':
    case 'u':
    case 'r':
    case 'p':
    case 'z':
      return at;
    default:  // an unknown escape stands for its letter
      out.append(text.substr(at - 1, CharacterLength(text, at - 1)));
      return at - 1 + CharacterLength(text, at - 1);
  }
}

}  // namespace rhodes
