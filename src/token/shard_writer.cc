#include "token/shard_writer.h"

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace rhodes {

TokenWidth WidthFor(uint32_t vocabulary_size) {
  return vocabulary_size < 65500 ? TokenWidth::kUint16 : TokenWidth::kInt32;
}

void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out) {
  const size_t begin = out.size();
  out.resize(begin + ids.size() * static_cast<size_t>(width));
  if (width == TokenWidth::kUint16) {
    auto* words = reinterpret_cast<uint16_t*>(out.data() + begin);
    for (size_t i = 0; i < ids.size(); ++i) words[i] = static_cast<uint16_t>(ids[i]);
  } else {
    auto* words = reinterpret_cast<uint32_t*>(out.data() + begin);
    std::copy(ids.begin(), ids.end(), words);
  }
}

std::string LineagePath(const std::string& data_file) {
  return data_file.substr(0, data_file.find_last_of('.')) + ".lineage";
}

ShardWriter::ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
                         std::unique_ptr<ShardLayout> layout)
    : directory_(std::move(directory)),
      split_(std::move(split)),
      width_(width),
      corpus_rows_(corpus_rows),
      layout_(std::move(layout)) {}

// Megatron takes any number of tokens a shard, so that its layout can always be made.
ShardWriter::ShardWriter(std::string directory, std::string split, TokenWidth width, uint64_t corpus_rows,
                         uint64_t shard_tokens)
    : ShardWriter(
          directory, split, width, corpus_rows,
          MakeShardLayout({ShardFormat::kMegatron, directory, split, width, std::max<uint64_t>(1, shard_tokens), ""})
              .value()) {}

absl::StatusOr<ShardWriter> ShardWriter::Create(const ShardLayoutOptions& options, uint64_t corpus_rows) {
  ASSIGN_OR_RETURN(std::unique_ptr<ShardLayout> layout, MakeShardLayout(options));
  return ShardWriter(options.directory, options.split, options.width, corpus_rows, std::move(layout));
}

absl::Status ShardWriter::OpenShard() {
  const std::string path = Path();
  RETURN_IF_ERROR(CreateDirectories(path.substr(0, path.find_last_of('/'))));
  data_.reset(fopen(path.c_str(), "wbe"));
  if (data_ == nullptr) return ErrnoError(errno, "create", path);
  setvbuf(data_.get(), nullptr, _IOFBF, 1 << 20);  // documents are short; a call each would cost more than the bytes
  return Annotate(layout_->Begin(data_.get()), path);
}

absl::Status ShardWriter::Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes) {
  const uint64_t count = tokens.size() / static_cast<uint64_t>(width_);
  if (count > INT32_MAX)
    return absl::InvalidArgumentError(fmt::format("a document of {} tokens is longer than a shard can hold", count));
  if (data_ != nullptr && layout_->EndsBefore(tokens.size())) RETURN_IF_ERROR(CloseShard());
  if (data_ == nullptr) RETURN_IF_ERROR(OpenShard());
  if (const absl::Status added = layout_->Add(tokens, data_.get()); !added.ok()) return Annotate(added, Path());
  ends_.push_back((ends_.empty() ? 0 : ends_.back()) + count);
  rows_.push_back(corpus_row);
  shard_text_bytes_ += text_bytes;
  ++documents_;
  tokens_ += count;
  return ends_.back() >= layout_->ShardTokens() ? CloseShard() : absl::OkStatus();
}

absl::Status ShardWriter::CloseShard() {
  const std::string path = Path();
  RETURN_IF_ERROR(Annotate(layout_->Finish(ends_, path, data_.get()), path));
  if (fflush(data_.get()) != 0) return ErrnoError(errno, "write", path);
  if (fclose(data_.release()) != 0) return ErrnoError(errno, "close", path);
  ASSIGN_OR_RETURN(const MappedFile written, MappedFile::Open(path));
  RETURN_IF_ERROR(WriteFileAtomically(LineagePath(path),
                                      LineageBytes(ends_, rows_, corpus_rows_, shard_text_bytes_, written.bytes())));
  ends_.clear();
  rows_.clear();
  shard_text_bytes_ = 0;
  ++shard_;
  return absl::OkStatus();
}

absl::Status ShardWriter::Finish() {
  if (data_ == nullptr && shard_ == 0) RETURN_IF_ERROR(OpenShard());
  if (data_ != nullptr) RETURN_IF_ERROR(CloseShard());
  return layout_->FinishSplit();
}

}  // namespace rhodes
