// What shards with lineage cost beside encoding alone.
//
//   bench_tokenize_shards TOKENIZER SCRATCH FILE... [--threads N]... [--format NAME]... [--rounds R] [--memory MB]
//
// FILEs are documents as `rhodes tokenize` takes them; SCRATCH is a folder for the shards, removed behind each run. For
// each number of threads, in turn and R times over: documents read and nothing else; encoded, from the files to ids in
// memory; and the whole of `rhodes tokenize --tokenizer TOKENIZER --shards`, for each format. The tokenizer is loaded
// anew each time, so that no cache knows the text. Ids are counted and summed first: those of the shards are those of
// encoding. Prints one JSON object a row: wall and processor seconds, medians, megabytes of text a second, and of
// shards the ratio to encoding.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "token/document_encoder.h"
#include "token/shards.h"
#include "token/text_input.h"
#include "token/tokenize.h"

namespace {

using rhodes::Json;

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "bench_tokenize_shards: " << message << "\n";
  std::exit(2);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Fail(rhodes::Message(status));
}

struct Flags {
  std::string tokenizer;
  std::string scratch;
  std::vector<std::string> files;
  std::vector<int> threads;
  std::vector<std::string> formats;
  int rounds = 3;
  uint64_t memory = uint64_t{2} << 30;
};

struct Seconds {
  double wall = 0;
  double processor = 0;  // of all threads
};

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Seconds Timed(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  const double before = ProcessorSeconds();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), ProcessorSeconds() - before};
}

struct Sums {
  uint64_t documents = 0;
  uint64_t text_bytes = 0;
  uint64_t tokens = 0;
  uint64_t ids = 0;  // added up

  friend bool operator==(const Sums&, const Sums&) = default;
};

// From the files to documents, or on to ids in memory.
std::vector<std::vector<rhodes::TokenId>> Read(const Flags& flags, int threads, bool encode, Sums& sums) {
  std::unique_ptr<rhodes::Tokenizer> tokenizer;
  if (encode) {
    absl::StatusOr<std::unique_ptr<rhodes::Tokenizer>> loaded = rhodes::Tokenizer::Load(flags.tokenizer);
    Check(loaded.status());
    tokenizer = *std::move(loaded);
  }
  absl::StatusOr<std::unique_ptr<rhodes::TextInput>> input =
      rhodes::TextInput::Open({flags.files, rhodes::TextFormat::kAuto, true, true, rhodes::kPieceBytes});
  Check(input.status());
  struct Piece {
    std::vector<rhodes::TokenId> ids;
    Sums sums;
  };
  std::vector<std::vector<rhodes::TokenId>> all;
  using Work = std::unique_ptr<rhodes::TextPiece>;
  Check(rhodes::OrderedPipeline<Work, Piece>(
      threads, 2 * static_cast<size_t>(threads),
      [&]() -> absl::StatusOr<std::optional<Work>> {
        ASSIGN_OR_RETURN(Work work, (*input)->Next());
        return work == nullptr ? std::nullopt : std::optional<Work>(std::move(work));
      },
      [&](const Work& work) -> absl::StatusOr<Piece> {
        Piece out;
        RETURN_IF_ERROR(work->Read([&](const rhodes::TextFragment& document) {
          ++out.sums.documents;
          out.sums.text_bytes += document.text.size();
          if (!encode) return;
          tokenizer->Encode(document.text, out.ids);
          out.ids.push_back(tokenizer->end_of_text());
        }));
        out.sums.tokens = out.ids.size();
        return out;
      },
      [&](Piece piece) {
        sums.documents += piece.sums.documents;
        sums.text_bytes += piece.sums.text_bytes;
        sums.tokens += piece.sums.tokens;
        all.push_back(std::move(piece.ids));
        return absl::OkStatus();
      }));
  return all;
}

rhodes::TokenizeReport WriteShards(const Flags& flags, int threads, const std::string& format) {
  rhodes::TokenizeOptions options;
  options.inputs = flags.files;
  options.tokenizer = flags.tokenizer;
  options.shards = flags.scratch + "/shards";
  absl::StatusOr<rhodes::ShardFormat> named = rhodes::ShardFormatFromName(format);
  Check(named.status());
  options.shard_format = *named;
  rhodes::RunContext context;
  context.threads = threads;
  context.memory_bytes = flags.memory;
  absl::StatusOr<rhodes::TokenizeReport> report = rhodes::Tokenize(options, context);
  Check(report.status());
  return *std::move(report);
}

