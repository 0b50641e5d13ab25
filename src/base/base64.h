// Base64 (RFC 4648, section 4).
#ifndef RHODES_BASE_BASE64_H_
#define RHODES_BASE_BASE64_H_

#include <string>
#include <string_view>

namespace rhodes {

std::string EncodeBase64(std::string_view bytes);

}  // namespace rhodes

#endif  // RHODES_BASE_BASE64_H_
