#include "fuse/template.h"

#include <algorithm>

#include "base/text.h"

namespace rhodes {
namespace {

constexpr size_t kMaxTemplateBytes = 64 << 10;
constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxOps = 4096;  // ParseRendered() goes as deep

bool IsPathByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string Joined(const std::string& path, std::string_view field) {
  return path.empty() ? std::string(field) : fmt::format("{}.{}", path, field);
}

// The deepest of `owners` that `path` lies in, or -1.
int OwnerOf(std::string_view path, const std::vector<std::string>& owners) {
  while (true) {
    const size_t point = path.rfind('.');
    path = point == std::string_view::npos ? std::string_view() : path.substr(0, point);
    const auto found = std::find(owners.begin(), owners.end(), path);
    if (found != owners.end()) return static_cast<int>(found - owners.begin());
    if (path.empty()) return -1;
  }
}

void AddPiece(RenderedText& out, size_t begin, int owner) {
  const size_t end = out.text.size();
  if (owner < 0 || begin == end) return;
  if (!out.pieces.empty() && out.pieces.back().owner == owner && out.pieces.back().end == begin) {
    out.pieces.back().end = end;
  } else {
    out.pieces.push_back({begin, end, owner});
  }
}

}  // namespace

class TemplateParser {
 public:
  explicit TemplateParser(TemplateSettings settings) : text_(settings.text) {
    template_.settings_ = std::move(settings);
    text_ = template_.settings_.text;
    if (text_.ends_with('\n')) text_.remove_suffix(1);
    line_ = template_.settings_.line;
  }

  absl::StatusOr<Template> Run() {
    const std::string_view language = template_.settings_.language;
    const std::string_view tag = language.substr(0, language.find('-'));
    if (tag != "en" && tag != "ar") {
      return Fail(fmt::format("the language \"{}\" is neither \"en\" nor \"ar\"", language));
    }
    template_.style_.language = tag == "ar" ? TextLanguage::kArabic : TextLanguage::kEnglish;
    template_.style_.digits = template_.settings_.digits;
    if (text_.size() > kMaxTemplateBytes) return Fail("a template has at most 64 KiB");
    if (!IsValidUtf8(text_)) return Fail("the text is not valid UTF-8");
    OpenPart("");
    while (at_ < text_.size()) {
      RETURN_IF_ERROR(Next());
      if (template_.ops_.size() > kMaxOps)
        return Fail(fmt::format("it has more than {} placeholders and parts", kMaxOps));
    }
    if (open_.size() > 1) {
      line_ = template_.ops_[open_.back()].line;
      return Fail("the part that begins with [ here has no ]; a bracket to be read is written \\[");
    }
    ClosePart();
    return std::move(template_);
  }

 private:
  using Op = Template::Op;

  absl::Status Fail(std::string_view message) const {
    return UsageError(fmt::format("{}: {}", template_.Place(line_), message));
  }

  Op& Add(Op::Kind kind) {
    Op& op = template_.ops_.emplace_back();
    op.kind = kind;
    op.line = line_;
    return op;
  }
  void Literal(std::string_view text) {
    if (template_.ops_.back().kind != Op::Kind::kLiteral) Add(Op::Kind::kLiteral);
    template_.ops_.back().text += text;
  }
  void OpenPart(std::string_view member) {
    Add(Op::Kind::kPart).text = member;
    open_.push_back(template_.ops_.size() - 1);
  }
  void ClosePart() {
    Add(Op::Kind::kEnd).end = open_.back();
    template_.ops_[open_.back()].end = template_.ops_.size() - 1;
    open_.pop_back();
  }

  absl::Status Next() {
    const char c = text_[at_];
    switch (c) {
      case '{':
        return Placeholder();
      case '}':
        return Fail("a } without {; a brace to be read is written \\}");
      case '[':
        return Part();
      case ']':
        if (open_.size() == 1) return Fail("a ] without [; a bracket to be read is written \\]");
        ClosePart();
        ++at_;
        return absl::OkStatus();
      case '\\':
        return Escape();
      default:
        if (c == '\n') ++line_;
        Literal(text_.substr(at_++, 1));
        return absl::OkStatus();
    }
  }

