#include "token/shard_check.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "token/shard_lineage.h"
#include "token/shard_writer.h"

namespace rhodes {
namespace {

constexpr ShardFormat kFormats[] = {ShardFormat::kMegatron, ShardFormat::kDatatrove, ShardFormat::kNanoGpt,
                                    ShardFormat::kLlmC, ShardFormat::kMds};

// The first place where a file is not what it should be.
std::optional<std::string> Difference(std::string_view found, std::string_view expected) {
  const size_t common = std::min(found.size(), expected.size());
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(common);
  const auto byte = static_cast<size_t>(std::mismatch(found.begin(), end, expected.begin()).first - found.begin());
  if (byte < common) return fmt::format("byte {}: it is not what the shard's documents say", byte);
  if (found.size() == expected.size()) return std::nullopt;
  return found.size() < expected.size() ? fmt::format("ends at byte {} of {}", found.size(), expected.size())
                                        : fmt::format("holds {} bytes, {} belong there", found.size(), expected.size());
}

class Checker {
 public:
  Checker(std::string directory, std::string split, RunContext& context)
      : directory_(std::move(directory)), split_(std::move(split)), context_(context) {}

  absl::StatusOr<ShardCheck> Run() {
    ASSIGN_OR_RETURN(check_.format, FindFormat());
    ASSIGN_OR_RETURN(std::unique_ptr<ShardLayout> names, LayoutOf(TokenWidth::kUint16));
    for (int number = 0;; ++number) {
      RETURN_IF_ERROR(context_.CheckCancelled());
      const std::string path = Path(*names, number);
      if (number > 0 && path == Path(*names, 0)) break;  // a format of one shard
      if (!Exists(path)) {
        if (!Exists(Path(*names, number + 1))) break;
        Add(path, absl::NotFoundError("it is not there, but the next shard is"));
        whole_ = false;
        continue;
      }
      ++check_.shards;
      RETURN_IF_ERROR(CheckShard(path));
    }
    if (layout_ != nullptr && whole_) {
      for (const SideFile& file : layout_->FinishSplit()) Compare(file);
    }
    return std::move(check_);
  }

 private:
  absl::StatusOr<ShardFormat> FindFormat() {
    for (const ShardFormat format : kFormats) {
      check_.format = format;
      ASSIGN_OR_RETURN(const std::unique_ptr<ShardLayout> layout, LayoutOf(TokenWidth::kUint16));
      if (Exists(Path(*layout, 0))) return format;
    }
    return absl::NotFoundError(fmt::format("{} holds no {} shards in any format", directory_, split_));
  }

  std::string Path(const ShardLayout& layout, int number) const {
    return fmt::format("{}/{}", directory_, layout.DataFile(number));
  }
  static bool Exists(const std::string& data_file) {
    return PathExists(data_file) || PathExists(LineagePath(data_file));
  }

  absl::StatusOr<std::unique_ptr<ShardLayout>> LayoutOf(TokenWidth width) const {
    return MakeShardLayout({check_.format, directory_, split_, width, shard_tokens_, tokenizer_name_});
  }

  void Add(const std::string& path, std::string what) { check_.problems.push_back({path, std::move(what)}); }
  // A status whose message may begin with the path.
  void Add(const std::string& path, const absl::Status& status) {
    std::string what = Message(status);
    if (what.starts_with(path + ": ")) what.erase(0, path.size() + 2);
    Add(path, what);
  }

  void Compare(const SideFile& file) {
    const absl::StatusOr<std::string> found = ReadFile(file.path);
    if (!found.ok()) return Add(file.path, found.status());
    if (std::optional<std::string> what = Difference(*found, file.bytes)) Add(file.path, *std::move(what));
  }

