#include "token/word_counter.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <queue>
#include <span>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;
double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

constexpr char kStateFile[] = "/state.json";
constexpr size_t kBlockBytes = 1 << 20;

// One word of one group in a file of sorted words: this, then the word's bytes.
struct RunEntry {
  uint32_t length;
  uint32_t group;
  uint64_t count;
};
static_assert(sizeof(RunEntry) == 16);

// What a trainer takes for a word: its symbols, and the places of its pairs now and after merges; see bpe_trainer.h.
uint64_t TrainingCost(size_t word_bytes) { return 24 * word_bytes + 64; }

// Reads a file of sorted words from begin to end.
class RunReader {
 public:
  explicit RunReader(MappedFile file) : file_(std::move(file)) {}
  bool Next() {
    if (at_ == file_.bytes().size()) return false;
    std::memcpy(&entry, file_.bytes().data() + at_, sizeof(entry));
    word = file_.bytes().substr(at_ + sizeof(entry), entry.length);
    at_ += sizeof(entry) + entry.length;
    if (at_ - released_ > kReleaseBytes) {
      // The word that was just read lies in the last page.
      ReleasePages(file_.bytes().substr(released_, at_ - released_ - sizeof(entry) - entry.length));
      released_ = at_ - sizeof(entry) - entry.length;
    }
    return true;
  }
  RunEntry entry{};
  std::string_view word;

 private:
  static constexpr size_t kReleaseBytes = 16 << 20;
  MappedFile file_;
  size_t at_ = 0;
  size_t released_ = 0;
};

// The counts that words may have to be kept when all that are kept may cost `limit`: those from the result on.
class CountThreshold {
 public:
  void Add(uint64_t count, uint64_t cost) {
    if (count < small_.size()) {
      small_[count] += cost;
    } else {
      costs_[count] += cost;
    }
  }
  uint64_t Within(uint64_t limit) const {
    uint64_t total = 0;
    uint64_t threshold = UINT64_MAX;
    for (auto it = costs_.rbegin(); it != costs_.rend(); ++it) {
      total += it->second;
      if (total > limit) break;
      threshold = it->first;
    }
    for (size_t count = small_.size(); count-- > 0 && total <= limit;) {
      total += small_[count];
      if (small_[count] > 0 && total <= limit) threshold = count;
    }
    return threshold;
  }

 private:
  std::vector<uint64_t> small_ = std::vector<uint64_t>(4096);  // by count; most words are rare
  std::map<uint64_t, uint64_t> costs_;
};

// Appends words with their counts by group, leaving out those below a threshold.
using ByGroup = std::pair<uint32_t, uint64_t>;  // a group, and the count in it
class Collector {
 public:
  Collector(CountedWords& result, uint64_t threshold) : result_(result), threshold_(threshold) {}
  absl::Status Add(std::string_view word, std::span<const ByGroup> counts) {
    uint64_t total = 0;
    for (const auto& [group, count] : counts) total += count;
    if (total < threshold_) {
      ++result_.words_forgotten;
      result_.forgotten_occurrences += total;
      return absl::OkStatus();
    }
    if (result_.words.size() == UINT32_MAX)
      return absl::InvalidArgumentError("tokenizer training: more than 2^32 different words; lower the memory budget");
    const auto number = static_cast<uint32_t>(result_.words.size());
    result_.words.push_back({Keep(word), total});
    for (const auto& [group, count] : counts) result_.groups[group].push_back({number, count});
    return absl::OkStatus();
  }

 private:
  std::string_view Keep(std::string_view word) {
    if (left_ < word.size()) {
      left_ = std::max(kBlockBytes, word.size());
      result_.bytes.push_back(std::make_unique<char[]>(left_));
      at_ = result_.bytes.back().get();
    }
    std::memcpy(at_, word.data(), word.size());
    const std::string_view kept(at_, word.size());
    at_ += word.size();
    left_ -= word.size();
    return kept;
  }

