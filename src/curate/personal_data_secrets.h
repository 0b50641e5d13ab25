// Keys and tokens by their known forms.
#ifndef RHODES_CURATE_PERSONAL_DATA_SECRETS_H_
#define RHODES_CURATE_PERSONAL_DATA_SECRETS_H_

#include <cstddef>
#include <string_view>

namespace rhodes {

// Finds secrets in one text, from left to right; what is known of the text behind a place is kept, so that asking at
// every place takes linear time. Not thread-safe; keeps a view of the text.
class SecretFinder {
 public:
  explicit SecretFinder(std::string_view text) : text_(text) {}

  // The end of the secret that begins at `begin`, or 0: a prefix that a service gives its keys, with as many characters
  // behind it as they have; a JSON Web Token; a block "-----BEGIN ... PRIVATE KEY-----". Each call's `begin` is at
  // least the last one's.
  size_t EndOf(size_t begin);

 private:
  size_t TokenEnd(size_t at);
  size_t WebTokenEnd(size_t begin);
  size_t PrivateKeyEnd(size_t begin);

  std::string_view text_;
  size_t token_begin_ = 0;  // the run of token characters that was read last, from where it was read
  size_t token_end_ = 0;
  size_t foot_ = 0;  // the "-----END " found last
};

}  // namespace rhodes

#endif  // RHODES_CURATE_PERSONAL_DATA_SECRETS_H_
