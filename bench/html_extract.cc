// Milliseconds a page for the main text of HTML pages held in memory, on one thread: html_extract DIRECTORY
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"
#include "source/encoding.h"
#include "source/html_text.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const absl::StatusOr<std::vector<std::string>> files = rhodes::ListFiles(arguments[1]);
  if (!files.ok()) return 1;
  std::vector<std::string> pages;
  size_t bytes = 0;
  for (const std::string& file : *files) {
    absl::StatusOr<std::string> page = rhodes::ReadFile(file);
    if (!page.ok()) return 1;
    bytes += page->size();
    pages.push_back(*std::move(page));
  }
  if (pages.empty()) return 1;
  std::vector<double> seconds;
  size_t text = 0;
  for (int run = 0; run < 7; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    text = 0;
    for (const std::string& page : pages) {
      text += rhodes::ExtractHtml(rhodes::DecodeText(page, rhodes::HtmlCharset(page)).text).text.size();
    }
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  fmt::print("{} pages, {} bytes of text: {:.3f} ms/page, {:.1f} MB/s\n", pages.size(), text,
             1000 * median / static_cast<double>(pages.size()), static_cast<double>(bytes) / 1e6 / median);
  return 0;
}
