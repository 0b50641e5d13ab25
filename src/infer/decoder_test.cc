#include "infer/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "model/model.h"
#include "model/model_files.h"
#include "model/reference_forward.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;
using Precision = DecoderOptions::Precision;

ModelConfig Small() {
  ModelConfig config;
  config.vocabulary_size = 203;  // no multiple of anything
  config.hidden_size = 48;
  config.intermediate_size = 112;
  config.layers = 2;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 10;
  config.max_positions = 512;
  config.tie_embeddings = false;
  config.eos_id = 0;
  return config;
}

std::vector<TokenId> SomeTokens(size_t count, uint32_t below) {
  std::vector<TokenId> tokens(count);
  for (size_t i = 0; i < count; ++i) tokens[i] = static_cast<TokenId>((i * 7919 + i * i * 31 + 5) % below);
  return tokens;
}

// Largest difference over the root mean square of the reference.
double RelativeError(std::span<const float> got, std::span<const double> expected) {
  double worst = 0;
  double square = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - expected[i]));
    square += expected[i] * expected[i];
  }
  return worst / std::sqrt(square / static_cast<double>(got.size()));
}

// Root mean square of the differences over that of the reference.
double MeanRelativeError(std::span<const float> got, std::span<const double> expected) {
  double error = 0;
  double square = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - expected[i];
    error += difference * difference;
    square += expected[i] * expected[i];
  }
  return std::sqrt(error / square);
}

class DecoderTest : public testing::Test {
 protected:
  std::unique_ptr<Decoder> Make(const ModelConfig& config, Precision precision, int threads = 1) {
    weights_ = RandomWeights(config, 1);
    directory_ = testing::TempDir() + "decoder_model";
    EXPECT_TRUE(WriteModel(directory_, config, weights_).ok());
    absl::StatusOr<std::unique_ptr<Decoder>> decoder = Decoder::Load(directory_, {precision, threads});
    EXPECT_TRUE(decoder.ok()) << decoder.status();
    return *std::move(decoder);
  }
  // Logits of all tokens: `prefill` of them at once (in pieces), the others one by one.
  std::vector<float> Run(Decoder& decoder, const std::vector<TokenId>& tokens, size_t prefill) {
    std::unique_ptr<SequenceCache> cache = *decoder.NewCache(static_cast<int64_t>(tokens.size()));
    const size_t vocabulary = static_cast<size_t>(decoder.config().vocabulary_size);
    std::vector<float> logits(tokens.size() * vocabulary);
    size_t at = 0;
    while (at < prefill) {
      const size_t piece = std::min<size_t>(prefill - at, Decoder::kMaxPrefill);
      const absl::Status status = decoder.Prefill(*cache, std::span(tokens).subspan(at, piece),
                                                  std::span(logits).subspan(at * vocabulary, piece * vocabulary));
      EXPECT_TRUE(status.ok()) << status;
      at += piece;
    }
    for (; at < tokens.size(); ++at) {
      SequenceCache* one = cache.get();
      const absl::Status status = decoder.Decode(std::span(&one, 1), std::span(tokens).subspan(at, 1),
                                                 std::span(logits).subspan(at * vocabulary, vocabulary));
      EXPECT_TRUE(status.ok()) << status;
    }
    return logits;
  }

  NamedWeights weights_;
  std::string directory_;
};

// f32: some tens of rounding errors (2^-24) of values of the size of the logits add up over the layers.
constexpr double kF32Error = 1e-5;
// bf16: 2^-9 for each rounding of weights, cache and (in a prefill) activations; the random model's steep attention
// multiplies that by about ten.
constexpr double kBf16Error = 0.04;

TEST_F(DecoderTest, Decode_MatchesThePlainForwardPass) {
  const ModelConfig config = Small();
  const std::unique_ptr<Decoder> decoder = Make(config, Precision::kF32);
  const std::vector<TokenId> tokens = SomeTokens(37, 203);
  EXPECT_LT(RelativeError(Run(*decoder, tokens, 0), ReferenceLogits(config, weights_, tokens)), kF32Error);
}

