// The .lineage beside a shard: which row of the corpus each of its documents is, where the documents lie among its
// tokens, and checksums of its bytes. The same table for every shard format; layout: docs/formats.md.
#ifndef RHODES_TOKEN_SHARD_LINEAGE_H_
#define RHODES_TOKEN_SHARD_LINEAGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rhodes {

// Little-endian. After it, each a whole number of 64-bit words: the XXH3 of each block of the data file; the rows,
// `row_bits` each, packed from the lowest bit on; the ends of the documents in tokens as Elias and Fano (1974) store
// ascending numbers: `low_bits` low bits each, packed, then the rest in unary (a one for each document, after as many
// zeros as the rest is larger than that of the document before); and the XXH3 of everything before.
struct LineageHeader {
  char magic[8];         // "RHLINE2\0"
  uint64_t documents;    // of the shard
  uint64_t corpus_rows;  // rows of the corpus that the numbers count in
  uint64_t text_bytes;   // UTF-8 bytes of the shard's documents
  uint64_t tokens;       // of the shard, end-of-text tokens included
  uint64_t data_bytes;   // of the shard's data file
  uint64_t block_bytes;  // bytes under one checksum; the last block may be shorter
  uint32_t row_bits;     // bits a row number takes
  uint32_t low_bits;     // low bits of an end
};
static_assert(sizeof(LineageHeader) == 64);
inline constexpr char kLineageMagic[8] = {'R', 'H', 'L', 'I', 'N', 'E', '2', '\0'};
inline constexpr uint64_t kLineageBlockBytes = uint64_t{1} << 20;
// Bits to hold a number below `rows`; at least 1.
uint32_t RowBits(uint64_t rows);

// Of a data file: the XXH3 of each block of kLineageBlockBytes, the last of which may be shorter.
struct BlockChecksums {
  uint64_t bytes = 0;
  std::vector<uint64_t> blocks;
};
BlockChecksums ChecksumsOf(std::string_view data);

// The table's bytes. `ends`: where each document ends, in tokens, ascending; `rows`: its row, below `corpus_rows`;
// `data`: of the data file.
std::string LineageBytes(const std::vector<uint64_t>& ends, const std::vector<uint64_t>& rows, uint64_t corpus_rows,
                         uint64_t text_bytes, const BlockChecksums& data);

// Reads a table from bytes that it does not own and that must outlive it. Thread-safe once parsed; 1/64 word of memory
// a document.
class Lineage {
 public:
  // DATA_LOSS "`path`: ..." when magic, sizes, order or checksum do not agree. Time: linear in the table.
  static absl::StatusOr<Lineage> Parse(std::string_view bytes, const std::string& path);

  const LineageHeader& header() const { return header_; }
  uint64_t documents() const { return header_.documents; }
  // Rows and tokens of document `d` < documents(). DocumentBegin(documents()) is the number of tokens.
  uint64_t CorpusRow(uint64_t d) const;
  uint64_t DocumentBegin(uint64_t d) const { return d == 0 ? 0 : End(d - 1); }
  // The document that holds token `position` < header().tokens. Logarithmic.
  uint64_t DocumentOf(uint64_t position) const;
  // DATA_LOSS "`path`: bytes A to B ..." for the first block of `data` that is not as it was written; the blocks are
  // shared out to `threads`.
  absl::Status CheckData(std::string_view data, const std::string& path, int threads = 1) const;

 private:
  static constexpr uint64_t kSample = 64;  // documents between two remembered places in the unary part

  uint64_t Word(uint64_t section, uint64_t index) const;
  uint64_t Packed(uint64_t section, uint64_t index, uint32_t bits) const;
  uint64_t End(uint64_t d) const;
  absl::Status IndexEnds(const std::string& path);

  LineageHeader header_{};
  std::string_view bytes_;
  uint64_t blocks_ = 0;  // how many; the section begins behind the header
  uint64_t rows_ = 0;    // byte offsets of the other sections
  uint64_t lows_ = 0;
  uint64_t highs_ = 0;
  uint64_t high_words_ = 0;
  std::vector<uint64_t> samples_;  // the bit in the unary part of document 0, kSample, 2 kSample, ...
};

}  // namespace rhodes

#endif  // RHODES_TOKEN_SHARD_LINEAGE_H_
