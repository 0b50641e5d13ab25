#include "token/gguf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string TestData(const std::string& name) { return std::string(RHODES_SOURCE_DIR) + "/src/token/testdata/" + name; }

TokenizerSpec SpecOf(const std::string& name) { return *ParseTokenizerFile(*ReadFile(TestData(name + ".json")), name); }

// Without what only this program reads.
GgufTokenizer AsOthersWriteIt(GgufTokenizer tokenizer) {
  tokenizer.pattern.clear();
  tokenizer.nfc = false;
  tokenizer.ignore_merges = false;
  return tokenizer;
}

class ByteLevelGguf : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Patterns, ByteLevelGguf, testing::Values("gpt2", "llama3", "qwen2", "o200k"));

// The cases are those of Hugging Face tokenizers (testdata/goldens.json).
TEST_P(ByteLevelGguf, ReadBackGivesTheSameIds) {
  const std::string name = GetParam();
  const TokenizerSpec spec = SpecOf(name);
  const absl::StatusOr<GgufTokenizerResult> gguf = ToGgufTokenizer(spec, spec.tokens.size() + 3, name);
  ASSERT_TRUE(gguf.ok()) << gguf.status();
  EXPECT_EQ(gguf->tokenizer.model, "gpt2");
  EXPECT_EQ(gguf->tokenizer.tokens.size(), spec.tokens.size() + 3);
  EXPECT_EQ(gguf->tokenizer.types.back(), GgufTokenizer::kUnused);
  const absl::StatusOr<std::string> json = FromGgufTokenizer(gguf->tokenizer, "x.gguf");
  ASSERT_TRUE(json.ok()) << json.status();
  const absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::Parse(*json, "x.gguf");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Json goldens = *ReadJsonFile(TestData("goldens.json"));
  size_t cases = 0;
  for (const Json& one : goldens.at(name).at("cases")) {
    std::vector<TokenId> ids;
    (*tokenizer)->Encode(one.at("text").get<std::string>(), ids);
    EXPECT_EQ(ids, one.at("ids").get<std::vector<TokenId>>()) << one.at("text");
    ++cases;
  }
  EXPECT_GT(cases, 50u);
}

TEST_P(ByteLevelGguf, FileOfAnotherProgramIsTheSameTokenizer) {
  const std::string name = GetParam();
  const TokenizerSpec spec = SpecOf(name);
  const GgufTokenizer gguf = ToGgufTokenizer(spec, spec.tokens.size(), name)->tokenizer;
  EXPECT_EQ(*FromGgufTokenizer(AsOthersWriteIt(gguf), "x"), *FromGgufTokenizer(gguf, "x"));
}

TEST(GgufTokenizer, PreTokenizersHaveTheNamesOfLlamaCpp) {
  const auto pre = [](TokenizerSpec spec) { return ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer.pre; };
  EXPECT_EQ(pre(SpecOf("gpt2")), "gpt-2");
  EXPECT_EQ(pre(SpecOf("llama3")), "llama-bpe");
  EXPECT_EQ(pre(SpecOf("qwen2")), "qwen2");
  EXPECT_EQ(pre(SpecOf("o200k")), "gpt-4o");
}

TEST(GgufTokenizer, NotesSayWhereLlamaCppDiffers) {
  TokenizerSpec spec = SpecOf("llama3");
  EXPECT_THAT(ToGgufTokenizer(spec, spec.tokens.size(), "x")->notes, IsEmpty());
  spec.nfc = true;
  spec.pattern = Pattern::kCl100k;
  const GgufTokenizerResult result = *ToGgufTokenizer(spec, spec.tokens.size(), "x");
  EXPECT_THAT(result.notes, Contains(HasSubstr("normalisation form C")));
  EXPECT_THAT(result.notes, Contains(HasSubstr("white space at the end of a text")));
  EXPECT_EQ(result.tokenizer.pattern, "cl100k_base");
  EXPECT_TRUE(result.tokenizer.nfc);
}

TEST(GgufTokenizer, WholeWordsMatterOnlyWhereMergesMissThem) {
  TokenizerSpec spec = SpecOf("llama3");
  spec.ignore_merges = false;
  EXPECT_EQ(ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer.pre, "llama-bpe");
  spec.merges.pop_back();  // its result is now made by nothing
  EXPECT_EQ(ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer.pre, "smaug-bpe");
  spec.ignore_merges = true;
  EXPECT_EQ(ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer.pre, "llama-bpe");
  spec.pattern = Pattern::kGpt2;
  EXPECT_THAT(ToGgufTokenizer(spec, spec.tokens.size(), "x")->notes,
              ElementsAre("words that are tokens which the merges do not make are cut further"));
}

TEST(GgufTokenizer, MoreTokensThanRowsAreRefused) {
  const TokenizerSpec spec = SpecOf("gpt2");
  EXPECT_EQ(Message(ToGgufTokenizer(spec, 10, "tokenizer.json").status()),
            fmt::format("tokenizer.json: has {} tokens, and the model's embedding 10 rows", spec.tokens.size()));
}

TEST(GgufTokenizer, TokensWrittenAlikeAreRefused) {
  TokenizerSpec spec = SpecOf("gpt2");
  spec.added.push_back({spec.added.back().id, "!", true});
  EXPECT_THAT(Message(ToGgufTokenizer(spec, spec.tokens.size(), "x").status()),
              HasSubstr("are both written \"!\" in GGUF"));
}