TEST_F(DecoderTest, Prefill_MatchesThePlainForwardPassAtEveryLength) {
  ModelConfig config = Small();
  config.tie_embeddings = true;
  const std::unique_ptr<Decoder> decoder = Make(config, Precision::kF32, 2);
  // Around the sizes at which the way of computing changes: vectors, oneDNN, blocks, pieces.
  for (const size_t length : {1, 2, 15, 16, 17, 63, 64, 65, 300}) {
    const std::vector<TokenId> tokens = SomeTokens(length, 203);
    EXPECT_LT(RelativeError(Run(*decoder, tokens, length), ReferenceLogits(config, weights_, tokens)), kF32Error)
        << length;
  }
}

TEST_F(DecoderTest, Prefill_ThenDecode_EqualsDecodeAlone) {
  const std::unique_ptr<Decoder> decoder = Make(Small(), Precision::kF32);
  const std::vector<TokenId> tokens = SomeTokens(100, 203);
  const std::vector<float> alone = Run(*decoder, tokens, 0);
  const std::vector<double> expected(alone.begin(), alone.end());
  for (const size_t prefill : {1, 40, 99})
    EXPECT_LT(RelativeError(Run(*decoder, tokens, prefill), expected), kF32Error);
}

TEST_F(DecoderTest, Bf16_StaysNearThePlainForwardPass) {
  const ModelConfig config = Small();
  const std::unique_ptr<Decoder> decoder = Make(config, Precision::kBf16);
  const std::vector<TokenId> tokens = SomeTokens(90, 203);
  const std::vector<double> expected = ReferenceLogits(config, weights_, tokens);
  EXPECT_LT(MeanRelativeError(Run(*decoder, tokens, 0), expected), kBf16Error);
  EXPECT_LT(MeanRelativeError(Run(*decoder, tokens, 80), expected), kBf16Error);
}

TEST_F(DecoderTest, Results_AreTheSameBitsForAnyNumberOfThreads) {
  const std::vector<TokenId> tokens = SomeTokens(120, 203);
  const std::vector<float> one = Run(*Make(Small(), Precision::kBf16, 1), tokens, 100);
  for (const int threads : {2, 5}) EXPECT_EQ(Run(*Make(Small(), Precision::kBf16, threads), tokens, 100), one);
}

TEST_F(DecoderTest, Decode_DoesNotDependOnTheOtherSequencesOfTheStep) {
  const std::unique_ptr<Decoder> decoder = Make(Small(), Precision::kBf16, 2);
  const size_t vocabulary = 203;
  for (const size_t company : {1, 2, 3, 5, 20, 64}) {
    std::vector<std::unique_ptr<SequenceCache>> caches;
    std::vector<SequenceCache*> pointers;
    std::vector<TokenId> next;
    for (size_t i = 0; i < company; ++i) {
      caches.push_back(*decoder->NewCache(64));
      const std::vector<TokenId> prompt = SomeTokens(3 + i % 7, 203);
      ASSERT_TRUE(decoder->Prefill(*caches.back(), prompt, {}).ok());
      pointers.push_back(caches.back().get());
      next.push_back(static_cast<TokenId>(i));
    }
    std::vector<float> together(company * vocabulary);
    ASSERT_TRUE(decoder->Decode(pointers, next, together).ok());
    std::unique_ptr<SequenceCache> cache = *decoder->NewCache(64);
    ASSERT_TRUE(decoder->Prefill(*cache, SomeTokens(3, 203), {}).ok());
    SequenceCache* pointer = cache.get();
    std::vector<float> alone(vocabulary);
    ASSERT_TRUE(decoder->Decode(std::span(&pointer, 1), std::span(next).first(1), alone).ok());
    EXPECT_EQ(std::vector<float>(together.begin(), together.begin() + 203), alone) << company;
  }
}

