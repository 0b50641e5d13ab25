#include "token/shard_lineage.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.h"
#include "base/parallel.h"

namespace rhodes {
namespace {

constexpr uint64_t kWordBits = 64;

uint64_t WordsFor(uint64_t bits) { return (bits + kWordBits - 1) / kWordBits; }
uint64_t BlocksOf(uint64_t data_bytes, uint64_t block_bytes) { return (data_bytes + block_bytes - 1) / block_bytes; }

// The choice that makes the ends smallest, to a fraction of a bit: the rest then counts about one step a document.
uint32_t LowBits(uint64_t tokens, uint64_t documents) {
  return documents == 0 || tokens < documents ? 0 : static_cast<uint32_t>(std::bit_width(tokens / documents) - 1);
}

std::vector<uint64_t> Pack(const std::vector<uint64_t>& numbers, uint32_t bits) {
  std::vector<uint64_t> words(WordsFor(numbers.size() * bits));
  if (bits == 0) return words;
  const uint64_t mask = bits == kWordBits ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const uint64_t bit = i * bits;
    const uint64_t number = numbers[i] & mask;
    words[bit / kWordBits] |= number << (bit % kWordBits);
    if (bit % kWordBits + bits > kWordBits) words[bit / kWordBits + 1] |= number >> (kWordBits - bit % kWordBits);
  }
  return words;
}

void Append(std::string& out, const std::vector<uint64_t>& words) {
  out.append(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(uint64_t));
}

absl::Status Damaged(const std::string& path, std::string_view what) {
  return absl::DataLossError(
      fmt::format("{}: {}; remove the shards folder and run the tokenize stage again", path, what));
}

}  // namespace

uint32_t RowBits(uint64_t rows) { return rows <= 2 ? 1 : static_cast<uint32_t>(std::bit_width(rows - 1)); }

BlockChecksums ChecksumsOf(std::string_view data) {
  BlockChecksums checksums;
  checksums.bytes = data.size();
  for (size_t at = 0; at < data.size(); at += kLineageBlockBytes) {
    checksums.blocks.push_back(Fingerprint(data.substr(at, kLineageBlockBytes)));
  }
  return checksums;
}

std::string LineageBytes(const std::vector<uint64_t>& ends, const std::vector<uint64_t>& rows, uint64_t corpus_rows,
                         uint64_t text_bytes, const BlockChecksums& data) {
  LineageHeader header{};
  std::memcpy(header.magic, kLineageMagic, sizeof(header.magic));
  header.documents = rows.size();
  header.corpus_rows = corpus_rows;
  header.text_bytes = text_bytes;
  header.tokens = ends.empty() ? 0 : ends.back();
  header.data_bytes = data.bytes;
  header.block_bytes = kLineageBlockBytes;
  header.row_bits = RowBits(corpus_rows);
  header.low_bits = LowBits(header.tokens, header.documents);

  std::vector<uint64_t> high(WordsFor(header.documents + (header.tokens >> header.low_bits)));
  for (size_t i = 0; i < ends.size(); ++i) {
    const uint64_t bit = (ends[i] >> header.low_bits) + i;
    high[bit / kWordBits] |= uint64_t{1} << (bit % kWordBits);
  }
  std::string out(reinterpret_cast<const char*>(&header), sizeof(header));
  Append(out, data.blocks);
  Append(out, Pack(rows, header.row_bits));
  Append(out, Pack(ends, header.low_bits));
  Append(out, high);
  Append(out, {Fingerprint(out)});
  return out;
}

uint64_t Lineage::Word(uint64_t section, uint64_t index) const {
  uint64_t word;
  std::memcpy(&word, bytes_.data() + section + index * sizeof(word), sizeof(word));
  return word;
}

uint64_t Lineage::Packed(uint64_t section, uint64_t index, uint32_t bits) const {
  if (bits == 0) return 0;
  const uint64_t bit = index * bits;
  const uint64_t shift = bit % kWordBits;
  uint64_t number = Word(section, bit / kWordBits) >> shift;
  if (shift + bits > kWordBits) number |= Word(section, bit / kWordBits + 1) << (kWordBits - shift);
  return bits == kWordBits ? number : number & ((uint64_t{1} << bits) - 1);
}

uint64_t Lineage::CorpusRow(uint64_t d) const { return Packed(rows_, d, header_.row_bits); }

uint64_t Lineage::End(uint64_t d) const {
  uint64_t bit = samples_[d / kSample];
  uint64_t left = d % kSample;  // ones to pass
  uint64_t at = bit / kWordBits;
  uint64_t word = Word(highs_, at) & (~uint64_t{0} << (bit % kWordBits));
  for (uint64_t ones = static_cast<uint64_t>(std::popcount(word)); ones <= left;
       ones = static_cast<uint64_t>(std::popcount(word))) {
    left -= ones;
    word = Word(highs_, ++at);
  }
  for (; left > 0; --left) word &= word - 1;
  bit = at * kWordBits + static_cast<uint64_t>(std::countr_zero(word));
  return (bit - d) << header_.low_bits | Packed(lows_, d, header_.low_bits);
}

