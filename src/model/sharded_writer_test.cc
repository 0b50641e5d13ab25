#include "model/sharded_writer.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "model/weight_source.h"

namespace rhodes {
namespace {

TEST(ShardedWriter, ShardsAboveTheSizeAndTheFolderOpensWhole) {
  const std::string directory = testing::TempDir() + "sharded_writer";
  ASSERT_TRUE(RemoveTree(directory).ok());
  ASSERT_TRUE(CreateDirectories(directory).ok());
  std::vector<float> values(32);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) * 0.5f;
  const auto tensor = [&](const char* name, std::vector<int64_t> shape, size_t first) {
    TensorView view{DType::kF32, std::move(shape), {}};
    view.bytes = {reinterpret_cast<const char*>(values.data() + first),
                  static_cast<size_t>(view.elements()) * sizeof(float)};
    return NamedTensor{name, view};
  };
  const std::vector<NamedTensor> tensors = {tensor("a", {2, 4}, 0), tensor("b", {8}, 8), tensor("c", {3, 2}, 16)};
  ASSERT_TRUE(WriteModelFiles(directory, tensors, {{"format", "pt"}}, 64).ok());
  EXPECT_FALSE(PathExists(directory + "/model.safetensors"));
  const absl::StatusOr<Json> index = ReadJsonFile(directory + "/model.safetensors.index.json");
  ASSERT_TRUE(index.ok());
  EXPECT_EQ((*index)["weight_map"]["b"], "model-00001-of-00002.safetensors");
  EXPECT_EQ((*index)["weight_map"]["c"], "model-00002-of-00002.safetensors");
  EXPECT_EQ((*index)["metadata"]["total_size"], 88);
  const absl::StatusOr<std::unique_ptr<WeightSource>> source = OpenWeightFolder(directory);
  ASSERT_TRUE(source.ok()) << Message(source.status());
  std::vector<float> c(6);
  ASSERT_TRUE(ReadWeight(**source, "c", {3, 2}, c).ok());
  EXPECT_EQ(c[5], values[21]);
}

TEST(ShardedWriter, OneFileBelowTheSize) {
  const std::string directory = testing::TempDir() + "sharded_writer_one";
  ASSERT_TRUE(RemoveTree(directory).ok());
  ASSERT_TRUE(CreateDirectories(directory).ok());
  const float value = 1.5f;
  const TensorView view{DType::kF32, {1}, {reinterpret_cast<const char*>(&value), sizeof(value)}};
  ASSERT_TRUE(WriteModelFiles(directory, {{"a", view}}).ok());
  EXPECT_TRUE(PathExists(directory + "/model.safetensors"));
  EXPECT_FALSE(PathExists(directory + "/model.safetensors.index.json"));
}

}  // namespace
}  // namespace rhodes
