#include "curate/judged_piece.h"

#include <array>
#include <cstring>
#include <mutex>
#include <set>

#include "base/hash.h"

namespace rhodes {
namespace {

// Changes with the layout: a piece of another version is judged again.
constexpr uint64_t kMagic = 0x3230'4543'4549'504A;  // "JPIECE02"

struct Footer {
  uint64_t bodies_bytes = 0;
  uint64_t marks_bytes = 0;
  uint64_t documents = 0;
  uint64_t signatures = 0;
  NormaliseCounts normalised;
  uint64_t bodies_checksum = 0;  // XXH3
  uint64_t checksum = 0;         // of the marks and the footer up to here
  uint64_t magic = kMagic;
};
static_assert(sizeof(Footer) == 88);

template <typename T>
void Put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void PutString(std::string& out, std::string_view text) {
  Put(out, uint64_t{text.size()});
  out += text;
}

void PutStrings(std::string& out, const std::vector<std::string>& list) {
  Put(out, uint64_t{list.size()});
  for (const std::string& text : list) PutString(out, text);
}

// Takes values from the front of bytes whose checksum is right; a place where they do not fit is a slip of the writer.
class Taker {
 public:
  explicit Taker(std::string_view& bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    T value{};
    if (const std::string_view part = Part(sizeof value); !part.empty()) std::memcpy(&value, part.data(), sizeof value);
    return value;
  }
  std::string_view String() { return Part(Take<uint64_t>()); }
  std::vector<std::string> Strings() {
    std::vector<std::string> list;
    for (uint64_t left = Take<uint64_t>(); left > 0 && ok_; --left) list.emplace_back(String());
    return list;
  }
  absl::Status status() const {
    return ok_ ? absl::OkStatus() : absl::DataLossError("curate: a piece of judged documents ends in the middle");
  }

 private:
  std::string_view Part(uint64_t size) {
    ok_ = ok_ && size <= bytes_.size();
    if (!ok_) return {};
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }

  std::string_view& bytes_;
  bool ok_ = true;
};

// Verdicts and measures hold names of the program, which are never freed; those that come from a file are kept once
// each. There are about a hundred.
std::string_view NameFor(std::string_view text) {
  static std::mutex mutex;
  static auto* const names = new std::set<std::string, std::less<>>();
  const std::lock_guard lock(mutex);
  const auto found = names->find(text);
  return found != names->end() ? *found : *names->emplace(text).first;
}

}  // namespace

void JudgedPieceWriter::Add(const JudgedDocument& judged, uint16_t rank, const NearSignature& signature,
                            const std::vector<Measure>& measures) {
  const Document& document = judged.document;
  const bool kept = judged.verdict.kept();
  ++documents_;
  PutString(marks_, document.id);
  Put(marks_, static_cast<uint8_t>(kept));
  if (kept) {
    Put(marks_, rank);
    Put(marks_, judged.hash);
    if (signatures_) {
      Put(marks_, static_cast<uint8_t>(signature.present));
      if (signature.present) {
        Put(marks_, signature.bands);
        Put(marks_, signature.sketch);
      }
    }
  }
  PutString(bodies_, document.id);
  PutString(bodies_, document.text);
  Put(bodies_, static_cast<uint8_t>(document.time.has_value()));
  if (document.time) Put(bodies_, *document.time);
  PutString(bodies_, document.language);
  PutStrings(bodies_, document.sources);
  PutStrings(bodies_, document.parents);
  PutString(bodies_, document.meta);
  Put(bodies_, uint64_t{document.spans.size()});
  for (const Span& span : document.spans) Put(bodies_, span);
  PutString(bodies_, judged.verdict.rule);
  PutString(bodies_, judged.verdict.reason);
  PutString(bodies_, judged.verdict.detail);
  Put(bodies_, judged.hash);
  Put(bodies_, judged.input_bytes);
  Put(bodies_, judged.personal_data);
  Put(bodies_, static_cast<uint8_t>(judged.overlap_cut));
  Put(bodies_, uint64_t{judged.overlap.size()});
  for (const OverlapFound& found : judged.overlap) {
    Put(bodies_, found.set);
    Put(bodies_, uint64_t{found.places.size()});
    for (const uint32_t place : found.places) Put(bodies_, place);
  }
  Put(bodies_, uint64_t{measures.size()});
  for (const Measure& measure : measures) {
    PutString(bodies_, measure.rule);
    PutString(bodies_, measure.reason);
    Put(bodies_, measure.value);
    Put(bodies_, measure.threshold);
    Put(bodies_, static_cast<uint8_t>(measure.dropped));
  }
}

absl::Status JudgedPieceWriter::Write(const std::string& path, const NormaliseCounts& normalised) {
  Footer footer;
  footer.bodies_bytes = bodies_.size();
  footer.marks_bytes = marks_.size();
  footer.documents = documents_;
  footer.signatures = signatures_ ? 1 : 0;
  footer.normalised = normalised;
  footer.bodies_checksum = Fingerprint(bodies_);
  marks_.append(reinterpret_cast<const char*>(&footer), offsetof(Footer, checksum));
  Put(marks_, Fingerprint(marks_));
  Put(marks_, kMagic);
  bodies_ += marks_;
  return WriteScratchFile(path, bodies_);
}

absl::StatusOr<JudgedPiece> JudgedPiece::Open(const std::string& path, Parts parts) {
  JudgedPiece piece;
  ASSIGN_OR_RETURN(piece.file_, MappedFile::Open(path));
  const std::string_view bytes = piece.file_.bytes();
  const auto damaged = [&] { return absl::DataLossError(fmt::format("curate: {} is damaged", path)); };
  Footer footer;
  if (bytes.size() < sizeof footer) return damaged();
  std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
  const size_t body = bytes.size() - sizeof footer;
  if (footer.magic != kMagic || footer.bodies_bytes > body || footer.marks_bytes != body - footer.bodies_bytes) {
    return damaged();
  }
  const std::string_view checked = bytes.substr(footer.bodies_bytes, footer.marks_bytes + offsetof(Footer, checksum));
  if (footer.checksum != Fingerprint(checked)) return damaged();
  piece.signatures_ = footer.signatures != 0;
  piece.documents_ = footer.documents;
  piece.normalised_ = footer.normalised;
  if (parts == Parts::kAll) {
    piece.bodies_ = bytes.substr(0, footer.bodies_bytes);
    if (footer.bodies_checksum != Fingerprint(piece.bodies_)) return damaged();
  }
  piece.marks_ = bytes.substr(footer.bodies_bytes, footer.marks_bytes);
  return piece;
}

absl::StatusOr<bool> JudgedPiece::NextMark(JudgedMark& mark) {
  if (marks_.empty()) return false;
  Taker taker(marks_);
  mark = {};
  mark.id = taker.String();
  mark.kept = taker.Take<uint8_t>() != 0;
  if (mark.kept) {
    mark.rank = taker.Take<uint16_t>();
    mark.hash = taker.Take<TextHash>();
    if (signatures_) {
      mark.signature.present = taker.Take<uint8_t>() != 0;
      if (mark.signature.present) {
        mark.signature.bands = taker.Take<decltype(mark.signature.bands)>();
        mark.signature.sketch = taker.Take<decltype(mark.signature.sketch)>();
      }
    }
  }
  RETURN_IF_ERROR(taker.status());
  return true;
}

absl::StatusOr<bool> JudgedPiece::NextDocument(JudgedDocument& judged, std::vector<Measure>& measures) {
  if (bodies_.empty()) return false;
  Taker taker(bodies_);
  judged = {};
  measures.clear();
  Document& document = judged.document;
  document.id = taker.String();
  document.text = taker.String();
  if (taker.Take<uint8_t>() != 0) document.time = taker.Take<int64_t>();
  document.language = taker.String();
  document.sources = taker.Strings();
  document.parents = taker.Strings();
  document.meta = taker.String();
  for (uint64_t left = taker.Take<uint64_t>(); left > 0 && taker.status().ok(); --left) {
    document.spans.push_back(taker.Take<Span>());
  }
  const std::string_view rule = taker.String();
  const std::string_view reason = taker.String();
  if (!rule.empty()) judged.verdict = {NameFor(rule), NameFor(reason), {}};
  judged.verdict.detail = taker.String();
  judged.hash = taker.Take<TextHash>();
  judged.input_bytes = taker.Take<uint64_t>();
  judged.personal_data = taker.Take<PersonalDataCounts>();
  judged.overlap_cut = taker.Take<uint8_t>() != 0;
  for (uint64_t left = taker.Take<uint64_t>(); left > 0 && taker.status().ok(); --left) {
    OverlapFound& found = judged.overlap.emplace_back();
    found.set = taker.Take<uint32_t>();
    for (uint64_t places = taker.Take<uint64_t>(); places > 0 && taker.status().ok(); --places) {
      found.places.push_back(taker.Take<uint32_t>());
    }
  }
  for (uint64_t left = taker.Take<uint64_t>(); left > 0 && taker.status().ok(); --left) {
    Measure& measure = measures.emplace_back();
    measure.rule = NameFor(taker.String());
    measure.reason = NameFor(taker.String());
    measure.value = taker.Take<double>();
    measure.threshold = taker.Take<double>();
    measure.dropped = taker.Take<uint8_t>() != 0;
  }
  RETURN_IF_ERROR(taker.status());
  return true;
}

}  // namespace rhodes