TEST_F(DecoderTest, Prefill_RefusesWhatDoesNotFit) {
  const std::unique_ptr<Decoder> decoder = Make(Small(), Precision::kBf16);
  std::unique_ptr<SequenceCache> cache = *decoder->NewCache(8);
  EXPECT_THAT(Message(decoder->Prefill(*cache, SomeTokens(9, 203), {})),
              HasSubstr("9 tokens after 0 do not fit a cache of 8 and a context of 512"));
  EXPECT_THAT(Message(decoder->Prefill(*cache, {}, {})), HasSubstr("1 to 256 tokens"));
  const std::vector<TokenId> unknown = {203};
  EXPECT_THAT(Message(decoder->Prefill(*cache, unknown, {})), HasSubstr("token 203 is not below"));
}

TEST_F(DecoderTest, Load_NamesTheTensorThatIsMissingOrMisshapen) {
  ModelConfig config = Small();
  Make(config, Precision::kBf16);
  config.layers = 3;
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/config.json", DumpJson(config.ToJson())).ok());
  EXPECT_THAT(Message(Decoder::Load(directory_, {}).status()),
              HasSubstr("model.safetensors: tensor model.layers.2.input_layernorm.weight is missing"));
  config = Small();
  config.kv_heads = 3;
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/config.json", DumpJson(config.ToJson())).ok());
  EXPECT_THAT(Message(Decoder::Load(directory_, {}).status()),
              HasSubstr("k_proj.weight has shape [20, 48], not [30, 48]"));
}

// The options of the released families, and Grok-2 in both conventions.
std::vector<std::pair<const char*, ModelConfig>> Architectures() {
  std::vector<std::pair<const char*, ModelConfig>> cases;
  ModelConfig config = Small();
  config.qkv_bias = config.output_bias = config.mlp_bias = true;
  config.rope_scaling = {RopeScaling::Kind::kLlama3, 8.0, 64};
  cases.emplace_back("llama3 with biases", config);
  config = Small();
  config.model_type = "mistral";
  config.sliding_window = 20;
  config.rope_scaling = {RopeScaling::Kind::kLinear, 2.0};
  cases.emplace_back("mistral", config);
  config = Small();
  config.model_type = "qwen2";
  config.qkv_bias = true;
  config.sliding_window = 9;
  config.first_window_layer = 1;
  cases.emplace_back("qwen2", config);
  config = Small();
  config.model_type = "qwen3";
  config.qk_norm = true;
  config.head_dim = 14;
  config.rope_scaling = {RopeScaling::Kind::kYarn, 4.0, 32};
  config.rope_scaling.attention_factor = 1.1;
  cases.emplace_back("qwen3", config);
  config = Small();
  config.architecture = Architecture::kGrok2;
  config.model_type = "grok2";
  config.head_dim = 8;
  config.experts = 8;
  config.experts_per_token = 2;
  config.expert_intermediate = 40;
  config.embedding_multiplier = 5.0;
  config.output_multiplier = 0.5;
  config.attention_cap = 3.0;
  config.router_cap = 2.0;
  config.final_cap = 6.0;
  cases.emplace_back("grok2", config);
  config.router = RouterConvention::kSglang;
  cases.emplace_back("grok2 as sglang", config);
  return cases;
}

