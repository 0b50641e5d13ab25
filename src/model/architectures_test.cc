// Every architecture and option against PyTorch's numbers (bench/peers/pytorch_architectures.py).
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "model/model.h"
#include "model/reference_forward.h"
#include "model/testing_goldens.h"

namespace rhodes {
namespace {

constexpr double kTolerance = 1e-5;

// A key's bias moves all scores of a query alike but for the rotary turn: its gradient is a small rest of large parts,
// of which f32 leaves more in doubt, and AdamW's first steps divide by its size.
double ToleranceOf(const Parameter& parameter) {
  return parameter.name.ends_with("k_proj.bias") ? 50 * kTolerance : kTolerance;
}

class ArchitectureGoldenTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Cases, ArchitectureGoldenTest,
                         testing::Values("llama3", "llama_biases", "mistral", "qwen2", "qwen3", "grok2",
                                         "grok2_sglang"));

// Weights by the script's formula, numbered by the alphabetic order of their names.
void FillWeights(Model& model) {
  std::map<std::string, const Parameter*> sorted;
  for (const Parameter& parameter : model.layout().parameters()) sorted[parameter.name] = &parameter;
  int64_t number = 0;
  for (const auto& [name, parameter] : sorted) {
    for (int64_t i = 0; i < parameter->size(); ++i) {
      model.weights()[static_cast<size_t>(parameter->offset + i)] =
          GoldenWeight(number, i, !parameter->matrix() && !parameter->bias());
    }
    ++number;
  }
  model.CommitWeights();
}

TEST_P(ArchitectureGoldenTest, ThreeTrainingStepsMatchPyTorchTo1e5) {
  const absl::StatusOr<Json> goldens = ReadJsonFile(RHODES_SOURCE_DIR "/src/model/testdata/architecture_goldens.json");
  ASSERT_TRUE(goldens.ok()) << Message(goldens.status());
  const Json& golden = (*goldens)[GetParam()];
  const absl::StatusOr<ModelConfig> config = ModelConfig::FromJson(golden["config"], "config");
  ASSERT_TRUE(config.ok()) << Message(config.status());
  const auto tokens = golden["tokens"].get<std::vector<uint32_t>>();
  const auto targets = golden["targets"].get<std::vector<uint32_t>>();
  const int64_t sequences = golden["sequences"];
  const int64_t length = static_cast<int64_t>(tokens.size()) / sequences;
  const TokenBatch batch{sequences, length, tokens, targets, {}};
  const absl::StatusOr<std::unique_ptr<Model>> made =
      Model::Create(*config, {ComputeType::kF32, 2, sequences, length, true});
  ASSERT_TRUE(made.ok()) << Message(made.status());
  Model& model = **made;
  FillWeights(model);

  std::vector<float> logits(tokens.size() * static_cast<size_t>(config->vocabulary_size));
  ASSERT_TRUE(model.Logits(batch, false, logits).ok());
  ExpectSizes(golden["logits"], logits, kTolerance, "logits");
  const auto first = golden["first_logits"].get<std::vector<double>>();
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(logits[i], first[i], kTolerance * 10) << i;

  const auto slice = [&](std::span<const float> all, const Parameter& p) {
    return all.subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
  };
  ASSERT_EQ(golden["gradients"].size(), model.layout().parameters().size());
  std::vector<float> m(model.weights().size()), v(m.size());
  const double count = static_cast<double>(tokens.size());
  for (size_t step = 0; step < golden["steps"].size(); ++step) {
    const absl::StatusOr<double> nats = model.ForwardBackward(batch, static_cast<float>(1 / count), false);
    ASSERT_TRUE(nats.ok()) << Message(nats.status());
    const double loss = golden["steps"][step]["loss"];
    const double norm = golden["steps"][step]["gradient_norm"];
    EXPECT_NEAR(*nats / count, loss, kTolerance * loss) << "step " << step;
    // AdamW's first steps move each weight by the rate whatever its gradient's size, so that the rounding of a gradient
    // near zero shows in the next one.
    EXPECT_NEAR(model.GradientNorm(), norm, (step == 0 ? 1 : 10) * kTolerance * norm) << "step " << step;
    if (step == 0) {
      for (const Parameter& p : model.layout().parameters()) {
        ExpectSizes(golden["gradients"][p.name], slice(model.gradients(), p), ToleranceOf(p), "gradient of " + p.name);
      }
    }
    Step(model, m, v, static_cast<int>(step) + 1, model.GradientNorm(), (*goldens)["adamw"]["clip"],
         (*goldens)["adamw"]["lr"]);
  }
  for (const Parameter& p : model.layout().parameters()) {
    ExpectSizes(golden["weights"][p.name], slice(model.weights(), p), ToleranceOf(p), "weights of " + p.name);
  }
}

TEST(RouterGoldens, GradientsOfAMixtureWithItsRoutersLossesMatchPyTorchTo1e5) {
  const absl::StatusOr<Json> goldens = ReadJsonFile(RHODES_SOURCE_DIR "/src/model/testdata/router_goldens.json");
  ASSERT_TRUE(goldens.ok()) << Message(goldens.status());
  for (const auto& [name, golden] : (*goldens)["models"].items()) {
    SCOPED_TRACE(name);
    const absl::StatusOr<ModelConfig> config = ModelConfig::FromJson(golden["config"], "config");
    ASSERT_TRUE(config.ok()) << Message(config.status());
    const auto tokens = golden["tokens"].get<std::vector<uint32_t>>();
    const auto targets = golden["targets"].get<std::vector<uint32_t>>();
    const int64_t sequences = golden["sequences"];
    const int64_t length = static_cast<int64_t>(tokens.size()) / sequences;
    ModelOptions options{ComputeType::kF32, 2, sequences, length, true};
    options.router_aux_loss = golden["aux"];
    options.router_z_loss = golden["z"];
    const absl::StatusOr<std::unique_ptr<Model>> model = Model::Create(*config, options);
    ASSERT_TRUE(model.ok()) << Message(model.status());
    FillWeights(**model);
    const double count = static_cast<double>(tokens.size());
    const absl::StatusOr<double> nats =
        (*model)->ForwardBackward({sequences, length, tokens, targets, {}}, static_cast<float>(1 / count), false);
    ASSERT_TRUE(nats.ok()) << Message(nats.status());
    EXPECT_NEAR(*nats / count, golden["loss"].get<double>(), kTolerance * *nats / count);
    for (const Parameter& p : (*model)->layout().parameters()) {
      ExpectSizes(golden["gradients"][p.name],
                  (*model)->gradients().subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size())),
                  kTolerance, "gradient of " + p.name);
    }
    const RouterStatistics router = (*model)->TakeRouterStatistics();
    EXPECT_NEAR(router.balance_loss(), golden["balance_loss"].get<double>(), 1e-5);
    EXPECT_NEAR(router.z_loss(), golden["z_loss"].get<double>(), kTolerance * golden["z_loss"].get<double>());
  }
}

