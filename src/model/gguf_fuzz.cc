// Any bytes: the reader refuses them or gives values and tensors that lie inside them.
#include <cstdlib>

#include "model/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<rhodes::GgufFile> file = rhodes::GgufFile::Parse(bytes, "input");
  if (!file.ok()) return 0;
  for (const std::string& key : file->Keys()) {
    // Most are of another type, which is refused; what is given lies inside the file.
    file->Integer(key).status().IgnoreError();
    file->Number(key).status().IgnoreError();
    file->Boolean(key).status().IgnoreError();
    file->Integers(key).status().IgnoreError();
    file->Numbers(key).status().IgnoreError();
    const absl::StatusOr<std::vector<std::string_view>> texts = file->Texts(key);
    if (!texts.ok()) continue;
    for (const std::string_view text : *texts) {
      if (text.data() < bytes.data() || text.data() + text.size() > bytes.data() + size) std::abort();
    }
  }
  std::vector<float> values;
  for (const auto& [name, tensor] : file->tensors()) {
    if (tensor.offset > size || tensor.bytes.size() > size - tensor.offset) std::abort();
    values.resize(static_cast<size_t>(tensor.elements()));
    if (!rhodes::ReadGgufValues(tensor, 0, values).ok()) std::abort();
  }
  return 0;
}
