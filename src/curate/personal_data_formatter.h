// datatrove's PIIFormatter: the mode of the rule "pii" that gives the bytes of the reference.
#ifndef RHODES_CURATE_PERSONAL_DATA_FORMATTER_H_
#define RHODES_CURATE_PERSONAL_DATA_FORMATTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "curate/personal_data.h"

namespace rhodes {

// What PIIFormatter of datatrove 0.10 matches with its default settings: its regular expression for addresses of
// e-mail, then, in what is left, the one for IPv4 addresses, of which those stay that Python's ipaddress calls not
// global or does not read (a leading zero). `settings` can switch `email` and `ip` off and `all_addresses` on (the
// reference's remove_emails, remove_ips, only_remove_public_ips). `text` is valid UTF-8. Items as FindPersonalData()
// has them, in order. Linear. Thread-safe.
std::vector<PersonalDataItem> FindAsFormatter(std::string_view text, const PersonalDataSettings& settings);

// Puts PIIFormatter's replacements in the place of items: a list for each kind, taken in turn from document to document
// as one task of the reference does, so that documents must come in its order. Not thread-safe.
class FormatterReplacements {
 public:
  // As ReplaceItems(); `items` is what FindAsFormatter() found in `text`.
  std::string Replace(std::string_view text, const std::vector<PersonalDataItem>& items, std::vector<size_t>* marks);

 private:
  size_t next_email_ = 0;
  size_t next_ip_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_FORMATTER_H_
