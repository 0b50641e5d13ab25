// Rule "c4-paragraph": mC4's demand for long paragraphs, as datatrove's C4ParagraphFilter takes it.
#ifndef RHODES_CURATE_C4_PARAGRAPH_H_
#define RHODES_CURATE_C4_PARAGRAPH_H_

#include <cstdint>
#include <string_view>

#include "curate/verdict.h"

namespace rhodes {

struct C4ParagraphSettings {
  uint64_t min_paragraphs = 3;          // lines, empty ones included
  uint64_t min_paragraph_length = 200;  // code points of the shortest of the 3 longest lines
};

// One reason: "< 3 paragraphs", whichever of the two measures is below (the reference's string, also for other
// numbers). Linear in `text`.
void JudgeC4Paragraph(std::string_view text, const C4ParagraphSettings& settings, Findings& findings);

}  // namespace rhodes

#endif  // RHODES_CURATE_C4_PARAGRAPH_H_
