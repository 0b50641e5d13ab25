// rhodes encode: text on standard input into token ids.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <memory>

#include "command.h"
#include "token/tokenizer.h"

namespace rhodes {
namespace {

constexpr size_t kReadBytes = 1 << 20;

struct Flags {
  std::string tokenizer;
  std::string pattern;
  bool lines = false;
  bool null = false;
  bool allow_special = false;
  bool refuse_special = false;
};

// Appends what standard input holds now, at most kReadBytes; false at its end.
absl::StatusOr<bool> ReadMore(std::string& text) {
  const size_t before = text.size();
  text.resize(before + kReadBytes);
  ssize_t count;
  do {
    count = ::read(STDIN_FILENO, text.data() + before, kReadBytes);
  } while (count < 0 && errno == EINTR);
  text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return ErrnoError(errno, "read", "standard input");
  return count > 0;
}

// Calls `each` for every text that ends in `end`, and for the rest when it is not empty, as soon as it has come, and
// `batch_done` after all those that came together.
absl::Status ForEachText(char end, const std::function<absl::Status(std::string_view)>& each,
                         const std::function<absl::Status()>& batch_done) {
  std::string waiting;
  size_t searched = 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ReadMore(waiting));
    if (!more) break;
    size_t begin = 0;
    const std::string_view all = waiting;
    for (size_t stop; (stop = all.find(end, std::max(begin, searched))) != std::string_view::npos; begin = stop + 1) {
      RETURN_IF_ERROR(each(all.substr(begin, stop - begin)));
    }
    waiting.erase(0, begin);
    searched = waiting.size();
    RETURN_IF_ERROR(batch_done());
  }
  if (!waiting.empty()) RETURN_IF_ERROR(each(waiting));
  return batch_done();
}

void AppendIds(const std::vector<TokenId>& ids, std::string& out) {
  char digits[16];
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ' ';
    out.append(digits, std::to_chars(digits, digits + sizeof(digits), ids[i]).ptr);
  }
  out += '\n';
}

absl::Status Write(std::string& out) {
  RETURN_IF_ERROR(WriteOutput(out));
  out.clear();
  return FinishOutput();
}

absl::Status RefuseSpecial(const Tokenizer& tokenizer, std::string_view text, std::string_view what) {
  const absl::Status found = tokenizer.CheckNoSpecial(text);
  return found.ok() ? found : RejectedError(fmt::format("encode: {}: {}", what, Message(found)));
}

absl::Status EncodeEach(const Tokenizer& tokenizer, const Flags& flags, bool json) {
  Json all = Json::array();
  std::string out;
  std::vector<TokenId> ids;
  uint64_t number = 0;
  const absl::Status status = ForEachText(
      flags.null ? '\0' : '\n',
      [&](std::string_view text) -> absl::Status {
        ++number;
        if (flags.refuse_special) RETURN_IF_ERROR(RefuseSpecial(tokenizer, text, fmt::format("text {}", number)));
        ids.clear();
        tokenizer.Encode(text, ids, flags.allow_special);
        if (json) {
          all.push_back(ids);
        } else {
          AppendIds(ids, out);
        }
        return absl::OkStatus();
      },
      [&] { return Write(out); });
  RETURN_IF_ERROR(status);
  if (json) PrintJson({{"ids", all}});
  return absl::OkStatus();
}

absl::Status RunEncode(const Flags& flags, const CommonFlags& common, const RunContext& context) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, Tokenizer::Load(flags.tokenizer, flags.pattern));
  if (flags.lines || flags.null) return EncodeEach(*tokenizer, flags, common.json);
  std::string text;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, ReadMore(text));
  }
  if (flags.refuse_special) RETURN_IF_ERROR(RefuseSpecial(*tokenizer, text, "standard input"));
  std::vector<TokenId> ids;
  tokenizer->EncodeOnThreads(text, context.Threads(), ids, flags.allow_special);
  if (common.json) {
    PrintJson({{"ids", ids}});
    return absl::OkStatus();
  }
  std::string out;
  AppendIds(ids, out);
  return Write(out);
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("--tokenizer", flags->tokenizer, "tokenizer.json, or a tiktoken rank file")->required();
  app.add_option("--pattern", flags->pattern,
                 "what cuts the words of a rank file that is none of the well-known ones: gpt2, cl100k, o200k, llama3, "
                 "qwen2, grok2");
  app.add_flag("--lines", flags->lines, "each line by itself, without its line feed; one line of ids for each");
  app.add_flag("--null", flags->null, "texts end with a NUL byte, not with a line feed; one line of ids for each");
  auto* allow =
      app.add_flag("--allow-special", flags->allow_special, "special tokens written in the text become those tokens");
  app.add_flag("--refuse-special", flags->refuse_special, "a special token written in the text is an error")
      ->excludes(allow);
  return [flags](const CommonFlags& common, RunContext& context) { return RunEncode(*flags, common, context); };
}

const CommandRegistration kRegistration({"encode", "turn text on standard input into token ids",
                                         "  echo 'a line of text' | rhodes encode --tokenizer out/tokenizer.json\n"
                                         "  rhodes encode --tokenizer out/tokenizer.json --lines --json < lines.txt\n"
                                         "  rhodes encode --tokenizer o200k_base.tiktoken < book.txt\n",
                                         110, &Setup});

}  // namespace
}  // namespace rhodes
