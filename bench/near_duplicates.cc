// How fast near duplicates are found, end to end: JSON Lines in memory -> text -> signatures -> index -> verdicts.
//
// usage: bench_near_duplicates FILE.jsonl DIRECTORY [THREADS [MEMORY_MIB [datatrove]]]
//
// DIRECTORY is for temporary files. Prints seconds of each part, rates, and the most memory the process held beside the
// mapped input. bench/peers/near_corpus.py makes inputs; datatrove_minhash.py and rensa_dedup.py measure the peers.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/parallel.h"
#include "curate/near.h"

namespace {

using rhodes::NearSignature;
using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// Of anonymous memory, so that the mapped input does not count.
double AnonymousMib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::strtod(line.c_str() + 8, nullptr) / 1024;
  }
  return 0;
}

struct Result {
  uint64_t text_bytes = 0;
  double most_mib = 0;
};

absl::Status Index(std::string_view input, const rhodes::NearHasher& hasher, int threads, rhodes::NearIndex& index,
                   Result& result) {
  struct Signed {
    std::vector<NearSignature> signatures;
    uint64_t text_bytes = 0;
  };
  size_t at = 0;
  const auto produce = [&]() -> absl::StatusOr<std::optional<std::string_view>> {
    if (at >= input.size()) return std::optional<std::string_view>();
    size_t end = std::min(at + (1 << 20), input.size());
    end = std::min(input.find('\n', end - 1), input.size() - 1) + 1;
    const std::string_view piece = input.substr(at, end - at);
    at = end;
    return std::optional(piece);
  };
  const auto work = [&](std::string_view lines) -> absl::StatusOr<Signed> {
    thread_local rhodes::NearScratch scratch;
    thread_local simdjson::dom::parser parser;
    thread_local std::string padded;
    Signed out;
    while (!lines.empty()) {
      const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
      padded.assign(lines.substr(0, end));
      padded.reserve(padded.size() + simdjson::SIMDJSON_PADDING);
      std::string_view text;
      if (parser.parse(padded)["text"].get(text) != simdjson::SUCCESS) return absl::InvalidArgumentError("bad line");
      out.text_bytes += text.size();
      out.signatures.push_back(hasher.Sign(text, scratch));
      lines.remove_prefix(end);
    }
    return out;
  };
  uint64_t ordinal = 0;
  const auto consume = [&](Signed batch) -> absl::Status {
    for (const NearSignature& signature : batch.signatures) RETURN_IF_ERROR(index.Add(ordinal++, signature));
    result.text_bytes += batch.text_bytes;
    if (ordinal / 50000 != (ordinal - batch.signatures.size()) / 50000) {
      result.most_mib = std::max(result.most_mib, AnonymousMib());
    }
    return absl::OkStatus();
  };
  return rhodes::OrderedPipeline<std::string_view, Signed>(threads, 4 * static_cast<size_t>(threads), produce, work,
                                                           consume);
}

absl::Status Run(int argc, char** argv) {
  const int threads = argc > 3 ? std::atoi(argv[3]) : 2;
  const uint64_t memory = static_cast<uint64_t>(argc > 4 ? std::atoi(argv[4]) : 1024) << 20;
  rhodes::NearSettings settings;
  settings.datatrove = argc > 5;
  ASSIGN_OR_RETURN(const rhodes::MappedFile file, rhodes::MappedFile::Open(argv[1]));
  const rhodes::NearHasher hasher(settings);
  ASSIGN_OR_RETURN(const auto index, rhodes::NearIndex::Create(settings, argv[2], memory, threads));
  Result result;
  const Clock::time_point begun = Clock::now();
  RETURN_IF_ERROR(Index(file.bytes(), hasher, threads, *index, result));
  const double indexed = SecondsSince(begun);
  ASSIGN_OR_RETURN(const auto verdicts, index->Finish());
  const double finished = SecondsSince(begun);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < verdicts->counts().documents; ++i) sum += verdicts->Of(i).kept;
  const double seconds = SecondsSince(begun);
  const rhodes::NearCounts& counts = verdicts->counts();
  fmt::print(
      "rhodes {}: {} documents, {:.1f} MB of text, {} threads: {:.2f} s (sign and index {:.2f}, join {:.2f}): "
      "{:.0f} documents/s, {:.0f} MB/s\n",
      settings.datatrove ? "as datatrove" : "own", counts.documents, static_cast<double>(result.text_bytes) / 1e6,
      threads, seconds, indexed, finished - indexed, static_cast<double>(counts.documents) / seconds,
      static_cast<double>(result.text_bytes) / 1e6 / seconds);
  fmt::print(
      "  dropped {}, clusters {}, candidates {}, spilled {:.0f} MB, most anonymous memory {:.0f} MiB, sum of kept {}\n",
      counts.dropped, counts.clusters, counts.candidates, static_cast<double>(counts.spilled_bytes) / 1e6,
      std::max(result.most_mib, AnonymousMib()), sum);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bench_near_duplicates FILE.jsonl DIRECTORY [THREADS [MEMORY_MIB [datatrove]]]\n");
    return 2;
  }
  const absl::Status status = Run(argc, argv);
  if (!status.ok()) fmt::print(stderr, "{}\n", rhodes::Message(status));
  return status.ok() ? 0 : 1;
}
