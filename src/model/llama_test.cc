#include "model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/json.h"

namespace rhodes {
namespace {

ModelConfig TinyConfig() {
  ModelConfig config;
  config.vocabulary_size = 64;
  config.hidden_size = 32;
  config.intermediate_size = 64;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 8;
  config.max_positions = 160;
  return config;
}

std::unique_ptr<Model> Make(const ModelConfig& config, ComputeType compute, int threads, int64_t sequences,
                            int64_t length, bool training = true) {
  absl::StatusOr<std::unique_ptr<Model>> model = Model::Create(config, {compute, threads, sequences, length, training});
  EXPECT_TRUE(model.ok()) << Message(model.status());
  (*model)->Initialize(7, 0.1f);
  return *std::move(model);
}

// A batch of random tokens with a document boundary (token 0) in each sequence.
struct RandomBatch {
  RandomBatch(int64_t sequences, int64_t length, uint32_t vocabulary) : sequences_(sequences), length_(length) {
    std::mt19937 random(3);
    for (int64_t i = 0; i < sequences * length; ++i) {
      tokens.push_back(i % length == length / 3 ? 0 : 1 + random() % (vocabulary - 1));
      targets.push_back(random() % vocabulary);
    }
    starts.resize(tokens.size());
    DocumentStarts(tokens, length, 0, starts);
  }
  TokenBatch view() const { return {sequences_, length_, tokens, targets, starts}; }
  int64_t sequences_, length_;
  std::vector<uint32_t> tokens, targets;
  std::vector<int32_t> starts;
};

void Step(Model& model, std::vector<float>& m, std::vector<float>& v, int step, double norm, double clip, float rate) {
  AdamW adamw{rate, 0.9f, 0.95f, 1e-8f, 0.1f, 1.0f, 0, 0};
  adamw.gradient_factor = clip > 0 ? static_cast<float>(std::min(1.0, clip / (norm + 1e-6))) : 1.0f;
  adamw.correction1 = static_cast<float>(1 - std::pow(0.9, step));
  adamw.correction2 = static_cast<float>(1 - std::pow(0.95, step));
  model.StepAdamW(adamw, m, v);
}

// ---- against PyTorch (bench/peers/pytorch_goldens.py) ----

// The script's formula for weights.
float GoldenWeight(int64_t tensor, int64_t index, bool norm) {
  const double scale = norm ? 1.0 : 0.3;
  const double value = scale * std::sin(1.0 + 0.7 * static_cast<double>(tensor) + 0.37 * static_cast<double>(index) +
                                        0.011 * static_cast<double>((index * 7919 + tensor * 104729) % 1009));
  return static_cast<float>(norm ? 1.0 + 0.1 * value : value);
}

// The script's four numbers of a tensor.
std::array<double, 4> SizesOf(std::span<const float> values) {
  std::array<double, 4> sizes{};
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    const double k = static_cast<double>(i);
    sizes[0] += x * x;
    sizes[1] += x;
    sizes[2] += x * std::cos(0.1 * k);
    sizes[3] += x * std::sin(0.3 * k + 1);
  }
  sizes[0] = std::sqrt(sizes[0]);
  return sizes;
}

// Relative to the norm of the tensor: its sums may cancel to nothing.
void ExpectSizes(const Json& expected, std::span<const float> actual, double tolerance, const std::string& what) {
  const std::array<double, 4> sizes = SizesOf(actual);
  const double scale = expected[0].get<double>() * std::sqrt(static_cast<double>(actual.size()));
  EXPECT_NEAR(sizes[0], expected[0].get<double>(), tolerance * expected[0].get<double>()) << what << ": norm";
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_NEAR(sizes[i], expected[i].get<double>(), tolerance * scale) << what << ": number " << i;
  }
}

class LlamaGoldenTest : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Shapes, LlamaGoldenTest, testing::Values("tied", "grouped"));

