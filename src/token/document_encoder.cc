#include "token/document_encoder.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/parallel.h"
#include "token/shard_writer.h"

namespace rhodes {
namespace {

constexpr uint64_t kSplitSeed = 0x73706c6974;  // "split": keeps this use of hashes of ids apart from others

// Longer texts are shared out to all threads, because the other threads may have nothing left to do.
constexpr size_t kSharedText = size_t{8} << 20;

// Names of sources or languages, numbered as they are met, with what belongs to each. A corpus has few of them, and
// neighbours often share one.
class Names {
 public:
  TextShare& Of(std::string_view name, uint32_t& number) {
    if (last_ >= names_.size() || names_[last_] != name) {
      const auto [found, is_new] = numbers_.emplace(name, static_cast<uint32_t>(names_.size()));
      if (is_new) {
        names_.emplace_back(name);
        shares_.emplace_back();
      }
      last_ = found->second;
    }
    number = last_;
    return shares_[last_];
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<TextShare>& shares() const { return shares_; }
  std::map<std::string, TextShare> ByName() const {
    std::map<std::string, TextShare> by_name;
    for (size_t i = 0; i < names_.size(); ++i) by_name[names_[i]] = shares_[i];
    return by_name;
  }

 private:
  std::vector<std::string> names_;
  std::vector<TextShare> shares_;
  std::map<std::string, uint32_t, std::less<>> numbers_;
  uint32_t last_ = 0;
};

// A piece of the input, encoded. Offsets and sources count within the piece.
struct EncodedPiece {
  std::vector<WaitingDocument> documents;
  StoredBytes tokens;
  Names sources;
  Names languages;
};

class PieceEncoder {
 public:
  // `ids`: room for the ids of a piece, kept by the caller from one to the next.
  PieceEncoder(const Tokenizer& tokenizer, TokenWidth width, int threads, std::vector<TokenId>& ids)
      : tokenizer_(tokenizer), width_(width), threads_(threads), ids_(ids) {
    ids_.clear();
  }

  absl::StatusOr<EncodedPiece> Encode(TextPiece& piece) {
    EncodedPiece encoded;
    absl::Status status;
    RETURN_IF_ERROR(piece.Read([&](const TextFragment& document) {
      if (status.ok()) status = Add(document, encoded);
    }));
    RETURN_IF_ERROR(status);
    encoded.tokens = StoreTokens(ids_, width_);
    return encoded;
  }

 private:
  absl::Status Add(const TextFragment& document, EncodedPiece& encoded) {
    const std::string_view text = document.text;
    if (text.size() > UINT32_MAX)
      return absl::InvalidArgumentError(fmt::format("document {} is longer than 4 GiB", document.id));
    const size_t begin = ids_.size();
    if (text.size() < kSharedText) {
      tokenizer_.Encode(text, ids_);
    } else {
      tokenizer_.EncodeOnThreads(text, threads_, ids_);
    }
    ids_.push_back(tokenizer_.end_of_text());
    const uint64_t tokens = ids_.size() - begin;
    const uint64_t bytes = tokens * static_cast<uint64_t>(width_);
    if (bytes > UINT32_MAX)
      return absl::InvalidArgumentError(
          fmt::format("document {} of {} tokens is longer than a shard can hold", document.id, tokens));
    const TextShare share = {1, text.size(), tokens};
    WaitingDocument& waiting = encoded.documents.emplace_back();
    encoded.sources.Of(document.source, waiting.source).Add(share);
    uint32_t language;
    encoded.languages.Of(document.language, language).Add(share);
    waiting.offset = begin * static_cast<uint64_t>(width_);
    waiting.id_hash = Fingerprint(document.id, kSplitSeed);
    waiting.bytes = static_cast<uint32_t>(bytes);
    waiting.text_bytes = static_cast<uint32_t>(text.size());
    return absl::OkStatus();
  }

  const Tokenizer& tokenizer_;
  const TokenWidth width_;
  const int threads_;
  std::vector<TokenId>& ids_;
};

// What the pieces add up to.
class Gathered {
 public:
  void Add(const EncodedPiece& piece, uint64_t offset) {
    std::vector<uint32_t> numbers(piece.sources.names().size());  // of the piece's sources among all
    uint32_t language;
    for (size_t i = 0; i < numbers.size(); ++i)
      sources_.Of(piece.sources.names()[i], numbers[i]).Add(piece.sources.shares()[i]);
    for (size_t i = 0; i < piece.languages.names().size(); ++i)
      languages_.Of(piece.languages.names()[i], language).Add(piece.languages.shares()[i]);
    for (WaitingDocument document : piece.documents) {
      document.offset += offset;
      document.source = numbers[document.source];
      documents_.push_back(document);
    }
  }
  size_t size() const { return documents_.size(); }
  EncodedDocuments Take() { return {std::move(documents_), sources_.names(), sources_.ByName(), languages_.ByName()}; }

 private:
  std::vector<WaitingDocument> documents_;
  Names sources_;
  Names languages_;
};

}  // namespace

absl::StatusOr<EncodedDocuments> EncodeDocuments(TextInputOptions input, const Tokenizer& tokenizer, TokenWidth width,
                                                 TokenStore& store, RunContext& context) {
  input.whole_texts = true;
  input.ids = true;
  if (input.piece_bytes == 0) input.piece_bytes = kPieceBytes;
  ASSIGN_OR_RETURN(const std::unique_ptr<TextInput> pieces, TextInput::Open(std::move(input)));
  context.progress->Begin("tokenize", pieces->total_bytes(), "bytes");
  std::atomic<uint64_t> read = 0;
  Gathered gathered;
  using Piece = std::unique_ptr<TextPiece>;
  const absl::Status encoded = OrderedPipeline<Piece, EncodedPiece>(
      context.Threads(), 2 * static_cast<size_t>(context.Threads()),
      [&]() -> absl::StatusOr<std::optional<Piece>> {
        RETURN_IF_ERROR(context.CheckCancelled());
        ASSIGN_OR_RETURN(Piece piece, pieces->Next());
        read = pieces->read_bytes();
        return piece == nullptr ? std::nullopt : std::optional<Piece>(std::move(piece));
      },
      [&](const Piece& piece) -> absl::StatusOr<EncodedPiece> {
        thread_local std::vector<TokenId> ids;
        return PieceEncoder(tokenizer, width, context.Threads(), ids).Encode(*piece);
      },
      [&](EncodedPiece piece) -> absl::Status {
        gathered.Add(piece, store.size());
        context.progress->Update(read, "");
        return store.Append(std::move(piece.tokens));
      });
  RETURN_IF_ERROR(encoded);
  context.progress->End();
  return gathered.Take();
}

}  // namespace rhodes
