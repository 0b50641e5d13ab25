// The index as a whole: built over shards on disk, then asked questions whose answers brute force knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "record/document_table.h"
#include "token/shard_writer.h"
#include "trace/build.h"
#include "trace/trace.h"

namespace rhodes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Found {
  size_t begin;
  size_t end;
  uint64_t count;
  bool operator==(const Found&) const = default;
};
void PrintTo(const Found& span, std::ostream* stream) {
  *stream << '[' << span.begin << ',' << span.end << ")x" << span.count;
}

class TraceIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    out_ = ::testing::TempDir() + "rhodes_trace_" + std::to_string(getpid());
    ASSERT_TRUE(RemoveTree(out_).ok());
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(out_).ok()); }

  // A record in "/data/SOURCE.txt" whose bytes [number * 100, + size) it is, and a document made from it alone.
  void Add(const std::string& text, const std::string& source = "notes") {
    Record record;
    record.source = source;
    record.kind = "note";
    record.text = record.original = fmt::format("{} {}", documents_.size(), text);
    record.id = ContentId({source, record.kind, record.original});
    record.origin = {"/data/" + source + ".txt", documents_.size() * 100, documents_.size() * 100 + text.size()};
    Document document;
    document.id = fmt::format("document-{}", documents_.size());
    document.text = text;
    document.sources = {source};
    document.parents = {record.id};
    documents_.push_back(document);
    records_[source].push_back(std::move(record));
  }

  // Records, corpus and shards of what was added. The corpus has a row more, the first, that is in no training shard,
  // and the documents stand in the shards in another order than in the corpus.
  void Prepare() {
    for (const auto& [source, records] : records_) {
      auto records_writer = *RecordWriter::Open(out_, source, RecordWriter::Mode::kReplace, RunContext());
      for (const Record& record : records) ASSERT_TRUE(records_writer->Append(record).ok());
      ASSERT_TRUE(records_writer->Commit("key", Json::object(), 0).ok());
    }
    for (const char* directory : {"/corpus", "/shards"}) {
      ASSERT_TRUE(RemoveTree(out_ + directory).ok());
      ASSERT_TRUE(CreateDirectories(out_ + directory).ok());
    }
    auto corpus = *DocumentWriter::Create(out_ + "/corpus");
    Document unseen;
    unseen.id = "unseen";
    unseen.text = "held out";
    unseen.sources = {"unseen"};
    ASSERT_TRUE(corpus->Append(unseen).ok());
    for (const Document& document : documents_) ASSERT_TRUE(corpus->Append(document).ok());
    ASSERT_TRUE(corpus->Finish().ok());

    const std::string json = *ReadFile(RHODES_SOURCE_DIR "/src/token/testdata/gpt2.json");
    ASSERT_TRUE(WriteFileAtomically(out_ + "/tokenizer.json", json).ok());
    const auto tokenizer = *Tokenizer::Parse(json, "gpt2.json");
    order_.resize(documents_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::shuffle(order_.begin(), order_.end(), std::mt19937(11));
    ShardWriter shards(out_ + "/shards", "train", TokenWidth::kUint16, documents_.size() + 1, 200);
    tokens_.clear();
    for (const size_t d : order_) {
      std::vector<TokenId> ids;
      tokenizer->Encode(documents_[d].text, ids);
      ids.push_back(tokenizer->end_of_text());
      const std::vector<uint16_t> stored(ids.begin(), ids.end());
      ASSERT_TRUE(shards.Append({reinterpret_cast<const uint8_t*>(stored.data()), 2 * stored.size()}, d + 1, 1).ok());
      tokens_.insert(tokens_.end(), ids.begin(), ids.end());
    }
    ASSERT_TRUE(shards.Finish().ok());
  }

  absl::StatusOr<TraceBuildReport> Build(uint64_t segment_tokens = 0, int threads = 2) const {
    TraceBuildOptions options;
    options.out = out_;
    options.segment_tokens = segment_tokens;
    options.key = "the key";
    RunContext context;
    context.threads = threads;
    return BuildTraceIndex(options, context);
  }
  std::unique_ptr<TraceIndex> BuildAndOpen(uint64_t segment_tokens = 0) const {
    const absl::StatusOr<TraceBuildReport> report = Build(segment_tokens);
    EXPECT_TRUE(report.ok()) << report.status();
    absl::StatusOr<std::unique_ptr<TraceIndex>> index = TraceIndex::Open(out_);
    EXPECT_TRUE(index.ok()) << index.status();
    return index.ok() ? *std::move(index) : nullptr;
  }

  uint64_t BruteCount(std::span<const TokenId> wanted) const {
    uint64_t count = 0;
    for (size_t i = 0; i + wanted.size() <= tokens_.size(); ++i)
      count += std::equal(wanted.begin(), wanted.end(), tokens_.begin() + static_cast<std::ptrdiff_t>(i));
    return count;
  }
  // Maximal spans of `text`, by trying every one.
  std::vector<Found> BruteSpans(std::span<const TokenId> text, size_t minimum) const {
    std::vector<Found> spans;
    for (size_t begin = 0; begin < text.size(); ++begin) {
      size_t end = begin;
      while (end < text.size() && BruteCount(text.subspan(begin, end + 1 - begin)) > 0) ++end;
      const bool inside = !spans.empty() && end <= spans.back().end;
      if (end - begin >= minimum && !inside)
        spans.push_back({begin, end, BruteCount(text.subspan(begin, end - begin))});
    }
    return spans;
  }
  static std::vector<Found> SpansOf(const Trace& trace) {
    std::vector<Found> spans;
    for (const TracedSpan& span : trace.spans) spans.push_back({span.token_begin, span.token_end, span.count});
    return spans;
  }

  // `count` documents of `words` words drawn from a few, so that everything repeats.
  void AddRandomDocuments(std::mt19937& random, int count, int words) {
    for (int d = 0; d < count; ++d) {
      std::string text;
      for (int i = 0; i < words; ++i) text += " " + std::string(1, static_cast<char>('a' + random() % 3));
      Add(text, d % 3 == 0 ? "news" : "notes");
    }
  }

  std::string out_;
  std::vector<Document> documents_;
  std::map<std::string, std::vector<Record>> records_;
  std::vector<size_t> order_;    // of the documents in the training split
  std::vector<TokenId> tokens_;  // of the training split
};

