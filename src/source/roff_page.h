// The interpreter behind RenderManualPage: reads lines, runs requests and macros, writes to the layout.
#ifndef RHODES_SOURCE_ROFF_PAGE_H_
#define RHODES_SOURCE_ROFF_PAGE_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/roff.h"
#include "source/roff_layout.h"
#include "source/roff_text.h"

namespace rhodes {

// What a page's macros work on.
struct RoffState {
  RoffText text;
  Layout layout;
  ManualPage page;
};

// The macros of man(7).
class ManMacros {
 public:
  explicit ManMacros(RoffState& state) : state_(state) {}
  // False when `name` is none of them. `rest` is what follows the name on the line.
  bool Run(std::string_view name, std::string_view rest);
  // A line of text. Takes it when a macro before waits for its next line (a tag, a heading).
  void TextLine(std::string_view text, bool joins);

 private:
  enum class Waiting { kNone, kTag, kHeading };
  void Emit(std::string_view text, bool joins = false);
  void Heading(std::string_view text);
  void Tag(std::string_view text);
  void Item(std::string_view tag);
  void Paragraph();
  void EndLink(std::string_view punctuation);
  std::string Joined(std::string_view rest, std::string_view separator) const;

  RoffState& state_;
  Waiting waiting_ = Waiting::kNone;
  int base_ = 0;  // indent of paragraphs, deeper by one step for each .RS
  std::vector<int> bases_;
  std::optional<std::string> link_;  // .UR or .MT without its end
};

// The macros of mdoc(7).
class MdocMacros {
 public:
  explicit MdocMacros(RoffState& state) : state_(state) {}
  bool Run(std::string_view name, std::string_view rest);
  void TextLine(std::string_view text, bool joins);
  // Whether the page is an mdoc page: it has used a macro that only they have.
  bool active() const { return active_; }

 private:
  struct List {
    enum class Kind { kBullet, kDash, kEnum, kTag, kPlain, kColumn };
    Kind kind = Kind::kPlain;
    int indent = 0;  // of the list itself
    int count = 0;
  };
  void Prologue(std::string_view name, const std::vector<std::string>& arguments);
  bool Block(std::string_view name, std::vector<std::string>& arguments);
  void BeginList(const std::vector<std::string>& arguments);
  void Item(std::vector<std::string> arguments);
  void Reference(std::string_view name, const std::vector<std::string>& arguments);
  void Inline(const std::vector<std::string>& tokens);
  size_t InlineMacro(const std::vector<std::string>& tokens, size_t at, std::vector<std::string>& closers);
  size_t Words(const std::vector<std::string>& tokens, size_t at, std::string_view prefix, std::string_view none);
  void Function(const std::vector<std::string>& tokens, size_t* at);
  void Word(std::string_view word);
  void Open(std::string_view mark);
  void Close(std::string_view mark);
  std::string Render(std::vector<std::string> tokens);

  RoffState& state_;
  bool active_ = false;
  bool spacing_ = true;  // .Sm
  bool attach_ = false;  // the next word follows without a blank
  std::string name_;     // the page's first .Nm
  std::string section_;  // the current .Sh
  std::vector<List> lists_;
  std::vector<std::string> reference_;  // between .Rs and .Re
  bool in_reference_ = false;
  int function_arguments_ = -1;  // inside .Fo: how many so far
};

// Lines of a tbl(1) table, without .TS and .TE, as rows of cells joined by " | ".
std::vector<std::string> RenderTable(const std::vector<std::string>& lines, const RoffText& text);

class RoffInterpreter {
 public:
  explicit RoffInterpreter(std::string_view source);
  ManualPage Run();

 private:
  struct Frame {
    std::vector<std::string> lines;  // of a macro's body, with its arguments put in
    size_t next = 0;
  };
  std::optional<std::string> NextLine();
  void Line(std::string line);
  void Control(std::string_view line);
  bool Request(std::string_view name, std::string_view rest);
  bool Define(std::string_view name, std::string_view rest);
  void Conditional(std::string_view name, std::string_view rest);
  bool Condition(std::string_view& rest);
  void Branch(bool taken, std::string_view rest);
  void Call(const std::vector<std::string>& body, std::string_view rest);
  std::vector<std::string> TakeUntil(std::string_view end);
  void Table();

  const std::string_view source_;
  size_t at_ = 0;
  RoffState state_;
  ManMacros man_;
  MdocMacros mdoc_;
  std::deque<Frame> frames_;
  std::map<std::string, std::vector<std::string>, std::less<>> macros_;
  std::vector<bool> else_;  // results of the .ie whose .el has not come yet
  size_t steps_ = 0;
  int depth_ = 0;  // of Line() in itself
};

}  // namespace rhodes

#endif  // RHODES_SOURCE_ROFF_PAGE_H_
