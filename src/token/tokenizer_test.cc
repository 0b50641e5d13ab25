#include "token/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "token/splitter.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kData = RHODES_SOURCE_DIR "/src/token/testdata";
constexpr Pattern kPatterns[] = {Pattern::kGpt2, Pattern::kLlama3, Pattern::kQwen2, Pattern::kO200k};

std::unique_ptr<Tokenizer> LoadGolden(std::string_view name) {
  auto tokenizer = Tokenizer::Load(fmt::format("{}/{}.json", kData, name));
  EXPECT_TRUE(tokenizer.ok()) << Message(tokenizer.status());
  return *std::move(tokenizer);
}

std::vector<TokenId> Ids(const Tokenizer& tokenizer, std::string_view text, bool allow_special = false) {
  std::vector<TokenId> ids;
  tokenizer.Encode(text, ids, allow_special);
  return ids;
}

// Words, then ids, as the Hugging Face library gave them (bench/peers/tokenizer_interop.py --goldens).
class Golden : public ::testing::TestWithParam<Pattern> {
 protected:
  Golden() {
    auto goldens = ReadJsonFile(kData + "/goldens.json");
    EXPECT_TRUE(goldens.ok()) << Message(goldens.status());
    golden_ = (*goldens)[std::string(PatternName(GetParam()))];
    tokenizer_ = LoadGolden(PatternName(GetParam()));
  }
  Json golden_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(Golden, Splitter_CutsWordsAsTheRegularExpressionDoes) {
  for (const Json& golden_case : golden_["cases"]) {
    const std::string text = golden_case["text"];
    std::vector<size_t> lengths;  // in characters: each byte is one stand-in
    SplitWords(GetParam(), text, [&](std::string_view word) { lengths.push_back(word.size()); });
    EXPECT_EQ(lengths, golden_case["words"].get<std::vector<size_t>>()) << golden_case["text"];
  }
}

TEST_P(Golden, Encode_GivesTheIdsOfHuggingFace) {
  ASSERT_GT(golden_["cases"].size(), 100U);
  for (const Json& golden_case : golden_["cases"]) {
    const std::string text = golden_case["text"];
    const std::vector<TokenId> ids = Ids(*tokenizer_, text);
    EXPECT_EQ(ids, golden_case["ids"].get<std::vector<TokenId>>()) << golden_case["text"];
    EXPECT_EQ(tokenizer_->Decode(ids), text);
  }
}

TEST_P(Golden, Encode_FindsSpecialTokensOnlyWhenAllowed) {
  const std::string text = golden_["special"]["text"];
  const std::vector<TokenId> with = Ids(*tokenizer_, text, true);
  EXPECT_EQ(with, golden_["special"]["ids"].get<std::vector<TokenId>>());
  const std::vector<TokenId> without = Ids(*tokenizer_, text);
  EXPECT_EQ(std::count(without.begin(), without.end(), tokenizer_->end_of_text()), 0);
  EXPECT_EQ(tokenizer_->Decode(with), text);
  EXPECT_EQ(tokenizer_->Decode(without), text);
}

TEST_P(Golden, Write_GivesATokenizerThatEncodesTheSame) {
  auto json = ReadFile(fmt::format("{}/{}.json", kData, PatternName(GetParam())));
  ASSERT_TRUE(json.ok());
  auto spec = ParseTokenizerFile(*json, "golden");
  ASSERT_TRUE(spec.ok()) << Message(spec.status());
  EXPECT_EQ(spec->pattern, GetParam());
  const std::string written = WriteTokenizerFile(*spec);
  auto again = ParseTokenizerFile(written, "written");
  ASSERT_TRUE(again.ok()) << Message(again.status());
  EXPECT_EQ(WriteTokenizerFile(*again), written);
  auto tokenizer = Tokenizer::Parse(written, "written");
  ASSERT_TRUE(tokenizer.ok()) << Message(tokenizer.status());
  EXPECT_EQ((*tokenizer)->vocabulary_size(), 512U);
  EXPECT_EQ((*tokenizer)->end_of_text(), 511U);
  for (const Json& golden_case : golden_["cases"]) {
    EXPECT_EQ(Ids(**tokenizer, golden_case["text"].get<std::string>()), golden_case["ids"].get<std::vector<TokenId>>());
  }
}

TEST_P(Golden, Encode_LosesNoByteOfArbitraryBytes) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 3 == 0 ? random() % 128 : random() % 256);
    EXPECT_EQ(tokenizer_->Decode(Ids(*tokenizer_, bytes)), bytes);
  }
}