TEST_F(TraceIndexTest, Count_EqualsBruteForceForEverySegmentSize) {
  std::mt19937 random(1);
  AddRandomDocuments(random, 30, 12);
  Prepare();
  for (const uint64_t segment_tokens : {0u, 1u, 40u, 150u}) {
    const auto index = BuildAndOpen(segment_tokens);
    EXPECT_EQ(index->Count({}), tokens_.size());
    for (size_t position = 0; position < tokens_.size(); ++position) {
      const std::span<const TokenId> rest(tokens_.data() + position, tokens_.size() - position);
      const auto wanted = rest.first(std::min<size_t>(rest.size(), 1 + random() % 6));
      // A question with an end-of-text token inside would cross a document, and segments end where documents do.
      if (std::find(wanted.begin(), wanted.end(), index->tokenizer().end_of_text()) != wanted.end()) continue;
      ASSERT_EQ(index->Count(wanted), BruteCount(wanted)) << position;
    }
    EXPECT_EQ(index->Count(std::vector<TokenId>{index->tokenizer().end_of_text()}), documents_.size());
    EXPECT_EQ(index->Count(std::vector<TokenId>{tokens_[0], 0xFFFFFFFF}), 0u);
    EXPECT_EQ(index->Count(std::vector<TokenId>(1000, tokens_[0])), 0u);
  }
}

TEST_F(TraceIndexTest, Find_GivesTheMaximalSpansThatBruteForceGives) {
  std::mt19937 random(2);
  AddRandomDocuments(random, 20, 15);
  Prepare();
  for (const uint64_t segment_tokens : {0u, 1u, 60u}) {
    const auto index = BuildAndOpen(segment_tokens);
    for (int round = 0; round < 200; ++round) {
      std::string text;  // begins with a space, so that there is one reading of it
      const int words = 1 + static_cast<int>(random() % 40);
      for (int i = 0; i < words; ++i) text += " " + std::string(1, static_cast<char>('a' + random() % 3));
      std::vector<TokenId> tokens;
      index->tokenizer().Encode(text, tokens);
      const uint64_t minimum = 1 + random() % 6;
      const absl::StatusOr<Trace> trace = index->Find(text, {.minimum_tokens = minimum});
      ASSERT_TRUE(trace.ok()) << trace.status();
      EXPECT_EQ(trace->tokens, tokens.size());
      ASSERT_EQ(SpansOf(*trace), BruteSpans(tokens, std::min<size_t>(minimum, tokens.size()))) << text;
      for (const TracedSpan& span : trace->spans) {
        ASSERT_EQ(span.text, text.substr(span.begin, span.end - span.begin));
        uint64_t sum = 0;
        for (const auto& [source, count] : span.by_source) sum += count;
        ASSERT_EQ(sum, span.count);
        ASSERT_FALSE(span.sampled);
      }
    }
  }
}

