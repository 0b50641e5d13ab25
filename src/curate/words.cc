#include "curate/words.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash.h"
#include "curate/spaces.h"
#include "curate/spacy_tables.h"
#include "curate/spacy_words.h"
#include "curate/unicode_class.h"

namespace rhodes {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

// Splits a chunk by our own rules.
class ChunkSplitter {
 public:
  ChunkSplitter(std::string_view chunk, std::vector<WordPiece>& pieces) : text_(chunk), pieces_(pieces) {}

  void Run() {
    while (at_ < text_.size()) {
      begin_ = at_;
      const char32_t c = DecodeUtf8(text_, &at_);
      const CharacterClass kind = classes_.Of(c);
      switch (kind) {
        case CharacterClass::kSpace:  // not in a chunk
        case CharacterClass::kSymbol:
          Symbol();
          break;
        case CharacterClass::kIdeograph:
          Add(1, true, true);
          break;
        case CharacterClass::kLetter:
        case CharacterClass::kDigit:
        case CharacterClass::kMark:
          Word(kind);
          break;
      }
    }
  }

 private:
  // Reads on from a word's first character.
  void Word(CharacterClass last) {
    bool letter = last == CharacterClass::kLetter;
    uint32_t length = 1;
    while (at_ < text_.size()) {
      const size_t before = at_;
      const char32_t c = DecodeUtf8(text_, &at_);
      const CharacterClass kind = classes_.Of(c);
      if (kind == CharacterClass::kLetter || kind == CharacterClass::kDigit || kind == CharacterClass::kMark) {
        letter |= kind == CharacterClass::kLetter;
        if (kind != CharacterClass::kMark) last = kind;
        ++length;
        continue;
      }
      if (kind == CharacterClass::kSymbol && JoinsWord(c, last)) {
        ++length;
        continue;
      }
      at_ = before;
      break;
    }
    Add(length, true, letter);
  }

  // Whether the symbol `c`, just read after a `last`, stands inside a word: "don't", "1,000.5".
  bool JoinsWord(char32_t c, CharacterClass last) const {
    const bool apostrophe = c == '\'' || c == 0x2019;
    const bool point = c == '.' || c == ',' || c == ':' || c == 0x066B || c == 0x066C;
    if (!(apostrophe && last == CharacterClass::kLetter) && !(point && last == CharacterClass::kDigit)) return false;
    if (at_ >= text_.size()) return false;
    size_t next = at_;
    return classes_.Of(DecodeUtf8(text_, &next)) == last;
  }

  // Reads on from a symbol as long as it repeats.
  void Symbol() {
    const size_t size = at_ - begin_;
    uint32_t length = 1;
    while (text_.size() - at_ >= size && text_.compare(at_, size, text_, begin_, size) == 0) {
      at_ += size;
      ++length;
    }
    Add(length, false, false);
  }

  void Add(uint32_t length, bool plain, bool letter) {
    WordPiece piece{static_cast<uint32_t>(at_ - begin_), length, plain, letter, false, false};
    if (!plain) {  // one and the same symbol
      size_t first = begin_;
      const uint32_t flags = ReferenceFlags::Get().Of(DecodeUtf8(text_, &first));
      piece.sentence_end = length == 1 && (flags & kSentenceEnd) != 0;
      piece.punctuation = (flags & kPunctuation) != 0;
    }
    pieces_.push_back(piece);
  }