// ---- against itself, and against the plain f64 model ----

// The routers' losses are on in all of these tests: large enough to show beside the cross-entropy.
constexpr RouterCoefficients kRouterCoefficients{0.5, 0.05};

struct Case {
  const char* name;
  ModelConfig config;
};

ModelConfig Tiny() {
  ModelConfig config;
  config.vocabulary_size = 23;
  config.hidden_size = 24;
  config.intermediate_size = 20;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 6;
  config.max_positions = 160;
  config.tie_embeddings = false;
  return config;
}

ModelConfig TinyGrok2(RouterConvention router = RouterConvention::kLlamaCpp) {
  ModelConfig config = Tiny();
  config.architecture = Architecture::kGrok2;
  config.model_type = "grok2";
  config.experts = 8;
  config.experts_per_token = 2;
  config.expert_intermediate = 10;
  config.embedding_multiplier = 3.0;
  config.output_multiplier = 0.8;
  config.attention_cap = 2.0;
  config.router_cap = 1.5;
  config.final_cap = 5.0;
  config.router = router;
  return config;
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {{"plain", Tiny()}};
  ModelConfig config = Tiny();
  config.qkv_bias = config.output_bias = config.mlp_bias = config.tie_embeddings = true;
  config.rope_scaling = {RopeScaling::Kind::kLinear, 2.0};
  cases.push_back({"biases", config});
  config = Tiny();
  config.model_type = "qwen2";
  config.qkv_bias = true;
  config.sliding_window = 3;
  config.first_window_layer = 1;
  cases.push_back({"qwen2", config});
  config = Tiny();
  config.model_type = "qwen3";
  config.qk_norm = true;
  config.head_dim = 10;
  config.rope_scaling = {RopeScaling::Kind::kYarn, 4.0, 16};
  config.rope_scaling.attention_factor = 1.1;
  cases.push_back({"qwen3", config});
  cases.push_back({"grok2", TinyGrok2()});
  cases.push_back({"grok2_sglang", TinyGrok2(RouterConvention::kSglang)});
  return cases;
}

