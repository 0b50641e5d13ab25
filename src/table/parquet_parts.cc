#include "table/parquet_parts.h"

#include "base/file.h"
#include "base/hash.h"

namespace rhodes {

absl::StatusOr<std::unique_ptr<ParquetPartWriter>> ParquetPartWriter::Create(const Options& options) {
  std::unique_ptr<ParquetPartWriter> writer(new ParquetPartWriter(options));
  writer->next_part_ = options.first_part;
  RETURN_IF_ERROR(writer->Open());
  return writer;
}

ParquetPartWriter::~ParquetPartWriter() {
  for (std::future<absl::StatusOr<PartInfo>>& part : writing_) part.wait();
}

absl::Status ParquetPartWriter::Open() {
  auto part = std::make_unique<OpenPart>();
  Database::Options options;
  options.memory_bytes = 8 * options_.part_bytes + (uint64_t{1} << 30);
  ASSIGN_OR_RETURN(part->database, Database::Open(options));
  RETURN_IF_ERROR(part->database->Execute(fmt::format("CREATE TABLE part ({})", options_.columns)));
  ASSIGN_OR_RETURN(part->rows, TableAppender::Open(*part->database, "part"));
  open_ = std::move(part);
  return absl::OkStatus();
}

absl::Status ParquetPartWriter::EndRow(uint64_t bytes) {
  RETURN_IF_ERROR(open_->rows->EndRow());
  ++open_->row_count;
  open_->bytes += bytes;
  if (open_->bytes < options_.part_bytes) return absl::OkStatus();
  RETURN_IF_ERROR(Close());
  return Open();
}

absl::Status ParquetPartWriter::AwaitOldest() {
  absl::StatusOr<PartInfo> info = writing_.front().get();
  writing_.pop_front();
  if (!info.ok()) return info.status();
  written_.push_back(*std::move(info));
  return absl::OkStatus();
}

absl::Status ParquetPartWriter::Close() {
  const auto limit = static_cast<size_t>(options_.compressing);
  while (!writing_.empty() && writing_.size() >= limit) RETURN_IF_ERROR(AwaitOldest());
  const std::string file = fmt::format("part-{:05}.parquet", next_part_++);
  writing_.push_back(
      std::async(std::launch::async, [part = std::move(open_), directory = options_.directory, file]() mutable {
        return Write(std::move(part), directory, file);
      }));
  return limit == 0 ? AwaitOldest() : absl::OkStatus();
}

absl::StatusOr<PartInfo> ParquetPartWriter::Write(std::unique_ptr<OpenPart> part, const std::string& directory,
                                                  const std::string& file) {
  RETURN_IF_ERROR(part->rows->Finish());
  const std::string path = directory + "/" + file;
  RETURN_IF_ERROR(
      part->database->Execute(fmt::format("COPY part TO {} (FORMAT parquet, COMPRESSION zstd)", SqlLiteral(path))));
  PartInfo info{file, part->row_count, 0, {}};
  part.reset();
  ASSIGN_OR_RETURN(info.bytes, FileSize(path));
  ASSIGN_OR_RETURN(info.sha256, Sha256OfFile(path));
  return info;
}

absl::StatusOr<std::vector<PartInfo>> ParquetPartWriter::Finish() {
  if (open_ != nullptr && open_->row_count > 0) RETURN_IF_ERROR(Close());
  open_.reset();
  while (!writing_.empty()) RETURN_IF_ERROR(AwaitOldest());
  return std::move(written_);
}

}  // namespace rhodes
