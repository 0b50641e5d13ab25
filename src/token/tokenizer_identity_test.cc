// Every kind of tokenizer gives the ids of the references, and loses nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "token/character_class.h"
#include "token/streaming_decoder.h"
#include "token/testing_tokenizers.h"
#include "token/tokenizer_file.h"

namespace rhodes {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> GoldenTexts() { return ReadIdentityGoldens()["texts"].get<std::vector<std::string>>(); }

TEST(Identity, Encode_GivesTheIdsOfTheReferencesForEveryKind) {
  const std::vector<std::string> texts = GoldenTexts();
  ASSERT_GE(texts.size(), 40U);
  ASSERT_GE(TokenizerKinds().size(), 20U);
  for (const TokenizerKind& kind : TokenizerKinds()) {
    const auto ids = kind.golden["ids"].get<std::vector<std::vector<TokenId>>>();
    ASSERT_EQ(ids.size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(EncodeText(*kind.tokenizer, texts[i]), ids[i]) << kind.name << ", text " << i << ": " << Json(texts[i]);
    }
  }
}

TEST(Identity, Encode_FindsAllowedSpecialTokensAsTheReferencesDo) {
  const std::vector<std::string> texts = GoldenTexts();
  for (const TokenizerKind& kind : TokenizerKinds()) {
    EXPECT_GE(kind.golden["special"].size(), 3U) << kind.name;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string number = std::to_string(i);
      const Json& ids =
          kind.golden["special"].contains(number) ? kind.golden["special"][number] : kind.golden["ids"][i];
      EXPECT_EQ(EncodeText(*kind.tokenizer, texts[i], true), ids.get<std::vector<TokenId>>())
          << kind.name << ", text " << i << ": " << Json(texts[i]);
    }
  }
}

TEST(Identity, CheckNoSpecial_RefusesWhatTiktokenRefuses) {
  const std::vector<std::string> texts = GoldenTexts();
  int with_tiktoken = 0;
  for (const TokenizerKind& kind : TokenizerKinds()) {
    if (!kind.golden.contains("refused")) continue;
    ++with_tiktoken;
    const auto refused = kind.golden["refused"].get<std::vector<size_t>>();
    EXPECT_FALSE(refused.empty());
    for (size_t i = 0; i < texts.size(); ++i) {
      const bool found = std::find(refused.begin(), refused.end(), i) != refused.end();
      EXPECT_EQ(kind.tokenizer->CheckNoSpecial(texts[i]).ok(), !found) << kind.name << ", text " << i;
    }
  }
  EXPECT_EQ(with_tiktoken, 5);
  const absl::Status status = KindNamed("ranks_o200k").tokenizer->CheckNoSpecial("a <|endoftext <|endoftext|>");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), "the special token \"<|endoftext|>\" stands in the text, at byte 14");
}

// "<spec" is an ordinary added token, "<special>" a special one.
TEST(Identity, CheckNoSpecial_SeesSpecialTokensThatOrdinaryOnesBegin) {
  const Tokenizer& tokenizer = *KindNamed("gpt2_added").tokenizer;
  EXPECT_TRUE(tokenizer.CheckNoSpecial("<spec ial>x <plain> whole").ok());
  EXPECT_THAT(Message(tokenizer.CheckNoSpecial("<spec <special>")),
              HasSubstr("\"<special>\" stands in the text, at byte 6"));
  // Found in normalised text, and before the other one.
  EXPECT_THAT(Message(tokenizer.CheckNoSpecial("a<rn> <special>")),
              HasSubstr("\"<rn>\" stands in the text, at byte 1"));
}

TEST(Identity, Decode_GivesTheTextBackAsTheReferencesDo) {
  const std::vector<std::string> texts = GoldenTexts();
  for (const TokenizerKind& kind : TokenizerKinds()) {
    if (!kind.golden.contains("decoded")) continue;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string number = std::to_string(i);
      const Json& decoded = kind.golden["decoded"];
      EXPECT_EQ(kind.tokenizer->Decode(kind.golden["ids"][i].get<std::vector<TokenId>>()),
                decoded.contains(number) ? decoded[number].get<std::string>() : texts[i])
          << kind.name << ", text " << i;
    }
  }
}