  absl::Status Escape() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ += 2;
    if (next == '\n') {
      ++line_;
    } else if (next == 'n') {
      Literal("\n");
    } else if (next != '\0' && std::string_view("{}[]\\").find(next) != std::string_view::npos) {
      Literal({&next, 1});
    } else {
      return Fail(
          "a backslash stands before none of { } [ ] \\ n and the end of a line; to be read it is written \\\\");
    }
    return absl::OkStatus();
  }

  absl::Status Part() {
    if (open_.size() > kMaxDepth) return Fail(fmt::format("parts within parts go {} deep", kMaxDepth));
    ++at_;
    std::string_view member;
    if (at_ < text_.size() && text_[at_] == '@') {
      const size_t begin = at_ + 1;
      size_t end = begin;
      while (end < text_.size() && IsPathByte(text_[end])) ++end;
      member = text_.substr(begin, end - begin);
      if (member.empty() || end == text_.size() || text_[end] != ' ') {
        return Fail("[@ is followed by the name of a member and a space: [@car The car ...]");
      }
      at_ = end + 1;
    }
    OpenPart(member);
    return absl::OkStatus();
  }

  absl::Status Placeholder() {
    const size_t close = text_.find('}', at_);
    const std::string_view inner =
        close == std::string_view::npos ? text_.substr(at_ + 1) : text_.substr(at_ + 1, close - at_ - 1);
    if (close == std::string_view::npos || inner.find_first_of("{\n") != std::string_view::npos) {
      return Fail("a { without } in its line; a brace to be read is written \\{");
    }
    const size_t colon = inner.find(':');
    const std::string path(Trim(inner.substr(0, colon)));
    absl::StatusOr<FieldFormat> format = ParseFieldFormat(
        colon == std::string_view::npos ? std::string_view() : inner.substr(colon + 1), template_.style_.language);
    if (!format.ok()) return Fail(fmt::format("{{{}}}: {}", inner, Message(format.status())));
    const bool coordinates = format->kind == FieldFormat::Kind::kCoordinates;
    const bool good = std::all_of(path.begin(), path.end(), &IsPathByte) && !path.starts_with('.') &&
                      !path.ends_with('.') && path.find("..") == std::string::npos;
    if (!good || (path.empty() && !coordinates)) {
      return Fail(
          fmt::format("{{{}}}: \"{}\" is not the name of a field: letters, digits and _, with points between "
                      "the members of structs",
                      inner, path));
    }
    Op& op = Add(Op::Kind::kField);
    op.format = *std::move(format);
    // Coordinates need their two fields side by side, so they are not shared with other placeholders.
    if (coordinates) {
      op.field = template_.fields_.size();
      template_.fields_.push_back({Joined(path, "latitude"), line_, FieldFormat::Kind::kCoordinates});
      template_.fields_.push_back({Joined(path, "longitude"), line_, FieldFormat::Kind::kCoordinates});
    } else {
      op.field = FieldIndex(path, op.format.kind);
    }
    at_ = close + 1;
    return absl::OkStatus();
  }

  size_t FieldIndex(const std::string& path, FieldFormat::Kind wanted) {
    std::vector<Template::Field>& fields = template_.fields_;
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Template::Field& field) {
      return field.path == path && field.wanted == wanted;
    });
    if (found != fields.end()) return static_cast<size_t>(found - fields.begin());
    fields.push_back({path, line_, wanted});
    return fields.size() - 1;
  }

  Template template_;
  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<size_t> open_;  // parts that are not closed yet
};

absl::StatusOr<Template> Template::Parse(TemplateSettings settings) {
  return TemplateParser(std::move(settings)).Run();
}

