// The cost of encoding is linear in the text for every text: twice the text, twice the instructions.
#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <random>

#include "token/testing_tokenizers.h"

namespace rhodes {
namespace {

// Counts this thread's instructions in user space where the kernel lets it, which nothing else on the machine disturbs;
// its processor time in nanoseconds otherwise.
class WorkMeter {
 public:
  WorkMeter() {
    perf_event_attr attributes = {};
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    counter_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  }
  ~WorkMeter() {
    if (counter_ >= 0) close(counter_);
  }
  WorkMeter(const WorkMeter&) = delete;
  WorkMeter& operator=(const WorkMeter&) = delete;

  bool counts_instructions() const { return counter_ >= 0; }

  // The least of several runs.
  template <typename Work>
  double Least(int runs, Work&& work) const {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < runs; ++i) {
      const double begun = Now();
      work();
      least = std::min(least, Now() - begun);
    }
    return least;
  }

 private:
  double Now() const {
    if (uint64_t count = 0; counter_ >= 0 && read(counter_, &count, sizeof(count)) == sizeof(count)) {
      return static_cast<double>(count);
    }
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }

  int counter_;
};

std::string Repeated(std::string_view unit, size_t size) {
  std::string text;
  text.reserve(size + unit.size());
  while (text.size() < size) text += unit;
  text.resize(size / unit.size() * unit.size());
  return text;
}

std::string RandomOf(std::string_view letters, size_t size) {
  std::mt19937 random(41);
  std::string text(size, '\0');
  for (char& letter : text) letter = letters[random() % letters.size()];
  return text;
}

// Marks whose order a normaliser has to turn round: all those that belong after come first.
std::string MarksInWrongOrder(size_t size) { return "a" + Repeated("\u0301", size / 2) + Repeated("\u0323", size / 2); }

struct HardText {
  const char* name;
  std::string (*make)(size_t size);
};

const HardText kHardTexts[] = {
    {"equal letters", [](size_t size) { return std::string(size, 'a'); }},
    {"equal capitals", [](size_t size) { return std::string(size, 'A'); }},
    {"alternating pairs", [](size_t size) { return Repeated("ab", size); }},
    {"letters that merge in many ways", [](size_t size) { return RandomOf("etaoinhsrd", size); }},
    {"Chinese without spaces", [](size_t size) { return Repeated("\u4e2d\u6587\u5b57", size); }},
    {"one combining mark", [](size_t size) { return Repeated("\u0301", size); }},
    {"combining marks in turn", [](size_t size) { return Repeated("\u0315\u0301\u0323\u0344", size); }},
    {"combining marks in the wrong order", MarksInWrongOrder},
    {"marks behind each letter", [](size_t size) { return Repeated("e\u0301\u0323\u0315", size); }},
    {"Hangul in parts", [](size_t size) { return Repeated("\u1100\u1161\u11a8", size); }},
    {"compositions that are excluded", [](size_t size) { return Repeated("\u0958\u2adc\ufb1d", size); }},
    {"digits", [](size_t size) { return RandomOf("0123456789", size); }},
    {"spaces", [](size_t size) { return std::string(size, ' '); }},
    {"line feeds", [](size_t size) { return std::string(size, '\n'); }},
    {"a line feed before spaces", [](size_t size) { return "\n" + std::string(size - 1, ' '); }},
    {"runs of white space", [](size_t size) { return Repeated(" \n\t\u3000\r ", size); }},
    {"spaces and a letter in turn", [](size_t size) { return Repeated("        a", size); }},
    {"bytes that begin nothing", [](size_t size) { return std::string(size, '\xFF'); }},
    {"bytes that continue nothing", [](size_t size) { return std::string(size, '\x80'); }},
    {"characters that are cut off", [](size_t size) { return Repeated("\xF0\x9F\x99", size); }},
    {"symbols", [](size_t size) { return std::string(size, '='); }},
    {"apostrophes", [](size_t size) { return std::string(size, '\''); }},
    {"beginnings of a special token", [](size_t size) { return Repeated("<|", size); }},
    {"special tokens but for the last letter", [](size_t size) { return Repeated("<|endoftext|", size); }},
    {"special tokens", [](size_t size) { return Repeated("<|endoftext|>", size); }},
    {"spaces before ordinary added tokens", [](size_t size) { return Repeated("            <both>", size); }},
    {"parts of added tokens", [](size_t size) { return Repeated("<spec<plain\u00e9t", size); }},
    {"white space that is a token", [](size_t size) { return Repeated("\n\n\n <both>", size); }},
    {"SentencePiece's mark", [](size_t size) { return Repeated("\u2581", size); }},
};

class Linear : public ::testing::TestWithParam<const char*> {};

TEST_P(Linear, Encode_TakesTwiceTheWorkForTwiceTheText) {
  const WorkMeter meter;
  const TokenizerKind& kind = KindNamed(GetParam());
  for (const HardText& hard : kHardTexts) {
    const auto work = [&](size_t size) {
      const std::string text = hard.make(size);
      std::vector<TokenId> ids;
      ids.reserve(text.size() + 16);
      return meter.Least(meter.counts_instructions() ? 1 : 3, [&] {
        ids.clear();
        kind.tokenizer->Encode(text, ids, true);
      });
    };
    work(1 << 10);  // so that memory and caches are there
    constexpr size_t kSmall = 1 << 14;
    constexpr size_t kFactor = 8;
    const double small = work(kSmall);
    const double large = work(kFactor * kSmall);
    // Of instructions a fifth more; of time, which outgrown caches cost too, three times more. Quadratic work would be
    // 8 times more.
    const double most = kFactor * (meter.counts_instructions() ? 1.2 : 3.0);
    EXPECT_LT(large, most * small + 1e6) << kind.name << ", " << hard.name;
    RecordProperty(hard.name, std::to_string(large / small / kFactor));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Linear,
                         ::testing::Values("gpt2", "llama3", "cl100k_base", "o200k", "qwen2_nfc", "qwen2_nfc_added",
                                           "gpt2_added", "ranks_o200k", "llama2", "llama2_added", "gemma",
                                           "metaspace_always", "metaspace_first_whole"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace rhodes