  CountedWords& result_;
  const uint64_t threshold_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

// Threads meet the groups in any order.
void SortGroups(CountedWords& counted) {
  std::vector<size_t> order(counted.names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counted.names[a] < counted.names[b]; });
  const auto sort = [&](auto& by_group) {
    auto unsorted = std::exchange(by_group, {});
    for (const size_t group : order) by_group.push_back(std::move(unsorted[group]));
  };
  sort(counted.names);
  sort(counted.groups);
  sort(counted.text_bytes);
  sort(counted.texts);
}

}  // namespace

uint64_t WordCounter::Tables::memory_bytes() const {
  uint64_t bytes = 0;
  for (const WordTable& table : by_group) bytes += table.memory_bytes();
  return bytes;
}

WordCounter::~WordCounter() {
  // What belongs to a key stays for the run that goes on with it.
  if (folder_made_ && options_.key.empty()) RemoveTree(folder_).IgnoreError();  // a temporary folder is no loss
}

absl::Status WordCounter::Remove() { return folder_.empty() ? absl::OkStatus() : RemoveTree(folder_); }

std::string WordCounter::RunPath(uint64_t run) const { return fmt::format("{}/words-{:05}", folder_, run); }

absl::Status WordCounter::Open() {
  folder_ = options_.folder;
  if (folder_.empty()) {
    std::error_code error;
    std::string temporary = (std::filesystem::temp_directory_path(error) / "rhodes-words-XXXXXX").string();
    if (error || mkdtemp(temporary.data()) == nullptr) return ErrnoError(errno, "create", temporary);
    folder_ = temporary;
  }
  folder_made_ = true;
  if (options_.key.empty()) return CreateDirectories(folder_);
  const absl::StatusOr<Json> state = ReadJsonFile(folder_ + kStateFile);
  // What is not whole, or of another corpus, is counted again.
  bool same = state.ok() && ReadState(*state);
  for (size_t i = 0; same && i < runs_.size(); ++i) {
    const absl::StatusOr<MappedFile> file = MappedFile::Open(RunPath(runs_[i]));
    if (file.ok()) fingerprints_.push_back(ContentFingerprint(file->bytes()));
    same = file.ok() && fingerprints_.back() == (*state)["fingerprints"][i];
  }
  if (!same) {
    runs_.clear();
    fingerprints_.clear();
    numbers_.clear();
    text_bytes_.clear();
    texts_.clear();
    pieces_skipped_ = 0;
    RETURN_IF_ERROR(RemoveTree(folder_));
    return CreateDirectories(folder_);
  }
  next_run_ = runs_.empty() ? 0 : *std::max_element(runs_.begin(), runs_.end()) + 1;
  return absl::OkStatus();
}

bool WordCounter::ReadState(const Json& state) {
  const auto numbers = [&](const char* name, std::vector<uint64_t>& out) {
    if (!state.contains(name) || !state[name].is_array()) return false;
    for (const Json& number : state[name]) {
      if (!number.is_number_unsigned()) return false;
      out.push_back(number.get<uint64_t>());
    }
    return true;
  };
  std::vector<uint64_t> pieces;
  const bool whole = state.is_object() && state.contains("key") && state["key"] == options_.key &&
                     numbers("runs", runs_) && numbers("text_bytes", text_bytes_) && numbers("texts", texts_) &&
                     numbers("pieces", pieces) && pieces.size() == 1 && texts_.size() == text_bytes_.size() &&
                     ReadGroups(state) && numbers_.size() == texts_.size() && state.contains("fingerprints") &&
                     state["fingerprints"].is_array() && state["fingerprints"].size() == runs_.size();
  if (whole) pieces_skipped_ = pieces[0];
  return whole;
}

