#include "source/format.h"

#include "base/text.h"

namespace rhodes {

absl::StatusOr<ChannelColumn> ParseChannelColumn(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  if (parts.empty() || parts.size() > 3 || parts[0].empty()) {
    return UsageError(fmt::format("channel \"{}\": write FIELD, FIELD:NAME or FIELD:NAME:UNIT", text));
  }
  ChannelColumn column;
  column.field = parts[0];
  if (parts.size() > 1) column.name = parts[1];
  if (parts.size() > 2) column.unit = parts[2];
  return column;
}

std::unique_ptr<FileState> Format::Prepare(std::string_view /*head*/, const ReadOptions& /*options*/) const {
  return nullptr;
}

size_t Format::Cut(std::string_view bytes, uint64_t /*begin*/, size_t target, bool /*at_end*/,
                   const FileState* /*state*/, const ReadOptions& /*options*/) const {
  return CutAtLine(bytes, target);
}

size_t Format::Resync(std::string_view bytes) const {
  const size_t newline = bytes.find('\n');
  return newline == std::string_view::npos ? newline : newline + 1;
}

void Format::Parse(const Block& block, const ReadOptions& /*options*/, ParsedBlock& out) const {
  out.rejects.push_back(MakeReject(block, 0, block.bytes.size(), fmt::format("{} is not read in blocks", name())));
}

absl::StatusOr<std::unique_ptr<RowReader>> Format::OpenRows(const std::string& path, const ReadOptions& /*options*/,
                                                            uint64_t /*memory_bytes*/) const {
  return absl::UnimplementedError(fmt::format("{}: {} is not read as rows", path, name()));
}

std::string_view StripCompressionSuffix(std::string_view path) {
  for (const std::string_view suffix : {".gz", ".zst", ".bz2", ".xz"}) {
    if (path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  }
  return path;
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

size_t CutAtLine(std::string_view bytes, size_t target) {
  if (target > 0) {
    if (const size_t before = bytes.substr(0, target).rfind('\n'); before != std::string_view::npos) return before + 1;
  }
  const size_t after = bytes.find('\n', target);
  return after == std::string_view::npos ? 0 : after + 1;
}

Reject MakeReject(const Block& block, size_t begin, size_t end, std::string reason) {
  return Reject{Origin{std::string(block.path), block.begin + begin, block.begin + end}, std::move(reason)};
}

}  // namespace rhodes
