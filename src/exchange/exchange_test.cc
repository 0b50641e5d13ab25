#include "exchange/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/file.h"
#include "exchange/tokenizer_files.h"
#include "model/gguf_model.h"
#include "model/open_model.h"
#include "model/parameters.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

const std::string kData = std::string(RHODES_SOURCE_DIR) + "/src";

std::string Scratch(const std::string& name) {
  const std::string path = testing::TempDir() + "exchange_" + name;
  EXPECT_TRUE(RemoveTree(path).ok());
  return path;
}

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocabulary_size = 512;
  config.hidden_size = 64;
  config.intermediate_size = 96;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 16;
  config.max_positions = 128;
  config.bos_id = config.eos_id = 511;
  config.torch_dtype = "float32";
  return config;
}

using Weights = std::map<std::string, std::vector<float>>;

// Any values, all different.
Weights MakeWeights(const ModelConfig& config) {
  Weights weights;
  const ParameterLayout layout(config);
  float next = 0;
  for (const Parameter& parameter : layout.parameters()) {
    std::vector<float>& values = weights[parameter.name];
    for (int64_t i = 0; i < parameter.size(); ++i) values.push_back(std::sin(next += 1.0f));
  }
  return weights;
}

TensorView ViewOf(const Parameter& parameter, const std::vector<float>& values) {
  return {DType::kF32, parameter.shape(), {reinterpret_cast<const char*>(values.data()), values.size() * 4}};
}

// Writes a model folder; the weights in `shards` files.
std::string WriteFolder(const std::string& name, const ModelConfig& config, const Weights& weights, size_t shards = 1) {
  const std::string folder = Scratch(name);
  EXPECT_TRUE(CreateDirectories(folder).ok());
  EXPECT_TRUE(WriteFileAtomically(folder + "/config.json", DumpJson(config.ToJson())).ok());
  EXPECT_TRUE(WriteFileAtomically(folder + "/tokenizer.json", *ReadFile(kData + "/token/testdata/llama3.json")).ok());
  const Json tokenizer_config = {{"bos_token", "<|endoftext|>"}, {"chat_template", "{{ messages }}"}};
  EXPECT_TRUE(WriteFileAtomically(folder + "/tokenizer_config.json", DumpJson(tokenizer_config)).ok());
  std::vector<std::vector<NamedTensor>> files(shards);
  Json map = Json::object();
  const ParameterLayout layout(config);
  size_t at = 0;
  for (const Parameter& parameter : layout.parameters()) {
    const size_t shard = at++ % shards;
    files[shard].push_back({parameter.name, ViewOf(parameter, weights.at(parameter.name))});
    map[parameter.name] = fmt::format("model-{}.safetensors", shard);
  }
  if (shards == 1) {
    EXPECT_TRUE(WriteSafetensors(folder + "/model.safetensors", files[0]).ok());
    return folder;
  }
  for (size_t i = 0; i < shards; ++i) {
    EXPECT_TRUE(WriteSafetensors(fmt::format("{}/model-{}.safetensors", folder, i), files[i]).ok());
  }
  EXPECT_TRUE(WriteFileAtomically(folder + "/model.safetensors.index.json", DumpJson(Json{{"weight_map", map}})).ok());
  return folder;
}

Weights ReadAll(const std::string& path) {
  const absl::StatusOr<OpenedModel> model = OpenModel(path);
  EXPECT_TRUE(model.ok()) << model.status();
  Weights weights;
  if (!model.ok()) return weights;
  const ParameterLayout layout(model->config);
  for (const Parameter& parameter : layout.parameters()) {
    std::vector<float>& values = weights[parameter.name];
    values.resize(static_cast<size_t>(parameter.size()));
    EXPECT_TRUE(ReadWeight(*model->weights, parameter.name, parameter.shape(), values).ok());
  }
  return weights;
}

