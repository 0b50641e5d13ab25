// What a file's path says about its content, after the layout of Debian systems and packages.
#ifndef RHODES_SOURCE_PATH_FACTS_H_
#define RHODES_SOURCE_PATH_FACTS_H_

#include <string>
#include <string_view>

namespace rhodes {

// The package a file belongs to: the component before the first "usr" (a package unpacked into a directory of its name:
// packages/gzip/usr/share/man/...), else the one after "usr/share/doc"; empty when neither is there.
std::string PackageOfPath(std::string_view path);

// The language of a manual page: "de" for .../man/de/man1/ls.1, "pt-BR" for pt_BR, "en" for .../man/man1/ls.1; empty
// when the path has no such form.
std::string LanguageOfManPath(std::string_view path);

// The language in the name of a file or directory: "Translation-de", "install.es.txt", ".../html/ar-MA/..."; or empty.
std::string LanguageOfPath(std::string_view path);

// A locale name as BCP 47: "pt_BR.UTF-8@x" is "pt-BR". Empty when it is no language.
std::string LanguageTag(std::string_view locale);

}  // namespace rhodes

#endif  // RHODES_SOURCE_PATH_FACTS_H_