TEST_F(TraceIndexTest, Find_CountsEachSourceAndNamesOnlyDocumentsThatHoldTheSpan) {
  std::mt19937 random(3);
  AddRandomDocuments(random, 25, 20);
  Prepare();
  const auto index = BuildAndOpen(100);
  const std::string text = " a b c a";
  const absl::StatusOr<Trace> trace = index->Find(text, {.documents_per_span = 1000});
  ASSERT_TRUE(trace.ok());
  ASSERT_FALSE(trace->spans.empty());
  for (const TracedSpan& span : trace->spans) {
    std::map<std::string, uint64_t> by_source;
    std::set<std::string> holders;
    for (const Document& document : documents_) {
      for (size_t at = document.text.find(span.text); at != std::string::npos;
           at = document.text.find(span.text, at + 1)) {
        ++by_source[document.sources[0]];
        holders.insert(document.id);
      }
    }
    EXPECT_EQ(span.by_source, by_source);
    std::set<std::string> named;
    for (const TracedDocument& document : span.documents) named.insert(document.id);
    EXPECT_EQ(named, holders);
  }
}

// infini-gram's search underflows where the match would stand first of all suffixes; the first and the last suffix, and
// the first and the last token of the split, are the places where ours could.
TEST_F(TraceIndexTest, Find_SeesTheFirstAndTheLastTokensOfTheSplitAndOfTheOrder) {
  for (const std::string text : {" mm nn oo pp", " !! mm", " ~~ nn", " zz oo pp qq rr"}) Add(text);
  Prepare();
  for (const uint64_t segment_tokens : {0u, 1u}) {
    const auto index = BuildAndOpen(segment_tokens);
    for (size_t d = 0; d < order_.size(); ++d) {
      const Document& document = documents_[order_[d]];
      std::vector<TokenId> tokens;
      index->tokenizer().Encode(document.text, tokens);
      // Alone, with a stranger before, and with a stranger after.
      for (const std::string& text : {document.text, " \x01" + document.text, document.text + "\x01"}) {
        const absl::StatusOr<Trace> trace = index->Find(text, {.minimum_tokens = 2});
        ASSERT_TRUE(trace.ok());
        ASSERT_THAT(trace->spans, SizeIs(1)) << text;
        EXPECT_EQ(trace->spans[0].text, document.text);
        EXPECT_EQ(trace->spans[0].token_end - trace->spans[0].token_begin, tokens.size());
        ASSERT_THAT(trace->spans[0].documents, SizeIs(1));
        EXPECT_EQ(trace->spans[0].documents[0].id, document.id);
        EXPECT_EQ(trace->spans[0].documents[0].document, d);
      }
    }
    // Before the first suffix of the order and behind the last: no match, and no reading outside of the files.
    EXPECT_EQ(index->Count(std::vector<TokenId>{0, 0}), BruteCount(std::vector<TokenId>{0, 0}));
    EXPECT_EQ(index->Count(std::vector<TokenId>{511, 511, 511}), 0u);
  }
}

TEST_F(TraceIndexTest, Find_NeverMatchesAcrossDocuments) {
  Add(" alpha beta gamma delta");
  Add(" epsilon zeta eta theta");
  Prepare();
  const auto index = BuildAndOpen();
  for (const auto& [first, second] : {std::pair<int, int>{0, 1}, {1, 0}}) {
    const std::string text = documents_[first].text + documents_[second].text;
    const absl::StatusOr<Trace> trace = index->Find(text);
    ASSERT_TRUE(trace.ok());
    ASSERT_THAT(trace->spans, SizeIs(2));
    EXPECT_EQ(trace->spans[0].text, documents_[first].text);
    EXPECT_EQ(trace->spans[1].text, documents_[second].text);
    EXPECT_EQ(trace->spans[1].begin, documents_[first].text.size());
  }
}