TEST_P(Golden, Encode_CachedWordsEqualUncachedOnes) {
  std::string text;
  for (const Json& golden_case : golden_["cases"]) text += golden_case["text"].get<std::string>();
  const std::vector<TokenId> first = Ids(*tokenizer_, text);
  EXPECT_EQ(Ids(*tokenizer_, text), first);
  EXPECT_EQ(Ids(*LoadGolden(PatternName(GetParam())), text), first);
}

std::string ParamName(const ::testing::TestParamInfo<Pattern>& param) { return std::string(PatternName(param.param)); }
INSTANTIATE_TEST_SUITE_P(Patterns, Golden, ::testing::ValuesIn(kPatterns), ParamName);

// Words of the training text, runs that no cut falls into, special tokens and bytes that are no text.
std::string LongText(size_t bytes, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::string known = *ReadFile(kData + "/train.txt");
  std::string text;
  while (text.size() < bytes) {
    const size_t kind = random() % 100;
    if (kind < 90) {
      const size_t begin = random() % (known.size() - 100);
      text.append(known, begin, random() % 100);
    } else if (kind < 95) {
      text += kEndOfTextToken;
    } else if (kind < 97) {
      text.append(random() % 5000, " a."[random() % 3]);
    } else if (kind < 98) {
      text.append(random() % 300000 / 4, "x1\n"[random() % 3]);
    } else {
      for (size_t i = random() % 50; i > 0; --i) text += static_cast<char>(random());
    }
  }
  return text;
}

TEST_P(Golden, EncodeOnThreads_GivesTheIdsOfOneThread) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const std::string text = LongText(900000 * seed, seed);
    for (const bool allow_special : {false, true}) {
      const std::vector<TokenId> expected = Ids(*tokenizer_, text, allow_special);
      for (const int threads : {2, 3, 8}) {
        std::vector<TokenId> ids = {7};
        tokenizer_->EncodeOnThreads(text, threads, ids, allow_special);
        ASSERT_EQ(ids.size(), expected.size() + 1);
        ASSERT_TRUE(std::equal(expected.begin(), expected.end(), ids.begin() + 1)) << threads;
      }
    }
  }
}

TEST_P(Golden, Encode_OfALongTextGivesTheIdsOfItsWords) {
  const std::string text = LongText(1500000, 9);
  std::vector<TokenId> expected;
  SplitWords(GetParam(), text, [&](std::string_view word) { tokenizer_->Encode(word, expected); });
  EXPECT_TRUE(Ids(*tokenizer_, text) == expected);
}

TEST(Splitter, Words_CoverArbitraryBytes) {
  std::mt19937 random(5);
  for (const Pattern pattern : kPatterns) {
    for (int i = 0; i < 500; ++i) {
      std::string bytes(1 + random() % 40, '\0');
      for (char& byte : bytes) byte = " \r\n\ta'sA1/!\xC3\xA9\xC5\xBF\xE2\x80\xA8\xF0\xFF"[random() % 22];
      std::string joined;
      SplitWords(pattern, bytes, [&](std::string_view word) {
        ASSERT_FALSE(word.empty());
        joined += word;
      });
      EXPECT_EQ(joined, bytes);
    }
  }
}

TEST(CharacterClass, Decode_RefusesWhatIsNotUtf8) {
  for (const std::string_view bytes : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82",
                                       "\xF4\x90\x80\x80", "\xF0\x80\x80\x80", "\xFF"}) {
    const Character character = DecodeCharacter(bytes.data(), bytes.data() + bytes.size(), CharacterClasses());
    EXPECT_EQ(character.length, 1);
    EXPECT_EQ(character.character_class, 0);
  }
  const std::string_view omega = "\xCE\xA9";
  const Character character = DecodeCharacter(omega.data(), omega.data() + 2, CharacterClasses());
  EXPECT_EQ(character.code, 0x3A9U);
  EXPECT_EQ(character.character_class, kLetter | kUpperLike);
}

