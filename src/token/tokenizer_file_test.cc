// What is wrong with a tokenizer.json is named, and where.
#include "token/tokenizer_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "token/testing_tokenizers.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

using Edit = std::function<void(Json&)>;

// The message for testdata/`file` after `edit`; empty when it is read.
std::string ErrorOf(const std::string& file, const Edit& edit) {
  auto json = ReadJsonFile(kTokenTestData + "/" + file);
  EXPECT_TRUE(json.ok()) << Message(json.status());
  edit(*json);
  const auto tokenizer = Tokenizer::Parse(DumpJson(*json), "some/tokenizer.json");
  EXPECT_EQ(tokenizer.status().code(), tokenizer.ok() ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument);
  return Message(tokenizer.status());
}

struct Case {
  Edit edit;
  std::string message;
};

void ExpectErrors(const std::string& file, const std::vector<Case>& cases) {
  ASSERT_EQ(ErrorOf(file, [](Json&) {}), "");
  for (const Case& one : cases) EXPECT_EQ(ErrorOf(file, one.edit), "some/tokenizer.json: " + one.message);
}

TEST(TokenizerFile, Parse_NamesMergesAndTokensThatDoNotBelongTogether) {
  auto json = ReadJsonFile(kTokenTestData + "/gpt2.json");
  ASSERT_TRUE(json.ok());
  constexpr size_t kMerge = 200;
  const std::string left = (*json)["model"]["merges"][kMerge][0];
  const std::string right = (*json)["model"]["merges"][kMerge][1];
  const std::string token = left + right;
  const int id = (*json)["model"]["vocab"][token];
  const auto merge = [&](const Json& other) {
    return [&, other](Json& edited) { edited["model"]["merges"][kMerge] = other; };
  };
  const std::string no_pair = "merge 200 is not a pair of tokens";
  ExpectErrors(
      "gpt2.json",
      {{[&](Json& edited) { edited["model"]["merges"].erase(kMerge); },
        fmt::format("token \"{}\" (id {}) is the result of no merge: a merge is missing", token, id)},
       {[&](Json& edited) { edited["model"]["vocab"].erase(token); },
        fmt::format("merge 200: \"{}\" and \"{}\" make \"{}\", which is not in the vocabulary", left, right, token)},
       {merge({"thx", "e"}), "merge 200: \"thx\" is not in the vocabulary"},
       {merge({"t", "hxe"}), "merge 200: \"hxe\" is not in the vocabulary"},
       {merge({"t", "h", "e"}), no_pair},
       {merge({"t", 7}), no_pair},
       {merge({"t", ""}), no_pair},
       {merge("th"), no_pair},
       {merge(7), no_pair},
       {[&](Json& edited) { edited["model"]["merges"] = "none"; }, "\"model.merges\" is not an array"},
       {[&](Json& edited) { edited["model"]["vocab"] = Json::array(); }, "\"model.vocab\" is not an object"},
       {[&](Json& edited) { edited["model"]["vocab"]["new"] = id; },
        fmt::format("id {} is given to \"{}\" and to \"new\"", id, token)},
       {[&](Json& edited) { edited["model"]["vocab"]["new"] = "7"; }, "token \"new\" has no usable id"},
       {[&](Json& edited) { edited["added_tokens"] = Json::object(); }, "\"added_tokens\" is not an array"},
       {[&](Json& edited) {
          edited["added_tokens"].push_back({{"id", 900}});
        },
        "added token \"\" has no usable id or content"},
       {[&](Json& edited) {
          edited["added_tokens"].push_back({{"content", "<x>"}});
        },
        "added token \"<x>\" has no usable id or content"},
       {[&](Json& edited) {
          edited["added_tokens"].push_back({{"content", token}, {"id", 900}});
        },
        fmt::format("added token \"{}\" has id 900, but id {} in the vocabulary", token, id)}});
}

TEST(TokenizerFile, Parse_NamesTheTokenThatIsThereTwice) {
  auto bytes = ReadFile(kTokenTestData + "/gpt2.json");
  ASSERT_TRUE(bytes.ok());
  const size_t at = bytes->find("\"vocab\":{") + 9;
  EXPECT_EQ(Message(Tokenizer::Parse(std::string(*bytes).insert(at, "\"z\":700,"), "x").status()),
            "x: token \"z\" is there twice, with id 700 and id 89");
  EXPECT_THAT(Message(Tokenizer::Parse(bytes->substr(0, bytes->size() / 2), "x").status()),
              HasSubstr("x: is not JSON: "));
}