bool WordCounter::ReadGroups(const Json& state) {
  if (!state.contains("groups") || !state["groups"].is_array()) return false;
  for (const Json& group : state["groups"]) {
    if (!group.is_array() || group.size() != 2 || !group[0].is_string() || !group[1].is_string()) return false;
    numbers_.emplace(TextGroup{group[0], group[1]}, static_cast<uint32_t>(numbers_.size()));
  }
  return true;
}

absl::Status WordCounter::Spill(Tables& tables) {
  struct Word {
    std::string_view word;
    uint32_t group;
    uint64_t count;
  };
  std::vector<Word> words;
  for (uint32_t group = 0; group < tables.by_group.size(); ++group) {
    tables.by_group[group].ForEach([&](std::string_view word, uint64_t count) {
      words.push_back({word, group, count});
    });
  }
  if (words.empty()) return absl::OkStatus();
  std::sort(words.begin(), words.end(), [](const Word& a, const Word& b) {
    const int order = a.word.compare(b.word);
    return order != 0 ? order < 0 : a.group < b.group;
  });
  uint64_t run;
  {
    const std::lock_guard lock(mutex_);
    run = next_run_++;
    runs_.push_back(run);
  }
  const std::string path = RunPath(run);
  std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "wbe"), &fclose);
  if (file == nullptr) return ErrnoError(errno, "create", path);
  for (const Word& word : words) {
    const RunEntry entry = {static_cast<uint32_t>(word.word.size()), word.group, word.count};
    if (fwrite(&entry, sizeof(entry), 1, file.get()) != 1 ||
        fwrite(word.word.data(), 1, word.word.size(), file.get()) != word.word.size()) {
      return ErrnoError(errno, "write", path);
    }
  }
  if (fclose(file.release()) != 0) return ErrnoError(errno, "close", path);
  tables.by_group.clear();
  return absl::OkStatus();
}

uint32_t WordCounter::GroupOf(std::string_view source, std::string_view language) {
  const std::lock_guard lock(mutex_);
  TextGroup name = {std::string(source), std::string(language.empty() ? "und" : language)};
  const auto [found, is_new] = numbers_.emplace(std::move(name), static_cast<uint32_t>(numbers_.size()));
  if (is_new) {
    text_bytes_.push_back(0);
    texts_.push_back(0);
  }
  return found->second;
}

absl::Status WordCounter::CountPiece(TextPiece& piece) {
  std::unique_ptr<Tables> tables;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      tables = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (tables == nullptr) tables = std::make_unique<Tables>();
  std::vector<uint64_t> bytes;
  std::vector<uint64_t> texts;
  // Documents of one group mostly stand together.
  TextGroup last;
  uint32_t group = 0;
  const absl::Status read = piece.Read([&](const TextFragment& part) {
    if (bytes.empty() || part.source != last.source || part.language != last.language) {
      last = {std::string(part.source), std::string(part.language)};
      group = GroupOf(part.source, part.language);
      if (tables->by_group.size() <= group) tables->by_group.resize(group + 1);
      if (bytes.size() <= group) {
        bytes.resize(group + 1);
        texts.resize(group + 1);
      }
    }
    tables->by_group[group].AddText(options_.pattern, part.text);
    bytes[group] += part.text.size();
    texts[group] += part.begins ? 1 : 0;
  });
  RETURN_IF_ERROR(read);
  if (tables->memory_bytes() > table_limit_) RETURN_IF_ERROR(Spill(*tables));
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(tables));
  for (size_t i = 0; i < bytes.size(); ++i) {
    text_bytes_[i] += bytes[i];
    texts_[i] += texts[i];
  }
  return absl::OkStatus();
}