TEST(Exchange, ExportAndImport_F32ComesBackBitForBit) {
  ModelConfig config = SmallConfig();
  config.tie_embeddings = false;
  config.rope_theta = 500000.0;
  config.rms_epsilon = 1e-6;
  const Weights weights = MakeWeights(config);
  const std::string folder = WriteFolder("bits", config, weights);
  const std::string gguf = Scratch("bits.gguf");
  const absl::StatusOr<ExchangeReport> report = ExportGguf(folder, gguf, GgmlType::kF32);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->architecture, "llama");
  EXPECT_EQ(report->parameters, config.ParameterCount());
  EXPECT_EQ(report->tokens, 512u);
  EXPECT_EQ(ReadAll(gguf), weights);
  const std::string back = Scratch("bits_back");
  ASSERT_TRUE(ImportModel(gguf, back).ok());
  EXPECT_EQ(ReadAll(back), weights);
  const ModelConfig read = *ModelConfig::Load(back + "/config.json");
  EXPECT_EQ(read, config);
}

// Configurations of the families, each with what it alone has. None has a setting that GGUF files do not carry.
std::vector<ModelConfig> Families() {
  std::vector<ModelConfig> all;
  ModelConfig config = SmallConfig();
  config.qkv_bias = config.output_bias = config.mlp_bias = true;
  config.rope_scaling.kind = RopeScaling::Kind::kLlama3;
  config.rope_scaling.factor = 8;
  config.rope_scaling.original_positions = 32;
  all.push_back(config);
  config = SmallConfig();
  config.rope_scaling.kind = RopeScaling::Kind::kYarn;
  config.rope_scaling.factor = 4;
  config.rope_scaling.original_positions = 32;
  config.rope_scaling.attention_factor = 1.25;
  all.push_back(config);
  config = SmallConfig();
  config.model_type = "qwen2";
  config.qkv_bias = true;
  config.rope_scaling.kind = RopeScaling::Kind::kLinear;
  config.rope_scaling.factor = 2;
  all.push_back(config);
  config = SmallConfig();
  config.model_type = "qwen3";
  config.qk_norm = true;
  config.head_dim = 32;
  all.push_back(config);
  config = SmallConfig();
  config.architecture = Architecture::kGrok2;
  config.model_type = "grok2";
  config.tie_embeddings = false;
  config.experts = 4;
  config.experts_per_token = 2;
  config.expert_intermediate = 32;
  config.embedding_multiplier = 8;
  config.output_multiplier = 0.5;
  config.attention_cap = config.router_cap = 30;
  config.final_cap = 50;
  config.attention_temperature = 1024;
  all.push_back(config);
  return all;
}

TEST(Exchange, ExportAndImport_EveryFamilyComesBackBitForBit) {
  for (const ModelConfig& config : Families()) {
    const Weights weights = MakeWeights(config);
    const std::string folder = WriteFolder("family", config, weights);
    const std::string gguf = Scratch("family.gguf");
    const absl::StatusOr<ExchangeReport> report = ExportGguf(folder, gguf, GgmlType::kF32);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(ReadAll(gguf), weights) << config.model_type;
    const std::string back = Scratch("family_back");
    ASSERT_TRUE(ImportModel(gguf, back).ok());
    EXPECT_EQ(ReadAll(back), weights) << config.model_type;
    EXPECT_EQ(*ReadFile(back + "/config.json"), DumpJson(config.ToJson(), 2) + "\n");
  }
}

TEST(Exchange, Export_SaysWhatLlamaCppComputesOtherwise) {
  const auto notes = [](const ModelConfig& config) {
    const std::string folder = WriteFolder("notes", config, MakeWeights(config));
    return ExportGguf(folder, Scratch("notes.gguf"), GgmlType::kF32)->notes;
  };
  ModelConfig config = SmallConfig();
  config.model_type = "mistral";
  EXPECT_THAT(notes(config), testing::IsEmpty());
  config.sliding_window = 64;
  EXPECT_THAT(notes(config), testing::ElementsAre("all positions are attended to, not the last 64"));
  config = Families().back();
  EXPECT_THAT(notes(config), testing::IsEmpty());
  config.router = RouterConvention::kSglang;
  EXPECT_THAT(notes(config), testing::ElementsAre(HasSubstr("router_convention \"sglang\"")));
  config = Families()[3];
  config.rope_scaling.kind = RopeScaling::Kind::kLlama3;
  config.rope_scaling.original_positions = 32;
  const std::string folder = WriteFolder("notes", config, MakeWeights(config));
  EXPECT_THAT(Message(ExportGguf(folder, Scratch("notes.gguf"), GgmlType::kF32).status()),
              HasSubstr("llama.cpp's qwen3 does not compute this model: rope_scaling llama3"));
}