  const CharacterClasses& classes_ = CharacterClasses::Get();
  std::string_view text_;
  std::vector<WordPiece>& pieces_;
  size_t at_ = 0;
  size_t begin_ = 0;
};

void SplitByReference(std::string_view chunk, WordRules rules, std::vector<WordPiece>& pieces) {
  thread_local std::vector<uint32_t> sizes;
  const ReferenceFlags& flags = ReferenceFlags::Get();
  size_t at = 0;
  WordPiece whole{static_cast<uint32_t>(chunk.size()), 0, false, false, false, false};
  uint32_t all = ~0u;
  uint32_t any = 0;
  for (; at < chunk.size() && (all & kSpacyPlainHas) != 0; ++whole.code_points) {
    const uint32_t kind = flags.Of(DecodeUtf8(chunk, &at));
    all &= kind;
    any |= kind;
    whole.plain |= (kind & kReferenceSymbol) == 0;
  }
  if ((all & kSpacyPlainHas) != 0 && (any & kSpacyPlainHasNot) == 0 && !IsSpacyCase(chunk, rules)) {
    whole.letter = (any & kReferenceLetter) != 0;
    whole.punctuation = (all & kPunctuation) != 0;
    whole.sentence_end = whole.code_points == 1 && (any & kSentenceEnd) != 0;
    pieces.push_back(whole);
    return;
  }
  SplitChunkAsSpacy(chunk, rules, sizes);
  at = 0;
  for (const uint32_t size : sizes) {
    WordPiece piece;
    piece.size = size;
    piece.punctuation = true;
    for (const size_t end = at + size; at < end; ++piece.code_points) {
      const uint32_t kind = flags.Of(DecodeUtf8(chunk, &at));
      piece.plain |= (kind & kReferenceSymbol) == 0;
      piece.letter |= (kind & kReferenceLetter) != 0;
      piece.punctuation &= (kind & kPunctuation) != 0;
      piece.sentence_end = (kind & kSentenceEnd) != 0;
    }
    piece.sentence_end &= piece.code_points == 1;
    pieces.push_back(piece);
  }
  if (sizes.capacity() > 1 << 16) sizes = {};
}

std::string_view Primary(std::string_view language) { return language.substr(0, language.find_first_of("-_")); }

// Non-overlapping "..." and every U+2026, as the reference counts them.
uint64_t CountEllipses(std::string_view text, const TextCounts& counts) {
  uint64_t ellipses = 0;
  if (counts.dots >= 3) {
    for (size_t at = text.find("..."); at != std::string_view::npos; at = text.find("...", at + 3)) ++ellipses;
  }
  if (counts.ellipsis_leads > 0) {
    for (size_t at = text.find(kEllipsis); at != std::string_view::npos; at = text.find(kEllipsis, at + 3)) ++ellipses;
  }
  return ellipses;
}

// Bits of a word's kind.
constexpr uint8_t kPlain = 1;
constexpr uint8_t kHasLetter = 2;
constexpr uint8_t kEndsSentence = 4;
constexpr uint8_t kAllPunctuation = 8;

constexpr size_t kBlocks = 64;  // of 64 bytes: what is marked at a time

// Calls `take(begin, end)` for every chunk between white space, until it returns false.
template <typename Take>
void ForEachChunk(std::string_view text, Take take) {
  std::array<uint64_t, kBlocks> masks;
  size_t begin = 0;    // of the chunk that is open
  size_t skip_to = 0;  // behind the white space last seen
  for (size_t region = 0; region < text.size(); region += 64 * kBlocks) {
    const std::string_view part = text.substr(region, 64 * kBlocks);
    MarkSpaces(part, masks.data());
    const size_t blocks = (part.size() + 63) / 64;
    for (size_t block = 0; block < blocks; ++block) {
      for (uint64_t bits = masks[block]; bits != 0; bits &= bits - 1) {
        const size_t at = region + 64 * block + static_cast<size_t>(__builtin_ctzll(bits));
        if (at < skip_to) continue;
        size_t size = 1;
        if (static_cast<uint8_t>(text[at]) >= 0x80) {
          size = WhiteSpaceAt(text, at);
          if (size == 0) continue;
        }
        if (begin < at && !take(begin, at)) return;
        begin = skip_to = at + size;
      }
    }
  }
  if (begin < text.size()) take(begin, text.size());
}

}  // namespace

WordRules WordRulesFor(std::string_view language, bool datatrove_compatibility) {
  if (!datatrove_compatibility) return WordRules::kRhodes;
  const std::string_view primary = Primary(language);
  if (primary == "en" || primary == "eng") return WordRules::kSpacyEnglish;
  constexpr std::array<std::string_view, 12> kArabic = {"ar",  "ara", "arb", "arz", "ary", "apc",
                                                        "acm", "aeb", "ajp", "arq", "ars", "ayp"};
  const bool arabic = std::find(kArabic.begin(), kArabic.end(), primary) != kArabic.end();
  return arabic ? WordRules::kSpacyArabic : WordRules::kSpacyOther;
}

void SplitChunk(std::string_view chunk, WordRules rules, std::vector<WordPiece>& pieces) {
  pieces.clear();
  if (rules == WordRules::kRhodes) {
    ChunkSplitter(chunk, pieces).Run();
  } else {
    SplitByReference(chunk, rules, pieces);
  }
}

// How a chunk is split: one line of the processor's caches.
struct alignas(64) WordSplitter::CacheEntry {
  static constexpr size_t kWords = 3;     // that a chunk may have
  std::array<uint64_t, 3> text{};         // padded with zero bytes
  std::array<uint64_t, kWords> hashes{};  // of the words
  std::array<uint8_t, kWords> sizes{};
  std::array<uint8_t, kWords> code_points{};
  std::array<uint8_t, kWords> kinds{};  // kPlain and so on
  uint8_t words = 0;                    // 0: empty
  uint8_t size = 0;

  // By single words: a comparison of arrays is a call.
  bool Is(const std::array<uint64_t, 3>& key, size_t key_size) const {
    return ((text[0] ^ key[0]) | (text[1] ^ key[1]) | (text[2] ^ key[2])) == 0 && size == key_size && words > 0;
  }
};

