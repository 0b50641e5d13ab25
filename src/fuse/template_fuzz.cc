// Templates from any bytes, filled with fixed values, and texts read back: a language letter, the template, NUL, a
// text.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "fuse/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using rhodes::FieldValue;
  if (size == 0 || size > 4096) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t end = all.find('\0');
  rhodes::TemplateSettings settings;
  settings.name = "fuzz";
  settings.language = all[0] == 'a' || all[0] == 'i' ? "ar" : "en";
  settings.digits = all[0] == 'i' ? rhodes::DigitStyle::kArabicIndic : rhodes::DigitStyle::kWestern;
  settings.text = all.substr(1, end == std::string_view::npos ? end : end - 1);
  const absl::StatusOr<rhodes::Template> form = rhodes::Template::Parse(settings);
  if (!form.ok()) return 0;
  if (end != std::string_view::npos) rhodes::ParseRendered(*form, all.substr(end + 1)).IgnoreError();

  std::vector<FieldValue> values;
  for (const rhodes::Template::Field& field : form->fields()) {
    const bool time =
        field.wanted >= rhodes::FieldFormat::Kind::kDate && field.wanted <= rhodes::FieldFormat::Kind::kWeekday;
    const size_t kind = field.path.size() % 4;  // some are NULL, so that parts vanish
    if (kind == 3) {
      values.emplace_back();
    } else if (time) {
      values.push_back(FieldValue::Time(1709474709'000000 * static_cast<int64_t>(kind) - 1));
    } else {
      values.push_back(kind == 0 ? FieldValue::Integer(2) : FieldValue::Number(-1234.5 / static_cast<double>(kind)));
    }
  }
  const std::vector<std::string> owners = {"", "a", "a.b"};
  const absl::StatusOr<std::vector<int>> owned = form->Own(owners);
  if (!owned.ok()) return 0;
  const std::vector<uint8_t> present = {1, 0, 1};
  rhodes::Template::Scratch scratch;
  rhodes::RenderedText out;
  if (!form->Render(*owned, values.data(), present.data(), scratch, out)) return 0;
  size_t last = 0;
  for (const rhodes::RenderedText::Piece& piece : out.pieces) {
    if (piece.begin < last || piece.begin >= piece.end || piece.end > out.text.size()) std::abort();
    last = piece.end;
  }
  rhodes::ParseRendered(*form, out.text).IgnoreError();
  return 0;
}
