#include "token/text_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/decompress.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "record/document_ranges.h"
#include "record/document_table.h"
#include "record/json_documents.h"
#include "token/character_class.h"

namespace rhodes {
namespace {

constexpr uint64_t kStreamPiece = uint64_t{4} << 20;
// Of a file that is not compressed: about so many pieces, within limits.
constexpr uint64_t kPieces = 64;
constexpr uint64_t kMinPiece = uint64_t{1} << 20;
constexpr uint64_t kMaxPiece = uint64_t{16} << 20;
constexpr char kStandardInput[] = "standard input";

bool StripSuffix(std::string& name, std::initializer_list<std::string_view> suffixes) {
  for (const std::string_view suffix : suffixes) {
    if (name.size() <= suffix.size() || !LowerAscii(name).ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    return true;
  }
  return false;
}
void StripCompression(std::string& name) { StripSuffix(name, {".gz", ".zst", ".bz2", ".xz"}); }

bool IsTextName(std::string name) {
  StripCompression(name);
  return StripSuffix(name, {".txt", ".text", ".md"});
}

// "ar" for data/ar.jsonl.zst.
std::string SourceName(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::string name = path.substr(path.rfind('/') + 1);
  StripCompression(name);
  StripSuffix(name, {".jsonl", ".json", ".ndjson", ".txt", ".text", ".md", ".parquet"});
  return name;
}

struct InputFile {
  std::string path;
  std::string source;
  bool parquet = false;
  bool stream = false;  // a pipe
  TextFormat format = TextFormat::kAuto;
  bool ids = false;
  uint64_t size = 0;
  int64_t modified = 0;  // nanoseconds since 1970
};

absl::Status Damaged(const std::string& path, const absl::Status& status) {
  return absl::InvalidArgumentError(fmt::format("read documents: {}: {}", path, Message(status)));
}

std::string Joined(const std::vector<std::string>& sources, const std::string& otherwise) {
  std::string joined;
  for (const std::string& source : sources) joined += (joined.empty() ? "" : "+") + source;
  return joined.empty() ? otherwise : joined;
}

void Visit(const Document& document, const std::string& source, const TextVisitor& visit) {
  const std::string joined = Joined(document.sources, source);
  visit({document.text, joined, document.language, true, document.id});
}

class DocumentsPiece final : public TextPiece {
 public:
  DocumentsPiece(std::vector<Document> documents, std::string source)
      : documents_(std::move(documents)), source_(std::move(source)) {}
  absl::Status Read(const TextVisitor& visit) override {
    for (const Document& document : documents_) Visit(document, source_, visit);
    return absl::OkStatus();
  }

 private:
  const std::vector<Document> documents_;
  const std::string source_;
};

class JsonPiece final : public TextPiece {
 public:
  using Opener = std::function<absl::StatusOr<std::unique_ptr<JsonDocuments>>()>;
  JsonPiece(const InputFile& file, Opener open) : file_(file), open_(std::move(open)) {}
  absl::Status Read(const TextVisitor& visit) override {
    ASSIGN_OR_RETURN(const std::unique_ptr<JsonDocuments> documents, open_());
    documents->TakeTextOnly(file_.ids);
    Document document;
    JsonDocuments::Triples spans;
    while (true) {
      const absl::StatusOr<bool> more = documents->Next(document, spans);
      if (!more.ok()) return Damaged(file_.path, more.status());
      if (!*more) return absl::OkStatus();
      Visit(document, file_.source, visit);
    }
  }

 private:
  const InputFile file_;
  Opener open_;
};

// Characters as they are: a part of one document, or a document a line.
class CharactersPiece final : public TextPiece {
 public:
  CharactersPiece(const InputFile& file, std::shared_ptr<const MappedFile> mapped, std::string_view text, bool lines,
                  bool begins)
      : file_(file), mapped_(std::move(mapped)), text_(text), lines_(lines), begins_(begins) {}
  CharactersPiece(const InputFile& file, std::string text, bool lines, bool begins)
      : file_(file), owned_(std::move(text)), text_(owned_), lines_(lines), begins_(begins) {}
  absl::Status Read(const TextVisitor& visit) override {
    if (!lines_) visit({text_, file_.source, "", begins_, IdOf(text_)});
    for (std::string_view rest = lines_ ? text_ : ""; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      if (!line.empty()) visit({line, file_.source, "", true, IdOf(line)});
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    if (mapped_ != nullptr) ReleasePages(text_);
    return absl::OkStatus();
  }

 private:
  std::string_view IdOf(std::string_view text) {
    if (file_.ids) id_ = ContentId({text});
    return id_;
  }

  const InputFile file_;
  const std::shared_ptr<const MappedFile> mapped_;
  const std::string owned_;
  const std::string_view text_;
  const bool lines_;
  const bool begins_;
  std::string id_;
};

// What a file without a telling name holds, by its first line.
TextFormat FormatOf(std::string_view head) {
  while (!head.empty() && (head[0] == '\n' || head[0] == '\r' || head[0] == ' ')) head.remove_prefix(1);
  const absl::StatusOr<Json> json = ParseJson(head.substr(0, head.find('\n')), "");
  return json.ok() && json->is_object() && json->contains("text") ? TextFormat::kJsonLines : TextFormat::kText;
}

// Cuts one file that is not Parquet into pieces.
class Cutter {
 public:
  virtual ~Cutter() = default;
  virtual absl::StatusOr<std::unique_ptr<TextPiece>> Next() = 0;
  virtual uint64_t read_bytes() const = 0;
};

class MappedCutter final : public Cutter {
 public:
  MappedCutter(InputFile file, MappedFile mapped, uint64_t piece, bool whole_texts)
      : file_(std::move(file)),
        mapped_(std::make_shared<const MappedFile>(std::move(mapped))),
        piece_(whole_texts && file_.format == TextFormat::kText ? mapped_->bytes().size() : piece) {}
  absl::StatusOr<std::unique_ptr<TextPiece>> Next() override {
    const std::string_view bytes = mapped_->bytes();
    // A text that is empty is a document as well.
    if (at_ == bytes.size() && (begun_ || file_.format != TextFormat::kText)) return nullptr;
    begun_ = true;
    const size_t begin = at_;
    const size_t target = std::min<size_t>(bytes.size(), begin + piece_);
    if (file_.format == TextFormat::kJsonLines) {
      at_ = target;
      return std::make_unique<JsonPiece>(
          file_, [path = file_.path, begin, target] { return JsonDocuments::OpenRange(path, begin, target); });
    }
    const bool lines = file_.format == TextFormat::kLines;
    const size_t border = lines ? bytes.find('\n', target) : WordBorder(bytes, target);
    at_ = border == std::string_view::npos ? bytes.size() : border + (lines ? 1 : 0);
    return std::make_unique<CharactersPiece>(file_, mapped_, bytes.substr(begin, at_ - begin), lines, begin == 0);
  }
  uint64_t read_bytes() const override { return at_; }

 private:
  const InputFile file_;
  const std::shared_ptr<const MappedFile> mapped_;
  const uint64_t piece_;
  size_t at_ = 0;
  bool begun_ = false;
};

// Compressed files and pipes. They are unpacked by whoever asks for the next piece.
class StreamCutter final : public Cutter {
 public:
  StreamCutter(InputFile file, std::unique_ptr<ByteReader> reader, bool whole_texts)
      : file_(std::move(file)), reader_(std::move(reader)), whole_texts_(whole_texts) {}
  absl::StatusOr<std::unique_ptr<TextPiece>> Next() override {
    RETURN_IF_ERROR(Fill(kStreamPiece));
    if (!begun_ && waiting_.starts_with("PAR1")) {
      return absl::InvalidArgumentError(
          fmt::format("read documents: {}: Parquet cannot be read from a pipe; name the file", reader_->path()));
    }
    if (file_.format == TextFormat::kAuto) file_.format = FormatOf(waiting_);
    const bool text = file_.format == TextFormat::kText;
    if (waiting_.empty() && (begun_ || !text)) return nullptr;
    if (text && whole_texts_) RETURN_IF_ERROR(Fill(UINT64_MAX));
    ASSIGN_OR_RETURN(std::string piece, Cut(text && !whole_texts_, text && whole_texts_ ? UINT64_MAX : kStreamPiece));
    const bool begins = !std::exchange(begun_, true);
    if (file_.format != TextFormat::kJsonLines) {
      return std::make_unique<CharactersPiece>(file_, std::move(piece), !text, begins);
    }
    const uint64_t lines = lines_;
    const uint64_t rows = rows_;
    for (std::string_view rest = piece; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      ++lines_;
      rows_ += Trim(line).empty() ? 0 : 1;
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
    return std::make_unique<JsonPiece>(
        file_, [piece = std::move(piece), lines, rows]() mutable -> absl::StatusOr<std::unique_ptr<JsonDocuments>> {
          return JsonDocuments::OfLines(std::move(piece), lines, rows);
        });
  }
  uint64_t read_bytes() const override { return reader_->consumed(); }

 private:
  absl::Status Fill(uint64_t size) {
    while (waiting_.size() < size && !ended_) {
      constexpr size_t kRead = size_t{1} << 20;
      const size_t before = waiting_.size();
      waiting_.resize(before + kRead);
      const absl::StatusOr<size_t> count = reader_->Read(waiting_.data() + before, kRead);
      waiting_.resize(before + (count.ok() ? *count : 0));
      RETURN_IF_ERROR(count.status());
      ended_ = *count == 0;
    }
    return absl::OkStatus();
  }

  // Takes what comes next up to a place where it can be cut.
  absl::StatusOr<std::string> Cut(bool text, uint64_t from) {
    size_t searched = std::min<size_t>(waiting_.size(), from);
    while (true) {
      size_t border = text ? WordBorder(waiting_, searched) : waiting_.find('\n', searched);
      if (border == std::string::npos && ended_) border = waiting_.size();
      if (border != std::string::npos) {
        border = std::min(waiting_.size(), border + (text ? 0 : 1));
        std::string piece = waiting_.substr(0, border);
        waiting_.erase(0, border);
        return piece;
      }
      // The last characters may be part of a border that is not here yet.
      searched = std::max(searched, waiting_.size() - std::min<size_t>(waiting_.size(), 8));
      RETURN_IF_ERROR(Fill(waiting_.size() + 1));
    }
  }

  InputFile file_;
  const std::unique_ptr<ByteReader> reader_;
  const bool whole_texts_;
  std::string waiting_;
  bool begun_ = false;
  bool ended_ = false;
  uint64_t lines_ = 0;
  uint64_t rows_ = 0;
};

// Reads a file descriptor; `owned`: closes it.
ByteSource ReadDescriptor(int descriptor, bool owned) {
  const std::shared_ptr<int> held(new int(descriptor), [owned](const int* number) {
    if (owned) close(*number);
    delete number;
  });
  return [held](char* output, size_t size) -> absl::StatusOr<size_t> {
    ssize_t count;
    do {
      count = ::read(*held, output, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return absl::DataLossError(std::strerror(errno));
    return static_cast<size_t>(count);
  };
}

class Input final : public TextInput {
 public:
  explicit Input(TextInputOptions options) : options_(std::move(options)) {}

  absl::Status Start() {
    if (options_.paths.empty()) options_.paths.emplace_back("-");
    for (const std::string& path : options_.paths) RETURN_IF_ERROR(Add(path));
    uint64_t plain = 0;
    for (const InputFile& file : files_) {
      plain += file.parquet ? 0 : file.size;
      any_stream_ = any_stream_ || file.stream;
    }
    piece_ = options_.piece_bytes > 0 ? options_.piece_bytes : std::clamp(plain / kPieces, kMinPiece, kMaxPiece);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<TextPiece>> Next() override {
    while (true) {
      if (cutter_ == nullptr && parquet_ == nullptr) {
        if (next_file_ == files_.size()) return nullptr;
        RETURN_IF_ERROR(OpenFile(files_[next_file_++]));
      }
      const InputFile& file = files_[next_file_ - 1];
      if (cutter_ != nullptr) {
        ASSIGN_OR_RETURN(std::unique_ptr<TextPiece> piece, cutter_->Next());
        if (piece != nullptr) return piece;
        cutter_.reset();
      } else {
        std::vector<Document> documents;
        ASSIGN_OR_RETURN(const bool more, parquet_->Next(documents));
        if (more) return std::make_unique<DocumentsPiece>(std::move(documents), file.source);
        parquet_.reset();
      }
      done_bytes_ += file.size;
    }
  }

  uint64_t total_bytes() const override {
    uint64_t total = 0;
    for (const InputFile& file : files_) total += file.size;
    return any_stream_ ? 0 : total;
  }
  uint64_t read_bytes() const override { return done_bytes_ + (cutter_ == nullptr ? 0 : cutter_->read_bytes()); }
  std::string identity() const override {
    if (any_stream_) return "";
    std::string all = fmt::format("format {} pieces {}\n", static_cast<int>(options_.format), piece_);
    for (const InputFile& file : files_) {
      all += fmt::format("{}\n{} {} {}\n", file.path, file.source, file.size, file.modified);
    }
    return ContentId({all});
  }

 private:
  absl::Status Add(const std::string& path) {
    if (path == "-") {
      files_.push_back({"-", kStandardInput, false, true, options_.format, options_.ids, 0, 0});
      return absl::OkStatus();
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return ErrnoError(errno, "read documents:", path);
    if (!S_ISDIR(status.st_mode)) return AddFile(path, SourceName(path));
    ASSIGN_OR_RETURN(const std::vector<std::string> listed, ListFiles(path));
    std::vector<std::string> parts;
    std::vector<std::string> others;
    for (const std::string& file : listed) {
      const std::string name = file.substr(file.rfind('/') + 1);
      if (name.starts_with("part-") && IsParquetName(name)) parts.push_back(file);
      if (name != "manifest.json" && (IsParquetName(name) || IsJsonName(name) || IsTextName(name))) {
        others.push_back(file);
      }
    }
    if (others.empty() && !PathExists(path + "/manifest.json")) {
      return absl::NotFoundError(fmt::format("read documents: no .parquet, .jsonl or .txt file in {}", path));
    }
    for (const std::string& file : parts.empty() ? others : parts) RETURN_IF_ERROR(AddFile(file, SourceName(path)));
    return absl::OkStatus();
  }

  absl::Status AddFile(const std::string& path, const std::string& source) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return ErrnoError(errno, "read documents:", path);
    InputFile file = {path, source, IsParquetName(path), !S_ISREG(status.st_mode), options_.format, options_.ids, 0, 0};
    if (!file.stream) {
      file.size = static_cast<uint64_t>(status.st_size);
      file.modified = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }
    if (file.format == TextFormat::kAuto && IsJsonName(path)) file.format = TextFormat::kJsonLines;
    if (file.format == TextFormat::kAuto && IsTextName(path)) file.format = TextFormat::kText;
    files_.push_back(std::move(file));
    return absl::OkStatus();
  }

  absl::Status OpenFile(InputFile& file) {
    if (file.parquet && !file.stream) {
      ASSIGN_OR_RETURN(parquet_, DocumentReader::Open({file.path}));
      return absl::OkStatus();
    }
    if (file.stream) {
      const bool standard = file.path == "-";
      const int descriptor = standard ? STDIN_FILENO : ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) return ErrnoError(errno, "open", file.path);
      ASSIGN_OR_RETURN(std::unique_ptr<ByteReader> reader, ByteReader::OfStream(standard ? kStandardInput : file.path,
                                                                                ReadDescriptor(descriptor, !standard)));
      cutter_ = std::make_unique<StreamCutter>(file, std::move(reader), options_.whole_texts);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(std::unique_ptr<ByteReader> reader, ByteReader::Open(file.path));
    if (!reader->is_mapped()) {
      cutter_ = std::make_unique<StreamCutter>(file, std::move(reader), options_.whole_texts);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(file.path));
    if (file.format == TextFormat::kAuto) file.format = FormatOf(mapped.bytes().substr(0, kStreamPiece));
    cutter_ = std::make_unique<MappedCutter>(file, std::move(mapped), piece_, options_.whole_texts);
    return absl::OkStatus();
  }

  TextInputOptions options_;
  std::vector<InputFile> files_;
  bool any_stream_ = false;
  uint64_t piece_ = kMinPiece;
  size_t next_file_ = 0;
  uint64_t done_bytes_ = 0;
  std::unique_ptr<Cutter> cutter_;
  std::unique_ptr<DocumentReader> parquet_;
};

bool IsLetterAt(std::string_view text, size_t at, const uint8_t* classes) {
  return at < text.size() &&
         (DecodeCharacter(text.data() + at, text.data() + text.size(), classes).character_class & kLetter) != 0;
}

// The class of the character that ends at `at`; kSpace where there is none and for broken UTF-8, before which no border
// is wanted.
uint8_t ClassBefore(std::string_view text, size_t at, const uint8_t* classes) {
  size_t begin = at;
  do {
    if (begin == 0) return kSpace;
    --begin;
  } while (at - begin < 4 && IsUtf8Continuation(text[begin]));
  const Character character = DecodeCharacter(text.data() + begin, text.data() + at, classes);
  return character.code == 0xFFFFFFFF || character.length != at - begin ? uint8_t{kSpace} : character.character_class;
}

}  // namespace

size_t WordBorder(std::string_view text, size_t from) {
  const uint8_t* const classes = CharacterClasses();
  for (size_t at = from; at < text.size(); ++at) {
    if (text[at] == ' ' && IsLetterAt(text, at + 1, classes) && (ClassBefore(text, at, classes) & kLetter) != 0) {
      return at;
    }
    if (text[at] == '\n' && IsLetterAt(text, at + 1, classes) && (ClassBefore(text, at, classes) & kSpace) == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

absl::StatusOr<TextFormat> TextFormatFromName(std::string_view name) {
  if (name == "auto") return TextFormat::kAuto;
  if (name == "jsonl") return TextFormat::kJsonLines;
  if (name == "text") return TextFormat::kText;
  if (name == "lines") return TextFormat::kLines;
  return UsageError(fmt::format("--format {}: one of auto, jsonl, text, lines", name));
}

absl::StatusOr<std::unique_ptr<TextInput>> TextInput::Open(TextInputOptions options) {
  auto input = std::make_unique<Input>(std::move(options));
  RETURN_IF_ERROR(input->Start());
  return input;
}

}  // namespace rhodes
