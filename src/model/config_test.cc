#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

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
  json["rope_parameters"]["rope_type"] = "longrope";
  json["rope_parameters"]["factor"] = 2.0;
  EXPECT_THAT(Message(ModelConfig::FromJson(json, "c").status()), HasSubstr("c: rope_type is \"longrope\": only"));
}

// The keys of the released files (shapes made small), each written and read back.
TEST(ModelConfig, FromJson_ReadsTheReleasedFamilies) {
  const Json llama3 = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"rope_theta", 500000.0},
                       {"head_dim", 16},
                       {"attention_bias", false},
                       {"mlp_bias", false},
                       {"rope_scaling",
                        {{"factor", 32.0},
                         {"high_freq_factor", 4.0},
                         {"low_freq_factor", 1.0},
                         {"original_max_position_embeddings", 64},
                         {"rope_type", "llama3"}}}};
  const Json mistral = {{"architectures", {"MistralForCausalLM"}}, {"model_type", "mistral"}, {"sliding_window", 32}};
  const Json qwen2 = {{"architectures", {"Qwen2ForCausalLM"}},
                      {"model_type", "qwen2"},
                      {"use_sliding_window", true},
                      {"sliding_window", 40},
                      {"max_window_layers", 1}};
  const Json qwen3 = {
      {"architectures", {"Qwen3ForCausalLM"}},
      {"model_type", "qwen3"},
      {"attention_bias", false},
      {"use_sliding_window", false},
      {"sliding_window", nullptr},
      {"max_window_layers", 2},
      {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}}}};
  Json shape = {{"vocab_size", 512},
                {"hidden_size", 64},
                {"intermediate_size", 160},
                {"num_hidden_layers", 2},
                {"num_attention_heads", 4},
                {"num_key_value_heads", 2},
                {"max_position_embeddings", 128},
                {"tie_word_embeddings", true},
                {"hidden_act", "silu"}};
  const auto read = [&](const Json& family) {
    Json json = shape;
    json.update(family);
    absl::StatusOr<ModelConfig> config = ModelConfig::FromJson(json, "c");
    EXPECT_TRUE(config.ok()) << Message(config.status());
    const absl::StatusOr<ModelConfig> again = ModelConfig::FromJson(config->ToJson(), "c");
    EXPECT_TRUE(again.ok()) << Message(again.status());
    EXPECT_EQ(*config, *again);
    return *config;
  };
  const RopeScaling scaling = read(llama3).rope_scaling;
  EXPECT_EQ(scaling.kind, RopeScaling::Kind::kLlama3);
  EXPECT_EQ(scaling.factor, 32);
  EXPECT_EQ(scaling.original_positions, 64);
  EXPECT_EQ(read(mistral).WindowOf(0), 32);
  const ModelConfig two = read(qwen2);
  EXPECT_TRUE(two.qkv_bias);
  EXPECT_FALSE(two.output_bias);
  EXPECT_EQ(two.WindowOf(0), 0);
  EXPECT_EQ(two.WindowOf(1), 40);
  const ModelConfig three = read(qwen3);
  EXPECT_TRUE(three.qk_norm);
  EXPECT_EQ(three.sliding_window, 0);
  EXPECT_NEAR(three.rope_scaling.attention_factor, 0.1 * std::log(4.0) + 1, 1e-12);
}

Json SmallGrok2() {
  return {{"architectures", {"Grok1ForCausalLM"}},
          {"model_type", "git"},  // as in the released file
          {"vocab_size", 512},
          {"hidden_size", 64},
          {"intermediate_size", 128},
          {"moe_intermediate_size", 64},
          {"max_position_embeddings", 128},
          {"num_experts_per_tok", 2},
          {"num_local_experts", 8},
          {"residual_moe", true},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"num_hidden_layers", 2},
          {"head_dim", 16},
          {"rms_norm_eps", 1e-5},
          {"final_logit_softcapping", 50},
          {"attn_logit_softcapping", 30.0},
          {"router_logit_softcapping", 30.0},
          {"rope_theta", 208533496},
          {"attn_temperature_len", 1024},
          {"rope_type", "original"},
          {"original_max_position_embeddings", 64},
          {"scaling_factor", 16.0},
          {"embedding_multiplier_scale", 8.0},
          {"output_multiplier_scale", 0.5},
          {"torch_dtype", "bfloat16"}};
}