absl::Status WordCounter::CountUntilSave(const TextReader& next, RunContext& context, bool& ended) {
  const Clock::time_point begun = Clock::now();
  const uint64_t first = pieces_;
  absl::Status cancelled;
  const absl::Status counted = OrderedPipeline<std::unique_ptr<TextPiece>, bool>(
      context.Threads(), 2 * static_cast<size_t>(context.Threads()),
      [&]() -> absl::StatusOr<std::optional<std::unique_ptr<TextPiece>>> {
        // What is under way is counted to its end, so that it can be kept.
        cancelled = context.CheckCancelled();
        if (!cancelled.ok() ||
            (!options_.key.empty() && pieces_ > first && SecondsSince(begun) >= options_.save_seconds)) {
          return std::optional<std::unique_ptr<TextPiece>>();
        }
        ASSIGN_OR_RETURN(std::unique_ptr<TextPiece> piece, next());
        if (piece == nullptr) {
          ended = true;
          return std::optional<std::unique_ptr<TextPiece>>();
        }
        ++pieces_;
        return std::optional(std::move(piece));
      },
      [&](std::unique_ptr<TextPiece> piece) -> absl::StatusOr<bool> {
        RETURN_IF_ERROR(CountPiece(*piece));
        return true;
      },
      [](bool) { return absl::OkStatus(); });
  RETURN_IF_ERROR(counted);
  if (!options_.key.empty() && !ended) RETURN_IF_ERROR(Save());
  return cancelled;
}

absl::Status WordCounter::Save() {
  for (const std::unique_ptr<Tables>& tables : idle_) RETURN_IF_ERROR(Spill(*tables));
  for (size_t i = fingerprints_.size(); i < runs_.size(); ++i) {
    RETURN_IF_ERROR(SyncPath(RunPath(runs_[i])));
    ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(RunPath(runs_[i])));
    fingerprints_.push_back(ContentFingerprint(file.bytes()));
  }
  Json groups = Json::array();
  for (const TextGroup& name : EmptyResult().names) groups.push_back({name.source, name.language});
  return WriteFileAtomically(folder_ + kStateFile, DumpJson({{"key", options_.key},
                                                             {"groups", groups},
                                                             {"pieces", Json::array({pieces_})},
                                                             {"text_bytes", text_bytes_},
                                                             {"texts", texts_},
                                                             {"runs", runs_},
                                                             {"fingerprints", fingerprints_}}));
}

absl::StatusOr<CountedWords> WordCounter::Count(const TextReader& next, RunContext& context) {
  table_limit_ = options_.memory_limit / 4 / static_cast<uint64_t>(context.Threads());
  RETURN_IF_ERROR(Open());
  bool ended = false;
  for (; pieces_ < pieces_skipped_ && !ended; ++pieces_) {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(const std::unique_ptr<TextPiece> piece, next());
    ended = piece == nullptr;
  }
  const Clock::time_point begun = Clock::now();
  while (!ended) RETURN_IF_ERROR(CountUntilSave(next, context, ended));
  // Merging may be killed as well; then all is counted already.
  if (!options_.key.empty() && (SecondsSince(begun) >= options_.save_seconds || !runs_.empty()))
    RETURN_IF_ERROR(Save());
  ASSIGN_OR_RETURN(CountedWords counted, runs_.empty() ? InMemory() : FromRuns(context));
  SortGroups(counted);
  return counted;
}

CountedWords WordCounter::EmptyResult() const {
  CountedWords result;
  result.text_bytes = text_bytes_;
  result.texts = texts_;
  result.groups.resize(text_bytes_.size());
  result.names.resize(text_bytes_.size());
  for (const auto& [name, number] : numbers_) result.names[number] = name;
  return result;
}