// Merging the best pair by looking at all of them, from the definition.
std::vector<TokenId> EncodeByDefinition(const TokenizerSpec& spec, std::vector<TokenId> ids) {
  while (true) {
    size_t best_rank = spec.merges.size();
    size_t best_at = 0;
    for (size_t rank = 0; rank < spec.merges.size() && best_rank == spec.merges.size(); ++rank) {
      for (size_t i = 0; i + 1 < ids.size(); ++i) {
        if (ids[i] != spec.merges[rank].left || ids[i + 1] != spec.merges[rank].right) continue;
        best_rank = rank;
        best_at = i;
        break;
      }
    }
    if (best_rank == spec.merges.size()) return ids;
    ids[best_at] = spec.merges[best_rank].result;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(best_at) + 1);
  }
}

TEST(Bpe, Encode_ShortAndLongWordsFollowTheDefinition) {
  auto json = ReadFile(kData + "/gpt2.json");
  ASSERT_TRUE(json.ok());
  auto spec = ParseTokenizerFile(*json, "gpt2");
  ASSERT_TRUE(spec.ok());
  const std::unique_ptr<Tokenizer> tokenizer = LoadGolden("gpt2");
  std::mt19937 random(11);
  for (const size_t length : {1, 2, 3, 15, 16, 17, 63, 64, 65, 200}) {  // around the cache's and the scan's limits
    for (int i = 0; i < 20; ++i) {
      std::string word;
      while (word.size() < length) word += "abcentrihdgs"[random() % (i % 2 == 0 ? 3 : 12)];
      std::vector<TokenId> bytes;
      for (const char letter : word) {
        for (TokenId id = 0; id < 256; ++id) {
          if (spec->tokens[id] == std::string_view(&letter, 1)) bytes.push_back(id);
        }
      }
      EXPECT_EQ(Ids(*tokenizer, word), EncodeByDefinition(*spec, bytes)) << word;
    }
  }
}

double FastestSeconds(const Tokenizer& tokenizer, const std::string& text) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 2; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    Ids(tokenizer, text);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  return best;
}

TEST(Bpe, Encode_IsLinearOnAMillionEqualLetters) {
  const std::unique_ptr<Tokenizer> tokenizer = LoadGolden("llama3");
  for (const char letter : {'a', '=', '\xE9', ' '}) {
    const double small = FastestSeconds(*tokenizer, std::string(1 << 16, letter));
    const double large = FastestSeconds(*tokenizer, std::string(letter == 'a' ? 1 << 20 : 1 << 19, letter));
    // 8 times the letters (16 for the million): as many times the time, and a little; a quadratic encoder takes 64 or
    // 256.
    EXPECT_LT(large, 36 * small + 0.02) << "letter " << letter;
    const std::string text(1000, letter);
    EXPECT_EQ(tokenizer->Decode(Ids(*tokenizer, text)), text);
  }
}

TEST(Tokenizer, Encode_GivesTheSameFromManyThreads) {
  const std::unique_ptr<Tokenizer> tokenizer = LoadGolden("o200k");
  auto text = ReadFile(kData + "/train.txt");
  ASSERT_TRUE(text.ok());
  const std::vector<TokenId> expected = Ids(*LoadGolden("o200k"), *text);
  std::vector<std::vector<TokenId>> results(8);
  std::vector<std::thread> threads;
  for (std::vector<TokenId>& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) result = Ids(*tokenizer, *text);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<TokenId>& result : results) EXPECT_EQ(result, expected);
}

TEST(Tokenizer, Ids_BeyondTheVocabularyHaveNoBytes) {
  const std::unique_ptr<Tokenizer> tokenizer = LoadGolden("gpt2");
  EXPECT_EQ(tokenizer->TokenBytes(512), "");
  EXPECT_EQ(tokenizer->Decode({512, 4000000000U}), "");
  EXPECT_FALSE(tokenizer->IsSpecial(512));
  EXPECT_TRUE(tokenizer->IsSpecial(511));
  EXPECT_EQ(tokenizer->TokenBytes(511), "<|endoftext|>");
}