TEST_P(LlamaGoldenTest, ThreeTrainingStepsMatchPyTorchTo1e5) {
  const absl::StatusOr<Json> goldens = ReadJsonFile(RHODES_SOURCE_DIR "/src/model/testdata/llama_goldens.json");
  ASSERT_TRUE(goldens.ok()) << Message(goldens.status());
  const Json& golden = (*goldens)[GetParam()];
  const Json& shape = golden["shape"];
  ModelConfig config;
  config.vocabulary_size = shape["v"];
  config.hidden_size = shape["c"];
  config.intermediate_size = shape["i"];
  config.layers = shape["l"];
  config.heads = shape["h"];
  config.kv_heads = shape["kv"];
  config.head_dim = shape["d"];
  config.max_positions = shape["t"];
  config.tie_embeddings = shape["tied"];
  const int64_t sequences = shape["b"];
  const int64_t length = shape["t"];
  const auto model = Make(config, ComputeType::kF32, 2, sequences, length);
  const auto& parameters = model->layout().parameters();
  for (size_t p = 0; p < parameters.size(); ++p) {
    for (int64_t i = 0; i < parameters[p].size(); ++i) {
      model->weights()[static_cast<size_t>(parameters[p].offset + i)] =
          GoldenWeight(static_cast<int64_t>(p), i, !parameters[p].matrix());
    }
  }
  model->CommitWeights();
  const auto tokens = golden["tokens"].get<std::vector<uint32_t>>();
  const auto targets = golden["targets"].get<std::vector<uint32_t>>();
  std::vector<int32_t> starts(tokens.size());
  DocumentStarts(tokens, length, 0, starts);
  ASSERT_EQ(starts, golden["starts"].get<std::vector<int32_t>>());
  const TokenBatch batch{sequences, length, tokens, targets, starts};
  constexpr double kTolerance = 1e-5;

  std::vector<float> logits(tokens.size() * static_cast<size_t>(config.vocabulary_size));
  ASSERT_TRUE(model->Logits(batch, false, logits).ok());
  ExpectSizes(golden["logits"], logits, kTolerance, "logits");
  const auto first = golden["first_logits"].get<std::vector<double>>();
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(logits[i], first[i], kTolerance * 10) << i;

  const auto slice = [&](std::span<const float> all, const Parameter& p) {
    return all.subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
  };
  std::vector<float> m(model->weights().size()), v(m.size());
  const double count = static_cast<double>(tokens.size());
  for (size_t step = 0; step < golden["steps"].size(); ++step) {
    const absl::StatusOr<double> nats = model->ForwardBackward(batch, static_cast<float>(1 / count), false);
    ASSERT_TRUE(nats.ok()) << Message(nats.status());
    const double loss = golden["steps"][step]["loss"];
    const double norm = golden["steps"][step]["gradient_norm"];
    EXPECT_NEAR(*nats / count, loss, kTolerance * loss) << "step " << step;
    // AdamW's first steps move each weight by the rate whatever its gradient's size, so that the rounding of a gradient
    // near zero shows in the next one.
    EXPECT_NEAR(model->GradientNorm(), norm, (step == 0 ? 1 : 10) * kTolerance * norm) << "step " << step;
    if (step == 0) {
      for (const Parameter& p : parameters) {
        ExpectSizes(golden["gradients"][p.name], slice(model->gradients(), p), kTolerance, "gradient of " + p.name);
      }
    }
    Step(*model, m, v, static_cast<int>(step) + 1, model->GradientNorm(), (*goldens)["adamw"]["clip"],
         (*goldens)["adamw"]["lr"]);
  }
  for (const Parameter& p : parameters) {
    ExpectSizes(golden["weights"][p.name], slice(model->weights(), p), kTolerance, "weights of " + p.name);
  }
}

// ---- against itself ----

double MeanLoss(Model& model, const TokenBatch& batch) {
  std::vector<float> losses(batch.tokens.size());
  EXPECT_TRUE(model.Losses(batch, losses).ok());
  double sum = 0;
  for (const float loss : losses) sum += loss;
  return sum / static_cast<double>(losses.size());
}

