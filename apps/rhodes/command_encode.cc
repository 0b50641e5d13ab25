// rhodes encode: text on standard input into token ids.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "command.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

struct Flags {
  std::string tokenizer;
  bool lines = false;
  bool allow_special = false;
};

absl::Status RunEncode(const Flags& flags, const CommonFlags& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(flags.tokenizer));
  Json all = Json::array();
  const auto encode = [&](std::string_view text) {
    std::vector<TokenId> ids;
    tokenizer->Encode(text, ids, flags.allow_special);
    if (common.json) {
      all.push_back(ids);
    } else {
      fmt::print("{}\n", fmt::join(ids, " "));
    }
  };
  if (flags.lines) {
    for (std::string line; std::getline(std::cin, line);) encode(line);
  } else {
    encode(std::string(std::istreambuf_iterator<char>(std::cin), {}));
  }
  if (common.json) PrintJson({{"ids", flags.lines ? all : all[0]}});
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--tokenizer", flags->tokenizer, "tokenizer.json")->required();
  app.add_flag("--lines", flags->lines, "each line by itself, without its line feed; one line of ids for each");
  app.add_flag("--allow-special", flags->allow_special, "special tokens written in the text become those tokens");
  return [flags](const CommonFlags& common, RunContext& /*context*/) { return RunEncode(*flags, common); };
}

const CommandRegistration kRegistration({"encode", "turn text on standard input into token ids",
                                         "  echo 'a line of text' | rhodes encode --tokenizer out/tokenizer.json\n"
                                         "  rhodes encode --tokenizer out/tokenizer.json --lines --json < lines.txt\n",
                                         110, &Setup});

}  // namespace
}  // namespace rhodes