TEST_F(TraceIndexTest, Find_LeadsASpanToItsRecordFileAndBytes) {
  Add("The quick brown fox jumps over the lazy dog.", "news");
  Add("Pack my box with five dozen liquor jugs.", "letters");
  Prepare();
  const auto index = BuildAndOpen();
  const std::string text = "He wrote: my box with five dozen jars";
  const absl::StatusOr<Trace> trace = index->Find(text);
  ASSERT_TRUE(trace.ok());
  ASSERT_THAT(trace->spans, SizeIs(1));
  const TracedSpan& span = trace->spans[0];
  EXPECT_EQ(span.text, text.substr(span.begin, span.end - span.begin));
  EXPECT_THAT(span.text, HasSubstr(" my box with five dozen"));
  EXPECT_EQ(span.count, 1u);
  ASSERT_THAT(span.documents, SizeIs(1));
  EXPECT_EQ(span.documents[0].id, "document-1");
  EXPECT_EQ(span.documents[0].source, "letters");
  ASSERT_THAT(span.documents[0].records, SizeIs(1));
  const RecordOrigin& record = span.documents[0].records[0];
  EXPECT_EQ(record.id, documents_[1].parents[0]);
  EXPECT_EQ(record.source, "letters");
  EXPECT_EQ(record.origin.file, "/data/letters.txt");
  EXPECT_EQ(record.origin.begin, 100u);
  EXPECT_EQ(record.origin.end, 100 + documents_[1].text.size());

  const Json json = ToJson(*trace);
  EXPECT_EQ(json["tokens"], trace->tokens);
  const Json& first = json["spans"][0];
  for (const char* key : {"begin", "end", "text", "count", "by_source", "documents"}) EXPECT_TRUE(first.contains(key));
  EXPECT_EQ(first["by_source"], Json({{"letters", 1}}));
  const Json& origin = first["documents"][0]["records"][0];
  EXPECT_EQ(origin["file"], "/data/letters.txt");
  EXPECT_EQ(origin["begin"], 100);
  EXPECT_EQ(json["documents"][0]["id"], "document-1");
}

TEST_F(TraceIndexTest, Find_TriesTheTextAsIfASpaceStoodBefore) {
  Add("Debian ships the zlib compression library for programs");
  Prepare();
  const auto index = BuildAndOpen();
  const std::string text = "zlib compression library";
  const absl::StatusOr<Trace> trace = index->Find(text);
  ASSERT_TRUE(trace.ok());
  ASSERT_THAT(trace->spans, SizeIs(1));
  EXPECT_EQ(trace->spans[0].begin, 0u);
  EXPECT_EQ(trace->spans[0].text, text);
  // And as it is, where that is how it was learned.
  const absl::StatusOr<Trace> start = index->Find("Debian ships the zlib");
  ASSERT_TRUE(start.ok());
  ASSERT_THAT(start->spans, SizeIs(1));
  EXPECT_EQ(start->spans[0].text, "Debian ships the zlib");
}

// An event told by a post, a dish and an article: one document, three pieces.
TEST_F(TraceIndexTest, Find_LeadsAPieceOfAFusedDocumentToItsOwnRecords) {
  const std::string post = "My link is down in the harbour since noon.";
  const std::string dish = "The dish was without signal for 42 seconds.";
  const std::string article = "يقول المشغل إن الخدمة عادت";
  Add(post, "posts");
  Add(dish, "dishes");
  Add(article, "news");
  Document fused;
  fused.id = "fused";
  fused.text = post + "\n" + dish + "\n" + article;
  fused.sources = {"dishes", "news", "posts"};
  for (const Document& document : documents_) fused.parents.push_back(document.parents[0]);
  const uint64_t second = post.size() + 1, third = second + dish.size() + 1;
  fused.spans = {{third, third + article.size(), 2}, {0, post.size(), 0}, {second, second + dish.size(), 1}};
  for (Document& document : documents_) document.text = "nothing of it";
  documents_.push_back(fused);
  Prepare();
  const auto index = BuildAndOpen();
  const auto records_of = [&](const std::string& text) {
    std::vector<std::string> ids;
    const absl::StatusOr<Trace> trace = index->Find(text);
    EXPECT_TRUE(trace.ok()) << trace.status();
    if (!trace.ok() || trace->spans.size() != 1) return ids;
    EXPECT_THAT(trace->documents[0].document.records, SizeIs(3));  // the whole answer's: all
    for (const RecordOrigin& record : trace->spans[0].documents[0].records) ids.push_back(record.id);
    return ids;
  };
  EXPECT_THAT(records_of("without signal for 42 seconds"), ElementsAre(fused.parents[1]));
  EXPECT_THAT(records_of("الخدمة عادت"), ElementsAre(fused.parents[2]));
  EXPECT_THAT(records_of("since noon.\nThe dish was"), ElementsAre(fused.parents[0], fused.parents[1]));
}

