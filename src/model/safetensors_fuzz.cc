// Any bytes: the reader refuses them or gives tensors that lie inside them.
#include <cstdlib>

#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<rhodes::SafetensorsFile> file = rhodes::SafetensorsFile::Parse(bytes, "input");
  if (!file.ok()) return 0;
  std::vector<float> values;
  for (const auto& [name, tensor] : file->tensors()) {
    if (!tensor.bytes.empty() &&
        (tensor.bytes.data() < bytes.data() || tensor.bytes.data() + tensor.bytes.size() > bytes.data() + size)) {
      std::abort();
    }
    if (tensor.bytes.size() / rhodes::DTypeBytes(tensor.dtype) != static_cast<uint64_t>(tensor.elements()))
      std::abort();
    values.resize(static_cast<size_t>(tensor.elements()));
    rhodes::ReadAsFloat(tensor, values).IgnoreError();  // integers are refused, which is fine
  }
  return 0;
}
