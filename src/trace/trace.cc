#include "trace/trace.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace rhodes {
namespace {

// Occurrences of one span that are looked at one by one; of a more frequent span, every n-th.
constexpr uint64_t kLookedAt = 1000000;

// Occurrences within one document whose pieces are looked up: what stands there more often is told by the first.
constexpr uint64_t kPiecesLookedAt = 8;

// A span that holds no letter or digit of any script says nothing about where
// it comes from.
bool SaysSomething(std::string_view text) {
  const auto size = static_cast<int32_t>(std::min<size_t>(text.size(), INT32_MAX));
  for (int32_t i = 0; i < size;) {
    UChar32 character = 0;
    U8_NEXT(text.data(), i, size, character);
    if (character >= 0 && u_isalnum(character)) return true;
  }
  return false;
}

// A text as it is encoded: byte positions of its tokens in the text.
struct EncodedText {
  std::vector<TokenId> tokens;
  std::vector<size_t> offsets;  // one more than tokens
};

EncodedText EncodeWithOffsets(const Tokenizer& tokenizer, std::string_view text, bool space_before) {
  EncodedText encoded;
  const std::string spaced = space_before ? " " + std::string(text) : std::string();
  tokenizer.Encode(space_before ? std::string_view(spaced) : text, encoded.tokens);
  const size_t added = space_before ? 1 : 0;
  size_t offset = 0;
  for (const TokenId token : encoded.tokens) {
    encoded.offsets.push_back(offset < added ? 0 : offset - added);
    offset += tokenizer.TokenBytes(token).size();
  }
  encoded.offsets.push_back(text.size());
  return encoded;
}

constexpr size_t kUnknown = SIZE_MAX;

// Keeps of `longest_before_end`, found for `tokens`, what holds for `others`
// too: as far as both end alike.
void ForgetWhatDiffers(std::span<const TokenId> tokens, std::span<const TokenId> others,
                       std::vector<size_t>& longest_before_end) {
  size_t same = 0;
  while (same < std::min(tokens.size(), others.size()) &&
         tokens[tokens.size() - 1 - same] == others[others.size() - 1 - same])
    ++same;
  longest_before_end.resize(std::min(longest_before_end.size(), same + 1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceIndex>> TraceIndex::Open(const std::string& out) {
  const std::string directory = out + "/trace";
  if (!PathExists(directory + "/documents.bin")) {
    return absl::NotFoundError(
        fmt::format("{} has no trace index; make it with `rhodes trace --out {} --build`", out, out));
  }
  std::unique_ptr<TraceIndex> index(new TraceIndex());
  ASSIGN_OR_RETURN(index->documents_, DocumentTable::Open(directory + "/documents.bin"));
  ASSIGN_OR_RETURN(const uint64_t digest, ShardsDigest(out + "/shards"));
  if (digest != index->documents_.header().shards_digest) {
    return absl::FailedPreconditionError(
        fmt::format("{} was made from other shards than {}/shards; make it again with `rhodes trace --out {} --build`",
                    directory, out, out));
  }
  ASSIGN_OR_RETURN(index->shards_, ShardSet::Open(out + "/shards", "train"));
  ASSIGN_OR_RETURN(index->tokenizer_, Tokenizer::Load(out + "/tokenizer.json"));
  uint64_t covered = 0;
  while (PathExists(SegmentPath(directory, index->segments_.size()))) {
    const std::string path = SegmentPath(directory, index->segments_.size());
    Segment segment;
    ASSIGN_OR_RETURN(segment.file, MappedFile::Open(path));
    const std::string_view bytes = segment.file.bytes();
    if (bytes.size() >= sizeof(SegmentHeader)) std::memcpy(&segment.header, bytes.data(), sizeof(SegmentHeader));
    if (bytes.substr(0, 8) != kSegmentMagic || bytes.size() != sizeof(SegmentHeader) + 4 * segment.header.tokens ||
        segment.header.first_token != covered ||
        Fingerprint(bytes.substr(sizeof(SegmentHeader))) != segment.header.checksum) {
      return absl::DataLossError(
          fmt::format("{} is damaged; make the index again with `rhodes trace --out {} --build`", path, out));
    }
    segment.order = reinterpret_cast<const uint32_t*>(bytes.data() + sizeof(SegmentHeader));
    covered += segment.header.tokens;
    index->segments_.push_back(std::move(segment));
  }
  if (covered != index->shards_->token_count() || index->documents_.size() != index->shards_->document_count()) {
    return absl::DataLossError(
        fmt::format("{} covers {} of {} tokens; make it again with `rhodes trace --out {} --build`", directory, covered,
                    index->shards_->token_count(), out));
  }
  absl::StatusOr<std::unique_ptr<RecordLookup>> records = RecordLookup::Open(out);
  if (records.ok()) {
    index->records_ = *std::move(records);
  } else if (!absl::IsNotFound(records.status())) {
    return records.status();
  }
  return index;
}

int TraceIndex::Compare(const Segment& segment, uint64_t position, std::span<const TokenId> tokens,
                        size_t* common) const {
  const uint64_t left = segment.header.tokens - position;
  constexpr size_t kRead = 16;  // most comparisons end within the first few tokens
  TokenId buffer[kRead];
  for (size_t i = 0; i < tokens.size(); i += kRead) {
    const size_t count = std::min({kRead, tokens.size() - i, static_cast<size_t>(left - std::min<uint64_t>(left, i))});
    shards_->Read(segment.header.first_token + position + i, {buffer, count});
    for (size_t j = 0; j < count; ++j) {
      if (buffer[j] != tokens[i + j]) {
        *common = i + j;
        return buffer[j] < tokens[i + j] ? -1 : 1;
      }
    }
    if (i + count == left && i + count < tokens.size()) {  // the suffix ends: it is a prefix of `tokens`
      *common = i + count;
      return -1;
    }
  }
  *common = tokens.size();
  return 0;
}

TraceIndex::Range TraceIndex::FindRange(const Segment& segment, std::span<const TokenId> tokens) const {
  size_t common = 0;
  // The first suffix that Compare() puts at `above` or higher.
  const auto bound = [&](uint64_t low, int above) {
    uint64_t high = segment.header.tokens;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      if (Compare(segment, segment.order[middle], tokens, &common) >= above) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  };
  const uint64_t begin = bound(0, 0);
  return {begin, bound(begin, 1)};
}

// The suffix that agrees longest with `tokens` stands next to the place where `tokens` would be in the order.
size_t TraceIndex::LongestMatch(const Segment& segment, std::span<const TokenId> tokens) const {
  uint64_t low = 0;
  uint64_t high = segment.header.tokens;
  size_t longest = 0;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    size_t common = 0;
    const int order = Compare(segment, segment.order[middle], tokens, &common);
    // The search visits both neighbours of that place, so the longest agreement on the way is the longest of all.
    longest = std::max(longest, common);
    if (order >= 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return longest;
}

uint64_t TraceIndex::Count(std::span<const TokenId> tokens) const {
  uint64_t count = 0;
  for (const Segment& segment : segments_) {
    const Range range = FindRange(segment, tokens);
    count += range.end - range.begin;
  }
  return count;
}

std::vector<TraceIndex::Match> TraceIndex::MaximalMatches(std::span<const TokenId> tokens, uint64_t minimum,
                                                          std::vector<size_t>& longest_before_end) const {
  std::vector<Match> matches;
  longest_before_end.resize(tokens.size() + 1, kUnknown);
  size_t furthest = 0;  // where the last kept span ends; the longest match from a later begin never ends earlier
  for (size_t begin = 0; begin < tokens.size() && furthest < tokens.size(); ++begin) {
    const std::span<const TokenId> rest = tokens.subspan(begin);
    size_t& longest = longest_before_end[rest.size()];
    if (longest == kUnknown) {
      longest = 0;
      for (const Segment& segment : segments_) longest = std::max(longest, LongestMatch(segment, rest));
    }
    if (longest < minimum || begin + longest <= furthest) continue;
    furthest = begin + longest;
    matches.push_back({begin, longest, 0, {}});
  }
  return matches;
}

void TraceIndex::Locate(std::span<const TokenId> tokens, Match& match) const {
  for (const Segment& segment : segments_) {
    match.ranges.push_back(FindRange(segment, tokens.subspan(match.begin, match.length)));
    match.count += match.ranges.back().end - match.ranges.back().begin;
  }
}

std::vector<TraceIndex::Holder> TraceIndex::HoldersOf(const Match& match, bool* sampled) const {
  const uint64_t step = (match.count + kLookedAt - 1) / kLookedAt;
  *sampled = step > 1;
  std::vector<uint64_t> positions;
  for (size_t s = 0; s < segments_.size(); ++s) {
    for (uint64_t i = match.ranges[s].begin; i < match.ranges[s].end; i += step)
      positions.push_back(segments_[s].header.first_token + segments_[s].order[i]);
  }
  // In order of position the many occurrences inside one document need one
  // look-up.
  std::sort(positions.begin(), positions.end());
  std::vector<Holder> holders;
  uint64_t end = 0;  // of the last document
  for (const uint64_t position : positions) {
    if (position >= end) {
      const uint64_t document = shards_->DocumentOf(position);
      end = shards_->DocumentBegin(document + 1);
      holders.push_back({document, 0, {}});
    }
    Holder& holder = holders.back();
    if (++holder.count <= kPiecesLookedAt) holder.positions.push_back(position);
  }
  return holders;
}

std::vector<bool> TraceIndex::ParentsOfPieces(const Holder& holder, size_t length, size_t parents) const {
  const std::vector<Span> pieces = documents_.Pieces(holder.document);
  std::vector<bool> wanted(parents, pieces.empty());
  if (pieces.empty()) return wanted;
  const uint64_t document_begin = shards_->DocumentBegin(holder.document);
  std::vector<TokenId> tokens;
  for (const uint64_t position : holder.positions) {
    tokens.resize(position + length - document_begin);
    shards_->Read(document_begin, tokens);
    const auto middle = tokens.begin() + static_cast<std::ptrdiff_t>(position - document_begin);
    const std::string said = tokenizer_->Decode({middle, tokens.end()});
    tokens.erase(middle, tokens.end());
    const size_t before = tokenizer_->Decode(tokens).size();
    // The white space at its ends may be the neighbours'.
    const std::string_view words = Trim(said);
    const size_t begin = before + static_cast<size_t>(words.data() - said.data());
    for (const Span& piece : pieces) {
      if (piece.parent < parents && piece.begin < begin + words.size() && piece.end > begin)
        wanted[piece.parent] = true;
    }
  }
  // Words that no record said, such as a template's between two members: then all of them stand behind it.
  if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) wanted.assign(parents, true);
  return wanted;
}

absl::Status TraceIndex::FillDocuments(const std::vector<Match>& matches, const TraceOptions& options,
                                       Trace& trace) const {
  std::vector<std::vector<Holder>> holders(matches.size());
  std::map<uint64_t, double> scores;
  const auto total = static_cast<double>(std::max<uint64_t>(token_count(), 1));
  for (size_t i = 0; i < matches.size(); ++i) {
    TracedSpan& span = trace.spans[i];
    holders[i] = HoldersOf(matches[i], &span.sampled);
    uint64_t seen = 0;
    for (const Holder& holder : holders[i]) seen += holder.count;
    const double scale = seen == 0 ? 0 : static_cast<double>(span.count) / static_cast<double>(seen);
    const double weight = static_cast<double>(matches[i].length) * -std::log(static_cast<double>(span.count) / total);
    for (const Holder& holder : holders[i]) {
      const auto estimate =
          span.sampled ? static_cast<uint64_t>(std::llround(scale * static_cast<double>(holder.count))) : holder.count;
      span.by_source[documents_.sources()[documents_.Source(holder.document)]] += estimate;
      scores[holder.document] += weight;
    }
  }

  // The best of each span's documents and of all, by score, then by number so that the order is fixed.
  const auto best = [&](std::vector<uint64_t> documents, uint64_t most) {
    std::sort(documents.begin(), documents.end(), [&](uint64_t a, uint64_t b) {
      return scores.at(a) != scores.at(b) ? scores.at(a) > scores.at(b) : a < b;
    });
    documents.resize(std::min<size_t>(documents.size(), most));
    return documents;
  };
  std::vector<std::vector<uint64_t>> chosen;
  std::set<uint64_t> shown;
  for (const auto& holder : holders) {
    std::vector<uint64_t> documents;
    documents.reserve(holder.size());
    for (const Holder& each : holder) documents.push_back(each.document);
    chosen.push_back(best(std::move(documents), options.documents_per_span));
    shown.insert(chosen.back().begin(), chosen.back().end());
  }
  std::vector<uint64_t> all;
  all.reserve(scores.size());
  for (const auto& [document, score] : scores) all.push_back(document);
  const std::vector<uint64_t> leaned = best(std::move(all), options.leaned_documents);
  shown.insert(leaned.begin(), leaned.end());

  std::vector<std::string> record_ids;
  std::map<uint64_t, std::vector<std::string>> parents;
  for (const uint64_t document : shown) {
    parents[document] = documents_.Parents(document);
    record_ids.insert(record_ids.end(), parents[document].begin(), parents[document].end());
  }
  std::map<std::string, RecordOrigin> origins;
  if (records_ != nullptr && !record_ids.empty()) {
    ASSIGN_OR_RETURN(std::vector<RecordOrigin> found, records_->Find(record_ids));
    for (RecordOrigin& origin : found) origins.emplace(origin.id, std::move(origin));
  }
  const auto traced = [&](uint64_t document, const std::vector<bool>& wanted) {
    TracedDocument result{
        std::string(documents_.Id(document)), documents_.sources()[documents_.Source(document)], {}, document};
    const std::vector<std::string>& ids = parents[document];
    for (size_t p = 0; p < ids.size(); ++p) {
      if (!wanted.empty() && !wanted[p]) continue;
      if (const auto it = origins.find(ids[p]); it != origins.end()) result.records.push_back(it->second);
    }
    return result;
  };
  const auto holder_of = [&](size_t match, uint64_t document) {
    return std::lower_bound(holders[match].begin(), holders[match].end(), document,
                            [](const Holder& holder, uint64_t number) { return holder.document < number; });
  };
  for (size_t i = 0; i < matches.size(); ++i) {
    for (const uint64_t document : chosen[i]) {
      trace.spans[i].documents.push_back(
          traced(document, ParentsOfPieces(*holder_of(i, document), matches[i].length, parents[document].size())));
    }
  }
  for (const uint64_t document : leaned) {
    LeanedDocument entry{traced(document, {}), scores.at(document), {}};
    for (size_t i = 0; i < matches.size(); ++i) {
      const auto it = holder_of(i, document);
      if (it != holders[i].end() && it->document == document) entry.spans.push_back(i);
    }
    trace.documents.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<Trace> TraceIndex::Find(std::string_view text, const TraceOptions& options) const {
  EncodedText best;
  std::vector<Match> matches;
  uint64_t best_cover = 0;
  // The two readings differ in their first tokens only, so most of what the
  // first finds serves the second.
  std::vector<size_t> longest_before_end;
  std::vector<TokenId> first_reading;
  for (const bool space_before : {false, true}) {
    if (space_before && (text.empty() || text[0] == ' ' || text[0] == '\n')) continue;
    EncodedText encoded = EncodeWithOffsets(*tokenizer_, text, space_before);
    const uint64_t minimum =
        std::clamp<uint64_t>(encoded.tokens.size(), 1, std::max<uint64_t>(options.minimum_tokens, 1));
    if (space_before) ForgetWhatDiffers(first_reading, encoded.tokens, longest_before_end);
    std::vector<Match> found = MaximalMatches(encoded.tokens, minimum, longest_before_end);
    if (!space_before) first_reading = encoded.tokens;
    // Few long spans say more than many short ones.
    uint64_t cover = 0;
    for (const Match& match : found) cover += match.length * match.length;
    if (space_before && cover <= best_cover) continue;
    best_cover = cover;
    best = std::move(encoded);
    matches = std::move(found);
  }

  Trace trace;
  trace.tokens = best.tokens.size();
  std::vector<Match> kept;
  for (Match& match : matches) {
    TracedSpan span;
    span.token_begin = match.begin;
    span.token_end = match.begin + match.length;
    span.begin = best.offsets[span.token_begin];
    span.end = best.offsets[span.token_end];
    // A token may hold a part of a character; the span shows whole ones.
    while (span.begin < span.end && IsUtf8Continuation(text[span.begin])) ++span.begin;
    while (span.end > span.begin && span.end < text.size() && IsUtf8Continuation(text[span.end])) --span.end;
    span.text = text.substr(span.begin, span.end - span.begin);
    if (!SaysSomething(span.text)) continue;
    Locate(best.tokens, match);
    span.count = match.count;
    trace.spans.push_back(std::move(span));
    kept.push_back(std::move(match));
  }
  RETURN_IF_ERROR(FillDocuments(kept, options, trace));
  return trace;
}

namespace {
Json DocumentJson(const TracedDocument& document) {
  Json records = Json::array();
  for (const RecordOrigin& record : document.records) {
    records.push_back({{"id", record.id},
                       {"source", record.source},
                       {"kind", record.kind},
                       {"file", record.origin.file},
                       {"begin", record.origin.begin},
                       {"end", record.origin.end}});
  }
  return {{"id", document.id}, {"source", document.source}, {"records", std::move(records)}};
}
}  // namespace

Json ToJson(const Trace& trace) {
  Json spans = Json::array();
  for (const TracedSpan& span : trace.spans) {
    Json documents = Json::array();
    for (const TracedDocument& document : span.documents) documents.push_back(DocumentJson(document));
    Json json = {{"begin", span.begin},
                 {"end", span.end},
                 {"text", span.text},
                 {"count", span.count},
                 {"token_begin", span.token_begin},
                 {"token_end", span.token_end},
                 {"by_source", span.by_source}};
    if (span.sampled) json["by_source_estimated"] = true;
    json["documents"] = std::move(documents);
    spans.push_back(std::move(json));
  }
  Json leaned = Json::array();
  for (const LeanedDocument& entry : trace.documents) {
    Json json = DocumentJson(entry.document);
    json["score"] = entry.score;
    json["spans"] = entry.spans;
    leaned.push_back(std::move(json));
  }
  return {{"tokens", trace.tokens}, {"spans", std::move(spans)}, {"documents", std::move(leaned)}};
}

}  // namespace rhodes
