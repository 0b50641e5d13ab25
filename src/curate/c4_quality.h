// Rule "c4-quality": the line filters of C4 (Raffel et al. 2019) as datatrove's C4QualityFilter takes them. It edits
// the text: lines that it cuts are gone from a document that it keeps.
#ifndef RHODES_CURATE_C4_QUALITY_H_
#define RHODES_CURATE_C4_QUALITY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "curate/verdict.h"
#include "curate/words.h"

namespace rhodes {

struct C4QualitySettings {
  bool remove_citations = true;         // "[1]", "[edit]", "[citation needed]" are taken out of the lines
  bool require_end_punctuation = true;  // lines must end in . ? ! " ' and not in "..."; FineWeb sets this false
  uint64_t min_sentences = 5;           // of the lines that stay; 0: not measured
  uint64_t min_words_per_line = 3;      // between white space; lines with fewer are cut; 0: not measured
  uint64_t max_word_length = 1000;      // code points; lines with a longer word are cut; 0: not measured
  bool drop_lorem_ipsum = true;         // drops the document
  bool cut_javascript = true;           // lines that name it
  bool drop_curly_bracket = true;       // drops the document
  bool cut_policy = true;               // lines with one of six phrases on terms of use and cookies
};

// Reasons: lorem_ipsum, curly_bracket, too_few_sentences. Returns whether `text` was changed: when the document is kept
// it becomes the lines that stay, and `marks` (ascending byte offsets into it, may be null) move with it; a mark in
// what was cut goes to where that was. Sentences are counted over words by `rules`, up to the threshold, or all of them
// for `findings` that are collected. Linear.
bool JudgeC4Quality(std::string& text, const C4QualitySettings& settings, WordRules rules, WordSplitter& splitter,
                    std::vector<size_t>* marks, Findings& findings);

}  // namespace rhodes

#endif  // RHODES_CURATE_C4_QUALITY_H_