TEST(Llama, Backward_MatchesCentralDifferencesForEveryTensor) {
  ModelConfig config = TinyConfig();
  config.tie_embeddings = false;
  const auto model = Make(config, ComputeType::kF32, 2, 2, 20);
  const RandomBatch random(2, 20, 64);
  const TokenBatch batch = random.view();
  ASSERT_TRUE(model->ForwardBackward(batch, 1.0f / 40, false).ok());
  const std::vector<float> gradient(model->gradients().begin(), model->gradients().end());
  for (const Parameter& p : model->layout().parameters()) {
    // Along the gradient itself the derivative is its norm. The step moves the loss by about 2 · 0.01, of which f32
    // leaves 1e-7 · 4 in doubt, and the third derivative's part is of the square of the step: 1 % covers both.
    const std::span<float> weights =
        model->weights().subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
    const std::vector<float> before(weights.begin(), weights.end());
    double norm = 0;
    for (int64_t i = 0; i < p.size(); ++i) norm += std::pow(gradient[static_cast<size_t>(p.offset + i)], 2);
    norm = std::sqrt(norm);
    ASSERT_GT(norm, 0) << p.name;
    const double h = 0.01 / norm;
    double loss[2];
    for (const int side : {0, 1}) {
      for (size_t i = 0; i < weights.size(); ++i) {
        const double direction = gradient[static_cast<size_t>(p.offset) + i] / norm;
        weights[i] = static_cast<float>(before[i] + (side == 0 ? -h : h) * direction);
      }
      model->CommitWeights();
      loss[side] = MeanLoss(*model, batch);
    }
    std::copy(before.begin(), before.end(), weights.begin());
    EXPECT_NEAR((loss[1] - loss[0]) / (2 * h), norm, 0.01 * norm) << p.name;
  }
}

TEST(Llama, Bf16_AgreesWithF32ToItsPrecision) {
  const ModelConfig config = TinyConfig();
  const RandomBatch random(3, 150, 64);  // more than one block of queries, and an odd one
  const auto low = Make(config, ComputeType::kBf16, 2, 3, 150);
  const auto full = Make(config, ComputeType::kF32, 2, 3, 150);
  const absl::StatusOr<double> a = low->ForwardBackward(random.view(), 1.0f / 450, false);
  const absl::StatusOr<double> b = full->ForwardBackward(random.view(), 1.0f / 450, false);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NEAR(*a / 450, *b / 450, 2e-3 * *b / 450);
  // Rounding to bf16 is relative 2^-9 an operation, at random: some tens of roundings in a row stay within 3 %.
  double difference = 0, size = 0;
  for (size_t i = 0; i < full->gradients().size(); ++i) {
    difference += std::pow(low->gradients()[i] - full->gradients()[i], 2);
    size += std::pow(full->gradients()[i], 2);
  }
  EXPECT_LT(std::sqrt(difference), 0.03 * std::sqrt(size));
}

TEST(Llama, SameBitsTwice) {
  const RandomBatch random(3, 150, 64);
  std::vector<float> weights[2];
  for (std::vector<float>& result : weights) {
    const auto model = Make(TinyConfig(), ComputeType::kBf16, 2, 3, 150);
    std::vector<float> m(model->weights().size()), v(m.size());
    for (int step = 1; step <= 3; ++step) {
      ASSERT_TRUE(model->ForwardBackward(random.view(), 1.0f / 450, false).ok());
      Step(*model, m, v, step, model->GradientNorm(), 1.0, 1e-2f);
    }
    result.assign(model->weights().begin(), model->weights().end());
  }
  EXPECT_EQ(weights[0], weights[1]);
}

TEST(Llama, OverfitsOneBatchToNearZero) {
  // Positions see all before them: with the documents' boundaries two positions would see the same and want different
  // targets, which leaves ln 2 for each.
  const RandomBatch random(2, 24, 64);
  const TokenBatch batch{2, 24, random.tokens, random.targets, {}};
  const auto model = Make(TinyConfig(), NativeComputeType(), 2, 2, 24);
  std::vector<float> m(model->weights().size()), v(m.size());
  double loss = 0;
  for (int step = 1; step <= 150; ++step) {
    const absl::StatusOr<double> nats = model->ForwardBackward(batch, 1.0f / 48, false);
    ASSERT_TRUE(nats.ok());
    loss = *nats / 48;
    Step(*model, m, v, step, model->GradientNorm(), 1.0, 1e-2f);
  }
  EXPECT_LT(loss, 0.01);
}

