#include "trace/build.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "base/hash.h"
#include "base/manifest.h"
#include "base/parallel.h"
#include "record/document_table.h"
#include "token/shards.h"
#include "trace/index_files.h"
#include "trace/suffix_array.h"

namespace rhodes {
namespace {

constexpr uint64_t kBytesPerToken = 24;  // text 4, order 4, types, names and positions of the LMS suffixes

struct Segment {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Cuts the split at documents into segments of about `most` tokens; a longer document is a segment of its own.
std::vector<Segment> Cut(const ShardSet& shards, uint64_t most) {
  std::vector<Segment> segments;
  uint64_t begin = 0;
  for (uint64_t d = 0; d < shards.document_count(); ++d) {
    const uint64_t document_begin = shards.DocumentBegin(d);
    if (document_begin > begin && shards.DocumentBegin(d + 1) - begin > most) {
      segments.push_back({begin, document_begin});
      begin = document_begin;
    }
  }
  if (shards.token_count() > begin) segments.push_back({begin, shards.token_count()});
  return segments;
}

absl::Status WriteSegment(const ShardSet& shards, const Segment& segment, const std::string& path) {
  std::vector<TokenId> tokens(segment.end - segment.begin);
  shards.Read(segment.begin, tokens);
  const TokenId largest = tokens.empty() ? 0 : *std::max_element(tokens.begin(), tokens.end());
  ASSIGN_OR_RETURN(const std::vector<uint32_t> order, BuildSuffixArray(tokens, largest + 1));
  const std::string_view entries(reinterpret_cast<const char*>(order.data()), 4 * order.size());
  SegmentHeader header{};
  std::memcpy(header.magic, kSegmentMagic.data(), kSegmentMagic.size());
  header.first_token = segment.begin;
  header.tokens = order.size();
  header.checksum = Fingerprint(entries);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(entries);
  return WriteFileAtomically(path, bytes);
}

// Reads the corpus once and keeps id and parents of the rows that the training split has, in the split's order.
absl::Status WriteDocuments(const ShardSet& shards, const std::string& corpus_dir, uint64_t shards_digest,
                            const std::string& path) {
  std::vector<std::pair<uint64_t, uint64_t>> wanted;  // corpus row, document of the split
  wanted.reserve(shards.document_count());
  for (uint64_t d = 0; d < shards.document_count(); ++d) wanted.emplace_back(shards.CorpusRow(d), d);
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::string> entries(shards.document_count());
  std::vector<uint32_t> numbers(shards.document_count());
  std::map<std::string, uint32_t> source_numbers;  // in order of first use by corpus row
  std::vector<std::string> names;

  ASSIGN_OR_RETURN(const std::unique_ptr<DocumentReader> reader, DocumentReader::Open({corpus_dir}));
  std::vector<Document> batch;
  uint64_t row = 0;
  size_t next = 0;
  while (next < wanted.size()) {
    ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
    if (!more) {
      return absl::FailedPreconditionError(
          fmt::format("trace: the shards name row {} of {}, which has only {}; they were made from another corpus",
                      wanted[next].first, corpus_dir, row));
    }
    for (const Document& document : batch) {
      if (next < wanted.size() && wanted[next].first == row) {
        const uint64_t d = wanted[next++].second;
        std::string joined;
        for (const std::string& source : document.sources) joined += (joined.empty() ? "" : "+") + source;
        const auto [it, fresh] = source_numbers.try_emplace(joined, static_cast<uint32_t>(names.size()));
        if (fresh) names.push_back(joined);
        numbers[d] = it->second;
        entries[d] = DocumentEntry(document.id, document.parents, document.spans);
      }
      ++row;
    }
  }

  std::string body;
  uint64_t offset = 0;
  const auto put = [&](const void* data, size_t size) { body.append(static_cast<const char*>(data), size); };
  for (const std::string& entry : entries) {
    put(&offset, 8);
    offset += entry.size();
  }
  put(&offset, 8);
  put(numbers.data(), 4 * numbers.size());
  for (const std::string& entry : entries) body += entry;
  for (const std::string& name : names) {
    body += name + '\0';
    offset += name.size() + 1;
  }
  DocumentsHeader header{};
  std::memcpy(header.magic, kDocumentsMagic.data(), kDocumentsMagic.size());
  header.documents = entries.size();
  header.sources = names.size();
  header.text_bytes = offset;
  header.checksum = Fingerprint(body);
  header.tokens = shards.token_count();
  header.shards_digest = shards_digest;
  return WriteFileAtomically(path, std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + body);
}

}  // namespace

Json ToJson(const TraceBuildReport& report) {
  return {{"tokens", report.tokens},
          {"documents", report.documents},
          {"segments", report.segments},
          {"bytes", report.bytes}};
}

absl::StatusOr<TraceBuildReport> BuildTraceIndex(const TraceBuildOptions& options, RunContext& context) {
  const auto begun = std::chrono::steady_clock::now();
  const std::string shards_dir = options.shards_dir.empty() ? options.out + "/shards" : options.shards_dir;
  const std::string corpus_dir = options.corpus_dir.empty() ? options.out + "/corpus" : options.corpus_dir;
  ASSIGN_OR_RETURN(const std::unique_ptr<ShardSet> shards, ShardSet::Open(shards_dir, "train"));
  ASSIGN_OR_RETURN(const uint64_t digest, ShardsDigest(shards_dir));
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(options.out + "/trace"));

  // The cut must not depend on the number of threads, so the budget is shared out as for the most threads that gain.
  constexpr uint64_t kAtOnce = 4;
  uint64_t most = options.segment_tokens;
  if (most == 0)
    most = std::clamp<uint64_t>(context.memory_bytes / (kAtOnce * kBytesPerToken), 1 << 20, (uint64_t{1} << 31) - 1);
  const std::vector<Segment> segments = Cut(*shards, most);
  context.progress->Begin("index", shards->token_count(), "tokens");
  std::mutex mutex;
  uint64_t done = 0;
  const int threads = static_cast<int>(std::min<uint64_t>(static_cast<uint64_t>(context.Threads()), kAtOnce));
  const absl::Status built = ParallelFor(threads, segments.size() + 1, [&](size_t i) -> absl::Status {
    RETURN_IF_ERROR(context.CheckCancelled());
    if (i == 0) return WriteDocuments(*shards, corpus_dir, digest, staged.path() + "/documents.bin");
    RETURN_IF_ERROR(WriteSegment(*shards, segments[i - 1], SegmentPath(staged.path(), i - 1)));
    const std::scoped_lock lock(mutex);
    done += segments[i - 1].end - segments[i - 1].begin;
    context.progress->Update(done, "");
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(built);
  context.progress->End();

  TraceBuildReport report;
  report.tokens = shards->token_count();
  report.documents = shards->document_count();
  report.segments = segments.size();
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(staged.path()));
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const uint64_t size, FileSize(file));
    report.bytes += size;
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  RETURN_IF_ERROR(
      WriteManifest(staged.path(), {"trace", options.key, options.settings, ToJson(report), report.seconds}));
  RETURN_IF_ERROR(staged.Commit());
  return report;
}

}  // namespace rhodes
