// The text level of roff: escape sequences, special characters, strings and number registers.
#ifndef RHODES_SOURCE_ROFF_TEXT_H_
#define RHODES_SOURCE_ROFF_TEXT_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

// The character that groff calls `name` ("em", "bu", "'e", "u00E9"), or empty.
std::string RoffCharacter(std::string_view name);

// Arguments of a request or macro line: separated by blanks, "in quotes" with "" for a quote. Escapes are kept.
std::vector<std::string> RoffArguments(std::string_view line);

class RoffText {
 public:
  RoffText();

  // `text` as readers see it: fonts, sizes and motions dropped, characters, strings and registers put in. `*continues`
  // is set when the text ends in \c: what follows joins it without a blank.
  std::string Expand(std::string_view text, bool* continues = nullptr) const;

  void SetString(const std::string& name, std::string_view value) { strings_[name] = value; }
  void AppendString(const std::string& name, std::string_view value) { strings_[name] += value; }
  void RemoveString(const std::string& name) { strings_.erase(name); }
  bool HasString(const std::string& name) const { return strings_.contains(name); }
  // `expression` may be relative ("+1").
  void SetRegister(const std::string& name, std::string_view expression);
  bool HasRegister(const std::string& name) const { return registers_.contains(name); }
  // ".tr": pairs of characters.
  void Translate(std::string_view pairs);

  // The value of a numeric expression, as far as pages use them; unknown things count as 0.
  double Evaluate(std::string_view expression) const;

 private:
  void ExpandInto(std::string_view text, int depth, std::string& out, bool* continues) const;
  size_t ExpandEscape(std::string_view text, size_t at, int depth, std::string& out, bool* continues) const;
  void AddCharacter(std::string_view name, std::string& out) const;
  std::string RegisterText(const std::string& name) const;

  std::map<std::string, std::string> strings_;
  std::map<std::string, double> registers_;
  std::map<std::string, std::string> translations_;  // names of special characters
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROFF_TEXT_H_
