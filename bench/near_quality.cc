// How well near duplicates are found: recall and precision against the exact Jaccard similarity of all pairs, ours
// beside the reference's signatures and bands.
//
// usage: bench_near_quality FILE.jsonl [DOCUMENTS]
//        bench_near_quality FILE.jsonl signatures   prints the reference's form and signature of each text, as JSON
//                                                   Lines, for bench/peers/datatrove_near_check.py
//
// All pairs of documents that share a shingle are compared by their sets of shingles, each method by the sets of its
// own matching form; pairs that share none have similarity 0. A pair is found when the method joins it by itself,
// without the help of a third document. Prints a row of the curve for each twentieth of similarity, then how many found
// pairs lie below it.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "curate/comparison.h"
#include "curate/matching_text.h"
#include "curate/near.h"

namespace {

using rhodes::NearSignature;

struct Method {
  const char* name;
  rhodes::NearSettings settings;
};

// Sorted hashes of the distinct shingles.
std::vector<uint64_t> ShinglesOf(const std::string& text, bool datatrove) {
  std::string form;
  if (datatrove) {
    rhodes::SimplifyText(text, form);
  } else {
    rhodes::MatchingText(text, form);
  }
  std::vector<std::string_view> words;
  rhodes::SplitAtSpaces(form, words);
  std::string joined;
  std::vector<uint64_t> shingles;
  rhodes::DatatroveShingles(words, joined, shingles);
  std::sort(shingles.begin(), shingles.end());
  shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
  return shingles;
}

bool Found(const NearSignature& a, const NearSignature& b, const Method& method, size_t bands) {
  bool shared = false;
  for (size_t i = 0; i < bands && !shared; ++i) shared = a.bands[i] == b.bands[i];
  if (!shared || method.settings.datatrove || method.settings.verify_similarity == 0) return shared;
  return rhodes::EqualBins(a.sketch.data(), b.sketch.data()) >= rhodes::EqualBinsOf(method.settings.verify_similarity);
}

void Measure(const std::vector<std::string>& texts, const Method& method) {
  const rhodes::NearHasher hasher(method.settings);
  rhodes::NearScratch scratch;
  std::vector<NearSignature> signatures;
  std::vector<std::vector<uint64_t>> shingles;
  std::unordered_map<uint64_t, std::vector<uint32_t>> documents_of;
  for (const std::string& text : texts) {
    signatures.push_back(hasher.Sign(text, scratch));
    shingles.push_back(ShinglesOf(text, method.settings.datatrove));
    for (const uint64_t shingle : shingles.back()) {
      documents_of[shingle].push_back(static_cast<uint32_t>(shingles.size() - 1));
    }
  }
  constexpr size_t kSteps = 21;
  std::vector<uint64_t> pairs(kSteps, 0);
  std::vector<uint64_t> found(kSteps, 0);
  std::vector<uint32_t> shared(texts.size(), 0);
  std::vector<uint32_t> touched;
  for (uint32_t i = 0; i < texts.size(); ++i) {
    touched.clear();
    for (const uint64_t shingle : shingles[i]) {
      for (const uint32_t k : documents_of[shingle]) {
        if (k >= i) break;
        if (shared[k]++ == 0) touched.push_back(k);
      }
    }
    for (const uint32_t k : touched) {
      const double jaccard =
          static_cast<double>(shared[k]) / static_cast<double>(shingles[i].size() + shingles[k].size() - shared[k]);
      const auto step = static_cast<size_t>(jaccard * 20 + 1e-9);
      ++pairs[step];
      found[step] += Found(signatures[i], signatures[k], method, hasher.bands()) ? 1 : 0;
      shared[k] = 0;
    }
  }
  fmt::print("{}\n  similarity     pairs    found   share\n", method.name);
  uint64_t all_found = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    all_found += found[step];
    const double share =
        pairs[step] == 0 ? 0 : 100.0 * static_cast<double>(found[step]) / static_cast<double>(pairs[step]);
    fmt::print("  {:.2f}..      {:9} {:8}  {:5.1f} %\n", 0.05 * static_cast<double>(step), pairs[step], found[step],
               share);
  }
  for (const size_t least : {14, 15, 16}) {
    uint64_t true_pairs = 0;
    uint64_t true_found = 0;
    for (size_t step = least; step < kSteps; ++step) {
      true_pairs += pairs[step];
      true_found += found[step];
    }
    fmt::print("  duplicates are pairs of {:.2f} and more: precision {:.4f}, recall {:.4f}\n",
               0.05 * static_cast<double>(least), static_cast<double>(true_found) / static_cast<double>(all_found),
               static_cast<double>(true_found) / static_cast<double>(true_pairs));
  }
}

// By the words of the reference's own tokenizer, as --compatibility datatrove takes them.
void PrintSignatures(const std::vector<std::string>& texts) {
  rhodes::CurateSettings compatible;
  compatible.datatrove_compatibility = true;
  const rhodes::ShingleWords split_words = rhodes::NearSettingsOf(compatible).split_words;
  for (const std::string& text : texts) {
    rhodes::Json row;
    std::string form;
    rhodes::SimplifyText(text, form);
    row["simplified"] = form;
    std::vector<std::string_view> words;
    split_words(form, words);
    std::string joined;
    std::vector<uint64_t> shingles;
    rhodes::DatatroveShingles(words, joined, shingles);
    if (!shingles.empty()) {
      rhodes::DatatroveMinima minima;
      rhodes::DatatroveMinHash(shingles, minima);
      row["signature"] = minima;
    }
    fmt::print("{}\n", rhodes::DumpJson(row));
  }
}

absl::Status Run(const char* path, size_t most, bool signatures) {
  ASSIGN_OR_RETURN(const rhodes::MappedFile file, rhodes::MappedFile::Open(path));
  simdjson::dom::parser parser;
  std::vector<std::string> texts;
  std::string_view lines = file.bytes();
  while (!lines.empty() && texts.size() < most) {
    const size_t end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const simdjson::padded_string line(lines.substr(0, end));
    lines.remove_prefix(end);
    std::string_view text;
    if (parser.parse(line)["text"].get(text) != simdjson::SUCCESS) {
      return absl::InvalidArgumentError(fmt::format("line {} has no text", texts.size() + 1));
    }
    texts.emplace_back(text);
  }
  if (signatures) {
    PrintSignatures(texts);
    return absl::OkStatus();
  }
  fmt::print("{} documents\n", texts.size());
  rhodes::NearSettings reference;
  reference.datatrove = true;
  rhodes::NearSettings unverified;
  unverified.verify_similarity = 0;
  for (const Method& method :
       {Method{"own", {}}, Method{"own, not verified", unverified}, Method{"datatrove", reference}}) {
    Measure(texts, method);
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_near_quality FILE.jsonl [DOCUMENTS | signatures]\n");
    return 2;
  }
  const bool signatures = argc > 2 && std::string_view(argv[2]) == "signatures";
  const size_t most = argc > 2 && !signatures ? static_cast<size_t>(std::atoll(argv[2])) : ~size_t{0};
  const absl::Status status = Run(argv[1], most, signatures);
  if (!status.ok()) fmt::print(stderr, "{}\n", rhodes::Message(status));
  return status.ok() ? 0 : 1;
}
