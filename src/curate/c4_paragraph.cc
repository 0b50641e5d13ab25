#include "curate/c4_paragraph.h"

#include <algorithm>
#include <array>

#include "curate/unicode_class.h"

namespace rhodes {

void JudgeC4Paragraph(std::string_view text, const C4ParagraphSettings& settings, Findings& findings) {
  constexpr std::string_view kReason = "< 3 paragraphs";
  uint64_t lines = 0;
  std::array<uint64_t, 3> longest{};  // descending
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    // Code points are counted of lines that may be among the longest only: the others have too few bytes.
    if (end - begin > longest[2]) {
      const uint64_t length = CodePoints(text.substr(begin, end - begin));
      if (length > longest[2]) longest[2] = length;
      if (longest[2] > longest[1]) std::swap(longest[1], longest[2]);
      if (longest[1] > longest[0]) std::swap(longest[0], longest[1]);
    }
    begin = end + 1;
    ++lines;
  }
  if (findings.Below(kReason, static_cast<double>(lines), static_cast<double>(settings.min_paragraphs))) return;
  const uint64_t third = longest[std::min<uint64_t>(lines, 3) - 1];
  findings.Below(kReason, static_cast<double>(third), static_cast<double>(settings.min_paragraph_length));
}

}  // namespace rhodes