std::unique_ptr<Model> Make(const ModelConfig& config, ModelOptions options) {
  options.router_aux_loss = kRouterCoefficients.aux;
  options.router_z_loss = kRouterCoefficients.z;
  absl::StatusOr<std::unique_ptr<Model>> model = Model::Create(config, options);
  EXPECT_TRUE(model.ok()) << Message(model.status());
  return *std::move(model);
}

std::vector<uint32_t> Ids(size_t count, uint32_t factor) {
  std::vector<uint32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = static_cast<uint32_t>((i * factor + i * i * 3 + 5) % 23);
  return ids;
}

TEST(Architectures, Backward_MatchesFiniteDifferencesInF64ForEveryTensor) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    NamedWeights weights = RandomWeights(c.config, 3);
    const auto model = Make(c.config, {ComputeType::kF32, 2, 1, 12, true});
    for (const Parameter& p : model->layout().parameters()) {
      std::copy(weights[p.name].begin(), weights[p.name].end(), model->weights().begin() + p.offset);
    }
    model->CommitWeights();
    const std::vector<uint32_t> tokens = Ids(12, 7), targets = Ids(12, 11);
    const TokenBatch batch{1, 12, tokens, targets, {}};
    const absl::StatusOr<double> loss = model->ForwardBackward(batch, 1.0f, false);
    ASSERT_TRUE(loss.ok()) << Message(loss.status());
    EXPECT_NEAR(*loss, ReferenceLoss(c.config, weights, tokens, targets), 1e-5 * *loss);  // cross-entropy alone
    const double whole = model->GradientNorm();
    for (const Parameter& p : model->layout().parameters()) {
      const auto gradient = model->gradients().subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
      double norm = 0;
      for (const float g : gradient) norm += double{g} * g;
      norm = std::sqrt(norm);
      // Along the gradient the derivative is its norm; along another direction it is their product. The difference
      // quotient's error is of the square of the step; the gradient's is f32's.
      std::vector<double> along(gradient.begin(), gradient.end()), across(gradient.size());
      for (size_t i = 0; i < across.size(); ++i) across[i] = std::sin(0.7 * static_cast<double>(i) + 1);
      for (const std::vector<double>& direction : {along, across}) {
        double size = 0, expected = 0;
        for (size_t i = 0; i < direction.size(); ++i) {
          size += direction[i] * direction[i];
          expected += direction[i] * gradient[i];
        }
        if (size == 0) continue;  // an expert that no token chose
        const double h = 1e-4 / std::sqrt(size);
        double losses[2];
        std::vector<double>& values = weights[p.name];
        const std::vector<double> before = values;
        for (const int side : {0, 1}) {
          for (size_t i = 0; i < values.size(); ++i) values[i] = before[i] + (side == 0 ? -h : h) * direction[i];
          losses[side] = ReferenceLoss(c.config, weights, tokens, targets, kRouterCoefficients);
        }
        values = before;
        EXPECT_NEAR((losses[1] - losses[0]) / (2 * h) / std::sqrt(size), expected / std::sqrt(size),
                    1e-4 * norm + 1e-6 * whole)
            << p.name;
      }
    }
  }
}