// A tokenizer.json of the 256 bytes and one merge, "a" "b", changed by `edit`.
std::string SmallFile(const std::function<void(Json&)>& edit = [](Json&) {}) {
  auto json = ReadFile(kData + "/gpt2.json");
  EXPECT_TRUE(json.ok());
  auto spec = ParseTokenizerFile(*json, "gpt2");
  TokenizerSpec small;
  small.pattern = Pattern::kGpt2;
  small.ignore_merges = false;
  for (TokenId id = 0; id < 256; ++id) small.tokens.Append(spec->tokens[id]);
  small.tokens.Append("ab");
  small.merges.push_back({64, 65, 256});
  small.added.push_back({257, "<|endoftext|>", true, false, false});
  small.tokens.Append("<|endoftext|>");
  auto parsed = ParseJson(WriteTokenizerFile(small), "small");
  EXPECT_TRUE(parsed.ok()) << Message(parsed.status());
  edit(*parsed);
  return DumpJson(*parsed);
}

std::unique_ptr<Tokenizer> ParseSmall(const std::function<void(Json&)>& edit) {
  auto tokenizer = Tokenizer::Parse(SmallFile(edit), "small");
  EXPECT_TRUE(tokenizer.ok()) << Message(tokenizer.status());
  return *std::move(tokenizer);
}

Json Added(int id, const char* text, bool special) {
  return {{"id", id}, {"content", text}, {"special", special}, {"lstrip", false}, {"rstrip", false}};
}

TEST(Tokenizer, Added_OrdinaryOnesAreFoundAlwaysAndTheLongestCounts) {
  const auto tokenizer = ParseSmall([](Json& json) {
    json["added_tokens"].push_back(Added(258, "<tool>", false));
    json["added_tokens"].push_back(Added(259, "<tool><tool>", false));
    json["added_tokens"].push_back(Added(260, "<secret>", true));
  });
  EXPECT_THAT(Ids(*tokenizer, "ab<tool>ab<tool><tool>"), ElementsAre(256, 258, 256, 259));
  EXPECT_EQ(Ids(*tokenizer, "<secret>").size(), 8U);
  EXPECT_THAT(Ids(*tokenizer, "<secret>", true), ElementsAre(260));
}

TEST(Tokenizer, Added_StripsWhiteSpaceAround) {
  const auto tokenizer = ParseSmall([](Json& json) {
    Json both = Added(258, "<mask>", true);
    both["lstrip"] = both["rstrip"] = true;
    json["added_tokens"].push_back(both);
  });
  EXPECT_THAT(Ids(*tokenizer, "ab \xE3\x80\x80<mask>\n\t ab", true), ElementsAre(256, 258, 256));
  EXPECT_THAT(Ids(*tokenizer, " <mask> ", true), ElementsAre(258));
}

TEST(Tokenizer, Normalizer_NfcIsApplied) {
  const auto tokenizer = ParseSmall([](Json& json) { json["normalizer"] = {{"type", "NFC"}}; });
  EXPECT_EQ(tokenizer->Decode(Ids(*tokenizer, "e\xCC\x81")), "\xC3\xA9");
  EXPECT_EQ(tokenizer->Decode(Ids(*tokenizer, "e\xCC\x81\xFF")), "e\xCC\x81\xFF") << "what is no UTF-8 stays";
}

TEST(Tokenizer, Parse_ReadsMergesAsPairsToo) {
  const auto tokenizer = ParseSmall([](Json& json) {
    json["model"]["merges"] = Json::array({Json::array({"a", "b"})});
  });
  EXPECT_THAT(Ids(*tokenizer, "abab"), ElementsAre(256, 256));
}

