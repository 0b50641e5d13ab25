// How fast a tokenizer encodes a text on this machine.
#ifndef RHODES_TOKEN_ENCODE_BENCHMARK_H_
#define RHODES_TOKEN_ENCODE_BENCHMARK_H_

#include <string>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"

namespace rhodes {

struct EncodeBenchmarkOptions {
  std::string tokenizer;  // tokenizer.json or a rank file
  std::string pattern;    // of a rank file that is none of the well-known ones
  std::string input;      // a file of text, encoded as one text
  int rounds = 5;         // of each measurement; the median is taken
};

// From the file's bytes to ids in memory, with the file in the system's cache:
//   cold  the tokenizer has seen no text
//   warm  it has seen the first half of the file, and encodes the second
//   seen  it has seen this very text
// on one thread and on context.Threads(), and on one thread after it has seen the text, with more and more of its words
// replaced by letters at random (see docs/tokenizer.md).
// {"bytes", "tokens", "bytes_per_token", "bytes_per_second": {"one_thread": {"cold", "warm", "seen"}, "all_threads":
// {...}}, "threads", "unseen_words": [{"share", "bytes_per_second"}], ...}
absl::StatusOr<Json> BenchmarkEncoding(const EncodeBenchmarkOptions& options, const RunContext& context);

}  // namespace rhodes

#endif  // RHODES_TOKEN_ENCODE_BENCHMARK_H_
