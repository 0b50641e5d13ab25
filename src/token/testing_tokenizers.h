// For tests: small tokenizers of every kind, with what Hugging Face tokenizers and tiktoken make of some texts
// (testdata/identity.json, which bench/peers/tokenizer_goldens.py wrote).
#ifndef RHODES_TOKEN_TESTING_TOKENIZERS_H_
#define RHODES_TOKEN_TESTING_TOKENIZERS_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "token/tokenizer.h"

namespace rhodes {

inline const std::string kTokenTestData = RHODES_SOURCE_DIR "/src/token/testdata";

// A tokenizer.json after a JSON merge patch, or a rank file with a pattern.
struct TokenizerKind {
  std::string name;
  bool sentence_piece;
  Json golden;  // its object in identity.json
  std::unique_ptr<Tokenizer> tokenizer;

  bool has(std::string_view part) const { return name.find(part) != std::string::npos; }
};

inline Json ReadIdentityGoldens() {
  auto goldens = ReadJsonFile(kTokenTestData + "/identity.json");
  EXPECT_TRUE(goldens.ok()) << Message(goldens.status());
  return *std::move(goldens);
}

inline std::unique_ptr<Tokenizer> LoadKind(const Json& golden) {
  const std::string path = kTokenTestData + "/" + golden["file"].get<std::string>();
  auto bytes = ReadFile(path);
  EXPECT_TRUE(bytes.ok()) << Message(bytes.status());
  std::string pattern;
  if (golden.contains("pattern")) {
    pattern = golden["pattern"];
  } else {
    auto json = ParseJson(*bytes, path);
    EXPECT_TRUE(json.ok()) << Message(json.status());
    json->merge_patch(golden["patch"]);
    bytes = DumpJson(*json);
  }
  auto tokenizer = Tokenizer::Parse(*bytes, path, pattern);
  EXPECT_TRUE(tokenizer.ok()) << golden["name"] << Message(tokenizer.status());
  return *std::move(tokenizer);
}

// Loaded once; in the file's order.
inline const std::vector<TokenizerKind>& TokenizerKinds() {
  static const std::vector<TokenizerKind> kinds = [] {
    std::vector<TokenizerKind> found;
    const Json goldens = ReadIdentityGoldens();
    for (const Json& golden : goldens["kinds"]) {
      found.push_back(
          {golden["name"], golden["file"].get<std::string>() == "sentence_piece.json", golden, LoadKind(golden)});
    }
    return found;
  }();
  return kinds;
}

inline const TokenizerKind& KindNamed(std::string_view name) {
  for (const TokenizerKind& kind : TokenizerKinds()) {
    if (kind.name == name) return kind;
  }
  ADD_FAILURE() << "no kind " << name;
  return TokenizerKinds().front();
}

inline std::vector<TokenId> EncodeText(const Tokenizer& tokenizer, std::string_view text, bool allow_special = false) {
  std::vector<TokenId> ids;
  tokenizer.Encode(text, ids, allow_special);
  return ids;
}

}  // namespace rhodes

#endif  // RHODES_TOKEN_TESTING_TOKENIZERS_H_