TEST(Architectures, Bf16_AgreesWithF32ToItsPrecision) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<uint32_t> tokens = Ids(300, 7), targets = Ids(300, 11);
    const TokenBatch batch{2, 150, tokens, targets, {}};
    const auto low = Make(c.config, {ComputeType::kBf16, 2, 2, 150, true});
    const auto full = Make(c.config, {ComputeType::kF32, 2, 2, 150, true});
    double losses[2];
    for (Model* model : {low.get(), full.get()}) {
      model->Initialize(5, 0.1f);
      const absl::StatusOr<double> loss = model->ForwardBackward(batch, 1.0f / 300, false);
      ASSERT_TRUE(loss.ok());
      losses[model == full.get() ? 1 : 0] = *loss;
    }
    EXPECT_NEAR(losses[0], losses[1], 3e-3 * losses[1]);
    double difference = 0, size = 0;
    for (size_t i = 0; i < full->gradients().size(); ++i) {
      difference += std::pow(low->gradients()[i] - full->gradients()[i], 2);
      size += std::pow(full->gradients()[i], 2);
    }
    // Rounding is relative 2^-9 an operation; where a router's choice is near, a row goes to another expert.
    const bool mixture = c.config.experts > 0;
    EXPECT_LT(std::sqrt(difference), (mixture ? 0.15 : 0.04) * std::sqrt(size));
  }
}

TEST(Architectures, Recompute_GivesTheSameBitsAndNeedsLessMemory) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<uint32_t> tokens = Ids(300, 7), targets = Ids(300, 11);
    const TokenBatch batch{2, 150, tokens, targets, {}};
    ModelOptions options{ComputeType::kBf16, 2, 2, 150, true};
    const auto plain = Make(c.config, options);
    const uint64_t bytes = Model::MemoryBytes(c.config, options);
    options.recompute = true;
    const auto again = Make(c.config, options);
    EXPECT_LT(Model::MemoryBytes(c.config, options), bytes);
    for (Model* model : {plain.get(), again.get()}) {
      model->Initialize(5, 0.1f);
      ASSERT_TRUE(model->ForwardBackward(batch, 1.0f / 300, false).ok());
    }
    EXPECT_TRUE(std::ranges::equal(plain->gradients(), again->gradients()));
    RouterStatistics once = plain->TakeRouterStatistics(), twice = again->TakeRouterStatistics();
    EXPECT_TRUE(std::ranges::equal(once.sums(), twice.sums()));
  }
}

TEST(Architectures, OnGradients_CoversTheArrayOnceAndOnlyWithFinalValues) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<uint32_t> tokens = Ids(40, 7), targets = Ids(40, 11);
    const TokenBatch batch{1, 40, tokens, targets, {}};
    const auto model = Make(c.config, {ComputeType::kF32, 2, 1, 40, true});
    model->Initialize(5, 0.1f);
    std::vector<float> seen(model->gradients().size(), NAN);
    int64_t count = 0;
    model->OnGradients([&](int64_t begin, int64_t end) {
      std::copy(model->gradients().begin() + begin, model->gradients().begin() + end, seen.begin() + begin);
      count += end - begin;
    });
    ASSERT_TRUE(model->ForwardBackward(batch, 1.0f / 40, false).ok());
    EXPECT_EQ(count, static_cast<int64_t>(seen.size()));
    EXPECT_TRUE(std::ranges::equal(seen, model->gradients()));
  }
}

TEST(Architectures, Accumulation_EqualsOneLargeBatch) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<uint32_t> tokens = Ids(120, 7), targets = Ids(120, 11);
    const auto whole = Make(c.config, {ComputeType::kF32, 2, 4, 30, true});
    const auto parts = Make(c.config, {ComputeType::kF32, 2, 1, 30, true});
    for (Model* model : {whole.get(), parts.get()}) model->Initialize(5, 0.1f);
    // What a step before left in the gradients must not show.
    std::ranges::fill(parts->gradients(), 7.0f);
    std::ranges::fill(whole->gradients(), 7.0f);
    ASSERT_TRUE(whole->ForwardBackward({4, 30, tokens, targets, {}}, 1.0f / 120, false).ok());
    for (const size_t part : {0u, 1u, 2u, 3u}) {
      const TokenBatch own{
          1, 30, std::span(tokens).subspan(part * 30, 30), std::span(targets).subspan(part * 30, 30), {}};
      ASSERT_TRUE(parts->ForwardBackward(own, 1.0f / 120, part > 0).ok());
    }
    const RouterStatistics once = whole->TakeRouterStatistics(), summed = parts->TakeRouterStatistics();
    EXPECT_EQ(once.empty(), c.config.experts == 0);
    EXPECT_NEAR(once.balance_loss(), summed.balance_loss(), 1e-6);
    EXPECT_NEAR(once.z_loss(), summed.z_loss(), 1e-6);
    for (const Parameter& p : whole->layout().parameters()) {
      for (int64_t i = p.offset; i < p.offset + p.size(); ++i) {
        ASSERT_NEAR(whole->gradients()[static_cast<size_t>(i)], parts->gradients()[static_cast<size_t>(i)], 2e-6)
            << p.name;
      }
    }
  }
}