TEST_F(TraceIndexTest, Find_DropsSpansOfWhiteSpaceAndPunctuationOnly) {
  Add("one\n\n\n\n ---- ==== ---- ==== ;;;; !!!! \n\n two");
  Prepare();
  const auto index = BuildAndOpen();
  const absl::StatusOr<Trace> trace = index->Find(" ---- ==== ---- ==== ;;;; !!!!", {.minimum_tokens = 1});
  ASSERT_TRUE(trace.ok());
  EXPECT_THAT(trace->spans, IsEmpty());
  EXPECT_THAT(trace->documents, IsEmpty());
  EXPECT_GT(trace->tokens, 0u);
}

TEST_F(TraceIndexTest, Find_DropsPunctuationAndSpacesOfEveryScript) {
  Add("a — … « » ، ؛ 。、\u00A0\u3000 ——…… b");
  Prepare();
  const auto index = BuildAndOpen();
  EXPECT_THAT(index->Find(" — … « » ، ؛ 。、\u00A0\u3000 ——……", {.minimum_tokens = 1})->spans, IsEmpty());
  EXPECT_THAT(index->Find("— … « » ، ؛ 。、\u00A0\u3000 ——…… b", {.minimum_tokens = 1})->spans, SizeIs(1));
}

// Most of the second reading, with a space before, is taken from the first;
// every span must still be maximal and counted.
TEST_F(TraceIndexTest, Find_GivesForTextWithoutSpaceBeforeWhatOneOfItsReadingsGives) {
  std::mt19937 random(8);
  AddRandomDocuments(random, 20, 15);
  Prepare();
  const auto index = BuildAndOpen(60);
  for (int round = 0; round < 100; ++round) {
    std::string text(1, static_cast<char>('a' + random() % 3));
    for (int i = 0; i < 20; ++i) text += " " + std::string(1, static_cast<char>('a' + random() % 4));
    const absl::StatusOr<Trace> trace = index->Find(text);
    ASSERT_TRUE(trace.ok());
    std::vector<std::vector<Found>> readings;
    uint64_t most = 0;
    for (const std::string& reading : {text, " " + text}) {
      std::vector<TokenId> tokens;
      index->tokenizer().Encode(reading, tokens);
      readings.push_back(BruteSpans(tokens, 4));
      uint64_t cover = 0;
      for (const Found& span : readings.back()) cover += (span.end - span.begin) * (span.end - span.begin);
      if (readings.size() == 2 && cover > most) readings.front() = readings.back();
      most = std::max(most, cover);
    }
    ASSERT_EQ(SpansOf(*trace), readings.front()) << text;
  }
}

TEST_F(TraceIndexTest, Find_CutsOnlyBetweenCharacters) {
  Add("القطة تجلس على السطح وتنظر إلى القمر");
  Add("猫が屋根の上に座って月を見ている");
  Prepare();
  const auto index = BuildAndOpen();
  // The strange characters share their first bytes with the learned ones, so that the longest match ends inside them.
  for (const std::string text : {"القطة تجلس على الشرفة", "犬が屋根の上に座っている", "السطح وتنظر 屋根の上に"}) {
    const absl::StatusOr<Trace> trace = index->Find(text);
    ASSERT_TRUE(trace.ok());
    ASSERT_FALSE(trace->spans.empty()) << text;
    for (const TracedSpan& span : trace->spans) {
      EXPECT_EQ(span.text, text.substr(span.begin, span.end - span.begin));
      EXPECT_NE(span.text[0] & 0xC0, 0x80) << text;
      EXPECT_TRUE(span.end == text.size() || (text[span.end] & 0xC0) != 0x80) << text;
      const bool stands = documents_[0].text.find(span.text) != std::string::npos ||
                          documents_[1].text.find(span.text) != std::string::npos;
      EXPECT_TRUE(stands) << span.text;
    }
  }
}