TEST_F(DecoderTest, EveryArchitecture_MatchesThePlainForwardPassAndTheTrainersLogits) {
  const std::vector<TokenId> tokens = SomeTokens(90, 203);
  for (const auto& [name, config] : Architectures()) {
    SCOPED_TRACE(name);
    const std::unique_ptr<Decoder> decoder = Make(config, Precision::kF32, 2);
    const std::vector<double> expected = ReferenceLogits(config, weights_, tokens);
    EXPECT_LT(RelativeError(Run(*decoder, tokens, 0), expected), kF32Error);
    EXPECT_LT(RelativeError(Run(*decoder, tokens, 1), expected), kF32Error);
    EXPECT_LT(RelativeError(Run(*decoder, tokens, 70), expected), kF32Error);  // gathered by expert, on oneDNN
    const absl::StatusOr<std::unique_ptr<Model>> model =
        Model::Create(config, {ComputeType::kF32, 2, 1, static_cast<int64_t>(tokens.size()), false});
    ASSERT_TRUE(model.ok()) << Message(model.status());
    const absl::StatusOr<ModelFiles> files = ModelFiles::Open(directory_);
    ASSERT_TRUE(files.ok());
    ASSERT_TRUE(ReadWeights(files->reader(), **model).ok());
    std::vector<float> logits(expected.size());
    ASSERT_TRUE((*model)->Logits({1, static_cast<int64_t>(tokens.size()), tokens, {}, {}}, false, logits).ok());
    EXPECT_LT(RelativeError(logits, expected), kF32Error);
  }
}

TEST_F(DecoderTest, Mixture_DoesNotDependOnThreadsNorOnTheOtherSequencesOfTheStep) {
  const ModelConfig config = Architectures()[4].second;
  const std::vector<TokenId> tokens = SomeTokens(60, 203);
  const std::vector<float> one = Run(*Make(config, Precision::kBf16, 1), tokens, 40);
  EXPECT_EQ(Run(*Make(config, Precision::kBf16, 3), tokens, 40), one);
  const std::unique_ptr<Decoder> decoder = Make(config, Precision::kBf16, 2);
  std::vector<float> alone;
  for (const size_t company : {1, 7, 40}) {
    std::vector<std::unique_ptr<SequenceCache>> caches;
    std::vector<SequenceCache*> pointers;
    for (size_t i = 0; i < company; ++i) {
      caches.push_back(*decoder->NewCache(64));
      ASSERT_TRUE(decoder->Prefill(*caches.back(), SomeTokens(3 + i, 203), {}).ok());
      pointers.push_back(caches.back().get());
    }
    std::vector<float> together(company * 203);
    const std::vector<TokenId> next = SomeTokens(company, 203);
    ASSERT_TRUE(decoder->Decode(pointers, next, together).ok());
    together.resize(203);
    if (alone.empty()) alone = together;
    EXPECT_EQ(together, alone) << company;
  }
}

// Made by testdata/make_golden.py with Hugging Face's LlamaForCausalLM.
TEST_F(DecoderTest, Golden_LogitsAreThoseOfHuggingFace) {
  const std::string golden = std::string(RHODES_SOURCE_DIR) + "/src/infer/testdata/tiny_llama";
  const absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Open(golden + "/golden.safetensors");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<std::unique_ptr<Decoder>> decoder = Decoder::Load(golden, {Precision::kF32, 1});
  ASSERT_TRUE(decoder.ok()) << decoder.status();
  const int64_t vocabulary = (*decoder)->config().vocabulary_size;
  const TensorView ids = file->tensors().at("tokens");
  const TensorView stored = file->tensors().at("logits");
  std::vector<TokenId> tokens(static_cast<size_t>(ids.elements()));
  std::memcpy(tokens.data(), ids.bytes.data(), ids.bytes.size());
  ASSERT_EQ(stored.elements(), ids.elements() * vocabulary);
  std::vector<float> expected(static_cast<size_t>(stored.elements()));
  ASSERT_TRUE(ReadAsFloat(stored, expected).ok());
  const std::vector<double> wide(expected.begin(), expected.end());
  EXPECT_LT(RelativeError(Run(**decoder, tokens, 0), wide), kF32Error);
  EXPECT_LT(RelativeError(Run(**decoder, tokens, tokens.size()), wide), kF32Error);
}

}  // namespace
}  // namespace rhodes
