#include "model/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

class ModelFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "model_files";
    ASSERT_TRUE(RemoveTree(directory_).ok());
    ASSERT_TRUE(CreateDirectories(directory_).ok());
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = static_cast<float>(i) * 0.5f;
  }
  NamedTensor Tensor(const std::string& name, std::vector<int64_t> shape, size_t first = 0) const {
    TensorView view{DType::kF32, std::move(shape), {}};
    view.bytes = {reinterpret_cast<const char*>(values_.data() + first),
                  static_cast<size_t>(view.elements()) * sizeof(float)};
    return {name, view};
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
  std::vector<float> values_ = std::vector<float>(64);
};

TEST_F(ModelFilesTest, Write_ShardsAboveTheSizeAndOpenReadsThem) {
  const std::vector<NamedTensor> tensors = {Tensor("a", {2, 4}), Tensor("b", {8}, 8), Tensor("c", {3, 2}, 16)};
  ASSERT_TRUE(WriteModelFiles(directory_, tensors, {{"format", "pt"}}, 64).ok());
  EXPECT_FALSE(PathExists(path("model.safetensors")));
  EXPECT_TRUE(PathExists(path("model-00002-of-00002.safetensors")));
  const absl::StatusOr<Json> index = ReadJsonFile(path("model.safetensors.index.json"));
  ASSERT_TRUE(index.ok());
  EXPECT_EQ((*index)["weight_map"]["c"], "model-00002-of-00002.safetensors");
  EXPECT_EQ((*index)["metadata"]["total_size"], 88);
  const absl::StatusOr<ModelFiles> files = ModelFiles::Open(directory_);
  ASSERT_TRUE(files.ok()) << Message(files.status());
  std::vector<float> c(6);
  ASSERT_TRUE(files->Read("c", {3, 2}, c).ok());
  EXPECT_EQ(c[5], values_[21]);
  EXPECT_THAT(Message(files->Read("d", {1}, c)), HasSubstr("tensor d is missing"));
  EXPECT_THAT(Message(files->Read("c", {2, 3}, c)), HasSubstr("tensor c has shape [3, 2], not [2, 3]"));
}

TEST_F(ModelFilesTest, Read_PutsPartsOfATensorTogether) {
  // As in Grok-2's files: down is cut along its columns, gate along its rows.
  ASSERT_TRUE(WriteSafetensors(path("part-0.safetensors"), {Tensor("down", {2, 2}), Tensor("gate", {1, 4}, 8)}).ok());
  ASSERT_TRUE(
      WriteSafetensors(path("part-1.safetensors"), {Tensor("down", {2, 2}, 4), Tensor("gate", {1, 4}, 12)}).ok());
  const absl::StatusOr<ModelFiles> files = ModelFiles::Open(directory_);
  ASSERT_TRUE(files.ok()) << Message(files.status());
  std::vector<float> down(8), gate(8);
  ASSERT_TRUE(files->Read("down", {2, 4}, down).ok());
  EXPECT_EQ(down, (std::vector<float>{0, 0.5, 2, 2.5, 1, 1.5, 3, 3.5}));
  ASSERT_TRUE(files->Read("gate", {2, 4}, gate).ok());
  EXPECT_EQ(gate, (std::vector<float>{4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5}));
  EXPECT_THAT(Message(files->Read("gate", {4, 2}, gate)), HasSubstr("do not make [4, 2]"));
}

TEST_F(ModelFilesTest, Read_RefusesValuesThatAreNoNumbers) {
  values_[5] = NAN;
  ASSERT_TRUE(WriteModelFiles(directory_, {Tensor("a", {2, 4})}).ok());
  const absl::StatusOr<ModelFiles> files = ModelFiles::Open(directory_);
  ASSERT_TRUE(files.ok());
  std::vector<float> a(8);
  const absl::Status status = files->Read("a", {2, 4}, a);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(Message(status), HasSubstr("model.safetensors: tensor a: value 5 is nan, not a finite number"));
}

TEST_F(ModelFilesTest, Open_SaysWhatIsMissingOrWrong) {
  EXPECT_THAT(Message(ModelFiles::Open(directory_).status()), HasSubstr("no model.safetensors"));
  ASSERT_TRUE(WriteFileAtomically(path("model.safetensors.index.json"), R"({"weight_map": {"a": "../b"}})").ok());
  EXPECT_THAT(Message(ModelFiles::Open(directory_).status()), HasSubstr("\"../b\" is not a file of its folder"));
  ASSERT_TRUE(WriteFileAtomically(path("model.safetensors.index.json"), R"({"weight_map": {"a": "b"}})").ok());
  EXPECT_THAT(Message(ModelFiles::Open(directory_).status()), HasSubstr("b"));
}

}  // namespace
}  // namespace rhodes