TEST(Llama, Accumulation_EqualsOneLargeBatch) {
  const RandomBatch random(4, 30, 64);
  const auto whole = Make(TinyConfig(), ComputeType::kF32, 2, 4, 30);
  const auto halves = Make(TinyConfig(), ComputeType::kF32, 2, 2, 30);
  ASSERT_TRUE(whole->ForwardBackward(random.view(), 1.0f / 120, false).ok());
  for (const size_t half : {0u, 1u}) {
    const TokenBatch part{2, 30, std::span(random.tokens).subspan(half * 60, 60),
                          std::span(random.targets).subspan(half * 60, 60),
                          std::span(random.starts).subspan(half * 60, 60)};
    ASSERT_TRUE(halves->ForwardBackward(part, 1.0f / 120, half > 0).ok());
  }
  for (size_t i = 0; i < whole->gradients().size(); ++i) {
    ASSERT_NEAR(whole->gradients()[i], halves->gradients()[i], 1e-6) << i;
  }
}

TEST(Llama, AttentionStaysInsideADocument) {
  const ModelConfig config = TinyConfig();
  const auto model = Make(config, ComputeType::kF32, 2, 1, 160, false);
  // 140 tokens of a document, then another one; rotary positions are relative, so the second one's logits are those it
  // has alone.
  RandomBatch random(1, 160, 64);
  std::fill(random.tokens.begin(), random.tokens.end(), 5);
  random.tokens[140] = 0;
  for (size_t i = 141; i < 160; ++i) random.tokens[i] = static_cast<uint32_t>(i % 13 + 1);
  DocumentStarts(random.tokens, 160, 0, random.starts);
  std::vector<float> together(160 * 64), alone(20 * 64), last(64);
  ASSERT_TRUE(model->Logits(random.view(), false, together).ok());
  const TokenBatch second{1, 20, std::span(random.tokens).subspan(140), {}, {}};
  ASSERT_TRUE(model->Logits(second, false, alone).ok());
  for (size_t i = 0; i < alone.size(); ++i) ASSERT_NEAR(together[140 * 64 + i], alone[i], 1e-5) << i;
  ASSERT_TRUE(model->Logits(second, true, last).ok());
  for (size_t i = 0; i < 64; ++i) EXPECT_NEAR(last[i], alone[19 * 64 + i], 1e-5);
}

TEST(Llama, Losses_EqualThoseOfTrainingAndNeedOneLayersMemory) {
  const RandomBatch random(2, 50, 64);
  const auto training = Make(TinyConfig(), ComputeType::kBf16, 2, 2, 50);
  const auto evaluating = Make(TinyConfig(), ComputeType::kBf16, 2, 2, 50, false);
  const absl::StatusOr<double> nats = training->ForwardBackward(random.view(), 0.01f, false);
  ASSERT_TRUE(nats.ok());
  EXPECT_DOUBLE_EQ(*nats / 100, MeanLoss(*evaluating, random.view()));
  EXPECT_LT(Model::MemoryBytes(TinyConfig(), evaluating->options()),
            Model::MemoryBytes(TinyConfig(), training->options()));
  EXPECT_EQ(evaluating->ForwardBackward(random.view(), 0.01f, false).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Llama, RefusesTokensOutsideTheVocabularyAndTooLongBatches) {
  const auto model = Make(TinyConfig(), ComputeType::kF32, 1, 1, 8, false);
  std::vector<float> logits(64);
  const std::vector<uint32_t> wrong = {1, 64};
  const absl::Status status = model->Logits({1, 2, wrong, {}, {}}, true, logits);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("token 64"), std::string::npos) << Message(status);
  const std::vector<uint32_t> longer(9, 1);
  EXPECT_EQ(model->Logits({1, 9, longer, {}, {}}, true, logits).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Llama, ParametersAreCountedAsInTheFormula) {
  ModelConfig config = TinyConfig();
  const int64_t layer = 32 * 32 * 2 + 2 * 16 * 32 + 3 * 32 * 64 + 2 * 32;
  EXPECT_EQ(ParameterLayout(config).count(), 64 * 32 + 2 * layer + 32);
  EXPECT_EQ(ParameterLayout(config).product_count(), 64 * 32 + 2 * (layer - 64));
  config.tie_embeddings = false;
  EXPECT_EQ(ParameterLayout(config).count(), 2 * 64 * 32 + 2 * layer + 32);
  EXPECT_EQ(ParameterLayout(config).product_count(), 64 * 32 + 2 * (layer - 64));
  EXPECT_DOUBLE_EQ(TrainingFlopsPerToken(config, 100), 6.0 * (64 * 32 + 2 * (layer - 64)) + 12.0 * 2 * 32 * 100);
}

}  // namespace
}  // namespace rhodes
