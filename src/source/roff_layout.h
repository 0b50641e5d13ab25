// Where the text of a manual page is put together: filled paragraphs, kept lines, indented lists.
#ifndef RHODES_SOURCE_ROFF_LAYOUT_H_
#define RHODES_SOURCE_ROFF_LAYOUT_H_

#include <algorithm>
#include <string>
#include <string_view>

namespace rhodes {

// A paragraph becomes one line, however long: where it is broken is the reader's business. Kept lines stay lines.
class Layout {
 public:
  static constexpr int kStep = 4;

  // Adds words to the current line, with a blank between. Kept lines: one line of its own.
  void Text(std::string_view text) {
    if (!fill_) {
      Glue(text);
      if (!joined_) EndLine();
      return;
    }
    if (text.empty()) return;
    if (!line_.empty() && !joined_ && line_.back() != ' ') line_ += ' ';
    joined_ = false;
    line_ += text;
  }
  // Adds to the current line without a blank.
  void Glue(std::string_view text) {
    line_ += text;
    joined_ = false;
  }
  // What comes next follows without a blank (\c).
  void Join() { joined_ = true; }
  // Ends the current line.
  void Break() {
    joined_ = false;
    if (!line_.empty()) EndLine();
  }
  // Ends the paragraph: a blank line follows, unless nothing was written since the last one.
  void Blank() {
    Break();
    blank_ = !heading_;
  }
  // Ends the line as a heading: what follows comes without a blank line.
  void EndHeading() {
    Break();
    heading_ = true;
  }
  void KeepLines(bool keep) {
    Break();
    fill_ = !keep;
  }
  bool fill() const { return fill_; }
  // Blanks before each further line.
  int indent() const { return indent_; }
  void SetIndent(int indent) {
    Break();
    indent_ = std::clamp(indent, 0, 40);
  }
  bool line_empty() const { return line_.empty(); }
  size_t size() const { return out_.size() + line_.size(); }

  std::string Take() {
    Break();
    return std::move(out_);
  }

 private:
  void EndLine() {
    const size_t end = line_.find_last_not_of(" \t");
    if (end == std::string::npos) {
      blank_ = !heading_ && (blank_ || !line_.empty() || !fill_);
    } else {
      if (blank_ && !out_.empty()) out_ += '\n';
      blank_ = heading_ = false;
      out_.append(static_cast<size_t>(indent_), ' ');
      out_.append(line_, 0, end + 1);
      out_ += '\n';
    }
    line_.clear();
  }

  std::string out_;
  std::string line_;
  int indent_ = 0;
  bool fill_ = true;
  bool blank_ = false;
  bool heading_ = false;  // the last line written is a heading
  bool joined_ = false;
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROFF_LAYOUT_H_
