// Templates: telemetry and events as text, in English and Arabic, and back to the numbers that the text states.
//
// A template is text with placeholders, {path} or {path:format}, and parts, [...]:
//
//   The dish lost its link for {dish.seconds:.0f seconds} at {dish.time:time}.[@car The car drove {car.speed:.1f
//   km/h}.]
//
// A placeholder names a field of the argument, with points between the members of structs; field_format.h has the
// formats. A part vanishes when a field that stands directly in it is NULL; the outermost text is a part too, and then
// there is no text at all. A part that begins with @member belongs to that member, and vanishes when that member's
// record is not there. Any other part belongs to the member of its fields when they are of one, else to whom the part
// around it belongs. \{ \} \[ \] \\ are these signs, \n is a line end, and a backslash at the end of a line joins it to
// the next.
#ifndef RHODES_FUSE_TEMPLATE_H_
#define RHODES_FUSE_TEMPLATE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "fuse/field_format.h"

namespace rhodes {

struct TemplateSettings {
  std::string name;
  std::string language = "en";  // or "ar", or either with a region: "ar-EG"
  DigitStyle digits = DigitStyle::kWestern;
  std::string text;
  std::string file;  // where `text` begins, for messages
  int line = 1;
};

// Text under construction and who each piece of it is from.
struct RenderedText {
  struct Piece {
    size_t begin;  // bytes
    size_t end;
    int owner;  // index into the owners given to Template::Own()
  };
  std::string text;
  std::vector<Piece> pieces;  // ascending, none empty, none touching the next one of the same owner; text of nobody is
                              // in none
  void clear() {
    text.clear();
    pieces.clear();
  }
};

// A parsed template. Immutable: may be shared between threads.
class Template {
 public:
  // UsageError naming the template, file and line when the text is no template.
  static absl::StatusOr<Template> Parse(TemplateSettings settings);

  const std::string& name() const { return settings_.name; }
  const TextStyle& style() const { return style_; }

  // One value that a placeholder takes from the row. Coordinates take two: path.latitude and path.longitude.
  struct Field {
    std::string path;
    int line;  // in the file
    FieldFormat::Kind wanted;
  };
  const std::vector<Field>& fields() const { return fields_; }

  // Which owner each operation of the template writes for, given the paths of the structs that are records: "dish" for
  // {dish.seconds}, "" for the argument itself. INVALID_ARGUMENT when a part names a member that is none.
  absl::StatusOr<std::vector<int>> Own(const std::vector<std::string>& owners) const;

  // Replaces `out` by the text for one row: `values` for fields(), `present` for the owners. False when there is no
  // text. Linear in the text; no allocation once `out` and `scratch` have grown.
  struct Scratch {
    struct Open {
      size_t op;
      size_t text;
      size_t pieces;
    };
    std::vector<Open> open;
  };
  bool Render(const std::vector<int>& owned, const FieldValue* values, const uint8_t* present, Scratch& scratch,
              RenderedText& out) const;

  // "template "drop" (rhodes.toml:14)"
  std::string Place(int line) const;

 private:
  friend class TemplateParser;
  friend class TemplateMatcher;

  struct Op {
    enum class Kind : uint8_t { kLiteral, kField, kPart, kEnd };
    Kind kind;
    std::string text;  // kLiteral; kPart: the member it names, or nothing
    size_t field = 0;  // kField: index into fields_; coordinates take the next one too
    size_t end = 0;    // kPart: the index of its kEnd. kEnd: of its kPart
    int line = 1;
    FieldFormat format;  // kField
  };

  Template() = default;

  TemplateSettings settings_;
  TextStyle style_;
  std::vector<Op> ops_;
  std::vector<Field> fields_;
};

// What `text`, which `form` rendered, states: fields and their values in the order of the text; fields of parts that
// vanished are not in it. Numbers come to the decimals that the template writes. A {field} without format is taken as
// text, up to where what follows it fits. INVALID_ARGUMENT when no way of reading `text` fits the template. Time and
// memory: at most the template's length times the text's, and that again for texts in it.
absl::StatusOr<std::vector<std::pair<std::string, StatedValue>>> ParseRendered(const Template& form,
                                                                               std::string_view text);

}  // namespace rhodes

#endif  // RHODES_FUSE_TEMPLATE_H_
