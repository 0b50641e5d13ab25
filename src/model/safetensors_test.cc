#include "model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::string Encode(std::string_view header, std::string_view data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return out.append(header).append(data);
}

std::string Scratch(const std::string& name) { return testing::TempDir() + name; }

template <typename T>
TensorView View(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {dtype, std::move(shape), {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}};
}

TEST(Safetensors, Write_ReadBackIsTheSame) {
  const std::vector<float> wide = {1.5f, -2.0f, 3.25f, 0, 1e30f, -1e-30f};
  const std::vector<uint16_t> narrow = {FloatToBf16(1.0f), FloatToBf16(-0.5f)};
  const std::string path = Scratch("write.safetensors");
  ASSERT_TRUE(WriteSafetensors(path, {{"b", View(DType::kBf16, {2}, narrow)}, {"a", View(DType::kF32, {2, 3}, wide)}},
                               {{"format", "pt"}})
                  .ok());
  const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->metadata().at("format"), "pt");
  const absl::StatusOr<TensorView> a = file->Get("a", {2, 3});
  ASSERT_TRUE(a.ok());
  std::vector<float> values(6);
  ASSERT_TRUE(ReadAsFloat(*a, values).ok());
  EXPECT_EQ(values, wide);
  values.resize(2);
  ASSERT_TRUE(ReadAsFloat(*file->Get("b", {2}), values).ok());
  EXPECT_EQ(values, (std::vector<float>{1.0f, -0.5f}));
}

TEST(Safetensors, Write_BytesDoNotDependOnTheOrderGiven) {
  const std::vector<float> values = {1, 2, 3};
  const std::string one = Scratch("one.safetensors");
  const std::string two = Scratch("two.safetensors");
  const NamedTensor x{"x", View(DType::kF32, {3}, values)};
  const NamedTensor y{"y", View(DType::kF32, {3}, values)};
  ASSERT_TRUE(WriteSafetensors(one, {x, y}).ok());
  ASSERT_TRUE(WriteSafetensors(two, {y, x}).ok());
  EXPECT_EQ(*ReadFile(one), *ReadFile(two));
  EXPECT_EQ(*ReadFile(one), Encode(R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
                                   R"("y":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}  )",
                                   std::string(reinterpret_cast<const char*>(values.data()), 12) +
                                       std::string(reinterpret_cast<const char*>(values.data()), 12)));
  EXPECT_FALSE(PathExists(one + ".partial"));
}

TEST(Safetensors, Write_RefusesBytesThatAreNotTheShape) {
  const std::vector<float> values = {1, 2, 3};
  const std::string path = Scratch("refused.safetensors");
  const absl::Status status = WriteSafetensors(path, {{"x", View(DType::kF32, {4}, values)}});
  EXPECT_THAT(Message(status), HasSubstr("x: 12 bytes do not hold F32 [4]"));
  const NamedTensor x{"x", View(DType::kF32, {3}, values)};
  EXPECT_THAT(Message(WriteSafetensors(path, {x, x})), HasSubstr("tensor x is given twice"));
  EXPECT_FALSE(PathExists(path));
}

TEST(Safetensors, Parse_NamesWhatIsBroken) {
  struct Case {
    std::string bytes;
    const char* message;
  };
  const std::string huge(8, '\xFF');
  for (const Case& broken : {
           Case{"short", "5 bytes: no safetensors file"},
           {huge + "{}", "does not fit a file of 10 bytes"},
           {Encode("", ""), "the header is not a JSON object"},
           {Encode(" {}", ""), "the header is not a JSON object"},
           {Encode("{\"a\":", ""), "not JSON"},
           {Encode("{\"a\":1}", ""), "tensor a: not an object"},
           {Encode(R"({"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}})", "1234"), "dtype \"F7\" is not known"},
           {Encode(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234"), "is not a list of sizes"},
           {Encode(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", "1234"), "is not a list of sizes"},
           {Encode(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", "1234"), "bytes [0, 8) are not inside"},
           {Encode(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "1234"), "bytes [4, 0) are not inside"},
           {Encode(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"), "4 bytes do not hold F32 [2]"},
           {Encode(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4,4],"data_offsets":[0,4]}})", "1234"),
            "4 bytes do not hold F32"},
           {Encode(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],)"
                   R"("data_offsets":[2,4]}})",
                   "1234"),
            "tensors overlap"},
           {Encode(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],)"
                   R"("data_offsets":[2,4]}})",
                   "1234"),
            "there is a gap"},
           {Encode(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", "1234"), "of which the tensors fill 3"},
           {Encode(R"({"__metadata__":{"k":1}})", ""), "__metadata__: k is not a string"},
       }) {
    const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Parse(broken.bytes, "m.safetensors");
    ASSERT_FALSE(file.ok()) << broken.message;
    EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << broken.message;
    EXPECT_THAT(Message(file.status()), HasSubstr("m.safetensors"));
    EXPECT_THAT(Message(file.status()), HasSubstr(broken.message));
  }
}

TEST(Safetensors, Parse_EveryTruncationOfAFileIsRefused) {
  const std::string whole = Encode(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  ASSERT_TRUE(SafetensorsFile::Parse(whole, "whole").ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(SafetensorsFile::Parse(std::string_view(whole).substr(0, size), "cut").ok()) << size;
  }
}

TEST(Safetensors, Parse_DamagedBytesNeverLeadOutsideTheFile) {
  const std::string whole = Encode(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                   R"("b":{"dtype":"BF16","shape":[2,1],"data_offsets":[8,12]}})",
                                   "123456789abc");
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 1 + round % 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Parse(damaged, "damaged");
    if (!file.ok()) continue;
    for (const auto& [name, tensor] : file->tensors()) {
      EXPECT_GE(tensor.bytes.data(), damaged.data());
      EXPECT_LE(tensor.bytes.data() + tensor.bytes.size(), damaged.data() + damaged.size());
    }
  }
}

TEST(Safetensors, Get_NamesMissingTensorsAndBothShapes) {
  const std::string bytes = Encode(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Parse(bytes, "m");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Message(file->Get("b", {2}).status()), "m: tensor b is missing");
  EXPECT_EQ(Message(file->Get("a", {2, 1}).status()), "m: tensor a has shape [2], not [2, 1]");
}

TEST(Bf16, FloatToBf16_RoundsToNearestEven) {
  for (const auto& [value, expected] :
       {std::pair{1.0f, 0x3F80}, {1.00390625f, 0x3F80}, {1.01171875f, 0x3F82}, {-0.0f, 0x8000}, {3.4e38f, 0x7F80}}) {
    EXPECT_EQ(FloatToBf16(value), expected) << value;
  }
  EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(F16, F16ToFloat_MatchesTheFormat) {
  for (const auto& [bits, expected] : {std::pair{0x3C00, 1.0f},
                                       {0xC000, -2.0f},
                                       {0x0001, 0x1p-24f},
                                       {0x03FF, 0x3FFp-24f},
                                       {0x7BFF, 65504.0f},
                                       {0x0400, 0x1p-14f}}) {
    EXPECT_EQ(F16ToFloat(static_cast<uint16_t>(bits)), expected) << bits;
  }
  EXPECT_TRUE(std::isinf(F16ToFloat(0x7C00)));
  EXPECT_TRUE(std::isnan(F16ToFloat(0x7C01)));
}

}  // namespace
}  // namespace rhodes