// A file as llama.cpp's converter writes Llama 3: factors, and no word of what they were made from.
TEST(Exchange, Import_Llama3FactorsOfOtherProgramsAreUnderstood) {
  ModelConfig config = SmallConfig();
  config.rope_theta = 500000;
  config.rope_scaling.kind = RopeScaling::Kind::kLlama3;
  config.rope_scaling.factor = 32;
  config.rope_scaling.original_positions = 8192;
  const auto write = [&] {
    const std::shared_ptr<const WeightSource> weights =
        OpenModel(WriteFolder("factors", config, MakeWeights(config)))->weights;
    GgufWriter writer;
    ModelConfig plain = config;
    plain.rope_scaling = RopeScaling();
    EXPECT_TRUE(AddGgufConfig(plain, "x", GgmlType::kF32, writer).ok());
    EXPECT_TRUE(AddGgufWeights(config, weights, GgmlType::kF32, writer).ok());
    const std::string path = Scratch("factors.gguf");
    EXPECT_TRUE(writer.Write(path).ok());
    return path;
  };
  const absl::StatusOr<OpenedModel> model = OpenModel(write());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->config.rope_scaling, config.rope_scaling);
  config.rope_scaling.original_positions = 4096;
  EXPECT_THAT(Message(OpenModel(write()).status()), HasSubstr("tensor rope_freqs.weight: value "));
}

TEST(Exchange, Export_SameInputSameBytes) {
  const ModelConfig config = SmallConfig();
  const std::string folder = WriteFolder("same", config, MakeWeights(config));
  for (const GgmlType type : {GgmlType::kF32, GgmlType::kBf16, GgmlType::kQ8_0}) {
    ASSERT_TRUE(ExportGguf(folder, Scratch("one.gguf"), type).ok());
    const std::string one = *ReadFile(testing::TempDir() + "exchange_one.gguf");
    ASSERT_TRUE(ExportGguf(folder, Scratch("two.gguf"), type).ok());
    EXPECT_EQ(one, *ReadFile(testing::TempDir() + "exchange_two.gguf"));
  }
}

