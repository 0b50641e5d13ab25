// rhodes decode: token ids on standard input into the bytes they stand for.
#include <fmt/format.h>

#include <charconv>
#include <iomanip>
#include <iostream>
#include <memory>

#include "command.h"
#include "token/streaming_decoder.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

constexpr int kWordBytes = 64;  // longer ones are no ids, and are not read into memory whole

struct Flags {
  std::string tokenizer;
  std::string pattern;
};

absl::Status RunDecode(const Flags& flags, const CommonFlags& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(flags.tokenizer, flags.pattern));
  StreamingDecoder decoder(*tokenizer);
  std::string all;  // with --json
  const auto say = [&](const std::string& text) {
    if (common.json) {
      all += text;
      return;
    }
    std::cout.write(text.data(), static_cast<std::streamsize>(text.size()));
    // What is here is shown before waiting for more.
    if (std::cin.rdbuf()->in_avail() <= 1) std::cout.flush();
  };
  size_t count = 0;
  for (std::string word; std::cin >> std::setw(kWordBytes) >> word; ++count) {
    TokenId id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (end != word.data() + word.size() || (error != std::errc() && error != std::errc::result_out_of_range)) {
      return absl::InvalidArgumentError(
          fmt::format("decode: {} (number {} of the input) is not a token id", DumpJson(word), count + 1));
    }
    if (error == std::errc::result_out_of_range || id >= tokenizer->vocabulary_size()) {
      return absl::InvalidArgumentError(
          fmt::format("decode: id {} (number {} of the input) is beyond the vocabulary of "
                      "{} tokens of {}",
                      word, count + 1, tokenizer->vocabulary_size(), flags.tokenizer));
    }
    say(decoder.Push(id));
    if (!std::cout) return FinishOutput();  // nobody can read the rest
  }
  say(decoder.Finish());
  if (common.json) PrintJson({{"text", all}});
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--tokenizer", flags->tokenizer, "tokenizer.json, or a tiktoken rank file")->required();
  app.add_option("--pattern", flags->pattern, "as for encode");
  return [flags](const CommonFlags& common, RunContext& /*context*/) {
    std::ios::sync_with_stdio(false);  // so that ids are read in blocks
    std::cin.tie(nullptr);
    return RunDecode(*flags, common);
  };
}

const CommandRegistration kRegistration({"decode", "turn token ids on standard input into text",
                                         "  echo 'a line of text' | rhodes encode --tokenizer out/tokenizer.json |\n"
                                         "    rhodes decode --tokenizer out/tokenizer.json\n",
                                         111, &Setup});

}  // namespace
}  // namespace rhodes
