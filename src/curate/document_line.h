// A curated document as a line of JSON.
#ifndef RHODES_CURATE_DOCUMENT_LINE_H_
#define RHODES_CURATE_DOCUMENT_LINE_H_

#include <string>

#include "record/record.h"

namespace rhodes {

// What a dropped document has beside its own columns.
struct DropNote {
  std::string rule;
  std::string reason;
  std::string cluster;  // empty: none
  std::string kept_id;  // empty: none
};

// Appends one JSON object and a line end. The members of the document's meta are the input's other columns, which stand
// beside the known ones again. `note` may be null. Thread-safe.
void AppendDocumentLine(const Document& document, const DropNote* note, std::string& lines);

}  // namespace rhodes

#endif  // RHODES_CURATE_DOCUMENT_LINE_H_
