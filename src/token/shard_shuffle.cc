#include "token/shard_shuffle.h"

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

constexpr size_t kMostParts = 256;         // files open at once
constexpr size_t kPartBuffer = 256 << 10;  // bytes gathered for each before they are written
constexpr uint64_t kRowsToACancelCheck = 4096;
constexpr size_t kPlacesAtOnce = size_t{1} << 16;  // of the order, handed to the writer together
constexpr size_t kPlacesToAThread = 2048;
constexpr size_t kDrawBuckets = 256;
constexpr uint64_t kReleased = uint64_t{16} << 20;  // bytes of the store let go of at once

// Where the order is cut so that no part has more than `limit` bytes, and there are kMostParts at most: the first place
// of each part, and the end.
std::vector<size_t> CutOrder(const std::vector<WaitingDocument>& documents, const std::vector<DrawnDocument>& order,
                             uint64_t limit) {
  uint64_t total = 0;
  for (const DrawnDocument& place : order) total += documents[place.row].bytes;
  limit = std::max(limit, total / kMostParts + 1);
  std::vector<size_t> cuts = {0};
  uint64_t bytes = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const uint64_t more = documents[order[i].row].bytes;
    if (bytes > 0 && bytes + more > limit && cuts.size() < kMostParts) {
      cuts.push_back(i);
      bytes = 0;
    }
    bytes += more;
  }
  cuts.push_back(order.size());
  return cuts;
}

// A file that is appended to in large pieces.
class Part {
 public:
  explicit Part(std::string path) : path_(std::move(path)) {}
  absl::Status Append(std::string_view bytes) {
    buffer_ += bytes;
    return buffer_.size() < kPartBuffer ? absl::OkStatus() : Flush();
  }
  absl::Status Close() {
    RETURN_IF_ERROR(Flush());
    return fclose(file_.release()) == 0 ? absl::OkStatus() : ErrnoError(errno, "close", path_);
  }
  const std::string& path() const { return path_; }

 private:
  absl::Status Flush() {
    if (file_ == nullptr) file_.reset(fopen(path_.c_str(), "wbe"));
    if (file_ == nullptr) return ErrnoError(errno, "create", path_);
    if (fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size())
      return ErrnoError(errno, "write", path_);
    buffer_.clear();
    return absl::OkStatus();
  }

  std::string path_;
  std::string buffer_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_{nullptr, &fclose};
};

// A place of the order by row: which part it is in.
struct Dealt {
  uint64_t row;
  uint32_t part;
};

absl::Status DealOut(const std::vector<WaitingDocument>& documents, const TokenStore& store,
                     const std::vector<DrawnDocument>& order, const std::vector<size_t>& cuts, std::vector<Part>& parts,
                     RunContext& context) {
  std::vector<Dealt> dealt;
  dealt.reserve(order.size());
  for (uint32_t part = 0; part + 1 < cuts.size(); ++part) {
    for (size_t i = cuts[part]; i < cuts[part + 1]; ++i) dealt.push_back({order[i].row, part});
  }
  std::sort(dealt.begin(), dealt.end(),
            [](const Dealt& a, const Dealt& b) { return a.row != b.row ? a.row < b.row : a.part < b.part; });
  uint64_t released = 0;
  for (size_t i = 0; i < dealt.size(); ++i) {
    if (i % kRowsToACancelCheck == 0) RETURN_IF_ERROR(context.CheckCancelled());
    const WaitingDocument& document = documents[dealt[i].row];
    if (document.offset >= released + kReleased) {  // read from begin to end: what is behind is not needed again
      ReleasePages(store.Bytes(released, document.offset - released));
      released = document.offset;
    }
    RETURN_IF_ERROR(parts[dealt[i].part].Append(store.Bytes(document.offset, document.bytes)));
  }
  for (Part& part : parts) RETURN_IF_ERROR(part.Close());
  return absl::OkStatus();
}