TEST_F(TraceIndexTest, Find_OfNothingShortBrokenOrStrangeTextIsNoError) {
  Add(" alpha beta gamma delta");
  Prepare();
  const auto index = BuildAndOpen();
  EXPECT_THAT(index->Find("")->spans, IsEmpty());
  EXPECT_EQ(index->Find("")->tokens, 0u);
  EXPECT_THAT(index->Find("\xff\xfe\x80")->spans, IsEmpty());
  // In a text it is thirteen letters, not the token that ends a document.
  for (const TracedSpan& span : index->Find("<|endoftext|>", {.minimum_tokens = 1})->spans)
    EXPECT_NE(span.text, "<|endoftext|>");
  EXPECT_THAT(index->Find(std::string(3, '\0'))->spans, IsEmpty());
  EXPECT_EQ(index->Find(" alpha", {.minimum_tokens = 100})->spans.size(), 1u);
  EXPECT_THAT(index->Find(" alpha beta", {.documents_per_span = 0})->spans[0].documents, IsEmpty());
}

TEST_F(TraceIndexTest, Find_PutsTheDocumentFirstThatTheAnswerLeansOnMost) {
  Add(" common words stand here and rare wombats dig deep burrows");
  Add(" common words stand here");
  Add(" common words stand here too");
  Prepare();
  const auto index = BuildAndOpen();
  const absl::StatusOr<Trace> trace = index->Find(" common words stand here yes rare wombats dig");
  ASSERT_TRUE(trace.ok());
  ASSERT_THAT(trace->spans, SizeIs(2));
  ASSERT_THAT(trace->documents, SizeIs(3));
  EXPECT_EQ(trace->documents[0].document.id, "document-0");
  EXPECT_THAT(trace->documents[0].spans, ElementsAre(0, 1));
  EXPECT_THAT(trace->documents[1].spans, ElementsAre(0));
  double expected = 0;
  for (const TracedSpan& span : trace->spans) {
    expected += static_cast<double>(span.token_end - span.token_begin) *
                -std::log(static_cast<double>(span.count) / static_cast<double>(tokens_.size()));
  }
  EXPECT_NEAR(trace->documents[0].score, expected, 1e-9 * expected);
  EXPECT_EQ(trace->spans[0].documents[0].id, "document-0");  // of the span's documents too
  EXPECT_THAT(index->Find(" common words stand here", {.leaned_documents = 2})->documents, SizeIs(2));
}

TEST_F(TraceIndexTest, Find_GivesTheSameAnswerFromSeveralSegmentsAndThreads) {
  std::mt19937 random(4);
  AddRandomDocuments(random, 40, 30);
  Prepare();
  const std::string text = " a b c c b a b b a c a a b x c c b a a c b";
  const std::string expected = DumpJson(ToJson(*BuildAndOpen()->Find(text)));
  for (const uint64_t segment_tokens : {1u, 100u, 1000u}) {
    const auto index = BuildAndOpen(segment_tokens);
    EXPECT_EQ(DumpJson(ToJson(*index->Find(text))), expected) << segment_tokens;
    std::vector<std::string> answers(4);
    std::vector<std::thread> threads;
    for (std::string& answer : answers)
      threads.emplace_back([&answer, &index, &text] { answer = DumpJson(ToJson(*index->Find(text))); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(answers, testing::Each(expected));
  }
}

TEST_F(TraceIndexTest, Find_EstimatesSourcesOnlyOfVeryFrequentSpans) {
  std::string text;
  for (int i = 0; i < 130000; ++i) text += " q w";
  Add(text, "news");
  Add(text, "notes");
  Prepare();
  const auto index = BuildAndOpen();
  const absl::StatusOr<Trace> trace = index->Find(" q w");
  ASSERT_TRUE(trace.ok());
  ASSERT_THAT(trace->spans, SizeIs(1));
  const TracedSpan& span = trace->spans[0];
  EXPECT_EQ(span.count, 260000u);  // always exact
  for (const char* source : {"news", "notes"}) EXPECT_NEAR(span.by_source.at(source), 130000, 1300);
  EXPECT_EQ(ToJson(*trace)["spans"][0].contains("by_source_estimated"), span.sampled);
}

TEST_F(TraceIndexTest, Build_GivesTheSameBytesForAnyNumberOfThreads) {
  std::mt19937 random(5);
  AddRandomDocuments(random, 50, 20);
  Prepare();
  const auto bytes = [&] {
    std::map<std::string, std::string> files;
    const absl::StatusOr<std::vector<std::string>> paths = ListFiles(out_ + "/trace");
    EXPECT_TRUE(paths.ok()) << paths.status();
    for (const std::string& path : *paths) files[path] = *ReadFile(path);
    Json manifest = *ParseJson(files.at(out_ + "/trace/manifest.json"), "manifest");
    EXPECT_EQ(manifest["key"], "the key");
    manifest["seconds"] = 0;
    files[out_ + "/trace/manifest.json"] = DumpJson(manifest);
    return files;
  };
  const absl::StatusOr<TraceBuildReport> report = Build(90, 1);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->segments, 10u);
  EXPECT_EQ(report->tokens, tokens_.size());
  EXPECT_EQ(report->documents, 50u);
  const auto one = bytes();
  for (const int threads : {2, 7}) {
    ASSERT_TRUE(Build(90, threads).ok());
    EXPECT_EQ(bytes(), one) << threads;
  }
}

TEST_F(TraceIndexTest, Build_StoppedByTheUserLeavesTheOldIndex) {
  Add(" alpha beta gamma delta");
  Prepare();
  ASSERT_TRUE(Build().ok());
  const std::string before = *ReadFile(out_ + "/trace/segment-00000.sa");
  const std::atomic<bool> cancelled = true;
  RunContext context;
  context.cancelled = &cancelled;
  TraceBuildOptions options;
  options.out = out_;
  const absl::Status status = BuildTraceIndex(options, context).status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kInterrupted) << status;
  EXPECT_EQ(*ReadFile(out_ + "/trace/segment-00000.sa"), before);
  EXPECT_FALSE(PathExists(out_ + "/trace.partial"));
}

