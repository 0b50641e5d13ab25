#include "token/shard_writer.h"

#include <algorithm>

#include "base/file.h"

namespace rhodes {

TokenWidth WidthFor(uint32_t vocabulary_size) {
  return vocabulary_size < 65500 ? TokenWidth::kUint16 : TokenWidth::kInt32;
}

namespace {

void Store(std::span<const TokenId> ids, TokenWidth width, uint8_t* to) {
  if (width == TokenWidth::kUint16) {
    auto* const words = reinterpret_cast<uint16_t*>(to);
    for (size_t i = 0; i < ids.size(); ++i) words[i] = static_cast<uint16_t>(ids[i]);
  } else {
    std::copy(ids.begin(), ids.end(), reinterpret_cast<uint32_t*>(to));
  }
}

}  // namespace

void StoreTokens(std::span<const TokenId> ids, TokenWidth width, std::vector<uint8_t>& out) {
  const size_t begin = out.size();
  out.resize(begin + ids.size() * static_cast<size_t>(width));
  Store(ids, width, out.data() + begin);
}

StoredBytes StoreTokens(std::span<const TokenId> ids, TokenWidth width) {
  StoredBytes stored;
  stored.size = ids.size() * static_cast<size_t>(width);
  stored.bytes.reset(new uint8_t[stored.size]);
  Store(ids, width, stored.bytes.get());
  return stored;
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
ShardWriter::ShardWriter(const std::string& directory, const std::string& split, TokenWidth width, uint64_t corpus_rows,
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
  ASSIGN_OR_RETURN(data_, ShardDataFile::Create(path));
  layout_->Begin();
  return layout_->HeadWaits() ? absl::OkStatus() : data_->Append(layout_->Head({}));
}

absl::Status ShardWriter::Append(std::span<const uint8_t> tokens, uint64_t corpus_row, uint64_t text_bytes) {
  const StoredDocument document = {tokens, corpus_row, text_bytes};
  return AppendAll({&document, 1}, 1);
}

absl::Status ShardWriter::AppendAll(std::span<const StoredDocument> documents, int threads) {
  threads_ = threads;
  for (const StoredDocument& document : documents) {
    const uint64_t count = document.tokens.size() / static_cast<uint64_t>(width_);
    if (count > INT32_MAX)
      return absl::InvalidArgumentError(fmt::format("a document of {} tokens is longer than a shard can hold", count));
    if (data_ != nullptr && layout_->EndsBefore(document.tokens.size())) RETURN_IF_ERROR(CloseShard());
    if (data_ == nullptr) RETURN_IF_ERROR(OpenShard());
    if (const absl::Status added = layout_->Add(document.tokens, held_.emplace_back()); !added.ok())
      return Annotate(added, Path());
    ends_.push_back((ends_.empty() ? 0 : ends_.back()) + count);
    rows_.push_back(document.corpus_row);
    shard_text_bytes_ += document.text_bytes;
    ++documents_;
    tokens_ += count;
    if (ends_.back() >= layout_->ShardTokens()) RETURN_IF_ERROR(CloseShard());
  }
  if (!layout_->HeadWaits()) return WriteHeld();
  KeepHeld();
  return absl::OkStatus();
}

absl::Status ShardWriter::WriteHeld() {
  if (held_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(data_->Append(held_, threads_));
  held_.clear();
  kept_.clear();
  kept_pieces_ = 0;
  return absl::OkStatus();
}

// The bytes of what waits are the caller's only until it has its turn again.
void ShardWriter::KeepHeld() {
  uint64_t bytes = 0;
  for (size_t i = kept_pieces_; i < held_.size(); ++i) bytes += held_[i].size;
  std::vector<uint8_t>& kept = kept_.emplace_back();
  kept.reserve(bytes);
  for (; kept_pieces_ < held_.size(); ++kept_pieces_) {
    ShardPiece& piece = held_[kept_pieces_];
    const uint8_t* const begin = kept.data() + kept.size();
    kept.insert(kept.end(), piece.bytes, piece.bytes + piece.size);
    piece.bytes = begin;
  }
}

absl::Status ShardWriter::CloseShard() {
  const std::string path = Path();
  const std::string head = layout_->Head(ends_);
  if (layout_->HeadWaits()) RETURN_IF_ERROR(data_->Append(head));
  RETURN_IF_ERROR(WriteHeld());
  if (!layout_->HeadWaits() && !head.empty()) RETURN_IF_ERROR(data_->ReplaceBegin(head));
  RETURN_IF_ERROR(data_->Close());
  const BlockChecksums& checksums = data_->checksums();
  for (const SideFile& file : layout_->Finish(ends_, path, checksums.bytes)) {
    RETURN_IF_ERROR(WriteScratchFile(file.path, file.bytes));
  }
  const std::string lineage = LineageBytes(ends_, rows_, corpus_rows_, shard_text_bytes_, checksums);
  RETURN_IF_ERROR(WriteScratchFile(LineagePath(path), lineage));
  data_bytes_ += checksums.bytes;
  lineage_bytes_ += lineage.size();
  data_.reset();
  ends_.clear();
  rows_.clear();
  shard_text_bytes_ = 0;
  ++shard_;
  return absl::OkStatus();
}

absl::Status ShardWriter::Finish() {
  if (data_ == nullptr && shard_ == 0) RETURN_IF_ERROR(OpenShard());
  if (data_ != nullptr) RETURN_IF_ERROR(CloseShard());
  for (const SideFile& file : layout_->FinishSplit()) RETURN_IF_ERROR(WriteScratchFile(file.path, file.bytes));
  return absl::OkStatus();
}

}  // namespace rhodes
