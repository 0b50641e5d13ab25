#include "source/parquet_check.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "source/thrift_compact.h"

namespace rhodes {
namespace {

constexpr int64_t kUncompressed = 0;
constexpr int64_t kRle = 3;
enum PageType : int64_t { kDataPage = 0, kDictionaryPage = 2, kDataPageV2 = 3 };

struct ColumnLevels {
  int repetition = 0;  // the greatest level
  int definition = 0;
};

struct ColumnChunk {
  std::string name;
  bool elsewhere = false;  // in another file
  int64_t codec = 0;
  int64_t values = 0;
  int64_t bytes = 0;
  int64_t data_offset = 0;
  int64_t dictionary_offset = 0;
};

struct RowGroup {
  std::vector<ColumnChunk> columns;
  int64_t rows = 0;
};

struct Footer {
  std::vector<ColumnLevels> leaves;
  std::vector<RowGroup> groups;
};

// The schema is a list of nodes in the order of a walk; a group is followed by its children.
void ReadSchema(ThriftReader& reader, std::vector<ColumnLevels>& leaves) {
  struct Open {
    int64_t children;
    ColumnLevels levels;
  };
  uint8_t type = 0;
  const uint64_t count = reader.List(type);
  std::vector<Open> open;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    int64_t repetition = 0;
    int64_t children = 0;
    for (ThriftReader::Fields fields = ThriftReader::Begin(); reader.Next(fields);) {
      if (fields.id == 3) {
        repetition = reader.Integer();
      } else if (fields.id == 5) {
        children = reader.Integer();
      } else {
        reader.Skip(fields.type);
      }
    }
    ColumnLevels levels = open.empty() ? ColumnLevels{} : open.back().levels;
    if (i > 0) {
      levels.repetition += repetition == 2 ? 1 : 0;
      levels.definition += repetition != 0 ? 1 : 0;
    }
    if (!open.empty()) --open.back().children;
    if (children > 0) {
      open.push_back({children, levels});
    } else {
      leaves.push_back(levels);
      while (!open.empty() && open.back().children <= 0) open.pop_back();
    }
  }
}

ColumnChunk ReadChunk(ThriftReader& reader) {
  ColumnChunk chunk;
  for (ThriftReader::Fields fields = ThriftReader::Begin(); reader.Next(fields);) {
    if (fields.id == 1) chunk.elsewhere = true;
    if (fields.id != 3 || fields.type != ThriftReader::kStruct) {
      reader.Skip(fields.type);
      continue;
    }
    for (ThriftReader::Fields meta = ThriftReader::Begin(); reader.Next(meta);) {
      switch (meta.id) {
        case 3: {
          uint8_t type = 0;
          const uint64_t parts = reader.List(type);
          for (uint64_t i = 0; i < parts && reader.ok(); ++i) {
            if (i > 0) chunk.name += '.';
            chunk.name += reader.Binary();
          }
          break;
        }
        case 4:
          chunk.codec = reader.Integer();
          break;
        case 5:
          chunk.values = reader.Integer();
          break;
        case 7:
          chunk.bytes = reader.Integer();
          break;
        case 9:
          chunk.data_offset = reader.Integer();
          break;
        case 11:
          chunk.dictionary_offset = reader.Integer();
          break;
        default:
          reader.Skip(meta.type);
      }
    }
  }
  return chunk;
}

RowGroup ReadGroup(ThriftReader& reader) {
  RowGroup group;
  for (ThriftReader::Fields fields = ThriftReader::Begin(); reader.Next(fields);) {
    if (fields.id == 1) {
      uint8_t type = 0;
      const uint64_t count = reader.List(type);
      for (uint64_t i = 0; i < count && reader.ok(); ++i) group.columns.push_back(ReadChunk(reader));
    } else if (fields.id == 3) {
      group.rows = reader.Integer();
    } else {
      reader.Skip(fields.type);
    }
  }
  return group;
}

std::optional<Footer> ReadFooter(std::string_view bytes) {
  if (bytes.size() < 12 || !bytes.ends_with("PAR1")) return std::nullopt;
  uint32_t size = 0;
  std::memcpy(&size, bytes.data() + bytes.size() - 8, 4);
  if (size > bytes.size() - 12) return std::nullopt;
  ThriftReader reader(bytes.substr(bytes.size() - 8 - size, size));
  Footer footer;
  for (ThriftReader::Fields fields = ThriftReader::Begin(); reader.Next(fields);) {
    if (fields.id == 2) {
      ReadSchema(reader, footer.leaves);
    } else if (fields.id == 4) {
      uint8_t type = 0;
      const uint64_t count = reader.List(type);
      for (uint64_t i = 0; i < count && reader.ok(); ++i) footer.groups.push_back(ReadGroup(reader));
    } else {
      reader.Skip(fields.type);
    }
  }
  return reader.ok() ? std::optional(std::move(footer)) : std::nullopt;
}

struct PageHeader {
  int64_t type = -1;
  int64_t bytes = -1;  // compressed
  std::optional<uint32_t> checksum;
  int64_t values = 0;
  int64_t repetition_encoding = kRle;
  int64_t definition_encoding = kRle;
  int64_t repetition_bytes = 0;  // of a page of version 2
  int64_t definition_bytes = 0;
  size_t size = 0;  // of the header itself
};

std::optional<PageHeader> ReadPageHeader(std::string_view bytes) {
  ThriftReader reader(bytes);
  PageHeader page;
  for (ThriftReader::Fields fields = ThriftReader::Begin(); reader.Next(fields);) {
    if (fields.id == 1) {
      page.type = reader.Integer();
    } else if (fields.id == 3) {
      page.bytes = reader.Integer();
    } else if (fields.id == 4) {
      page.checksum = static_cast<uint32_t>(reader.Integer());
    } else if ((fields.id == 5 || fields.id == 8) && fields.type == ThriftReader::kStruct) {
      const bool second = fields.id == 8;
      for (ThriftReader::Fields data = ThriftReader::Begin(); reader.Next(data);) {
        if (data.id == 1) {
          page.values = reader.Integer();
        } else if (second && data.id == 5) {
          page.definition_bytes = reader.Integer();
        } else if (second && data.id == 6) {
          page.repetition_bytes = reader.Integer();
        } else if (!second && data.id == 3) {
          page.definition_encoding = reader.Integer();
        } else if (!second && data.id == 4) {
          page.repetition_encoding = reader.Integer();
        } else {
          reader.Skip(data.type);
        }
      }
    } else {
      reader.Skip(fields.type);
    }
  }
  page.size = reader.position();
  if (!reader.ok() || page.bytes < 0) return std::nullopt;
  return page;
}

struct Levels {
  uint64_t count = 0;
  uint64_t first = 0;
};

// Counts levels in the hybrid of runs and bit-packed groups. The last group may be padded.
Levels CountLevels(std::string_view bytes, int greatest) {
  const auto width = static_cast<unsigned>(std::bit_width(static_cast<unsigned>(greatest)));
  Levels levels;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t head = 0;
    unsigned shift = 0;
    while (at < bytes.size() && shift < 63) {
      const auto byte = static_cast<uint8_t>(bytes[at++]);
      head |= uint64_t{byte & 0x7FU} << shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    const uint64_t data = (head & 1) != 0 ? (head >> 1) * width : (width + 7) / 8;
    if (at >= bytes.size()) break;
    if (levels.count == 0) levels.first = static_cast<uint8_t>(bytes[at]) & ((1U << std::min(width, 8U)) - 1);
    levels.count += (head & 1) != 0 ? (head >> 1) * 8 : head >> 1;
    at += std::min<uint64_t>(data, bytes.size() - at);
  }
  return levels;
}

// The next levels of a page of version 1: four bytes of length before them.
std::string_view TakeLevels(std::string_view& body) {
  uint32_t size = 0;
  if (body.size() < 4) return {};
  std::memcpy(&size, body.data(), 4);
  body.remove_prefix(4);
  const std::string_view levels = body.substr(0, size);
  body.remove_prefix(levels.size());
  return levels;
}

// What is wrong with the levels of a page, or "".
std::string LevelProblem(const PageHeader& page, std::string_view body, ColumnLevels most, int64_t codec,
                         bool first_page) {
  std::string_view repetition;
  std::string_view definition;
  if (page.type == kDataPageV2) {
    if (page.repetition_bytes < 0 || page.definition_bytes < 0) return "levels of a negative size";
    repetition = body.substr(0, static_cast<size_t>(page.repetition_bytes));
    definition = body.substr(repetition.size()).substr(0, static_cast<size_t>(page.definition_bytes));
  } else {
    if (codec != kUncompressed || page.repetition_encoding != kRle || page.definition_encoding != kRle) return "";
    if (most.repetition > 0) repetition = TakeLevels(body);
    if (most.definition > 0) definition = TakeLevels(body);
  }
  const auto values = static_cast<uint64_t>(std::max<int64_t>(page.values, 0));
  if (values == 0) return "";
  if (most.repetition > 0) {
    const Levels levels = CountLevels(repetition, most.repetition);
    if (levels.count < values) return "fewer repetition levels than values";
    if (first_page && levels.first != 0) return "the first row begins in the middle of a list";
  }
  if (most.definition > 0 && CountLevels(definition, most.definition).count < values) {
    return "fewer definition levels than values";
  }
  return "";
}

// `budget`: bytes that may still be looked at.
std::string ChunkProblem(std::string_view file, const ColumnChunk& chunk, ColumnLevels most, uint64_t& budget) {
  if (chunk.elsewhere) return "";
  int64_t start = chunk.data_offset;
  if (chunk.dictionary_offset > 0 && chunk.dictionary_offset < start) start = chunk.dictionary_offset;
  if (start < 4 || chunk.bytes < 0) return "";
  uint64_t at = static_cast<uint64_t>(start);
  int64_t values = 0;
  bool first_page = true;
  while (values < chunk.values && at < file.size()) {
    const std::optional<PageHeader> page = ReadPageHeader(file.substr(at));
    if (!page || page->size == 0) return "";
    at += page->size;
    if (static_cast<uint64_t>(page->bytes) > file.size() - at) return "";
    const std::string_view body = file.substr(at, static_cast<size_t>(page->bytes));
    if (page->size + body.size() > budget) return "";
    budget -= page->size + body.size();
    if (page->checksum) {
      const auto found = static_cast<uint32_t>(
          crc32_z(0, reinterpret_cast<const unsigned char*>(body.data()), static_cast<z_size_t>(body.size())));
      if (found != *page->checksum) {
        return fmt::format("column \"{}\": the page at byte {} does not match its checksum", chunk.name, at);
      }
    }
    if (page->type == kDataPage || page->type == kDataPageV2) {
      const std::string problem = LevelProblem(*page, body, most, chunk.codec, first_page);
      if (!problem.empty()) return fmt::format("column \"{}\": the page at byte {}: {}", chunk.name, at, problem);
      values += std::max<int64_t>(page->values, 0);
      first_page = false;
    }
    at += body.size();
  }
  return "";
}

}  // namespace

std::vector<ParquetDamage> FindParquetDamage(std::string_view bytes) {
  std::vector<ParquetDamage> damage;
  const std::optional<Footer> footer = ReadFooter(bytes);
  if (!footer) return damage;
  uint64_t row = 0;
  // In a made-up file thousands of chunks may be the same bytes.
  uint64_t budget = 4 * static_cast<uint64_t>(bytes.size());
  for (const RowGroup& group : footer->groups) {
    const uint64_t end = row + static_cast<uint64_t>(std::max<int64_t>(group.rows, 0));
    for (size_t i = 0; i < group.columns.size(); ++i) {
      const ColumnLevels most = i < footer->leaves.size() ? footer->leaves[i] : ColumnLevels{};
      std::string problem = ChunkProblem(bytes, group.columns[i], most, budget);
      if (problem.empty()) continue;
      damage.push_back({row, end, std::move(problem)});
      break;
    }
    row = end;
  }
  return damage;
}

}  // namespace rhodes