TEST(Exchange, Export_TypesKeepVectorsInF32AndRoundMatrices) {
  const ModelConfig config = SmallConfig();
  const Weights weights = MakeWeights(config);
  const std::string folder = WriteFolder("types", config, weights);
  // q8_0: half a step, and the f16 scale's rounding times 127.
  for (const auto& [type, most] : {std::pair{GgmlType::kBf16, 0x1p-8}, {GgmlType::kQ8_0, 0.0045}}) {
    const std::string gguf = Scratch("types.gguf");
    ASSERT_TRUE(ExportGguf(folder, gguf, type).ok());
    const Weights read = ReadAll(gguf);
    const ParameterLayout layout(config);
    for (const Parameter& parameter : layout.parameters()) {
      const std::vector<float>& before = weights.at(parameter.name);
      const std::vector<float>& after = read.at(parameter.name);
      if (!parameter.matrix()) {
        EXPECT_EQ(after, before);
      }
      for (size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(after[i], before[i], most) << parameter.name << " " << i;
    }
    // What is read from it goes back into the same file: rounding happens once.
    const std::string again = Scratch("again.gguf");
    const std::string back = Scratch("types_back");
    ASSERT_TRUE(ImportModel(gguf, back).ok());
    ASSERT_TRUE(ExportGguf(back, again, type).ok());
    EXPECT_EQ(ReadAll(again), read);
  }
}

TEST(Exchange, Import_ShardsBecomeOneFile) {
  const ModelConfig config = SmallConfig();
  const Weights weights = MakeWeights(config);
  const std::string folder = WriteFolder("shards", config, weights, 3);
  EXPECT_EQ(ReadAll(folder), weights);
  const std::string out = Scratch("shards_out");
  const absl::StatusOr<ExchangeReport> report = ImportModel(folder, out);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(ReadAll(out), weights);
  EXPECT_EQ(*ReadFile(out + "/tokenizer_config.json"), *ReadFile(folder + "/tokenizer_config.json"));
  EXPECT_FALSE(PathExists(out + "/model.safetensors.index.json"));
}

TEST(Exchange, Shards_AMissingOneIsNamed) {
  const ModelConfig config = SmallConfig();
  const std::string folder = WriteFolder("index", config, MakeWeights(config), 2);
  const std::string path = folder + "/model.safetensors.index.json";
  Json index = *ReadJsonFile(path);
  index["weight_map"]["model.norm.weight"] = "model-9.safetensors";
  ASSERT_TRUE(WriteFileAtomically(path, DumpJson(index)).ok());
  EXPECT_THAT(Message(OpenModel(folder).status()), HasSubstr("model-9.safetensors"));
}

// As Grok-2 is released: a tensor's parts, cut along either dimension, in several files without an index.
TEST(Exchange, Import_TensorsInPartsArePutTogether) {
  const ModelConfig config = SmallConfig();
  const Weights weights = MakeWeights(config);
  const std::string folder = WriteFolder("parts", config, weights);
  ASSERT_TRUE(RemoveTree(folder + "/model.safetensors").ok());
  std::vector<std::vector<NamedTensor>> files(2);
  std::vector<std::vector<float>> halves;
  halves.reserve(8);
  const ParameterLayout layout(config);
  for (const Parameter& parameter : layout.parameters()) {
    const std::vector<float>& values = weights.at(parameter.name);
    if (parameter.name != "model.layers.0.mlp.down_proj.weight") {
      files[0].push_back({parameter.name, ViewOf(parameter, values)});
      continue;
    }
    for (int64_t half = 0; half < 2; ++half) {
      std::vector<float>& part = halves.emplace_back();
      const int64_t columns = parameter.columns / 2;
      for (int64_t row = 0; row < parameter.rows; ++row) {
        const auto begin = values.begin() + row * parameter.columns + half * columns;
        part.insert(part.end(), begin, begin + columns);
      }
      TensorView view{DType::kF32, {parameter.rows, columns}, {}};
      view.bytes = {reinterpret_cast<const char*>(part.data()), part.size() * sizeof(float)};
      files[static_cast<size_t>(half)].push_back({parameter.name, view});
    }
  }
  for (size_t i = 0; i < files.size(); ++i) {
    ASSERT_TRUE(WriteSafetensors(fmt::format("{}/part-{}.safetensors", folder, i), files[i]).ok());
  }
  EXPECT_EQ(ReadAll(folder), weights);
  ASSERT_TRUE(ExportGguf(folder, Scratch("parts.gguf"), GgmlType::kF32).ok());
  EXPECT_EQ(ReadAll(testing::TempDir() + "exchange_parts.gguf"), weights);
}

TEST(Exchange, Export_ChatTemplateAndSpecialTokensComeBack) {
  const ModelConfig config = SmallConfig();
  const std::string folder = WriteFolder("chat", config, MakeWeights(config));
  const std::string gguf = Scratch("chat.gguf");
  ASSERT_TRUE(ExportGguf(folder, gguf, GgmlType::kF32).ok());
  const GgufFile file = *GgufFile::Open(gguf);
  EXPECT_EQ(*file.Integer("tokenizer.ggml.bos_token_id"), 511);
  EXPECT_EQ(*file.Integer("tokenizer.ggml.eos_token_id"), 511);
  EXPECT_EQ(*file.Integer("tokenizer.ggml.padding_token_id"), 511);
  EXPECT_EQ(*file.Boolean("tokenizer.ggml.add_bos_token"), true);
  EXPECT_EQ(*file.Text("tokenizer.ggml.pre"), "llama-bpe");
  EXPECT_EQ(*file.Text("tokenizer.chat_template"), "{{ messages }}");
  const TokenizerFiles files = *ReadTokenizerFiles(gguf, config);
  EXPECT_EQ(files.chat_template, "{{ messages }}");
  EXPECT_EQ(files.tokenizer_config.at("eos_token"), "<|endoftext|>");
  EXPECT_TRUE(files.add_bos);
}

TEST(Exchange, BeginOfText_IsWhatTheFilesSay) {
  const ModelConfig config = SmallConfig();
  const std::string folder = WriteFolder("bos", config, MakeWeights(config));
  const auto adds = [&](const Json& tokenizer_config, const std::string& processor) {
    std::string json = *ReadFile(kData + "/token/testdata/llama3.json");
    if (!processor.empty()) json.insert(1, "\"post_processor\": " + processor + ", ");
    EXPECT_TRUE(WriteFileAtomically(folder + "/tokenizer_config.json", DumpJson(tokenizer_config)).ok());
    EXPECT_TRUE(WriteFileAtomically(folder + "/tokenizer.json", json).ok());
    return ReadTokenizerFiles(folder, config)->add_bos;
  };
  const std::string puts =
      R"({"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing", "single":
      [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}]})";
  const std::string leaves = R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}]})";
  EXPECT_TRUE(adds(Json::object(), ""));
  EXPECT_FALSE(adds(Json{{"add_bos_token", false}}, puts));
  EXPECT_TRUE(adds(Json{{"add_bos_token", true}}, leaves));
  EXPECT_FALSE(adds(Json::object(), leaves));
  EXPECT_TRUE(adds(Json{{"tokenizer_class", "GPT2Tokenizer"}}, puts));
  EXPECT_FALSE(adds(Json{{"tokenizer_class", "GPT2Tokenizer"}}, ""));
}

