// Reads a rendered text back.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "fuse/template.h"

namespace rhodes {

// Tries the ways in which the text can be read, a part as there before as vanished, a text as short as can be first.
// What failed once at a place is not tried there again.
class TemplateMatcher {
 public:
  TemplateMatcher(const Template& form, std::string_view text) : form_(form), text_(text) {}

  absl::StatusOr<std::vector<std::pair<std::string, StatedValue>>> Run() {
    if (!Match(0, 0)) {
      return absl::InvalidArgumentError(fmt::format(
          "the text is not one that template \"{}\" makes: it stops fitting at byte {}", form_.name(), farthest_));
    }
    std::reverse(stated_.begin(), stated_.end());
    return std::move(stated_);
  }

 private:
  using Op = Template::Op;

  // Whether the operations from `op` on can have written text_ from `at` on. Fields are noted last to first, once the
  // end was reached.
  bool Match(size_t op, size_t at) {
    farthest_ = std::max(farthest_, at);
    if (op == form_.ops_.size()) return at == text_.size();
    if (failed_.contains({op, at})) return false;
    const Op& now = form_.ops_[op];
    bool fits = false;
    switch (now.kind) {
      case Op::Kind::kLiteral:
        fits = text_.substr(at).starts_with(now.text) && Match(op + 1, at + now.text.size());
        break;
      case Op::Kind::kPart:
        fits = Match(op + 1, at) || (op > 0 && Match(now.end + 1, at));  // the outermost part is there
        break;
      case Op::Kind::kEnd:
        fits = Match(op + 1, at);
        break;
      case Op::Kind::kField:
        fits = now.format.kind == FieldFormat::Kind::kPlain ? MatchText(op, at) : MatchField(op, at);
    }
    if (!fits) failed_.insert({op, at});
    return fits;
  }

  bool MatchField(size_t op, size_t at) {
    const Op& now = form_.ops_[op];
    StatedValue value;
    StatedValue second;
    const std::optional<size_t> size = ReadField(now.format, form_.style_, text_.substr(at), value, second);
    if (!size || !Match(op + 1, at + *size)) return false;
    if (now.format.kind == FieldFormat::Kind::kCoordinates) {
      stated_.emplace_back(form_.fields_[now.field + 1].path, std::move(second));
    }
    stated_.emplace_back(form_.fields_[now.field].path, std::move(value));
    return true;
  }

  bool MatchText(size_t op, size_t at) {
    const Op& next = form_.ops_[op + 1];  // a kEnd stands at the end
    const bool last = op + 2 == form_.ops_.size();
    for (size_t end = last ? text_.size() : at; end <= text_.size(); ++end) {
      if (next.kind == Op::Kind::kLiteral) {
        end = text_.find(next.text, end);
        if (end == std::string_view::npos) return false;
      }
      if (!Match(op + 1, end)) continue;
      StatedValue value;
      value.text = text_.substr(at, end - at);
      stated_.emplace_back(form_.fields_[form_.ops_[op].field].path, std::move(value));
      return true;
    }
    return false;
  }

  const Template& form_;
  const std::string_view text_;
  size_t farthest_ = 0;
  absl::flat_hash_set<std::pair<size_t, size_t>> failed_;
  std::vector<std::pair<std::string, StatedValue>> stated_;
};

absl::StatusOr<std::vector<std::pair<std::string, StatedValue>>> ParseRendered(const Template& form,
                                                                               std::string_view text) {
  return TemplateMatcher(form, text).Run();
}

}  // namespace rhodes
