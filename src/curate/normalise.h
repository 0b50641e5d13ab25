// Rule "normalise": one way of writing the same text, with nothing taken from it that a reader would miss.
#ifndef RHODES_CURATE_NORMALISE_H_
#define RHODES_CURATE_NORMALISE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rhodes {

struct NormaliseSettings {
  // Arabic letters in presentation forms (the shapes that PDF and old encodings store) become the letters themselves.
  // Ligatures that stand for words or phrases, such as U+FDFA, stay: their expansion is another text.
  bool arabic_letters = true;
};

// What was changed, added up over documents.
struct NormaliseCounts {
  uint64_t changed = 0;             // documents whose bytes differ afterwards
  uint64_t invalid_utf8 = 0;        // documents with invalid UTF-8
  uint64_t invalid_sequences = 0;   // sequences replaced by U+FFFD
  uint64_t control_characters = 0;  // removed

  void Add(const NormaliseCounts& other);
};

// Makes `text` valid UTF-8: each maximal invalid sequence becomes U+FFFD. `marks` are moved as by Normalise().
void RepairUtf8(std::string& text, NormaliseCounts& counts, std::vector<size_t>* marks = nullptr);

// Returns `text` (valid UTF-8) in Unicode Normalisation Form C; CR LF, CR, FF, VT and NEL as LF; other control
// characters, U+FEFF and noncharacters removed, tab kept; blanks at line ends removed; runs of blank lines as one; no
// line end at begin and end.
//
// `marks`: ascending byte offsets into `text`, which become the offsets of the same places in the result. A place
// within a character is taken for its beginning; one between letters that become a single one, for its end; one in what
// is removed, for where that was.
//
// Linear in `text` for all inputs: runs of more than 64 combining marks, which no writing system has, are put in
// canonical order 64 at a time. Idempotent, such runs excepted.
std::string Normalise(std::string_view text, const NormaliseSettings& settings, NormaliseCounts& counts,
                      std::vector<size_t>* marks = nullptr);

}  // namespace rhodes

#endif  // RHODES_CURATE_NORMALISE_H_
