#include "model/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "model/safetensors.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Scratch(const std::string& name) { return testing::TempDir() + name; }

GgufWriter::Fill FillFrom(std::vector<float> values) {
  return [values = std::move(values)](int64_t first, std::span<float> out) {
    std::copy_n(values.begin() + first, out.size(), out.begin());
    return absl::OkStatus();
  };
}

// The bytes of a small file with every kind of value and two tensors.
std::string SmallFile() {
  GgufWriter writer;
  writer.AddText("general.architecture", "llama");
  writer.AddU32("llama.block_count", 2);
  writer.AddF32("llama.rope.freq_base", 10000.5f);
  writer.AddBool("flag", true);
  writer.AddTexts("tokens", {"a", "",
                             "\xC4\xA0"
                             "b"});
  writer.AddI32s("types", {1, -3, 2});
  writer.AddF32s("scores", {0.5f, -1.0f});
  writer.AddTensor("token_embd.weight", {2, 3}, GgmlType::kF32, FillFrom({1, 2, 3, 4, 5, 6}));
  writer.AddTensor("norm", {5}, GgmlType::kBf16, FillFrom({1, 0.5f, -2, 0, 8}));
  const std::string path = Scratch("small.gguf");
  EXPECT_TRUE(writer.Write(path).ok());
  return *ReadFile(path);
}

std::string MessageOf(const std::string& bytes) {
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "x.gguf");
  return file.ok() ? "ok" : Message(file.status());
}

TEST(Gguf, Write_ReadBackIsTheSame) {
  const std::string bytes = SmallFile();
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "x.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->Text("general.architecture"), "llama");
  EXPECT_EQ(*file->Integer("llama.block_count"), 2);
  EXPECT_EQ(*file->Number("llama.block_count"), 2.0);
  EXPECT_EQ(*file->Number("llama.rope.freq_base"), 10000.5);
  EXPECT_EQ(*file->Boolean("flag"), true);
  EXPECT_THAT(*file->Texts("tokens"), ElementsAre("a", "",
                                                  "\xC4\xA0"
                                                  "b"));
  EXPECT_THAT(*file->Integers("types"), ElementsAre(1, -3, 2));
  EXPECT_THAT(*file->Numbers("scores"), ElementsAre(0.5, -1.0));
  const GgufTensor embedding = *file->Tensor("token_embd.weight");
  EXPECT_THAT(embedding.shape, ElementsAre(2, 3));
  EXPECT_EQ(embedding.offset % 32, 0u);
  std::vector<float> values(2);
  ASSERT_TRUE(ReadGgufValues(embedding, 3, values).ok());
  EXPECT_THAT(values, ElementsAre(4, 5));
  values.resize(5);
  ASSERT_TRUE(ReadGgufValues(*file->Tensor("norm"), 0, values).ok());
  EXPECT_THAT(values, ElementsAre(1, 0.5f, -2, 0, 8));
}

TEST(Gguf, Write_LayoutIsThatOfTheFormat) {
  GgufWriter writer;
  writer.AddU32("k", 7);
  writer.AddTensor("t", {1, 2}, GgmlType::kF32, FillFrom({1, 2}));
  ASSERT_TRUE(writer.Write(Scratch("layout.gguf")).ok());
  const auto u64 = [](uint64_t value) { return std::string(reinterpret_cast<const char*>(&value), 8); };
  const auto u32 = [](uint32_t value) { return std::string(reinterpret_cast<const char*>(&value), 4); };
  std::string expected = "GGUF" + u32(3) + u64(1) + u64(1) + u64(1) + "k" + u32(4) + u32(7) + u64(1) + "t" + u32(2) +
                         u64(2) + u64(1) + u32(0) + u64(0);
  expected.resize(96);
  const float data[] = {1, 2};
  expected.append(reinterpret_cast<const char*>(data), 8);
  expected.resize(128);
  EXPECT_EQ(*ReadFile(Scratch("layout.gguf")), expected);
}

