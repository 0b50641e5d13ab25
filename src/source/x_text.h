// What all of X's formats share: numbers that hold their time, texts with links to be expanded, languages.
#ifndef RHODES_SOURCE_X_TEXT_H_
#define RHODES_SOURCE_X_TEXT_H_

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "record/record.h"

namespace rhodes {

// Why models are not trained on what X's API gives, unless its user has other rights to it.
inline constexpr std::string_view kXTermsReason =
    "X's developer terms of 2025-06-04 forbid training a foundation or frontier model on content from its API";

// When a post was made, from its number: (number >> 22) + 1288834974657 milliseconds since 1970, for numbers given out
// since X began to make them so, in November 2010 (from 29700859247 on); before, they were counted one by one.
std::optional<int64_t> TimeOfXNumber(uint64_t number);

// Sets the time from "Thu Nov 03 08:50:26 +0000 2022" or ISO 8601; from the post's number when there is no date, or
// none that exists (then the date as written goes to fields["created_at"]).
void SetXTime(std::string_view created_at, uint64_t number, Record& record);

// Replaces &amp; &lt; &gt; &quot; &#39;, the references that X writes into texts; all else stays.
std::string UnescapeXText(std::string_view text);

// Replaces the t.co links of an entities object by what they lead to: urls[] and media[], {url, expanded_url}. Links
// are found by their own text, since the positions beside them count code points, UTF-16 units or bytes, by age of the
// API.
void ExpandXLinks(simdjson::dom::element entities, std::string& text);

// X's language as BCP 47; empty for "und", "qme", "zxx" and others that name none.
std::string LanguageOfX(std::string_view language);

// What stands inside the first tag's content: <a href="...">Twitter Web App</a>.
std::string ClientOfX(std::string_view source);

// latitude and longitude from a GeoJSON point (longitude first) or X's older `geo` (latitude first). Out of range: the
// value as JSON in fields["coordinates"].
void SetXPlace(simdjson::dom::element point, bool longitude_first, Record& record);

void AddField(std::string_view name, std::string_view value, Record& record);  // nothing when empty
void AddNumberField(std::string_view name, uint64_t number, Record& record);   // nothing when 0

}  // namespace rhodes

#endif  // RHODES_SOURCE_X_TEXT_H_