TEST_F(TraceIndexTest, Build_OverACorpusWithTooFewRowsSaysSo) {
  std::mt19937 random(6);
  AddRandomDocuments(random, 20, 5);
  Prepare();
  ASSERT_TRUE(CreateDirectories(out_ + "/other").ok());
  auto writer = *DocumentWriter::Create(out_ + "/other");
  ASSERT_TRUE(writer->Append(documents_[0]).ok());
  ASSERT_TRUE(writer->Finish().ok());
  TraceBuildOptions options;
  options.out = out_;
  options.corpus_dir = out_ + "/other";
  RunContext context;
  const absl::Status status = BuildTraceIndex(options, context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(Message(status), AllOf(HasSubstr("row 1 "), HasSubstr(out_ + "/other")));
}

TEST_F(TraceIndexTest, Open_WithoutAnIndexSaysHowToMakeIt) {
  const absl::Status status = TraceIndex::Open(out_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_THAT(Message(status), HasSubstr("rhodes trace --out " + out_ + " --build"));
}

TEST_F(TraceIndexTest, Open_RefusesShardsThatTheIndexWasNotMadeFrom) {
  Add(" alpha beta gamma delta");
  Prepare();
  ASSERT_TRUE(Build().ok());
  Add(" epsilon zeta");
  Prepare();
  const absl::Status status = TraceIndex::Open(out_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(Message(status), HasSubstr("other shards"));
}

TEST_F(TraceIndexTest, Open_NamesADamagedFile) {
  std::mt19937 random(7);
  AddRandomDocuments(random, 10, 10);
  Prepare();
  ASSERT_TRUE(Build(60).ok());
  for (const std::string name : {"segment-00000.sa", "segment-00001.sa", "documents.bin"}) {
    const std::string path = out_ + "/trace/" + name;
    const std::string whole = *ReadFile(path);
    std::vector<std::string> damaged = {"", whole.substr(0, 5), whole.substr(0, whole.size() - 1), whole + "x"};
    for (const size_t at : {size_t{0}, whole.size() / 2, whole.size() - 1}) {
      damaged.push_back(whole);
      damaged.back()[at] = static_cast<char>(damaged.back()[at] ^ 1);
    }
    for (const std::string& bytes : damaged) {
      ASSERT_TRUE(WriteFileAtomically(path, bytes).ok());
      const absl::Status status = TraceIndex::Open(out_).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      EXPECT_THAT(Message(status), HasSubstr(name));
    }
    ASSERT_TRUE(WriteFileAtomically(path, whole).ok());
    EXPECT_TRUE(TraceIndex::Open(out_).ok());
  }
}

}  // namespace
}  // namespace rhodes