TEST(TokenizerFile, Parse_NamesStepsItDoesNotKnow) {
  const Json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto split = [](const char* regex, const char* behavior, bool invert) {
    return Json{{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", behavior}, {"invert", invert}};
  };
  const auto steps = [](Json& edited, const Json& list) {
    edited["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", list}};
  };
  const std::string o200k(PatternRegex(Pattern::kO200k));
  ExpectErrors(
      "gpt2.json",
      {{[&](Json& edited) {
          steps(edited, Json::array({split("\\w+", "Isolated", false), byte_level}));
        },
        "pre_tokenizer pattern is not one of gpt2, llama3, qwen2, o200k, cl100k_base: \"\\w+\""},
       {[&](Json& edited) {
          steps(edited, Json::array({split(o200k.c_str(), "MergedWithNext", false), byte_level}));
        },
        "pre_tokenizer Split with behavior \"MergedWithNext\" is not supported (\"Isolated\" and inverted \"Removed\" "
        "are)"},
       {[&](Json& edited) {
          steps(edited, Json::array({split(o200k.c_str(), "Removed", false), byte_level}));
        },
        "pre_tokenizer Split with behavior \"Removed\" is not supported (\"Isolated\" and inverted \"Removed\" are)"},
       {[&](Json& edited) { steps(edited, Json::array({split(o200k.c_str(), "Isolated", false)})); },
        "pre_tokenizer Sequence must be one Split and one ByteLevel"},
       {[&](Json& edited) {
          steps(edited, Json::array({Json{{"type", "Digits"}, {"individual_digits", true}}, byte_level}));
        },
        "pre_tokenizer Sequence must be one Split and one ByteLevel"},
       {[&](Json& edited) {
          Json cuts = byte_level;
          cuts["use_regex"] = true;
          steps(edited, Json::array({split(o200k.c_str(), "Isolated", false), cuts}));
        },
        "pre_tokenizer ByteLevel after a Split must have use_regex false"},
       {[&](Json& edited) { edited["pre_tokenizer"] = byte_level; },
        "pre_tokenizer ByteLevel without a pattern is not supported"},
       {[&](Json& edited) { edited["pre_tokenizer"] = split(o200k.c_str(), "Isolated", false); },
        "pre_tokenizer Split by itself is not supported"},
       {[&](Json& edited) {
          edited["pre_tokenizer"] = {{"type", "Whitespace"}};
        },
        "pre_tokenizer \"Whitespace\" is not supported (ByteLevel, a Sequence of Split and ByteLevel, and Metaspace "
        "are)"},
       {[&](Json& edited) {
          edited["normalizer"] = {{"type", "NFKC"}};
        },
        "normalizer \"NFKC\" is not supported (null, NFC, and Prepend and Replace with \"\u2581\" are)"},
       {[&](Json& edited) {
          edited["normalizer"] = {{"type", "Sequence"}};
        },
        "normalizer Sequence has no \"normalizers\""}});
}

TEST(TokenizerFile, Parse_NamesWhatASentencePieceFileLacks) {
  const auto metaspace = [](const char* scheme) {
    return Json{{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}};
  };
  ExpectErrors("sentence_piece.json",
               {{[&](Json& edited) { edited["model"]["vocab"].erase("<0x0A>"); },
                 "byte fallback needs the token <0x0A>, which is not there"},
                {[&](Json& edited) { edited["model"]["byte_fallback"] = false; },
                 "a pre_tokenizer null or Metaspace without model.byte_fallback is not supported"},
                {[&](Json& edited) { edited["model"]["ignore_merges"] = true; },
                 "model.ignore_merges with model.byte_fallback is not supported"},
                {[&](Json& edited) { edited["normalizer"]["normalizers"].erase(1); },
                 "has no pre_tokenizer, and no normalizer that marks spaces"},
                {[&](Json& edited) { edited["normalizer"]["normalizers"][1]["content"] = "_"; },
                 "normalizer Replace must put \"\u2581\" for \" \""},
                {[&](Json& edited) {
                   edited["normalizer"]["normalizers"].push_back({{"type", "NFC"}});
                 },
                 "normalizer NFC beside Prepend, Replace or Metaspace is not supported"},
                {[&](Json& edited) {
                   edited["normalizer"] = {{"type", "Prepend"}, {"prepend", "\u2581"}};
                   edited["pre_tokenizer"] = metaspace("never");
                 },
                 "normalizer Prepend without Replace is not supported"},
                {[&](Json& edited) { edited["pre_tokenizer"] = metaspace("sometimes"); },
                 "Metaspace prepend_scheme \"sometimes\" is not known"},
                {[&](Json& edited) {
                   edited["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"String", "x"}}}};
                 },
                 "pre_tokenizer Split after a normalizer that marks spaces must have the pattern \" \""}});
}

TEST(TokenizerFile, Parse_TakesInvertedAndRemovedSplitsForTheSame) {
  auto json = ReadJsonFile(kTokenTestData + "/o200k.json");
  ASSERT_TRUE(json.ok());
  const std::string text = "CamelCase  12345 it's \u0645\u0631\u062d\u0628\u0627\n\n x";
  const std::vector<TokenId> expected = EncodeText(*KindNamed("o200k").tokenizer, text);
  for (const auto& [behavior, invert] : {std::pair("Isolated", true), std::pair("Removed", true)}) {
    (*json)["pre_tokenizer"]["pretokenizers"][0]["behavior"] = behavior;
    (*json)["pre_tokenizer"]["pretokenizers"][0]["invert"] = invert;
    const auto tokenizer = Tokenizer::Parse(DumpJson(*json), "x");
    ASSERT_TRUE(tokenizer.ok()) << Message(tokenizer.status());
    EXPECT_EQ(EncodeText(**tokenizer, text), expected);
  }
}

}  // namespace
}  // namespace rhodes
