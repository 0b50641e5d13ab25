#include "model/sharded_writer.h"

#include <utility>

#include "base/file.h"
#include "base/json.h"

namespace rhodes {

absl::Status WriteModelFiles(const std::string& directory, std::vector<NamedTensor> tensors,
                             const std::map<std::string, std::string>& metadata, uint64_t shard_bytes) {
  std::vector<std::vector<NamedTensor>> shards(1);
  uint64_t total = 0, in_shard = 0;
  for (NamedTensor& named : tensors) {
    const uint64_t bytes = named.tensor.bytes.size();
    if (!shards.back().empty() && in_shard + bytes > shard_bytes) {
      shards.emplace_back();
      in_shard = 0;
    }
    in_shard += bytes;
    total += bytes;
    shards.back().push_back(std::move(named));
  }
  if (shards.size() == 1)
    return WriteSafetensors(directory + "/model.safetensors", std::move(shards.front()), metadata);
  Json map = Json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    for (const NamedTensor& named : shards[i]) map[named.name] = name;
    RETURN_IF_ERROR(WriteSafetensors(fmt::format("{}/{}", directory, name), std::move(shards[i]), metadata));
  }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  return WriteFileAtomically(directory + "/model.safetensors.index.json", DumpJson(index, 2) + "\n");
}

}  // namespace rhodes