TEST(GgufTokenizer, BrokenFilesSayWhatAndWhere) {
  const TokenizerSpec spec = SpecOf("llama3");
  const GgufTokenizer good = AsOthersWriteIt(ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer);
  const auto message = [&](auto&& change) {
    GgufTokenizer bad = good;
    change(bad);
    return Message(FromGgufTokenizer(bad, "x.gguf").status());
  };
  EXPECT_THAT(message([](GgufTokenizer& t) { t.model = "bert"; }),
              HasSubstr("x.gguf: tokenizer.ggml.model is bert; gpt2 and llama are read"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.pre = "bloom"; }), HasSubstr("tokenizer.ggml.pre is \"bloom\"; known"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.types.pop_back(); }), HasSubstr("tokenizer.ggml.token_type has"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.tokens[5] = t.tokens[4]; }),
              HasSubstr("is there twice, with id 4 and id 5"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.merges[3] = "ab"; }), HasSubstr("merge 3 is not a pair of tokens"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.merges[3] = "a \xC4\xA0zzz"; }),
              HasSubstr("merge 3: \"\xC4\xA0zzz\" is no token"));
  EXPECT_THAT(message([](GgufTokenizer& t) { t.tokens.clear(); }), HasSubstr("tokenizer.ggml.tokens is empty"));
}

// A small SentencePiece-style tokenizer as Hugging Face's converter writes Llama 2.
std::string SentencePieceJson() {
  std::string vocabulary = R"("<unk>": 0, "<s>": 1, "</s>": 2)";
  for (int byte = 0; byte < 256; ++byte) vocabulary += fmt::format(", \"<0x{:02X}>\": {}", byte, byte + 3);
  int id = 259;
  for (const char* piece : {"\u2581a", "ab", "\u2581ab", "\u2581", "a", "b", "c", "\u0645"}) {
    vocabulary += fmt::format(", \"{}\": {}", piece, id++);
  }
  return fmt::format(
      R"({{"added_tokens": [{{"id": 0, "content": "<unk>", "special": true}}, {{"id": 1, "content": "<s>", "special": true}},
 {{"id": 2, "content": "</s>", "special": true}}],
 "normalizer": {{"type": "Sequence", "normalizers": [{{"type": "Prepend", "prepend": "▁"}},
   {{"type": "Replace", "pattern": {{"String": " "}}, "content": "▁"}}]}},
 "pre_tokenizer": null, "decoder": {{"type": "Sequence", "decoders": [{{"type": "Replace", "pattern": {{"String": "▁"}},
   "content": " "}}, {{"type": "ByteFallback"}}, {{"type": "Fuse"}}, {{"type": "Strip", "content": " ", "start": 1, "stop": 0}}]}},
 "model": {{"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": {{{}}},
   "merges": ["▁ a", "a b", "▁ ab", "▁a b"]}}}})",
      vocabulary);
}

TEST(GgufTokenizer, SentencePieceReadBackGivesTheSameIds) {
  const std::string source = SentencePieceJson();
  const absl::StatusOr<TokenizerSpec> spec = ParseTokenizerFile(source, "x");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const absl::StatusOr<GgufTokenizerResult> gguf = ToGgufTokenizer(*spec, spec->tokens.size() + 1, "x");
  ASSERT_TRUE(gguf.ok()) << gguf.status();
  EXPECT_THAT(gguf->notes, IsEmpty());
  EXPECT_EQ(gguf->tokenizer.model, "llama");
  EXPECT_TRUE(gguf->tokenizer.add_space_prefix);
  EXPECT_EQ(gguf->tokenizer.types[0], GgufTokenizer::kUnknown);
  EXPECT_EQ(gguf->tokenizer.types[1], GgufTokenizer::kControl);
  EXPECT_EQ(gguf->tokenizer.types[3], GgufTokenizer::kByte);
  EXPECT_EQ(gguf->tokenizer.scores[259], 0);
  EXPECT_EQ(gguf->tokenizer.scores[260], -1);
  EXPECT_EQ(gguf->tokenizer.scores[261], -2);
  const absl::StatusOr<std::string> json = FromGgufTokenizer(gguf->tokenizer, "x.gguf");
  ASSERT_TRUE(json.ok()) << json.status();
  const auto before = Tokenizer::Parse(source, "x");
  const auto after = Tokenizer::Parse(*json, "x.gguf");
  ASSERT_TRUE(before.ok() && after.ok()) << before.status() << after.status();
  for (const char* text : {"ab", " ab", "a b  ab", "ba\n\u0645z", "", "  ", "</s>ab"}) {
    std::vector<TokenId> expected, ids;
    (*before)->Encode(text, expected, true);
    (*after)->Encode(text, ids, true);
    EXPECT_EQ(ids, expected) << text;
    EXPECT_EQ((*after)->Decode(ids), (*before)->Decode(ids)) << text;
  }
}

TEST(GgufTokenizer, ScoresThatAreMissingOrNaNAreRefused) {
  const TokenizerSpec spec = *ParseTokenizerFile(SentencePieceJson(), "x");
  GgufTokenizer gguf = ToGgufTokenizer(spec, spec.tokens.size(), "x")->tokenizer;
  gguf.scores[262] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Message(FromGgufTokenizer(gguf, "x").status()), HasSubstr("the score of token 262 is NaN"));
  gguf.scores.pop_back();
  EXPECT_THAT(Message(FromGgufTokenizer(gguf, "x").status()), HasSubstr("tokenizer.ggml.scores has"));
}

}  // namespace
}  // namespace rhodes
