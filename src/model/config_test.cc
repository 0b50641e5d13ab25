#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

using ::testing::HasSubstr;

ModelConfig Small() {
  ModelConfig config;
  config.vocabulary_size = 512;
  config.hidden_size = 64;
  config.intermediate_size = 160;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.max_positions = 128;
  config.eos_id = 0;
  return config;
}

TEST(ModelConfig, ToJson_ReadBackIsTheSame) {
  ModelConfig config = Small();
  config.rope_theta = 1e6;
  config.tie_embeddings = false;
  const absl::StatusOr<ModelConfig> read = ModelConfig::FromJson(config.ToJson(), "config.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, config);
}

TEST(ModelConfig, ParameterCount_CountsEachTensorOnce) {
  ModelConfig config = Small();
  const int64_t layer = 64 + 64 * 64 + 2 * (32 * 64) + 64 * 64 + 64 + 3 * 64 * 160;
  EXPECT_EQ(config.ParameterCount(), 512 * 64 + 2 * layer + 64);
  config.tie_embeddings = false;
  EXPECT_EQ(config.ParameterCount(), 2 * 512 * 64 + 2 * layer + 64);
}

TEST(ModelConfig, FromJson_FillsWhatHuggingFaceLeavesOut) {
  Json json = Small().ToJson();
  json.erase("num_key_value_heads");
  json.erase("head_dim");
  json["eos_token_id"] = Json::array({7, 8});
  const absl::StatusOr<ModelConfig> read = ModelConfig::FromJson(json, "config.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->kv_heads, 4);
  EXPECT_EQ(read->head_dim, 16);
  EXPECT_EQ(read->eos_id, 7);
}

TEST(ModelConfig, FromJson_ReadsTheKeysOfTransformers5) {
  Json json = Small().ToJson();
  json.erase("rope_theta");
  json.erase("rope_scaling");
  json.erase("torch_dtype");
  json["rope_parameters"] = {{"rope_theta", 5e5}, {"rope_type", "default"}};
  json["dtype"] = "float16";
  const absl::StatusOr<ModelConfig> read = ModelConfig::FromJson(json, "config.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rope_theta, 5e5);
  EXPECT_EQ(read->torch_dtype, "float16");
  json["rope_parameters"]["rope_type"] = "llama3";
  EXPECT_EQ(Message(ModelConfig::FromJson(json, "c").status()),
            "c: rope_type is \"llama3\": rotary scaling is not computed");
}

TEST(ModelConfig, FromJson_NamesTheKeyThatIsWrong) {
  struct Case {
    const char* key;
    Json value;
    const char* message;
  };
  for (const Case& wrong :
       {Case{"hidden_size", nullptr, "c.json: hidden_size is missing"},
        {"hidden_size", "wide", "c.json: hidden_size is \"wide\", not an integer"},
        {"hidden_size", 0, "c.json: hidden_size is 0, not between 1 and"},
        {"num_attention_heads", 3, "num_attention_heads 3 is not a multiple of num_key_value_heads 2"},
        {"head_dim", 15, "head_dim 15 is odd"},
        {"model_type", "gpt2", "model_type is \"gpt2\": only \"llama\" is known"},
        {"hidden_act", "gelu", "only \"silu\" is computed"},
        {"attention_bias", true, "biases are not computed"},
        {"rope_scaling", Json{{"rope_type", "yarn"}}, "rotary scaling is not computed"},
        {"rope_theta", -1.0, "rope_theta -1 is not a positive number"},
        {"eos_token_id", 512, "eos_token_id 512 is not below vocab_size 512"}}) {
    Json json = Small().ToJson();
    json[wrong.key] = wrong.value;
    const absl::StatusOr<ModelConfig> read = ModelConfig::FromJson(json, "c.json");
    ASSERT_FALSE(read.ok()) << wrong.key;
    EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(read.status()), HasSubstr(wrong.message));
  }
}

}  // namespace
}  // namespace rhodes