TEST(Identity, StreamingDecoder_NeverSaysHalfACharacter) {
  const std::vector<std::string> texts = GoldenTexts();
  for (const TokenizerKind& kind : TokenizerKinds()) {
    StreamingDecoder decoder(*kind.tokenizer);
    for (const std::string& text : texts) {
      const std::vector<TokenId> ids = EncodeText(*kind.tokenizer, text);
      std::string all;
      for (const TokenId id : ids) {
        const std::string piece = decoder.Push(id);
        EXPECT_TRUE(IsValidUtf8(piece)) << kind.name << ", " << Json(text) << ", after " << all.size() << " bytes";
        all += piece;
      }
      EXPECT_EQ(decoder.Finish(), "") << "every character is whole at the end of a text";
      EXPECT_EQ(all, kind.tokenizer->Decode(ids)) << kind.name;
    }
  }
}

// Where characters end; a byte that is part of none is one by itself.
std::vector<bool> CharacterEnds(std::string_view text) {
  std::vector<bool> ends(text.size() + 1);
  ends[0] = true;
  for (size_t at = 0; at < text.size();) {
    at += DecodeCharacter(text.data() + at, text.data() + text.size(), CharacterClasses()).length;
    ends[at] = true;
  }
  return ends;
}

TEST(Identity, StreamingDecoder_LosesNoByteThatIsNoCharacter) {
  std::mt19937 random(23);
  const TokenizerKind& kind = KindNamed("o200k");
  StreamingDecoder decoder(*kind.tokenizer);
  for (int i = 0; i < 2000; ++i) {
    std::vector<TokenId> ids(random() % 12);
    for (TokenId& id : ids) id = random() % (random() % 2 == 0 ? 256 : kind.tokenizer->vocabulary_size());
    const std::string whole = kind.tokenizer->Decode(ids);
    const std::vector<bool> ends = CharacterEnds(whole);
    std::string all;
    for (const TokenId id : ids) {
      all += decoder.Push(id);
      ASSERT_LE(all.size(), whole.size());
      EXPECT_TRUE(ends[all.size()]) << "half a character after " << all.size() << " bytes of " << Json(ids);
    }
    EXPECT_EQ(all + decoder.Finish(), whole);
  }
}

std::string RandomBytes(std::mt19937& random, size_t size) {
  constexpr std::string_view kSmall = "ab the \n\t\r'sS12/\xCC\x81\xE2\x96\x81\xD9\x85\xF0\x9F\x99\x82<|>\xFF\x00";
  std::string bytes(size, '\0');
  const unsigned kind = random() % 4;
  for (char& byte : bytes) {
    byte = static_cast<char>(kind == 0 ? random() : kind == 1 ? random() % 128 : kSmall[random() % kSmall.size()]);
  }
  return bytes;
}

// What decoding is to give back: SentencePiece's mark is a space, and the space that begins a text goes unless
// encoding has put another before it.
std::string Shown(const TokenizerKind& kind, const std::string& bytes) {
  if (!kind.sentence_piece) return bytes;
  std::string shown;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool mark = bytes.compare(i, 3, "\u2581") == 0;
    shown += mark ? ' ' : bytes[i];
    i += mark ? 2 : 0;
  }
  if (kind.has("metaspace") && !shown.empty() && shown[0] == ' ') shown.erase(0, 1);
  return shown;
}

TEST(Identity, Decode_GivesRandomBytesBackForEveryKind) {
  std::mt19937 random(29);
  for (const TokenizerKind& kind : TokenizerKinds()) {
    if (kind.sentence_piece && kind.has("added")) continue;  // encoding puts spaces after added tokens
    for (int i = 0; i < 400; ++i) {
      std::string bytes = RandomBytes(random, random() % 120);
      if (kind.has("nfc")) bytes += '\xFF';  // what is no UTF-8 is not normalised
      EXPECT_EQ(kind.tokenizer->Decode(EncodeText(*kind.tokenizer, bytes)), Shown(kind, bytes)) << kind.name;
    }
  }
}