Sums OfShards(const std::string& directory) {
  Sums sums;
  for (const char* split : {"train", "validation"}) {
    const absl::StatusOr<std::unique_ptr<rhodes::ShardSet>> shards = rhodes::ShardSet::Open(directory, split);
    Check(shards.status());
    sums.documents += (*shards)->document_count();
    sums.text_bytes += (*shards)->text_bytes();
    sums.tokens += (*shards)->token_count();
    std::vector<rhodes::TokenId> ids(1 << 16);
    for (uint64_t at = 0; at < (*shards)->token_count(); at += ids.size()) {
      ids.resize(std::min<uint64_t>(ids.size(), (*shards)->token_count() - at));
      (*shards)->Read(at, ids);
      sums.ids = std::accumulate(ids.begin(), ids.end(), sums.ids);
    }
  }
  return sums;
}

Seconds Median(std::vector<Seconds> runs) {
  const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
  Seconds median;
  std::nth_element(runs.begin(), middle, runs.end(), [](const auto& a, const auto& b) { return a.wall < b.wall; });
  median.wall = middle->wall;
  std::nth_element(runs.begin(), middle, runs.end(),
                   [](const auto& a, const auto& b) { return a.processor < b.processor; });
  median.processor = middle->processor;
  return median;
}

Json Row(const std::string& work, int threads, const std::vector<Seconds>& runs, uint64_t text_bytes) {
  const Seconds median = Median(runs);
  const auto megabytes = static_cast<double>(text_bytes) / 1e6;
  return {{"work", work},
          {"threads", threads},
          {"seconds", median.wall},
          {"processor_seconds", median.processor},
          {"megabytes_per_second", megabytes / median.wall},
          {"megabytes_per_processor_second", megabytes / median.processor}};
}

Flags Parse(int argc, char** argv) {
  Flags flags;
  std::vector<std::string> places;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (!flag.starts_with("--")) {
      places.push_back(flag);
      continue;
    }
    if (++i == argc) Fail(flag + " needs a value");
    if (flag == "--threads") {
      flags.threads.push_back(std::stoi(argv[i]));
    } else if (flag == "--format") {
      flags.formats.emplace_back(argv[i]);
    } else if (flag == "--rounds") {
      flags.rounds = std::stoi(argv[i]);
    } else if (flag == "--memory") {
      flags.memory = std::stoull(argv[i]) << 20;
    } else {
      Fail("unknown flag " + flag);
    }
  }
  if (places.size() < 3) Fail("needs TOKENIZER, SCRATCH and FILE");
  flags.tokenizer = places[0];
  flags.scratch = places[1];
  flags.files.assign(places.begin() + 2, places.end());
  if (flags.threads.empty()) flags.threads = {1, 2};
  if (flags.formats.empty()) flags.formats = {"megatron"};
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  const Flags flags = Parse(argc, argv);
  Check(rhodes::CreateDirectories(flags.scratch));
  Sums encoded;
  for (const std::vector<rhodes::TokenId>& ids : Read(flags, flags.threads.back(), true, encoded)) {
    encoded.ids = std::accumulate(ids.begin(), ids.end(), encoded.ids);
  }
  const rhodes::TokenizeReport report = WriteShards(flags, flags.threads.back(), "megatron");
  if (OfShards(flags.scratch + "/shards") != encoded) Fail("the shards hold other tokens than encoding gives");

  for (const int threads : flags.threads) {
    std::vector<Seconds> reading;
    std::vector<Seconds> encoding;
    std::vector<std::vector<Seconds>> writing(flags.formats.size());
    for (int round = 0; round < flags.rounds; ++round) {
      Sums sums;
      reading.push_back(Timed([&] { Read(flags, threads, false, sums); }));
      encoding.push_back(Timed([&] { Read(flags, threads, true, sums); }));
      for (size_t f = 0; f < flags.formats.size(); ++f) {
        Check(rhodes::RemoveTree(flags.scratch + "/shards"));
        writing[f].push_back(Timed([&] { WriteShards(flags, threads, flags.formats[f]); }));
      }
    }
    fmt::print("{}\n", rhodes::DumpJson(Row("reading", threads, reading, encoded.text_bytes)));
    fmt::print("{}\n", rhodes::DumpJson(Row("encoding", threads, encoding, encoded.text_bytes)));
    for (size_t f = 0; f < flags.formats.size(); ++f) {
      Json row = Row("shards " + flags.formats[f], threads, writing[f], encoded.text_bytes);
      row["times_encoding"] = Median(writing[f]).wall / Median(encoding).wall;
      row["times_encoding_processor"] = Median(writing[f]).processor / Median(encoding).processor;
      fmt::print("{}\n", rhodes::DumpJson(row));
    }
  }
  fmt::print("{}\n", rhodes::DumpJson({{"documents", encoded.documents},
                                       {"text_bytes", encoded.text_bytes},
                                       {"tokens", encoded.tokens},
                                       {"shard_bytes", report.shard_bytes},
                                       {"lineage_share", static_cast<double>(report.lineage_bytes) /
                                                             static_cast<double>(report.shard_bytes)}}));
  Check(rhodes::RemoveTree(flags.scratch + "/shards"));
  return 0;
}