// Appends the documents at places [first, last) of the order; `bytes_of(i)`: the tokens of the one at place i.
template <typename BytesOf>
absl::Status AppendPlaces(const std::vector<WaitingDocument>& documents, const std::vector<DrawnDocument>& order,
                          size_t first, size_t last, const BytesOf& bytes_of, ShardWriter& writer,
                          RunContext& context) {
  std::vector<StoredDocument> stored;
  for (size_t begin = first; begin < last; begin += kPlacesAtOnce) {
    RETURN_IF_ERROR(context.CheckCancelled());
    const size_t count = std::min(kPlacesAtOnce, last - begin);
    stored.resize(count);
    const size_t pieces = (count + kPlacesToAThread - 1) / kPlacesToAThread;
    const auto fill = [&](size_t piece) {
      const size_t end = std::min(count, (piece + 1) * kPlacesToAThread);
      for (size_t i = piece * kPlacesToAThread; i < end; ++i) {
        const uint64_t row = order[begin + i].row;
        const std::string_view bytes = bytes_of(begin + i);
        stored[i] = {{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, row, documents[row].text_bytes};
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(ParallelFor(context.Threads(), pieces, fill));
    RETURN_IF_ERROR(writer.AppendAll(stored, context.Threads()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TokenStore::Append(StoredBytes tokens) {
  begins_.push_back(size_);
  size_ += tokens.size;
  if (file_made_) return WriteOut(tokens);
  held_ += tokens.size;
  pieces_.push_back(std::move(tokens));
  if (held_ <= memory_limit_) return absl::OkStatus();
  file_.reset(fopen(path_.c_str(), "wbe"));
  if (file_ == nullptr) return ErrnoError(errno, "create", path_);
  file_made_ = true;
  for (StoredBytes& piece : pieces_) {
    RETURN_IF_ERROR(WriteOut(piece));
    piece.bytes.reset();
  }
  pieces_.clear();
  return absl::OkStatus();
}

absl::Status TokenStore::WriteOut(const StoredBytes& tokens) {
  if (fwrite(tokens.bytes.get(), 1, tokens.size, file_.get()) != tokens.size) return ErrnoError(errno, "write", path_);
  return absl::OkStatus();
}

absl::Status TokenStore::Seal() {
  if (!file_made_) return absl::OkStatus();
  if (fclose(file_.release()) != 0) return ErrnoError(errno, "close", path_);
  ASSIGN_OR_RETURN(mapped_, MappedFile::Open(path_));
  return absl::OkStatus();
}

std::string_view TokenStore::Bytes(uint64_t offset, uint64_t size) const {
  if (file_made_) return mapped_.bytes().substr(offset, size);
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const auto piece = static_cast<size_t>(after - begins_.begin()) - 1;
  return {reinterpret_cast<const char*>(pieces_[piece].bytes.get()) + (offset - begins_[piece]), size};
}

DrawnDocument Draw(uint64_t seed, uint64_t row, uint32_t copy) {
  const uint64_t words[] = {row, copy};
  const size_t bytes = copy == 0 ? sizeof(row) : sizeof(words);
  return {Fingerprint({reinterpret_cast<const char*>(words), bytes}, seed), row};
}

void SortByDraw(std::vector<DrawnDocument>& order, int threads) {
  const auto bucket_of = [](const DrawnDocument& place) { return place.draw / (UINT64_MAX / kDrawBuckets + 1); };
  std::vector<size_t> ends(kDrawBuckets + 1);
  for (const DrawnDocument& place : order) ++ends[bucket_of(place) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<size_t> next(ends.begin(), ends.end() - 1);
  std::vector<DrawnDocument> sorted(order.size());
  for (const DrawnDocument& place : order) sorted[next[bucket_of(place)]++] = place;
  const auto at = [&](size_t i) { return sorted.begin() + static_cast<std::ptrdiff_t>(i); };
  const absl::Status done = ParallelFor(threads, kDrawBuckets, [&](size_t bucket) {
    std::sort(at(ends[bucket]), at(ends[bucket + 1]));
    return absl::OkStatus();
  });
  done.IgnoreError();  // sorting does not fail
  order = std::move(sorted);
}

absl::Status WriteInOrder(const std::vector<WaitingDocument>& documents, const TokenStore& store,
                          const std::vector<DrawnDocument>& order, const std::string& scratch, uint64_t memory_limit,
                          ShardWriter& writer, RunContext& context) {
  const std::vector<size_t> cuts = CutOrder(documents, order, memory_limit);
  if (!store.in_file()) {
    const auto bytes_of = [&](size_t place) {
      const WaitingDocument& document = documents[order[place].row];
      return store.Bytes(document.offset, document.bytes);
    };
    return AppendPlaces(documents, order, 0, order.size(), bytes_of, writer, context);
  }
  std::vector<Part> parts;
  for (size_t part = 0; part + 1 < cuts.size(); ++part) parts.emplace_back(fmt::format("{}.{}", scratch, part));
  RETURN_IF_ERROR(DealOut(documents, store, order, cuts, parts, context));
  std::vector<size_t> by_row;
  std::vector<uint64_t> offsets;
  for (size_t part = 0; part < parts.size(); ++part) {
    RETURN_IF_ERROR(context.CheckCancelled());
    ASSIGN_OR_RETURN(const MappedFile bytes, MappedFile::Open(parts[part].path()));
    const size_t first = cuts[part];
    const size_t count = cuts[part + 1] - first;
    by_row.resize(count);
    offsets.resize(count);
    std::iota(by_row.begin(), by_row.end(), size_t{0});
    std::sort(by_row.begin(), by_row.end(), [&](size_t a, size_t b) {
      return order[first + a].row != order[first + b].row ? order[first + a].row < order[first + b].row : a < b;
    });
    uint64_t offset = 0;
    for (const size_t i : by_row) {
      offsets[i] = offset;
      offset += documents[order[first + i].row].bytes;
    }
    const auto bytes_of = [&](size_t place) {
      return bytes.bytes().substr(offsets[place - first], documents[order[place].row].bytes);
    };
    RETURN_IF_ERROR(AppendPlaces(documents, order, first, first + count, bytes_of, writer, context));
    RETURN_IF_ERROR(RemoveTree(parts[part].path()));
  }
  return absl::OkStatus();
}

}  // namespace rhodes