absl::StatusOr<CountedWords> WordCounter::InMemory() {
  CountedWords result = EmptyResult();
  if (idle_.empty()) return result;
  std::vector<WordTable> groups = std::move(idle_[0]->by_group);
  groups.resize(text_bytes_.size());
  for (size_t i = 1; i < idle_.size(); ++i) {
    for (size_t group = 0; group < idle_[i]->by_group.size(); ++group) {
      if (groups[group].size() < idle_[i]->by_group[group].size()) {
        std::swap(groups[group], idle_[i]->by_group[group]);  // the smaller one is copied
      }
      groups[group].Merge(idle_[i]->by_group[group]);
    }
    idle_[i].reset();
  }
  idle_.clear();
  // Of each word, the counts of the groups that hold it stand together when they are gathered group by group.
  WordTable total;
  if (groups.size() > 1) {
    for (const WordTable& group : groups) total.Merge(group);
  }
  const WordTable& all = groups.size() > 1 ? total : groups[0];
  CountThreshold costs;
  all.ForEach([&](std::string_view word, uint64_t count) { costs.Add(count, TrainingCost(word.size())); });
  const uint64_t threshold = costs.Within(options_.memory_limit / 2);
  Collector collector(result, threshold);
  absl::Status status;
  all.ForEach([&](std::string_view word, uint64_t count) {
    const ByGroup counts[] = {{0, count}};
    if (status.ok()) status = collector.Add(word, counts);
  });
  RETURN_IF_ERROR(status);
  if (groups.size() <= 1) return result;
  // The counts by group: by the place of each word, which the table of all now holds.
  result.groups[0].clear();
  total.Clear();
  for (size_t i = 0; i < result.words.size(); ++i) total.CountOf(result.words[i].word) = i + 1;
  for (size_t group = 0; group < groups.size(); ++group) {
    groups[group].ForEach([&](std::string_view word, uint64_t count) {
      const uint64_t place = total.CountOf(word);
      if (place != 0) result.groups[group].push_back({static_cast<uint32_t>(place - 1), count});
    });
    groups[group].Clear();
  }
  return result;
}

absl::StatusOr<CountedWords> WordCounter::FromRuns(RunContext& context) {
  for (const std::unique_ptr<Tables>& tables : idle_) RETURN_IF_ERROR(Spill(*tables));
  idle_.clear();
  CountedWords result = EmptyResult();
  // Twice over the files: first for what all words cost, then for those that are kept.
  CountThreshold costs;
  const auto pass = [&](const std::function<absl::Status(std::string_view, std::span<const ByGroup>)>& take) {
    std::vector<std::unique_ptr<RunReader>> readers;
    const auto later = [](const RunReader* a, const RunReader* b) {
      const int order = a->word.compare(b->word);
      return order != 0 ? order > 0 : a->entry.group > b->entry.group;
    };
    std::priority_queue<RunReader*, std::vector<RunReader*>, decltype(later)> queue(later);
    for (const uint64_t run : runs_) {
      ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(RunPath(run)));
      readers.push_back(std::make_unique<RunReader>(std::move(file)));
      if (readers.back()->Next()) queue.push(readers.back().get());
    }
    std::string word;
    std::vector<ByGroup> counts;
    for (uint64_t step = 0; !queue.empty(); ++step) {
      if (step % 65536 == 0) RETURN_IF_ERROR(context.CheckCancelled());
      RunReader* const first = queue.top();
      queue.pop();
      if (!counts.empty() && first->word != word) {
        RETURN_IF_ERROR(take(word, counts));
        counts.clear();
      }
      if (counts.empty()) word = first->word;
      if (!counts.empty() && counts.back().first == first->entry.group) {
        counts.back().second += first->entry.count;
      } else {
        counts.emplace_back(first->entry.group, first->entry.count);
      }
      if (first->Next()) queue.push(first);
    }
    return counts.empty() ? absl::OkStatus() : take(word, counts);
  };
  RETURN_IF_ERROR(pass([&](std::string_view word, std::span<const ByGroup> counts) {
    uint64_t total = 0;
    for (const auto& [group, count] : counts) total += count;
    costs.Add(total, TrainingCost(word.size()));
    return absl::OkStatus();
  }));
  Collector collector(result, costs.Within(options_.memory_limit / 2));
  RETURN_IF_ERROR(
      pass([&](std::string_view word, std::span<const ByGroup> counts) { return collector.Add(word, counts); }));
  return result;
}

}  // namespace rhodes