uint64_t Lineage::DocumentOf(uint64_t position) const {
  uint64_t low = 0;
  uint64_t high = header_.documents;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (End(middle) <= position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

absl::StatusOr<Lineage> Lineage::Parse(std::string_view bytes, const std::string& path) {
  Lineage lineage;
  LineageHeader& header = lineage.header_;
  if (bytes.size() < sizeof(header) + sizeof(uint64_t) || std::memcmp(bytes.data(), kLineageMagic, 8) != 0) {
    return Damaged(path, "not a lineage table of this version");
  }
  lineage.bytes_ = bytes;
  std::memcpy(&header, bytes.data(), sizeof(header));
  // Bounds first, so that no product below overflows: every document takes a bit at least.
  const uint64_t words = bytes.size() / sizeof(uint64_t);
  const uint64_t bits = words * kWordBits;
  const bool sane = header.documents <= bits && header.block_bytes == kLineageBlockBytes &&
                    header.data_bytes / header.block_bytes <= words && header.row_bits == RowBits(header.corpus_rows) &&
                    header.low_bits == LowBits(header.tokens, header.documents) &&
                    header.tokens >> header.low_bits <= bits;
  if (!sane) return Damaged(path, "its header does not fit its size");
  lineage.blocks_ = BlocksOf(header.data_bytes, header.block_bytes);
  lineage.rows_ = sizeof(header) + lineage.blocks_ * sizeof(uint64_t);
  lineage.lows_ = lineage.rows_ + WordsFor(header.documents * header.row_bits) * sizeof(uint64_t);
  lineage.highs_ = lineage.lows_ + WordsFor(header.documents * header.low_bits) * sizeof(uint64_t);
  lineage.high_words_ = WordsFor(header.documents + (header.tokens >> header.low_bits));
  const uint64_t checksum = lineage.highs_ + lineage.high_words_ * sizeof(uint64_t);
  if (bytes.size() != checksum + sizeof(uint64_t)) {
    return Damaged(path, fmt::format("holds {} bytes, its header says {}", bytes.size(), checksum + sizeof(uint64_t)));
  }
  if (lineage.Word(checksum, 0) != Fingerprint(bytes.substr(0, checksum))) {
    return Damaged(path, "its checksum is wrong");
  }
  RETURN_IF_ERROR(lineage.IndexEnds(path));
  return lineage;
}

absl::Status Lineage::IndexEnds(const std::string& path) {
  uint64_t document = 0;
  uint64_t end = 0;
  for (uint64_t w = 0; w < high_words_; ++w) {
    for (uint64_t word = Word(highs_, w); word != 0; word &= word - 1) {
      if (document == header_.documents) return Damaged(path, "more documents end than it counts");
      const uint64_t bit = w * kWordBits + static_cast<uint64_t>(std::countr_zero(word));
      if (document % kSample == 0) samples_.push_back(bit);
      const uint64_t next = (bit - document) << header_.low_bits | Packed(lows_, document, header_.low_bits);
      if (next < end) return Damaged(path, fmt::format("document {} ends before it begins", document));
      if (CorpusRow(document) >= std::max<uint64_t>(1, header_.corpus_rows)) {
        return Damaged(path, fmt::format("document {} is of a row that the corpus does not have", document));
      }
      end = next;
      ++document;
    }
  }
  if (document != header_.documents || end != header_.tokens) {
    return Damaged(path, fmt::format("{} documents end at token {}; its header says {} and {}", document, end,
                                     header_.documents, header_.tokens));
  }
  return absl::OkStatus();
}

absl::Status Lineage::CheckData(std::string_view data, const std::string& path, int threads) const {
  if (data.size() < header_.data_bytes) {
    return Damaged(path, fmt::format("ends at byte {}, {} were written", data.size(), header_.data_bytes));
  }
  if (data.size() > header_.data_bytes) {
    return Damaged(path, fmt::format("holds {} bytes, {} were written", data.size(), header_.data_bytes));
  }
  return ParallelFor(threads, blocks_, [&](size_t block) -> absl::Status {
    const uint64_t begin = block * header_.block_bytes;
    const std::string_view part = data.substr(begin, header_.block_bytes);
    if (Fingerprint(part) == Word(sizeof(LineageHeader), block)) return absl::OkStatus();
    return Damaged(path, fmt::format("bytes {} to {}: the checksum is wrong", begin, begin + part.size()));
  });
}

}  // namespace rhodes