// That files in this order give llama.cpp's logits is tested with the peer itself (bench/peers/llama_cpp.py), whose
// numbers src/infer/peer_goldens_test.cc compares.
TEST(Exchange, Gguf_QueryRowsAreInTheOrderOfLlamaCpp) {
  const ModelConfig config = SmallConfig();
  const Weights weights = MakeWeights(config);
  const std::string gguf = Scratch("order.gguf");
  ASSERT_TRUE(ExportGguf(WriteFolder("order", config, weights), gguf, GgmlType::kF32).ok());
  const GgufFile file = *GgufFile::Open(gguf);
  for (const auto& [ours, theirs] : {std::pair{"q_proj", "attn_q"}, {"k_proj", "attn_k"}}) {
    const std::vector<float>& before = weights.at(fmt::format("model.layers.1.self_attn.{}.weight", ours));
    const GgufTensor tensor = *file.Tensor(fmt::format("blk.1.{}.weight", theirs));
    std::vector<float> after(before.size());
    ASSERT_TRUE(ReadGgufValues(tensor, 0, after).ok());
    // conversion/llama.py: reshape(heads, 2, head_dim/2, columns).swapaxes(1, 2).
    const size_t columns = 64;
    for (size_t row = 0; row < before.size() / columns; ++row) {
      const size_t head = row / 16, half = row % 16 / 8, pair = row % 8;
      EXPECT_EQ(after[(head * 16 + pair * 2 + half) * columns], before[row * columns]) << row;
    }
  }
}

class BadModel : public testing::Test {
 protected:
  // What every command that reads the model says.
  std::string MessageOf(const std::string& folder) {
    const absl::Status exported = ExportGguf(folder, Scratch("bad.gguf"), GgmlType::kF32).status();
    const absl::Status imported = ImportModel(folder, Scratch("bad_out")).status();
    EXPECT_EQ(exported.code(), imported.code()) << exported << imported;
    EXPECT_FALSE(PathExists(testing::TempDir() + "exchange_bad.gguf"));
    EXPECT_FALSE(PathExists(testing::TempDir() + "exchange_bad.gguf.partial"));
    EXPECT_FALSE(PathExists(testing::TempDir() + "exchange_bad_out"));
    return Message(exported);
  }

  ModelConfig config_ = SmallConfig();
  Weights weights_ = MakeWeights(config_);
};

TEST_F(BadModel, TruncatedSafetensorsAreRefused) {
  const std::string folder = WriteFolder("cut", config_, weights_);
  const std::string bytes = *ReadFile(folder + "/model.safetensors");
  ASSERT_TRUE(WriteFileAtomically(folder + "/model.safetensors", bytes.substr(0, bytes.size() - 100)).ok());
  EXPECT_THAT(MessageOf(folder), HasSubstr("model.safetensors: tensor "));
  EXPECT_THAT(MessageOf(folder), HasSubstr("are not inside the"));
}

