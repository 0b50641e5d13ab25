#include "infer/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "base/text.h"
#include "infer/byte_tokenizer.h"
#include "model/reference_forward.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

ModelConfig ByteModel() {
  ModelConfig config;
  config.vocabulary_size = ByteTokenizer::kVocabulary;
  config.hidden_size = 32;
  config.intermediate_size = 64;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 8;
  config.max_positions = 400;
  config.bos_id = config.eos_id = ByteTokenizer::kEndOfText;
  return config;
}

std::unique_ptr<Engine> MakeEngine(EngineOptions options = {}, ChatTemplate chat = {}) {
  const std::string directory = testing::TempDir() + "engine_model";
  EXPECT_TRUE(WriteModel(directory, ByteModel(), RandomWeights(ByteModel(), 3)).ok());
  absl::StatusOr<std::unique_ptr<Decoder>> decoder = Decoder::Load(directory, {options.precision, options.threads});
  EXPECT_TRUE(decoder.ok()) << decoder.status();
  return *Engine::Create(*std::move(decoder), std::make_unique<ByteTokenizer>(), std::move(chat), options);
}

GenerationRequest Ask(const Engine& engine, std::string_view prompt, uint64_t seed = 1) {
  GenerationRequest request;
  request.prompt = engine.Tokenize(prompt);
  request.sampling.seed = seed;
  request.max_tokens = 60;
  return request;
}

TEST(Engine, Tokenize_BeginsADocument) {
  EXPECT_THAT(MakeEngine()->Tokenize("ab"), testing::ElementsAre(ByteTokenizer::kEndOfText, 'a', 'b'));
}

TEST(Engine, Tokenize_LeavesTheBeginningOutWhereTheFilesSaySo) {
  EngineOptions options;
  options.add_bos = false;
  EXPECT_THAT(MakeEngine(options)->Tokenize("ab"), testing::ElementsAre('a', 'b'));
}

TEST(Engine, TokenizeChat_SpecialTokensAreTokensInTheFormAndTextInMessages) {
  ChatTemplate chat;
  chat.user = "<|endoftext|>u{content}<|endoftext|>";
  chat.prompt = "a";
  const std::vector<ChatMessage> messages = {{"user", "<|endoftext|>"}};
  constexpr TokenId kEnd = ByteTokenizer::kEndOfText;
  std::vector<TokenId> expected = {kEnd};
  for (const char byte : std::string("<|endoftext|>u<|endoftext|><|endoftext|>a"))
    expected.push_back(static_cast<TokenId>(byte));
  EXPECT_EQ(*MakeEngine({}, chat)->TokenizeChat(messages), expected);
  chat.special = true;
  expected = {kEnd, kEnd, 'u'};
  for (const char byte : std::string("<|endoftext|>")) expected.push_back(static_cast<TokenId>(byte));
  expected.insert(expected.end(), {kEnd, 'a'});
  EXPECT_EQ(*MakeEngine({}, chat)->TokenizeChat(messages), expected);
  EXPECT_EQ(Message(MakeEngine({}, chat)->TokenizeChat({}).status()), "messages is empty");
}

TEST(Engine, Generate_PiecesAreWholeCharactersAndMakeUpTheText) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  for (uint64_t seed = 0; seed < 8; ++seed) {  // a random model draws any bytes
    std::string text;
    const absl::StatusOr<GenerationResult> result =
        engine->Generate(Ask(*engine, "hello", seed), [&](const GenerationPiece& piece) {
          EXPECT_TRUE(IsValidUtf8(piece.text));
          text += piece.text;
          return true;
        });
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->text, text);
    EXPECT_EQ(result->prompt_tokens, 6);
  }
}

TEST(Engine, Generate_SameRequestSameTextWhateverTheCompanyAndTheThreads) {
  const std::unique_ptr<Engine> alone = MakeEngine();
  std::vector<std::string> expected;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    expected.push_back(alone->Generate(Ask(*alone, std::string(seed * 20 + 1, 'x'), seed), {})->text);
  }
  EngineOptions options;
  options.threads = 3;
  options.max_sequences = 5;
  const std::unique_ptr<Engine> busy = MakeEngine(options);
  std::vector<std::string> got(12);
  std::vector<std::thread> callers;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    callers.emplace_back(
        [&, seed] { got[seed] = busy->Generate(Ask(*busy, std::string(seed * 20 + 1, 'x'), seed), {})->text; });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(got, expected);
}