TEST(Tokenizer, Parse_SaysWhatIsNotSupported) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases = {
      {[](Json& json) { json["model"]["type"] = "WordPiece"; }, "model \"WordPiece\" is not supported"},
      {[](Json& json) { json["model"]["byte_fallback"] = true; },
       "model.byte_fallback with ByteLevel is not supported"},
      {[](Json& json) { json["model"]["dropout"] = 0.1; }, "model.dropout is not supported"},
      {[](Json& json) { json["model"]["end_of_word_suffix"] = "</w>"; }, "model.end_of_word_suffix is not supported"},
      {[](Json& json) {
         json["normalizer"] = {{"type", "Lowercase"}};
       },
       "normalizer \"Lowercase\" is not supported"},
      {[](Json& json) { json["pre_tokenizer"] = nullptr; }, "has no pre_tokenizer"},
      {[](Json& json) {
         json["pre_tokenizer"] = {{"type", "Metaspace"}};
       },
       "pre_tokenizer Metaspace must have the replacement \"\u2581\""},
      {[](Json& json) {
         json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\u2581"}};
       },
       "a pre_tokenizer null or Metaspace without model.byte_fallback is not supported"},
      {[](Json& json) {
         json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
       },
       "pre_tokenizer \"BertPreTokenizer\" is not supported"},
      {[](Json& json) { json["pre_tokenizer"]["add_prefix_space"] = true; }, "add_prefix_space is not supported"},
      {[](Json& json) {
         json["pre_tokenizer"] = ParseJson(R"({"type": "Sequence", "pretokenizers": [
           {"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Isolated", "invert": false},
           {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})",
                                           "test")
                                     .value();
       },
       "pre_tokenizer pattern is not one of gpt2, llama3, qwen2, o200k, cl100k_base: \"\\w+\""},
      {[](Json& json) { json.erase("model"); }, "has no \"model\""},
      {[](Json& json) { json["model"]["vocab"].erase("a"); }, "\"a\" is not in the vocabulary"},
      {[](Json& json) { json["model"]["vocab"].erase("z"); }, "no token for byte 0x7a"},
      {[](Json& json) { json["model"]["vocab"]["z"] = 3; }, "id 3 is given to"},
      {[](Json& json) { json["model"]["vocab"]["z"] = 1e9; }, "token \"z\" has no usable id"},
      {[](Json& json) { json["model"]["vocab"]["z"] = -1; }, "token \"z\" has no usable id"},
      {[](Json& json) { json["model"]["merges"] = {"ab"}; }, "merge 0 is not a pair"},
      {[](Json& json) {
         json["model"]["merges"] = {"a b", "a c"};
       },
       "merge 1: \"a\" and \"c\" make \"ac\", which is not in the vocabulary"},
      {[](Json& json) { json["added_tokens"][0]["content"] = "<bye>"; }, "id 257 is given to"},
      {[](Json& json) { json["model"]["merges"] = Json::array(); },
       "token \"ab\" (id 256) is the result of no merge: a merge is missing"},
      {[](Json& json) {
         json["added_tokens"] = Json::array();
         json["model"]["vocab"].erase("<|endoftext|>");
       },
       "has no end-of-text token"},
  };
  for (const auto& [edit, message] : cases) {
    const auto tokenizer = Tokenizer::Parse(SmallFile(edit), "some/tokenizer.json");
    EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(Message(tokenizer.status()), HasSubstr("some/tokenizer.json: "));
    EXPECT_THAT(Message(tokenizer.status()), HasSubstr(message));
  }
  std::string twice = SmallFile();
  twice.insert(twice.find("\"vocab\":{") + 9, "\"z\":600,");
  EXPECT_THAT(Message(Tokenizer::Parse(twice, "x").status()),
              HasSubstr("x: token \"z\" is there twice, with id 600 and"));
  EXPECT_THAT(Message(Tokenizer::Parse("{", "x").status()), HasSubstr("x: is not JSON"));
  EXPECT_EQ(Tokenizer::Load("/nowhere/tokenizer.json").status().code(), absl::StatusCode::kNotFound);
}

TEST(TokenizerConfig, Write_NamesTheEndAndTheChatForm) {
  auto config = ParseJson(WriteTokenizerConfig(256), "config");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ((*config)["eos_token"], "<|endoftext|>");
  EXPECT_EQ((*config)["model_max_length"], 256);
  EXPECT_THAT((*config)["chat_template"].get<std::string>(), HasSubstr("Question: "));
}

}  // namespace
}  // namespace rhodes
