// Counts the words of a whole corpus on all threads within a memory limit, exactly, and so that a count that was killed
// can go on.
#ifndef RHODES_TOKEN_WORD_COUNTER_H_
#define RHODES_TOKEN_WORD_COUNTER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_context.h"
#include "base/status.h"
#include "token/text_input.h"
#include "token/word_counts.h"

namespace rhodes {

struct GroupCount {
  uint32_t word;  // its place among CountedWords::words
  uint64_t count;
};

struct CountedWords {
  std::vector<WordCount> words;                 // over all groups, in no stated order; the views live in `bytes`
  std::vector<TextGroup> names;                 // of the groups, sorted
  std::vector<std::vector<GroupCount>> groups;  // by group: the same words
  std::vector<uint64_t> text_bytes;             // by group
  std::vector<uint64_t> texts;                  // documents, by group
  uint64_t words_forgotten = 0;                 // the rarest, left out because of the limit
  uint64_t forgotten_occurrences = 0;
  std::vector<std::unique_ptr<char[]>> bytes;
};

struct WordCounterOptions {
  Pattern pattern = Pattern::kLlama3;
  // Tables and results. Tables that outgrow a quarter of it are sorted into files and counted together at the end; of
  // the result, words are left out, the rarest first and all of one count at once, when a trainer would take more than
  // half of it for them.
  uint64_t memory_limit = uint64_t{1} << 30;
  // Holds the files while it runs; made when needed and removed at the end. Empty: a folder of its own among the
  // system's temporary files.
  std::string folder;
  // Not empty: what was counted is kept in `folder` every `save_seconds`, and a run with the same key goes on from
  // there: `key` must name the corpus and all settings that change the counts. The folder is removed by Remove().
  std::string key;
  double save_seconds = 30;
};

// One corpus, one time. The result depends neither on threads nor on when it was saved and killed.
class WordCounter {
 public:
  explicit WordCounter(WordCounterOptions options) : options_(std::move(options)) {}
  ~WordCounter();
  WordCounter(const WordCounter&) = delete;
  WordCounter& operator=(const WordCounter&) = delete;

  // Memory beyond the limit: the pieces that are read at one time, one a thread.
  absl::StatusOr<CountedWords> Count(const TextReader& next, RunContext& context);
  // Pieces that were counted by an earlier run and passed over by this one.
  uint64_t pieces_skipped() const { return pieces_skipped_; }
  // Forgets what was kept.
  absl::Status Remove();

 private:
  // The words that one thread has counted; threads take turns with them.
  struct Tables {
    std::vector<WordTable> by_group;
    uint64_t memory_bytes() const;
  };

  absl::Status Open();
  bool ReadState(const Json& state);
  bool ReadGroups(const Json& state);
  absl::Status CountUntilSave(const TextReader& next, RunContext& context, bool& ended);
  absl::Status CountPiece(TextPiece& piece);
  uint32_t GroupOf(std::string_view source, std::string_view language);
  absl::Status Spill(Tables& tables);
  absl::Status Save();
  CountedWords EmptyResult() const;
  absl::StatusOr<CountedWords> InMemory();
  absl::StatusOr<CountedWords> FromRuns(RunContext& context);
  std::string RunPath(uint64_t run) const;

  const WordCounterOptions options_;
  std::string folder_;
  bool folder_made_ = false;
  uint64_t table_limit_ = 0;  // of one thread's tables
  std::mutex mutex_;
  std::vector<std::unique_ptr<Tables>> idle_;  // of threads that do not count right now
  std::map<TextGroup, uint32_t> numbers_;      // of the groups, as they are met
  std::vector<uint64_t> text_bytes_;           // by group
  std::vector<uint64_t> texts_;
  std::vector<uint64_t> runs_;             // numbers of the files
  std::vector<std::string> fingerprints_;  // of those that are safe on the disk
  uint64_t next_run_ = 0;
  uint64_t pieces_ = 0;
  uint64_t pieces_skipped_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_COUNTER_H_