// Direct-mapped: a chunk's place is its hash, and the one that stood there goes. Chunks are compared by their bytes, so
// a collision costs time only.
class WordSplitter::Cache {
 public:
  static constexpr size_t kLongest = 24;  // bytes of a chunk
  static constexpr size_t kWords = CacheEntry::kWords;
  using Entry = CacheEntry;
  using Key = std::array<uint64_t, 3>;

  static Key KeyOf(std::string_view text, size_t begin, size_t size) {
    Key key{};
    if (begin + kLongest <= text.size()) {
      std::memcpy(key.data(), text.data() + begin, kLongest);
      const Key& mask = kMasks[size];
      for (size_t i = 0; i < key.size(); ++i) key[i] &= mask[i];
    } else {
      std::memcpy(key.data(), text.data() + begin, size);
    }
    return key;
  }
  Entry& At(const Key& key) {
    uint64_t hash = key[0] * 0x9E3779B97F4A7C15u ^ key[1] * 0xC2B2AE3D27D4EB4Fu ^ key[2] * 0x165667B19E3779F9u;
    hash ^= hash >> 32;
    return entries_[(hash * 0x9E3779B97F4A7C15u) >> (64 - kBits)];
  }

 private:
  static constexpr int kBits = 16;
  static constexpr std::array<Key, kLongest + 1> kMasks = [] {
    std::array<Key, kLongest + 1> masks{};
    for (size_t size = 0; size <= kLongest; ++size) {
      for (size_t byte = 0; byte < size; ++byte) masks[size][byte / 8] |= uint64_t{0xFF} << (8 * (byte % 8));
    }
    return masks;
  }();
  std::vector<Entry> entries_ = std::vector<Entry>(size_t{1} << kBits);
};

WordSplitter::WordSplitter() = default;
WordSplitter::~WordSplitter() = default;
WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;
WordSplitter& WordSplitter::operator=(WordSplitter&&) noexcept = default;

// Chunks are looked up some at a time: their places in the memory are asked for before the first is needed.
template <typename Take>
void WordSplitter::ForEachWord(std::string_view text, WordRules rules, Take take) {
  std::unique_ptr<Cache>& cache = caches_[static_cast<size_t>(rules)];
  if (cache == nullptr) cache = std::make_unique<Cache>();
  struct Pending {
    size_t begin;
    size_t size;
    Cache::Key key;
    Cache::Entry* entry;
  };
  constexpr size_t kTogether = 16;
  std::array<Pending, kTogether> pending;
  size_t count = 0;

  const auto flush = [&] {
    for (size_t i = 0; i < count; ++i) {
      const Pending& one = pending[i];
      const Cache::Entry* const entry = one.entry;
      if (entry == nullptr || !entry->Is(one.key, one.size)) {
        if (!SplitNew(text, one.begin, one.size, rules, one.entry, one.key, take)) return false;
        continue;
      }
      size_t begin = one.begin;
      for (size_t word = 0; word < entry->words; ++word) {
        if (!take(begin, entry->sizes[word], entry->code_points[word], entry->kinds[word], entry->hashes[word])) {
          return false;
        }
        begin += entry->sizes[word];
      }
    }
    count = 0;
    return true;
  };
  bool going = true;
  ForEachChunk(text, [&](size_t begin, size_t end) {
    Pending& one = pending[count++];
    one.begin = begin;
    one.size = end - begin;
    one.entry = nullptr;
    if (one.size <= Cache::kLongest) {
      one.key = Cache::KeyOf(text, begin, one.size);
      one.entry = &cache->At(one.key);
      __builtin_prefetch(one.entry);
    }
    if (count == kTogether) going = flush();
    return going;
  });
  if (going) flush();
}

// Splits a chunk that is not remembered, and remembers it in `entry` when it fits (null: it does not).
template <typename Take>
bool WordSplitter::SplitNew(std::string_view text, size_t begin, size_t size, WordRules rules, CacheEntry* entry,
                            const std::array<uint64_t, 3>& key, Take take) {
  SplitChunk(text.substr(begin, size), rules, pieces_);
  if (entry != nullptr && pieces_.size() <= Cache::kWords) {
    *entry = CacheEntry();
    entry->text = key;
    entry->size = static_cast<uint8_t>(size);
    entry->words = static_cast<uint8_t>(pieces_.size());
  } else {
    entry = nullptr;
  }
  bool going = true;
  for (size_t i = 0; i < pieces_.size() && (going || entry != nullptr); ++i) {
    const WordPiece& piece = pieces_[i];
    const uint64_t hash = Fingerprint(text.substr(begin, piece.size));
    const auto kind =
        static_cast<uint8_t>((piece.plain ? kPlain : 0) | (piece.letter ? kHasLetter : 0) |
                             (piece.sentence_end ? kEndsSentence : 0) | (piece.punctuation ? kAllPunctuation : 0));
    if (entry != nullptr) {
      entry->hashes[i] = hash;
      entry->sizes[i] = static_cast<uint8_t>(piece.size);
      entry->code_points[i] = static_cast<uint8_t>(piece.code_points);
      entry->kinds[i] = kind;
    }
    going = going && take(begin, piece.size, piece.code_points, kind, hash);
    begin += piece.size;
  }
  if (pieces_.capacity() > 1 << 16) pieces_ = {};
  return going;
}

