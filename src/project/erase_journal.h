// OUT/.erase.json: an erasure that is under way. It is written before anything is changed and removed when all is done;
// it has ids, hashes and counts, and nothing that can be read.
#ifndef RHODES_PROJECT_ERASE_JOURNAL_H_
#define RHODES_PROJECT_ERASE_JOURNAL_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "project/needles.h"

namespace rhodes {

inline constexpr char kTakedowns[] = "takedowns";  // the selector's kind when notices ask for it

struct EraseJournal {
  std::string time;     // when it was asked for, RFC 3339
  Json selector;        // as in the receipt: names as hashes
  std::string receipt;  // where it goes; empty: none is asked for

  std::vector<std::string> records;    // ids that go; sorted
  std::vector<std::string> masked;     // ids of records that quote what goes, or lose their place; sorted
  std::vector<std::string> documents;  // ids that go; sorted
  std::vector<std::string> emptied;    // directories of sources of which everything goes, below OUT

  struct Folder {
    uint64_t documents = 0;  // that go from it
    Json counts;             // of its manifest, when all is done; null: it has none
  };
  std::map<std::string, Folder> folders;  // of documents, by name
  // How shards/ and trace/ are made again.
  struct Shards {
    std::string documents;  // the folder they are made from; empty: they are removed
    std::string key;
    Json settings;
    bool trace = false;
    std::string trace_key;
    Json trace_settings;
  };
  std::optional<Shards> shards;

  Json counts;                               // of the receipt
  Json merkle;                               // root and leaves before
  Json models;                               // of the receipt
  std::map<std::string, std::string> files;  // below OUT, with the SHA-256 before: what may change
  Needles needles;                           // of the texts and names that go
};

std::string JournalPath(const std::string& out);
absl::Status WriteJournal(const std::string& out, const EraseJournal& journal);
// NOT_FOUND when no erasure is under way; DATA_LOSS when the file is damaged.
absl::StatusOr<EraseJournal> ReadJournal(const std::string& out);

}  // namespace rhodes

#endif  // RHODES_PROJECT_ERASE_JOURNAL_H_