TEST(Engine, Generate_StopsAtAStopString) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  GenerationRequest request = Ask(*engine, "hello");
  request.sampling.temperature = 0;
  const std::string whole = engine->Generate(request, {})->text;
  // A stop string is compared with the bytes: one of those that are text by themselves.
  const auto letter = std::find_if(whole.begin() + 4, whole.end(), [](char c) { return c > ' ' && c < 127; });
  ASSERT_NE(letter, whole.end());
  request.stop = {std::string(1, *letter)};
  const absl::StatusOr<GenerationResult> result = engine->Generate(request, {});
  EXPECT_EQ(result->text, whole.substr(0, whole.find(request.stop[0])));
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
}

TEST(Engine, Generate_EndsWithLengthAtTheEndOfTheContext) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  GenerationRequest request = Ask(*engine, std::string(390, 'a'));
  request.max_tokens = 1000;
  absl::StatusOr<GenerationResult> result = engine->Generate(request, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
  EXPECT_EQ(result->completion_tokens, 400 - 391);
  request.prompt = engine->Tokenize(std::string(400, 'a'));
  EXPECT_EQ(engine->Generate(request, {}).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(Message(engine->Generate(request, {}).status()),
              HasSubstr("the prompt has 401 tokens and the model's context is 400"));
}

TEST(Engine, Generate_LogprobsAreThoseOfTheModel) {
  EngineOptions options;
  options.precision = DecoderOptions::Precision::kF32;
  const std::unique_ptr<Engine> engine = MakeEngine(options);
  GenerationRequest request = Ask(*engine, "some text");
  request.max_tokens = 0;
  request.logprobs = 3;
  request.prompt_logprobs = true;
  const absl::StatusOr<GenerationResult> result = engine->Generate(request, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->completion_tokens, 0);
  ASSERT_EQ(result->prompt_token_chances.size(), request.prompt.size() - 1);
  const std::vector<double> logits = ReferenceLogits(ByteModel(), RandomWeights(ByteModel(), 3), request.prompt);
  for (size_t i = 0; i + 1 < request.prompt.size(); ++i) {
    double sum = 0;
    for (size_t v = 0; v < 257; ++v) sum += std::exp(logits[i * 257 + v]);
    const GeneratedToken& token = result->prompt_token_chances[i];
    EXPECT_EQ(token.token, request.prompt[i + 1]);
    EXPECT_NEAR(token.logprob, logits[i * 257 + token.token] - std::log(sum), 1e-3);
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
  }
}

TEST(Engine, Generate_EndsWhenTheCallerHasEnough) {
  const std::unique_ptr<Engine> engine = MakeEngine();
  GenerationRequest request = Ask(*engine, "x");
  request.max_tokens = 390;
  // A busy machine may let this thread have all tokens in one piece; not again and again.
  int pieces = 0;
  for (int attempt = 0; attempt < 100 && pieces < 2; ++attempt) {
    pieces = 0;
    const absl::StatusOr<GenerationResult> result =
        engine->Generate(request, [&](const GenerationPiece&) { return ++pieces < 2; });
    ASSERT_TRUE(result.ok());
  }
  EXPECT_EQ(pieces, 2);
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(engine->Generate(request, {}, &cancelled)->finish_reason, FinishReason::kCancelled);
}

TEST(Engine, Generate_NamesTheSettingThatIsWrong) {
  EngineOptions options;
  options.cache_bytes = 1000;
  const std::unique_ptr<Engine> engine = MakeEngine(options);
  GenerationRequest request = Ask(*engine, "x");
  EXPECT_THAT(Message(engine->Generate(request, {}).status()), HasSubstr("1000 are set aside for caches"));
  request.sampling.top_p = 2;
  EXPECT_THAT(Message(engine->Generate(request, {}).status()), HasSubstr("top_p is 2"));
  request = {};
  EXPECT_EQ(Message(engine->Generate(request, {}).status()), "the prompt is empty");
}

TEST(Engine, Open_NamesTheMissingFile) {
  EXPECT_EQ(Message(Engine::Open("/nowhere/model", {}).status()), "model /nowhere/model: no such folder or file");
  const std::string empty = testing::TempDir() + "empty_model";
  ASSERT_TRUE(CreateDirectories(empty).ok());
  EXPECT_THAT(Message(Engine::Open(empty, {}).status()), HasSubstr("empty_model/config.json"));
}

}  // namespace
}  // namespace rhodes