TEST_F(BadModel, NaNIsRefusedWithTensorAndPlace) {
  weights_["model.layers.1.mlp.up_proj.weight"][77] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(MessageOf(WriteFolder("nan", config_, weights_)),
              HasSubstr("tensor model.layers.1.mlp.up_proj.weight: value 77 is nan"));
  weights_["model.layers.1.mlp.up_proj.weight"][77] = 0;
  weights_["model.layers.0.self_attn.q_proj.weight"][70] = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(MessageOf(WriteFolder("inf", config_, weights_)),
              HasSubstr("tensor model.layers.0.self_attn.q_proj.weight: value 70 is -inf"));
}

TEST_F(BadModel, TokenizerLargerThanTheEmbeddingIsRefused) {
  config_.vocabulary_size = 500;
  config_.bos_id = config_.eos_id = 499;
  EXPECT_THAT(MessageOf(WriteFolder("small", config_, MakeWeights(config_))),
              HasSubstr("tokenizer.json: has 512 tokens, and the model's embedding 500 rows"));
}

TEST_F(BadModel, WeightsThatAreMissingMisshapenOrUnknownAreRefused) {
  const std::string folder = WriteFolder("shape", config_, weights_);
  const auto rewrite = [&](auto&& change) {
    std::vector<NamedTensor> tensors;
    const ParameterLayout layout(config_);
    for (const Parameter& parameter : layout.parameters()) {
      tensors.push_back({parameter.name, ViewOf(parameter, weights_.at(parameter.name))});
    }
    change(tensors);
    EXPECT_TRUE(WriteSafetensors(folder + "/model.safetensors", tensors).ok());
    return MessageOf(folder);
  };
  EXPECT_THAT(rewrite([](std::vector<NamedTensor>& t) { t.erase(t.begin()); }),
              HasSubstr("tensor model.embed_tokens.weight is missing"));
  EXPECT_THAT(rewrite([](std::vector<NamedTensor>& t) {
                t[0].tensor.shape = {256, 128};
              }),
              HasSubstr("tensor model.embed_tokens.weight has shape [256, 128], not [512, 64]"));
  EXPECT_THAT(rewrite([](std::vector<NamedTensor>& t) { t[0].name = "model.embed"; }),
              HasSubstr("tensor model.embed_tokens.weight is missing"));
  EXPECT_THAT(rewrite([](std::vector<NamedTensor>& t) {
                t.push_back(t[1]);
                t.back().name = "model.layers.0.self_attn.q_proj.lora";
              }),
              HasSubstr("tensor model.layers.0.self_attn.q_proj.lora: the model as it is computed here has none"));
}

TEST_F(BadModel, GgufBeyondItsEndIsRefused) {
  const std::string gguf = Scratch("whole.gguf");
  ASSERT_TRUE(ExportGguf(WriteFolder("whole", config_, weights_), gguf, GgmlType::kF32).ok());
  const std::string bytes = *ReadFile(gguf);
  ASSERT_TRUE(WriteFileAtomically(gguf, bytes.substr(0, bytes.size() / 2)).ok());
  EXPECT_THAT(MessageOf(gguf), HasSubstr("whole.gguf: tensor blk."));
  EXPECT_THAT(MessageOf(gguf), HasSubstr("are beyond the file's end"));
}

TEST_F(BadModel, NothingThereSaysSo) {
  EXPECT_THAT(MessageOf("/nowhere/model"), HasSubstr("model /nowhere/model: no such folder or file"));
}

TEST(Exchange, Import_OntoItselfIsRefused) {
  const ModelConfig config = SmallConfig();
  const std::string folder = WriteFolder("itself", config, MakeWeights(config));
  EXPECT_THAT(Message(ImportModel(folder, folder).status()), HasSubstr("are the same folder"));
  EXPECT_TRUE(PathExists(folder + "/model.safetensors"));
}

TEST(Exchange, WeightType_NamesTheKnownOnes) {
  EXPECT_EQ(*ParseGgufWeightType("q8_0"), GgmlType::kQ8_0);
  EXPECT_EQ(Message(ParseGgufWeightType("q4_k").status()), "type q4_k is not one of f32, bf16, q8_0");
}

}  // namespace
}  // namespace rhodes