TEST(Architectures, Grok2_SameBitsTwice) {
  const ModelConfig config = TinyGrok2();
  const std::vector<uint32_t> tokens = Ids(300, 7), targets = Ids(300, 11);
  std::vector<float> results[2];
  for (std::vector<float>& result : results) {
    const auto model = Make(config, {ComputeType::kBf16, 2, 2, 150, true});
    model->Initialize(5, 0.1f);
    std::vector<float> m(model->weights().size()), v(m.size());
    for (int step = 1; step <= 3; ++step) {
      ASSERT_TRUE(model->ForwardBackward({2, 150, tokens, targets, {}}, 1.0f / 300, false).ok());
      Step(*model, m, v, step, model->GradientNorm(), 1.0, 1e-2f);
    }
    result.assign(model->weights().begin(), model->weights().end());
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Architectures, Grok2_OverfitsOneBatchToNearZero) {
  const ModelConfig config = TinyGrok2();
  // The final cap bounds how sure the model can be: raise it.
  ModelConfig sure = config;
  sure.final_cap = 50;
  const std::vector<uint32_t> tokens = Ids(40, 7), targets = Ids(40, 11);
  const auto model = Make(sure, {NativeComputeType(), 2, 1, 40, true});
  model->Initialize(5, 0.1f);
  std::vector<float> m(model->weights().size()), v(m.size());
  double loss = 0;
  for (int step = 1; step <= 200; ++step) {
    const absl::StatusOr<double> nats = model->ForwardBackward({1, 40, tokens, targets, {}}, 1.0f / 40, false);
    ASSERT_TRUE(nats.ok());
    loss = *nats / 40;
    Step(*model, m, v, step, model->GradientNorm(), 1.0, 1e-2f);
  }
  EXPECT_LT(loss, 0.02);
}

TEST(Architectures, ParametersOfAMixtureAreCountedWholeAndActive) {
  const ModelConfig config = TinyGrok2();
  const int64_t attention = 24 * 24 * 2 + 2 * 12 * 24;
  const int64_t dense = 3 * 24 * 20, expert = 3 * 24 * 10, router = 8 * 24;
  EXPECT_EQ(config.ParameterCount(), 2 * 23 * 24 + 24 + 2 * (attention + dense + 8 * expert + router + 4 * 24));
  EXPECT_EQ(ParameterLayout(config).product_count(), 23 * 24 + 2 * (attention + dense + 2 * expert + router));
}

TEST(Architectures, MemoryBytes_IsWhatCreateTakes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' allocators keep no count that mallinfo2() tells";
#endif
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    ModelConfig config = c.config;  // large enough that the buffers outweigh what the allocator adds
    config.hidden_size = config.intermediate_size = config.expert_intermediate = 240;
    config.head_dim = 60;
    config.layers = 6;
    const ModelOptions options{ComputeType::kBf16, 2, 4, 160, true};
    const auto in_use = [] {
      const struct mallinfo2 info = mallinfo2();
      return static_cast<double>(info.uordblks + info.hblkhd);
    };
    const double before = in_use();
    const auto model = Make(config, options);
    const double taken = in_use() - before;
    // The large buffers are rounded up to huge pages, which at this size is up to a seventh.
    const double foretold = static_cast<double>(Model::MemoryBytes(config, options));
    EXPECT_LT(foretold, taken * 1.005);
    EXPECT_GT(foretold, taken * 0.85);
  }
}

}  // namespace
}  // namespace rhodes