TEST(ModelConfig, FromJson_ReadsGrok2) {
  const absl::StatusOr<ModelConfig> config = ModelConfig::FromJson(SmallGrok2(), "c");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  EXPECT_EQ(config->architecture, Architecture::kGrok2);
  EXPECT_EQ(config->experts, 8);
  EXPECT_EQ(config->experts_per_token, 2);
  EXPECT_EQ(config->expert_intermediate, 64);
  EXPECT_EQ(config->embedding_multiplier, 8);
  EXPECT_EQ(config->output_multiplier, 0.5);
  EXPECT_EQ(config->final_cap, 50);
  EXPECT_EQ(config->router_cap, 30);
  EXPECT_FALSE(config->tie_embeddings);
  // llama.cpp's convention, unless asked otherwise.
  EXPECT_EQ(config->ComputedRouterCap(), 0);
  EXPECT_TRUE(config->RenormalizesExperts());
  const absl::StatusOr<ModelConfig> again = ModelConfig::FromJson(config->ToJson(), "c");
  ASSERT_TRUE(again.ok()) << Message(again.status());
  EXPECT_EQ(*config, *again);
  EXPECT_FALSE(config->router_aux_loss.has_value());
  Json other = SmallGrok2();
  other["router_aux_loss_coef"] = nullptr;  // as good as absent in Hugging Face's files
  EXPECT_FALSE(ModelConfig::FromJson(other, "c")->router_aux_loss.has_value());
  for (const double coefficient : {0.0, 0.02}) {  // 0 says that there is to be no such loss, and is written again
    other["router_aux_loss_coef"] = coefficient;
    EXPECT_EQ(ModelConfig::FromJson(other, "c")->router_aux_loss, coefficient);
    EXPECT_EQ(ModelConfig::FromJson(other, "c")->ToJson()["router_aux_loss_coef"], coefficient);
  }
  other["router_convention"] = "sglang";
  EXPECT_EQ(ModelConfig::FromJson(other, "c")->ComputedRouterCap(), 30);
  for (const auto& [key, value, message] :
       {std::tuple{"num_experts_per_tok", Json(9), "num_experts_per_tok is 9, not between 1 and 8"},
        std::tuple{"head_dim", Json(8), "num_attention_heads 4 times head_dim 8 is not hidden_size 64"},
        std::tuple{"residual_moe", Json(false), "residual_moe is false"},
        std::tuple{"router_aux_loss_coef", Json(-0.5), "router_aux_loss_coef -0.5 is not a positive number"},
        std::tuple{"rope_type", Json("yarn"), "rope_type is \"yarn\""},
        std::tuple{"router_convention", Json("other"), "router_convention is \"other\""}}) {
    Json wrong = SmallGrok2();
    wrong[key] = value;
    EXPECT_THAT(Message(ModelConfig::FromJson(wrong, "c").status()), HasSubstr(message));
  }
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
        {"num_attention_heads", 3, "hidden_size 64 is not a multiple of num_attention_heads 3: the heads must divide"},
        {"num_key_value_heads", 3, "num_attention_heads 4 is not a multiple of num_key_value_heads 3"},
        {"head_dim", 15, "head_dim 15 is odd"},
        {"model_type", "gpt2", "model_type is \"gpt2\": only \"llama\", \"mistral\""},
        {"hidden_act", "gelu", "only \"silu\" is computed"},
        {"attention_bias", 1, "attention_bias is 1, not true or false"},
        {"rope_scaling", Json{{"rope_type", "linear"}}, "c.json: factor is missing"},
        {"rope_scaling", Json{{"rope_type", "linear"}, {"factor", -1.0}}, "factor -1 is not a positive number"},
        {"sliding_window", 7, "sliding_window is 7: the family \"llama\" has none"},
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