// SentencePiece-style encoding from the definition: of the whole text's characters, the first of the best pairs is
// merged, until none is left.
std::vector<TokenId> EncodeByDefinition(const TokenizerSpec& spec, std::string_view text) {
  std::vector<TokenId> ids;
  const auto append = [&](std::string_view character, uint32_t code) {
    for (const auto& [known, id] : spec.sentence_piece->characters) {
      if (known == code) return ids.push_back(id);
    }
    for (const char byte : character) ids.push_back(spec.sentence_piece->bytes[static_cast<uint8_t>(byte)]);
  };
  if (!text.empty()) append(" ", ' ');
  for (const char *at = text.data(), *const end = at + text.size(); at < end;) {
    const Character character = DecodeCharacter(at, end, CharacterClasses());
    append({at, character.length}, character.code == 0x2581 ? ' ' : character.code);
    at += character.length;
  }
  for (size_t rank = 0; rank < spec.merges.size();) {
    const Merge& merge = spec.merges[rank++];
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      if (ids[i] != merge.left || ids[i + 1] != merge.right) continue;
      ids[i] = merge.result;
      ids.erase(ids.begin() + static_cast<ptrdiff_t>(i) + 1);
      rank = 0;  // a better pair may have come about
      break;
    }
  }
  return ids;
}

TEST(Identity, Encode_SentencePieceWordsFollowTheDefinition) {
  auto json = ReadFile(kTokenTestData + "/sentence_piece.json");
  ASSERT_TRUE(json.ok());
  auto spec = ParseTokenizerFile(*json, "sentence_piece");
  ASSERT_TRUE(spec.ok()) << Message(spec.status());
  const Tokenizer& tokenizer = *KindNamed("llama2").tokenizer;
  std::mt19937 random(53);
  const std::vector<std::string> parts = {" ",      "  ",     "\u2581", "the", "th", "e",       "in",
                                          "an",     "a",      "s",      "er",  "t",  "\n",      "\xFF",
                                          "\u00e9", "\u4e2d", "1",      ".",   "or", "\xE2\x96"};
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (size_t n = random() % (i % 8 == 0 ? 150 : 20); n > 0; --n) text += parts[random() % parts.size()];
    EXPECT_EQ(EncodeText(tokenizer, text), EncodeByDefinition(*spec, text)) << i;
  }
}

TEST(Identity, Encode_NormalisesToFormCOnlyOnce) {
  const Tokenizer& tokenizer = *KindNamed("qwen2_nfc").tokenizer;
  std::mt19937 random(31);
  constexpr char32_t kCharacters[] = {'a', 'e', 0x301, 0x323, 0x315, 0x344, 0x1100, 0x1161, 0x11A8, 0x2126, 0xE9, ' '};
  for (int i = 0; i < 1000; ++i) {
    std::string text;
    for (size_t n = random() % 20; n > 0; --n) AppendUtf8(kCharacters[random() % std::size(kCharacters)], text);
    const std::vector<TokenId> ids = EncodeText(tokenizer, text);
    EXPECT_EQ(EncodeText(tokenizer, tokenizer.Decode(ids)), ids) << Json(text);
  }
}

// Long enough to be shared out among threads, with places where a cut would be wrong: long words, runs of white space,
// special tokens, characters of several bytes, no line feed for a long time.
std::string LongText() {
  std::mt19937 random(37);
  const std::vector<std::string> texts = GoldenTexts();
  std::string text;
  while (text.size() < (size_t{3} << 19)) {
    switch (random() % 64) {
      case 0:
        text.append(random() % 30000, " \n\ta'\xCC"[random() % 6]);
        break;
      case 1:
        text += RandomBytes(random, random() % 3000);
        break;
      case 2:
        for (size_t n = random() % 20000; n > 0; --n) text += "<|endoftext|>";
        break;
      default:
        text += texts[random() % texts.size()];
    }
  }
  return text;
}

TEST(Identity, EncodeOnThreads_GivesTheSameForAnyNumber) {
  const std::string text = LongText();
  for (const char* name : {"gpt2", "cl100k_base", "o200k", "gpt2_added", "qwen2_nfc_added", "llama2_added", "gemma",
                           "metaspace_first_added"}) {
    const TokenizerKind& kind = KindNamed(name);
    for (const bool allow_special : {false, true}) {
      const std::vector<TokenId> expected = EncodeText(*kind.tokenizer, text, allow_special);
      for (const int threads : {2, 5}) {
        std::vector<TokenId> ids = {7};  // what is there stays
        kind.tokenizer->EncodeOnThreads(text, threads, ids, allow_special);
        ASSERT_EQ(ids[0], 7U);
        ids.erase(ids.begin());
        ASSERT_EQ(ids.size(), expected.size()) << kind.name << ", " << threads << " threads";
        const auto [one, other] = std::mismatch(ids.begin(), ids.end(), expected.begin());
        ASSERT_EQ(one, ids.end()) << kind.name << ", " << threads << " threads, id " << one - ids.begin();
      }
    }
  }
}

}  // namespace
}  // namespace rhodes