std::string Template::Place(int line) const {
  return settings_.file.empty() ? fmt::format("template \"{}\", line {}", settings_.name, line)
                                : fmt::format("template \"{}\" ({}:{})", settings_.name, settings_.file, line);
}

absl::StatusOr<std::vector<int>> Template::Own(const std::vector<std::string>& owners) const {
  std::vector<int> owned(ops_.size(), -1);
  const auto direct = [&](size_t part) {  // the one owner of the fields that stand directly in it, or -1
    int owner = -1;
    for (size_t i = part + 1; i < ops_[part].end; ++i) {
      if (ops_[i].kind == Op::Kind::kPart) {
        i = ops_[i].end;
      } else if (ops_[i].kind == Op::Kind::kField) {
        const int of_field = OwnerOf(fields_[ops_[i].field].path, owners);
        if (of_field < 0 || (owner >= 0 && of_field != owner)) return -1;
        owner = of_field;
      }
    }
    return owner;
  };
  const auto root = std::find(owners.begin(), owners.end(), "");
  std::vector<int> around = {root == owners.end() ? -1 : static_cast<int>(root - owners.begin())};
  for (size_t i = 0; i < ops_.size(); ++i) {
    const Op& op = ops_[i];
    switch (op.kind) {
      case Op::Kind::kPart: {
        int owner = direct(i);
        if (!op.text.empty()) {
          const auto named = std::find(owners.begin(), owners.end(), op.text);
          if (named == owners.end()) {
            const std::string nearest = Nearest(op.text, owners);
            return absl::InvalidArgumentError(
                fmt::format("{}: [@{}: there is no member \"{}\" with an id{}", Place(op.line), op.text, op.text,
                            nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
          }
          owner = static_cast<int>(named - owners.begin());
        }
        around.push_back(owner < 0 ? around.back() : owner);
        owned[i] = op.text.empty() ? -1 : owner;  // who must be there
        break;
      }
      case Op::Kind::kEnd:
        around.pop_back();
        break;
      case Op::Kind::kLiteral:
        owned[i] = around.back();
        break;
      case Op::Kind::kField: {
        const int of_field = OwnerOf(fields_[op.field].path, owners);
        owned[i] = of_field < 0 ? around.back() : of_field;
      }
    }
  }
  return owned;
}

bool Template::Render(const std::vector<int>& owned, const FieldValue* values, const uint8_t* present, Scratch& scratch,
                      RenderedText& out) const {
  out.clear();
  scratch.open.clear();
  for (size_t i = 0; i < ops_.size(); ++i) {
    const Op& op = ops_[i];
    const size_t begin = out.text.size();
    switch (op.kind) {
      case Op::Kind::kLiteral:
        out.text += op.text;
        AddPiece(out, begin, owned[i]);
        break;
      case Op::Kind::kPart:
        if (owned[i] >= 0 && present[owned[i]] == 0) {
          i = op.end;
        } else {
          scratch.open.push_back({i, begin, out.pieces.size()});
        }
        break;
      case Op::Kind::kEnd:
        scratch.open.pop_back();
        break;
      case Op::Kind::kField: {
        const FieldValue& value = values[op.field];
        const bool pair = op.format.kind == FieldFormat::Kind::kCoordinates;
        if (!value.null() && !(pair && values[op.field + 1].null())) {
          AppendField(op.format, style_, value, pair ? values[op.field + 1] : value, out.text);
          AddPiece(out, begin, owned[i]);
          break;
        }
        const Scratch::Open part = scratch.open.back();
        scratch.open.pop_back();
        if (scratch.open.empty()) return false;
        out.text.resize(part.text);
        out.pieces.resize(part.pieces);
        if (!out.pieces.empty()) out.pieces.back().end = std::min(out.pieces.back().end, part.text);
        i = ops_[part.op].end;
      }
    }
  }
  return true;
}

}  // namespace rhodes
