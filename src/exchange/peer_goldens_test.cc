// Logits that llama.cpp and transformers gave for models exported from here (bench/peers/llama_cpp.py), beside ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "exchange/exchange.h"
#include "exchange/logits.h"
#include "model/parameters.h"
#include "model/safetensors.h"

namespace rhodes {
namespace {

const std::string kSource = RHODES_SOURCE_DIR;

// The formula of bench/peers/llama_cpp.py.
double Formula(double tensor, double index, double scale) {
  return scale *
         std::sin(1.0 + 0.7 * tensor + 0.37 * index + 0.011 * std::fmod(index * 7919.0 + tensor * 104729.0, 1009.0));
}

void WriteFolder(const std::string& folder, const Json& golden) {
  ASSERT_TRUE(RemoveTree(folder).ok());
  ASSERT_TRUE(CreateDirectories(folder).ok());
  const absl::StatusOr<ModelConfig> config = ModelConfig::FromJson(golden.at("config"), "golden");
  ASSERT_TRUE(config.ok()) << config.status();
  const ParameterLayout layout(*config);
  std::map<std::string, Parameter> sorted;
  for (const Parameter& parameter : layout.parameters()) sorted.emplace(parameter.name, parameter);
  std::vector<std::vector<float>> values;
  std::vector<NamedTensor> tensors;
  values.reserve(sorted.size());
  for (const auto& [name, parameter] : sorted) {
    const double number = static_cast<double>(values.size());
    std::vector<float>& of = values.emplace_back();
    for (int64_t i = 0; i < parameter.size(); ++i) {
      const double index = static_cast<double>(i);
      of.push_back(static_cast<float>(parameter.matrix() ? Formula(number, index, 0.25)
                                                         : 1.0 + 0.1 * Formula(number, index, 1.0)));
    }
    tensors.push_back(
        {parameter.name,
         {DType::kF32, parameter.shape(), {reinterpret_cast<const char*>(of.data()), of.size() * sizeof(float)}}});
  }
  ASSERT_TRUE(WriteSafetensors(folder + "/model.safetensors", tensors).ok());
  ASSERT_TRUE(WriteFileAtomically(folder + "/config.json", DumpJson(golden.at("config"))).ok());
  const std::string tokenizer = kSource + "/src/token/testdata/" + golden.at("tokenizer").get<std::string>() + ".json";
  ASSERT_TRUE(WriteFileAtomically(folder + "/tokenizer.json", *ReadFile(tokenizer)).ok());
}

std::vector<float> LogitsOf(const std::string& path, const std::vector<TokenId>& tokens, bool last_only) {
  LogitsOptions options;
  options.last_only = last_only;
  const absl::StatusOr<TokenLogits> logits = ComputeLogits(path, tokens, options);
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits->values;
}

class PeerGoldens : public testing::Test {
 protected:
  const Json goldens_ = *ReadJsonFile(kSource + "/src/exchange/testdata/peer_goldens.json");
  const std::vector<TokenId> tokens_ = goldens_.at("tokens").get<std::vector<TokenId>>();
};

TEST_F(PeerGoldens, LogitsAreThoseOfLlamaCppAndTransformers) {
  for (const auto& [name, golden] : goldens_.at("cases").items()) {
    const std::string folder = testing::TempDir() + "peer_" + name;
    ASSERT_NO_FATAL_FAILURE(WriteFolder(folder, golden));
    const std::vector<float> logits = LogitsOf(folder, tokens_, false);
    const size_t vocabulary = logits.size() / tokens_.size();
    for (const char* peer : {"llama_cpp", "transformers"}) {
      if (!golden.contains(peer)) continue;  // transformers has no Grok-2
      double largest = 0, error = 0;
      for (size_t i = 0; i < goldens_.at("positions").size(); ++i) {
        const size_t position = goldens_.at("positions")[i].get<size_t>();
        const auto expected = golden.at(peer)[i].get<std::vector<double>>();
        const size_t step = goldens_.at("step").get<size_t>();
        ASSERT_EQ(expected.size(), vocabulary / step);
        for (size_t stored = 0; stored < expected.size(); ++stored) {
          const double ours = static_cast<double>(logits[position * vocabulary + stored * step]);
          largest = std::max(largest, std::abs(expected[stored]));
          error = std::max(error, std::abs(expected[stored] - ours));
        }
      }
      // f32 sums in another order, and goldens rounded to 5 digits; llama.cpp takes GELU from a table of f16. 1e-3 is
      // what is asked for.
      EXPECT_LT(error / largest, golden.at("config").at("model_type") == "grok2" ? 5e-4 : 5e-5) << name << " " << peer;
    }
  }
}

TEST_F(PeerGoldens, GreedyTextIsTheirsFromTheFolderAndFromTheFile) {
  for (const auto& [name, golden] : goldens_.at("cases").items()) {
    const std::string folder = testing::TempDir() + "peer_" + name;
    ASSERT_NO_FATAL_FAILURE(WriteFolder(folder, golden));
    const absl::StatusOr<ExchangeReport> report = ExportGguf(folder, folder + ".gguf", GgmlType::kF32);
    ASSERT_TRUE(report.ok()) << report.status();
    const auto expected = golden.at("greedy").get<std::vector<TokenId>>();
    for (const std::string& path : {folder, folder + ".gguf"}) {
      std::vector<TokenId> ids(tokens_.begin(), tokens_.begin() + 3);
      while (ids.size() < expected.size()) {
        const std::vector<float> logits = LogitsOf(path, ids, true);
        ids.push_back(static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
      }
      EXPECT_EQ(ids, expected) << path;
    }
  }
}

TEST(Logits, TokensThatAreNoneAreRefused) {
  EXPECT_EQ(*ParseTokenIds(" 1 2,3\n"), (std::vector<TokenId>{1, 2, 3}));
  EXPECT_EQ(Message(ParseTokenIds("1 x2").status()), "tokens: \"x2\" is no token id");
  EXPECT_EQ(Message(ParseTokenIds("-1").status()), "tokens: \"-1\" is no token id");
}

}  // namespace
}  // namespace rhodes
