// Two mentions beside each other: for each attribute how alike its values are, in several ways.
#ifndef RHODES_ENTITY_COMPARE_H_
#define RHODES_ENTITY_COMPARE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/json.h"
#include "base/run_context.h"
#include "entity/normal_form.h"

namespace rhodes {

enum class Comparison {
  kName,    // a name of a person, product, place or organisation: words with small slips, Arabic beside Latin letters
  kText,    // a longer text: words, weighted by how rare they are
  kNumber,  // the first number in it
  kPlace,   // "LATITUDE LONGITUDE": metres apart
  kExact    // equal or not, case and accents aside
};
absl::StatusOr<Comparison> ParseComparison(std::string_view name);
std::string_view NameOf(Comparison comparison);

struct MatchAttribute {
  std::string name;
  Comparison comparison = Comparison::kName;
  double within = 1000;  // metres at which places are half alike
  double weight = 0;     // above 0: the score is the weighted mean of the similarities, and nothing is fitted
};

// Similarities of one pair. NaN: a side has no value there, which says nothing for or against.
using Features = std::vector<float>;

// Holds what each mention's values are made of; memory: about 100 bytes a word. Mentions are numbered from 0 in the
// order of Create(). Immutable, so it may be used from several threads.
class Comparer {
 public:
  // `values`[mention][attribute]; an empty value is none. Rare words weigh more, by their frequency among these
  // mentions: ln(1 + N / df).
  static absl::StatusOr<Comparer> Create(std::vector<MatchAttribute> attributes,
                                         const std::vector<std::vector<std::string>>& values,
                                         const RunContext& context);

  // Those of all attributes one after the other, and last those of all values together.
  Features Compare(size_t a, size_t b) const;
  size_t feature_count() const { return names_.size(); }
  // "title.words", "title.codes", "price".
  const std::vector<std::string>& feature_names() const { return names_; }
  // Those that a model without labels uses: one kind of evidence each, as independent as they come.
  const std::vector<size_t>& independent() const { return independent_; }
  // One for each attribute, the similarity that stands for it: of the given weights and in evidence.
  const std::vector<size_t>& leading() const { return leading_; }
  const std::vector<MatchAttribute>& attributes() const { return attributes_; }

  // What candidates are found by: for each mention numbers of its words, pairs of words, codes, places; sorted, unique.
  const std::vector<std::vector<uint32_t>>& blocking_terms() const { return terms_; }
  size_t term_count() const { return term_count_; }

 private:
  struct Part {
    uint32_t word = 0;  // in words_
    float weight = 0;   // of a unit vector
  };
  struct Value {
    bool present = false;
    bool arabic = false;
    std::string plain;            // words with a space between
    std::vector<Part> words;      // sorted by word
    std::vector<Part> skeletons;  // the same of their consonants; names only
    std::vector<uint32_t> codes;
    std::vector<uint32_t> numbers;
    double number = 0;
    double longitude = 0;
  };
  struct WordEntry {
    std::string text;
    uint32_t mentions = 0;
  };

  Comparer() = default;
  void NameFeatures();
  uint32_t Intern(const std::string& word);
  void Fill(const MatchAttribute& attribute, const std::string& text, Value& value);
  void Weigh(std::vector<Part>& words) const;
  void AddTerms(size_t mention, absl::flat_hash_map<std::string, uint32_t>& terms);
  double Cosine(const std::vector<Part>& a, const std::vector<Part>& b) const;
  double SoftCosine(const std::vector<Part>& a, const std::vector<Part>& b) const;
  double Containment(const std::vector<Part>& a, const std::vector<Part>& b) const;
  void CompareWords(Comparison comparison, const Value& a, const Value& b, Features& features) const;
  float Codes(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) const;
  float Numbers(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) const;

  std::vector<MatchAttribute> attributes_;
  std::vector<std::string> names_;
  std::vector<size_t> independent_;
  std::vector<size_t> leading_;
  absl::flat_hash_map<std::string, uint32_t> word_ids_;
  std::vector<WordEntry> words_;
  std::vector<float> idf_;
  std::vector<std::vector<Value>> values_;  // [mention][attribute, and last all]
  std::vector<std::vector<uint32_t>> terms_;
  size_t term_count_ = 0;
};

// What evidence says of a pair: {"title": {"a": "...", "b": "...", "similarity": {"words": 0.83, "codes": 1}}}.
Json EvidenceOf(const Comparer& comparer, const Features& features, const std::vector<std::string>& a,
                const std::vector<std::string>& b);

}  // namespace rhodes

#endif  // RHODES_ENTITY_COMPARE_H_
