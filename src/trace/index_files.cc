#include "trace/index_files.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"

namespace rhodes {
namespace {

template <typename T>
T Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

absl::Status Damaged(const std::string& path, std::string_view what) {
  return absl::DataLossError(fmt::format("{}: {}; make the index again with `rhodes trace --build`", path, what));
}

void AppendNumber(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

// Takes a number off the beginning of `bytes`; 0 at the end.
uint64_t TakeNumber(std::string_view& bytes) {
  uint64_t number = 0;
  for (int shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  return number;
}

}  // namespace

std::string DocumentEntry(std::string_view id, const std::vector<std::string>& parents,
                          const std::vector<Span>& pieces) {
  std::string entry(id);
  entry += '\0';
  for (const std::string& parent : parents) entry += parent + '\0';
  if (pieces.empty()) return entry;
  entry += '\0';
  std::vector<Span> ascending = pieces;
  std::sort(ascending.begin(), ascending.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  uint64_t before = 0;
  for (const Span& piece : ascending) {
    AppendNumber(piece.begin - before, entry);
    AppendNumber(piece.end - piece.begin, entry);
    AppendNumber(piece.parent, entry);
    before = piece.begin;
  }
  return entry;
}

std::string SegmentPath(const std::string& directory, size_t number) {
  return fmt::format("{}/segment-{:05}.sa", directory, number);
}

absl::StatusOr<uint64_t> ShardsDigest(const std::string& shards_dir) {
  uint64_t digest = 0;
  for (int shard = 0;; ++shard) {
    const std::string path = fmt::format("{}/train-{:05}.lineage", shards_dir, shard);
    if (!PathExists(path)) break;
    ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
    digest = Fingerprint(file.bytes(), digest + 1);
  }
  if (digest == 0) return absl::NotFoundError(fmt::format("{} holds no training shards", shards_dir));
  return digest;
}

absl::StatusOr<DocumentTable> DocumentTable::Open(const std::string& path) {
  DocumentTable table;
  ASSIGN_OR_RETURN(table.file_, MappedFile::Open(path));
  const std::string_view bytes = table.file_.bytes();
  if (bytes.size() < sizeof(DocumentsHeader) || bytes.substr(0, 8) != kDocumentsMagic)
    return Damaged(path, "not a document table");
  table.header_ = Load<DocumentsHeader>(bytes.data());
  const uint64_t documents = table.header_.documents;
  if (documents > bytes.size() ||
      bytes.size() != sizeof(DocumentsHeader) + 8 * (documents + 1) + 4 * documents + table.header_.text_bytes ||
      Fingerprint(bytes.substr(sizeof(DocumentsHeader))) != table.header_.checksum) {
    return Damaged(path, "its size or checksum is wrong");
  }
  table.offsets_ = bytes.data() + sizeof(DocumentsHeader);
  table.source_numbers_ = table.offsets_ + 8 * (documents + 1);
  table.text_ = table.source_numbers_ + 4 * documents;
  const uint64_t names = Load<uint64_t>(table.offsets_ + 8 * documents);
  for (const std::string_view name : Split({table.text_ + names, table.header_.text_bytes - names}, '\0'))
    table.sources_.emplace_back(name);
  table.sources_.pop_back();  // after the last NUL
  return table;
}

std::string_view DocumentTable::Entry(uint64_t document) const {
  const uint64_t begin = Load<uint64_t>(offsets_ + 8 * document);
  const uint64_t end = Load<uint64_t>(offsets_ + 8 * (document + 1));
  return {text_ + begin, end - begin};
}

std::string_view DocumentTable::Id(uint64_t document) const {
  const std::string_view entry = Entry(document);
  return entry.substr(0, entry.find('\0'));
}

std::vector<std::string> DocumentTable::Parents(uint64_t document) const {
  std::vector<std::string> parents;
  std::string_view entry = Entry(document);
  entry.remove_prefix(entry.find('\0') + 1);
  while (!entry.empty() && entry.front() != '\0') {
    const size_t end = entry.find('\0');
    parents.emplace_back(entry.substr(0, end));
    entry.remove_prefix(end + 1);
  }
  return parents;
}

std::vector<Span> DocumentTable::Pieces(uint64_t document) const {
  std::vector<Span> pieces;
  std::string_view entry = Entry(document);
  entry.remove_prefix(entry.find('\0') + 1);
  while (!entry.empty() && entry.front() != '\0') entry.remove_prefix(entry.find('\0') + 1);
  if (!entry.empty()) entry.remove_prefix(1);
  uint64_t begin = 0;
  while (!entry.empty()) {
    begin += TakeNumber(entry);
    const uint64_t end = begin + TakeNumber(entry);
    pieces.push_back({begin, end, TakeNumber(entry)});
  }
  return pieces;
}

uint32_t DocumentTable::Source(uint64_t document) const { return Load<uint32_t>(source_numbers_ + 4 * document); }

}  // namespace rhodes
