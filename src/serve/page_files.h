// The page's files, built from web/ and embedded in the program (cmake/EmbedFiles.cmake).
#ifndef RHODES_SERVE_PAGE_FILES_H_
#define RHODES_SERVE_PAGE_FILES_H_

#include <span>
#include <string_view>

namespace rhodes {

struct PageFile {
  std::string_view path;  // "/index.html"
  std::string_view bytes;
};

std::span<const PageFile> PageFiles();

}  // namespace rhodes

#endif  // RHODES_SERVE_PAGE_FILES_H_