  absl::Status CheckShard(const std::string& path) {
    const std::string lineage_path = LineagePath(path);
    const absl::StatusOr<std::string> table = ReadFile(lineage_path);
    absl::StatusOr<Lineage> lineage =
        table.ok() ? Lineage::Parse(*table, lineage_path) : absl::StatusOr<Lineage>(table.status());
    const absl::StatusOr<MappedFile> data = MappedFile::Open(path);
    if (!lineage.ok()) Add(lineage_path, lineage.status());
    if (!data.ok()) Add(path, data.status());
    if (!lineage.ok() || !data.ok()) {
      whole_ = false;
      return absl::OkStatus();
    }
    const LineageHeader& header = lineage->header();
    check_.documents += header.documents;
    check_.tokens += header.tokens;
    check_.text_bytes += header.text_bytes;
    check_.data_bytes += header.data_bytes;
    check_.lineage_bytes += table->size();
    std::vector<uint64_t> ends;
    for (uint64_t d = 0; d < header.documents; ++d) {
      ends.push_back(lineage->DocumentBegin(d + 1));
      check_.rows.push_back(lineage->CorpusRow(d));
    }
    if (const absl::Status status = lineage->CheckData(data->bytes(), path, context_.Threads()); !status.ok()) {
      Add(path, status);
      whole_ = false;
      return absl::OkStatus();
    }
    ReleasePages(data->bytes());
    return CheckBeside(path, data->bytes(), ends);
  }

  // The files beside a shard whose data are whole.
  absl::Status CheckBeside(const std::string& path, std::string_view data, const std::vector<uint64_t>& ends) {
    ReadSettings(path, data, ends.size());
    if (layout_ == nullptr) {
      for (const TokenWidth width : {TokenWidth::kUint16, TokenWidth::kInt32}) {
        ASSIGN_OR_RETURN(std::unique_ptr<ShardLayout> layout, LayoutOf(width));
        if (layout->DataBytes(ends) == data.size() && (!ends.empty() || Fits(*layout, path, ends, data.size()))) {
          layout_ = std::move(layout);
          break;
        }
      }
    }
    if (layout_ == nullptr || layout_->DataBytes(ends) != data.size()) {
      Add(path, fmt::format("its {} bytes are not those of the {} tokens that its lineage counts", data.size(),
                            ends.empty() ? 0 : ends.back()));
      whole_ = false;
      return absl::OkStatus();
    }
    for (const SideFile& file : layout_->Finish(ends, path, data.size())) Compare(file);
    return absl::OkStatus();
  }

  // A shard without a token does not tell the width of tokens: one that the files beside it agree with will do.
  static bool Fits(ShardLayout& layout, const std::string& path, const std::vector<uint64_t>& ends, uint64_t bytes) {
    if (layout.HeadWaits()) return true;
    for (const SideFile& file : layout.Finish(ends, path, bytes)) {
      const absl::StatusOr<std::string> found = ReadFile(file.path);
      if (found.ok() && *found != file.bytes) return false;
    }
    return true;
  }

  // What a layout was made with and no lineage says, from where the format's files keep it.
  void ReadSettings(const std::string& path, std::string_view data, uint64_t documents) {
    if (check_.format == ShardFormat::kDatatrove) {
      const absl::StatusOr<std::string> metadata = ReadFile(path + ".metadata");
      if (!metadata.ok()) return;
      const std::string line = metadata->substr(0, metadata->find('\n'));
      const std::string name = line.substr(0, line.rfind('|'));
      if (name != tokenizer_name_) layout_.reset();  // any name will do
      tokenizer_name_ = name;
    } else if (check_.format == ShardFormat::kMds && layout_ == nullptr) {
      // The configuration stands between the table of samples and the first sample.
      const uint64_t begin = 4 + 4 * (documents + 1);
      if (data.size() < begin) return;
      uint32_t end;
      std::memcpy(&end, data.data() + 4, sizeof(end));
      if (end < begin || end > data.size()) return;
      const absl::StatusOr<Json> config = ParseJson(data.substr(begin, end - begin), path);
      if (!config.ok() || !config->is_object() || !config->contains("size_limit")) return;
      const auto& encodings = (*config)["column_encodings"];
      const uint64_t width = encodings.is_array() && encodings.size() == 1 && encodings[0] == "ndarray:int32" ? 4 : 2;
      const Json& limit = (*config)["size_limit"];
      if (limit.is_number_unsigned()) shard_tokens_ = limit.get<uint64_t>() / width;
    }
  }

  const std::string directory_;
  const std::string split_;
  RunContext& context_;
  ShardCheck check_;
  uint64_t shard_tokens_ = 0;
  std::string tokenizer_name_;
  std::unique_ptr<ShardLayout> layout_;  // once the width of a token is known
  bool whole_ = true;                    // every shard could be looked at
};

}  // namespace

absl::StatusOr<ShardCheck> CheckShards(const std::string& directory, const std::string& split, RunContext& context) {
  return Checker(directory, split, context).Run();
}

}  // namespace rhodes