// Bytes from gguf 0.19 (PyPI): gguf.quants.quantize(values, Q8_0). The last block has ties: scale 0.5, so 0.25 is half.
TEST(Gguf, Q8_BlocksEqualThoseOfGgml) {
  std::vector<float> values(128);
  for (size_t k = 0; k < 96; ++k) {
    const size_t block = k / 32;
    values[k] = static_cast<float>(0.5 * std::sin(1.0 + 0.7 * static_cast<double>(k)) *
                                   std::pow(10.0, static_cast<double>(block) - 2));
  }
  values[97] = -63.5f;
  values[98] = 0.25f;
  values[99] = 0.75f;
  GgufWriter writer;
  writer.AddTensor("t", {2, 64}, GgmlType::kQ8_0, FillFrom(values));
  const std::string path = Scratch("q8.gguf");
  ASSERT_TRUE(writer.Write(path).ok());
  const absl::StatusOr<GgufFile> file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const GgufTensor tensor = *file->Tensor("t");
  std::string hex;
  for (const char byte : tensor.bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  EXPECT_EQ(hex,
            "8f026c7f5705b2838fd0286d7f5503b08290d22a6e7e5301ae8291d42c6f7e52ffad690e8292d62e707d50fdab8293d830717d4efb"
            "aa8195da32727c4cf8a88196dc3473071c7b4af6a78197df36737b49f4a58199e137747a47f2a4819ae339757a45f0a28100380081"
            "010200000000000000000000000000000000000000000000000000000000");
  std::vector<float> read(64);
  ASSERT_TRUE(ReadGgufValues(tensor, 64, read).ok());
  for (size_t i = 0; i < 32; ++i) EXPECT_NEAR(read[i], values[64 + i], 0.5 / 254 * 1.01);
  EXPECT_EQ(read[33], -63.5f);
  EXPECT_EQ(read[34], 0.5f);
  EXPECT_EQ(read[35], 1.0f);
}

TEST(Gguf, Write_RefusesWhatATypeCannotHold) {
  const auto message = [](GgmlType type, std::vector<int64_t> shape, std::vector<float> values) {
    GgufWriter writer;
    writer.AddTensor("t", std::move(shape), type, FillFrom(std::move(values)));
    return Message(writer.Write(Scratch("refused.gguf")));
  };
  EXPECT_THAT(message(GgmlType::kF32, {2}, {1, std::nanf("")}), HasSubstr("tensor t: value 1 is nan"));
  EXPECT_THAT(message(GgmlType::kQ8_0, {1, 32}, std::vector<float>(32, 1e30f)),
              HasSubstr("tensor t: values 0 to 31 are too large for q8_0"));
  EXPECT_THAT(message(GgmlType::kQ8_0, {1, 33}, std::vector<float>(33)),
              HasSubstr("tensor t: rows of 33 values are no multiple of q8_0's 32"));
  EXPECT_FALSE(PathExists(Scratch("refused.gguf")));
  EXPECT_FALSE(PathExists(Scratch("refused.gguf.partial")));
}

TEST(Gguf, Write_RefusesNamesGivenTwice) {
  GgufWriter writer;
  writer.AddU32("k", 1);
  writer.AddU32("k", 2);
  EXPECT_THAT(Message(writer.Write(Scratch("twice.gguf"))), HasSubstr("key k: empty, too long or given twice"));
  GgufWriter tensors;
  tensors.AddTensor("t", {1}, GgmlType::kF32, FillFrom({1}));
  tensors.AddTensor("t", {1}, GgmlType::kF32, FillFrom({1}));
  EXPECT_THAT(Message(tensors.Write(Scratch("twice.gguf"))), HasSubstr("tensor t: given twice"));
}

TEST(Gguf, Parse_CutOffAnywhereIsRefused) {
  const std::string bytes = SmallFile();
  const absl::StatusOr<GgufFile> whole = GgufFile::Parse(bytes, "x.gguf");
  ASSERT_TRUE(whole.ok());
  const GgufTensor last = *whole->Tensor("norm");
  for (size_t size = 0; size < last.offset + last.bytes.size(); ++size) {
    const absl::StatusOr<GgufFile> file = GgufFile::Parse(std::string_view(bytes).substr(0, size), "x.gguf");
    ASSERT_EQ(file.status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_THAT(MessageOf(bytes.substr(0, last.offset)), HasSubstr("x.gguf: tensor norm: bytes ["));
  EXPECT_THAT(MessageOf(bytes.substr(0, last.offset)), HasSubstr("are beyond the file's end"));
}

// Changes `count` bytes of the small file from the first place where `before` stands, `skip` bytes after it.
std::string Patched(const std::string& before, size_t skip, std::string_view with) {
  std::string bytes = SmallFile();
  const size_t at = bytes.find(before);
  EXPECT_NE(at, std::string::npos);
  return bytes.replace(at + before.size() + skip, with.size(), with);
}

TEST(Gguf, Parse_NamesKeyOrTensorAndPlace) {
  const std::string big(8, '\x7F');
  EXPECT_EQ(MessageOf("GGML"), "x.gguf: no GGUF file: it does not begin with \"GGUF\"");
  EXPECT_THAT(MessageOf(Patched("GGUF", 0, std::string("\0\0\0\3", 4))), HasSubstr("(big-endian); 2 and 3 are read"));
  EXPECT_THAT(MessageOf(Patched("GGUF", 4, big)), HasSubstr("do not fit a file of"));
  EXPECT_THAT(MessageOf(Patched("llama.block_count", 0, "\x63")), HasSubstr("key llama.block_count: byte"));
  EXPECT_THAT(MessageOf(Patched("llama.block_count", 0, "\x63")), HasSubstr("unknown type 99"));
  EXPECT_THAT(MessageOf(Patched("flag", 4, "\x02")), HasSubstr("key flag: byte"));
  EXPECT_THAT(MessageOf(Patched("tokens", 8, big)), HasSubstr("values of string, and the file has"));
  EXPECT_THAT(MessageOf(Patched("types", 8, big)), HasSubstr("values of i32, and the file has"));
  EXPECT_THAT(MessageOf(Patched("token_embd.weight", 0, "\x05")), HasSubstr("5 dimensions; 1 to 4 are read"));
  EXPECT_THAT(MessageOf(Patched("token_embd.weight", 4, big)), HasSubstr("tensor token_embd.weight: byte"));
  EXPECT_THAT(MessageOf(Patched("token_embd.weight", 20, "\x0C")),
              HasSubstr("tensor token_embd.weight: has type q4_k (12); f32, f16, bf16 and q8_0 are read"));
  EXPECT_THAT(MessageOf(Patched("token_embd.weight", 24, "\x20")),
              HasSubstr("tensor token_embd.weight: begins at byte 32 of the data, not at 0"));
  EXPECT_THAT(MessageOf(Patched("llama.rope.freq_base", 0, std::string("\x09\0\0\0\x09\0\0\0", 8))),
              HasSubstr("an array of arrays is not read"));
}

TEST(Gguf, Values_OfAnotherTypeAreRefusedWithKeyAndPlace) {
  const std::string bytes = SmallFile();
  const absl::StatusOr<GgufFile> file = GgufFile::Parse(bytes, "x.gguf");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(Message(file->Integer("nothing").status()), "x.gguf: key nothing is missing");
  EXPECT_THAT(Message(file->Integer("llama.rope.freq_base").status()), HasSubstr("f32, not an integer"));
  EXPECT_THAT(Message(file->Text("tokens").status()), HasSubstr("an array of string, not a string"));
  EXPECT_THAT(Message(file->Integers("tokens").status()), HasSubstr("not an array of integers"));
  EXPECT_THAT(Message(file->Boolean("llama.block_count").status()), HasSubstr("u32, not a bool"));
  EXPECT_THAT(Message(file->Tensor("nothing").status()), HasSubstr("tensor nothing is missing"));
  std::vector<float> values(2);
  EXPECT_FALSE(ReadGgufValues(*file->Tensor("norm"), 4, values).ok());
}

TEST(Gguf, F16_EveryValueComesBackAndMidpointsGoToEven) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = F16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(value))));
      continue;
    }
    ASSERT_EQ(FloatToF16(value), bits);
    if ((bits & 0x7FFF) >= 0x7BFF) continue;
    const float next = F16ToFloat(static_cast<uint16_t>(bits + 1));
    const uint32_t even = bits + (bits & 1);
    ASSERT_EQ(FloatToF16((value + next) / 2), even) << bits;
    ASSERT_EQ(FloatToF16(std::nextafter((value + next) / 2, value)), bits) << bits;
    ASSERT_EQ(FloatToF16(std::nextafter((value + next) / 2, next)), bits + 1) << bits;
  }
  EXPECT_EQ(FloatToF16(65519.9f), 0x7BFF);
  EXPECT_EQ(FloatToF16(65520.0f), 0x7C00);
  EXPECT_EQ(FloatToF16(-std::numeric_limits<float>::infinity()), 0xFC00);
}

}  // namespace
}  // namespace rhodes
