// Any bytes as a file of lines: the ranges that cover it give the documents of the whole, and no reader fails otherwise
// than with a message.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/file.h"
#include "record/json_documents.h"

namespace {

using rhodes::Document;
using rhodes::JsonDocuments;

// The texts of all documents, and "!" where it ended with an error.
std::string TextsOf(absl::StatusOr<std::unique_ptr<JsonDocuments>> reader, bool& failed) {
  std::string texts;
  if (!reader.ok()) abort();
  Document document;
  JsonDocuments::Triples spans;
  while (true) {
    const absl::StatusOr<bool> more = (*reader)->Next(document, spans);
    failed = !more.ok();
    if (failed || !*more) return texts;
    texts += document.id + '\n' + document.text + '\n' + document.meta + '\n';
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path = "/tmp/rhodes_json_documents_fuzz." + std::to_string(getpid());
  if (size < 2) return 0;
  const size_t step = 1 + data[0] % 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!rhodes::WriteScratchFile(path, bytes).ok()) abort();
  bool failed = false;
  const std::string whole = TextsOf(JsonDocuments::OpenRange(path, 0, bytes.size()), failed);
  if (!failed) {
    std::string parts;
    for (size_t begin = 0; begin < bytes.size(); begin += step) {
      parts += TextsOf(JsonDocuments::OpenRange(path, begin, begin + step), failed);
      if (failed) abort();
    }
    if (parts != whole) abort();
  }
  TextsOf(JsonDocuments::Open(path), failed);  // may take it for a compressed file
  return 0;
}
