// Whether a string is what spaCy takes for one word because it looks like an address of the web.
#ifndef RHODES_CURATE_SPACY_URL_H_
#define RHODES_CURATE_SPACY_URL_H_

#include <string_view>

namespace rhodes {

// Matches the whole of `text` (valid UTF-8, without white space) as spaCy's URL_MATCH does: an optional scheme,
// optional user and password, an address of the public IPv4 space or a host with a top-level domain in small letters,
// an optional port and path. Linear.
bool IsSpacyUrl(std::string_view text);

}  // namespace rhodes

#endif  // RHODES_CURATE_SPACY_URL_H_