void WordSplitter::Split(std::string_view text, WordRules rules, Words& words) {
  std::vector<uint64_t> hashes = std::move(words.hashes);
  std::vector<uint32_t> begins = std::move(words.begins);
  std::vector<Words::Place> places = std::move(words.places);
  words = Words();
  const TextCounts counts = CountText(text);
  words.code_points = counts.code_points;
  words.number_signs = counts.number_signs;
  words.ellipses = CountEllipses(text, counts);

  size_t capacity = hashes.size();
  size_t count = 0;
  uint32_t code_points = 0;
  uint64_t plain = 0;
  uint64_t plain_code_points = 0;
  uint64_t letters = 0;
  uint64_t rest = 0;  // words behind the analysed ones
  const auto grow = [&] {
    capacity = std::min(Words::kAnalysed, std::max<size_t>(2 * capacity, 1024));
    hashes.resize(capacity);
    begins.resize(capacity + 1);
    places.resize(capacity);
  };
  if (begins.empty()) grow();
  begins[0] = 0;
  ForEachWord(text, rules, [&](size_t begin, uint32_t size, uint32_t length, uint8_t kind, uint64_t hash) {
    plain += kind & 1u;
    plain_code_points += (kind & 1u) * length;
    letters += (kind & kHasLetter) / kHasLetter;
    if (count == capacity) {
      if (capacity == Words::kAnalysed) {
        ++rest;
        return true;
      }
      grow();
    }
    code_points += length;
    hashes[count] = hash;
    places[count] = {static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + size)};
    begins[++count] = code_points;
    return true;
  });
  hashes.resize(count);
  begins.resize(count + 1);
  places.resize(count);
  words.count = count + rest;
  words.plain_count = plain;
  words.plain_code_points = plain_code_points;
  words.with_letter = letters;
  words.analysed_code_points = rest == 0 ? words.code_points : CountText(text.substr(0, places.back().end)).code_points;
  words.hashes = std::move(hashes);
  words.begins = std::move(begins);
  words.places = std::move(places);
}

uint64_t WordSplitter::Count(std::string_view text, WordRules rules) {
  uint64_t count = 0;
  ForEachWord(text, rules, [&](size_t, uint32_t, uint32_t, uint8_t, uint64_t) {
    ++count;
    return true;
  });
  return count;
}

uint64_t WordSplitter::CountSentences(std::string_view line, WordRules rules, uint64_t wanted) {
  uint64_t sentences = 1;
  bool ended = false;
  size_t last = 0;  // end of the word before
  // White space is a word to the reference, a single space between words excepted.
  const auto is_word = [&](size_t begin, size_t end) {
    return end > begin && (begin == 0 || end - begin > 1 || line[begin] != ' ');
  };
  ForEachWord(line, rules, [&](size_t begin, uint32_t size, uint32_t, uint8_t kind, uint64_t) {
    const bool opens = ended && (is_word(last, begin) || (kind & (kEndsSentence | kAllPunctuation)) == 0);
    if (opens) {
      ++sentences;
      ended = false;
    }
    if ((kind & kEndsSentence) != 0) ended = true;
    last = begin + size;
    return sentences < wanted;
  });
  if (sentences < wanted && ended && is_word(last, line.size())) ++sentences;
  return sentences;
}

uint64_t WordSplitter::CountStopWords(std::string_view text, const Words& words, const StopWords& stop_words,
                                      uint64_t wanted, bool unmark) {
  uint64_t seen = 0;
  uint64_t count = 0;
  std::string unmarked;
  for (const Words::Place& place : words.places) {
    if (count >= wanted) break;
    const std::string_view word = text.substr(place.begin, place.end - place.begin);
    int index = stop_words.Find(word);
    if (unmark && index < 0 && word.size() <= 64 && static_cast<uint8_t>(word.front()) >= 0xD8) {  // vowelled, perhaps
      unmarked.clear();
      AppendWithoutArabicMarks(word, unmarked);
      if (unmarked.size() < word.size()) index = stop_words.Find(unmarked);
    }
    if (index < 0 || (seen >> index & 1) != 0) continue;
    seen |= uint64_t{1} << index;
    ++count;
  }
  return count;
}

}  // namespace rhodes
