// rhodes decode: token ids on standard input into the bytes they stand for.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "command.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

absl::Status RunDecode(const std::string& path, const CommonFlags& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(path));
  std::vector<TokenId> ids;
  for (TokenId id; std::cin >> id;) {
    if (id >= tokenizer->vocabulary_size()) {
      return absl::InvalidArgumentError(
          fmt::format("decode: id {} (number {} of the input) is beyond the vocabulary of "
                      "{} tokens of {}",
                      id, ids.size() + 1, tokenizer->vocabulary_size(), path));
    }
    ids.push_back(id);
  }
  if (!std::cin.eof()) {
    return absl::InvalidArgumentError(
        fmt::format("decode: what follows {} ids on standard input is not a token id", ids.size()));
  }
  const std::string text = tokenizer->Decode(ids);
  if (common.json) {
    PrintJson({{"text", text}});
  } else {
    std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto tokenizer = std::make_shared<std::string>();
  app.add_option("--tokenizer", *tokenizer, "tokenizer.json")->required();
  return [tokenizer](const CommonFlags& common, RunContext& /*context*/) { return RunDecode(*tokenizer, common); };
}

const CommandRegistration kRegistration({"decode", "turn token ids on standard input into text",
                                         "  echo 'a line of text' | rhodes encode --tokenizer out/tokenizer.json |\n"
                                         "    rhodes decode --tokenizer out/tokenizer.json\n",
                                         111, &Setup});

}  // namespace
}  // namespace rhodes
