// How often each word of a corpus occurs: what the trainer of a tokenizer learns from.
#ifndef RHODES_TOKEN_WORD_COUNTS_H_
#define RHODES_TOKEN_WORD_COUNTS_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "token/pattern.h"

namespace rhodes {

struct WordCount {
  std::string_view word;
  uint64_t count;
};

// A hash table from words to counts. Not thread-safe.
class WordTable {
 public:
  WordTable();
  // With `copy`, the word's bytes are kept in the table; else they must live as long as it.
  void Add(std::string_view word, uint64_t count, bool copy);
  // Adds every word of `text`. Words of more than kLongestWord bytes are counted in pieces of that length: only text
  // without spaces or punctuation has them, and the trainer's work grows with their square.
  void AddText(Pattern pattern, std::string_view text);
  // Adds `other`, copying its words.
  void Merge(const WordTable& other);
  // Forgets the words that occur up to `most` times.
  void RemoveRare(uint64_t most);

  size_t size() const { return size_; }
  uint64_t memory_bytes() const { return slots_.size() * sizeof(Slot) + kept_bytes_; }
  // The most frequent first, equally frequent ones in the order of their bytes; the views live as long as the table.
  std::vector<WordCount> Sorted() const;

  static constexpr size_t kLongestWord = 4096;

 private:
  struct Slot {
    uint64_t hash;
    const char* word = nullptr;  // null: free
    uint64_t length;
    uint64_t count;
  };

  void AddHashed(uint64_t hash, std::string_view word, uint64_t count, bool copy);
  const char* Keep(std::string_view word);
  void Grow();

  std::vector<Slot> slots_;
  size_t size_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_left_ = 0;
  char* block_at_ = nullptr;
  uint64_t kept_bytes_ = 0;
};

// Counts of a whole corpus within a memory limit. Give it the batches in the corpus's order: then what is forgotten
// under the limit depends on nothing else.
class WordCounter {
 public:
  explicit WordCounter(uint64_t memory_limit) : memory_limit_(memory_limit) {}
  // When the table outgrows the limit, the rarest words are forgotten until half of it is free.
  void Add(const WordTable& batch);
  const WordTable& table() const { return table_; }
  uint64_t forgotten() const { return forgotten_; }  // words dropped, counted each time they were

 private:
  uint64_t memory_limit_;
  WordTable table_;
  uint64_t forgotten_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_WORD_COUNTS_H_
