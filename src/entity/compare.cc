#include "entity/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "base/text.h"
#include "entity/similarity.h"

namespace rhodes {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr double kSoftWord = 0.9;  // two words of at least this similarity count as one with a slip; so do initials
constexpr size_t kLongestText = 20'000;

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};
constexpr ComparisonName kComparisons[] = {{"name", Comparison::kName},
                                           {"text", Comparison::kText},
                                           {"number", Comparison::kNumber},
                                           {"place", Comparison::kPlace},
                                           {"exact", Comparison::kExact}};

constexpr std::string_view kWordFeatures[] = {"words", "exact words", "contained", "codes", "numbers", "spelling"};

bool HasWords(Comparison comparison) { return comparison == Comparison::kName || comparison == Comparison::kText; }

std::string JoinWords(const std::vector<Word>& words) {
  std::string joined;
  for (const Word& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += word.text;
  }
  return joined;
}

void SortUnique(std::vector<uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

}  // namespace

absl::StatusOr<Comparison> ParseComparison(std::string_view name) {
  std::vector<std::string> known;
  for (const ComparisonName& entry : kComparisons) {
    if (entry.name == name) return entry.comparison;
    known.emplace_back(entry.name);
  }
  const std::string nearest = Nearest(name, known);
  return UsageError(fmt::format("\"{}\" is no comparison: name, text, number, place or exact{}", name,
                                nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
}

std::string_view NameOf(Comparison comparison) {
  for (const ComparisonName& entry : kComparisons) {
    if (entry.comparison == comparison) return entry.name;
  }
  return "";
}

absl::StatusOr<Comparer> Comparer::Create(std::vector<MatchAttribute> attributes,
                                          const std::vector<std::vector<std::string>>& values,
                                          const RunContext& context) {
  Comparer comparer;
  comparer.attributes_ = std::move(attributes);
  comparer.NameFeatures();
  const size_t count = comparer.attributes_.size();
  comparer.values_.resize(values.size());
  absl::flat_hash_map<std::string, uint32_t> terms;
  comparer.terms_.resize(values.size());
  MatchAttribute whole;
  whole.comparison = Comparison::kText;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % 1024 == 0) RETURN_IF_ERROR(context.CheckCancelled());
    std::vector<Value>& own = comparer.values_[i];
    own.resize(count + 1);
    std::string all;
    for (size_t k = 0; k < count; ++k) {
      const std::string text = ReplaceInvalidUtf8(values[i][k].substr(0, kLongestText));
      comparer.Fill(comparer.attributes_[k], text, own[k]);
      if (HasWords(comparer.attributes_[k].comparison)) all += text + " ";
    }
    comparer.Fill(whole, all, own[count]);
    // A word counts once a mention, wherever it stands in it.
    std::vector<uint32_t> seen;
    for (const Value& value : own) {
      for (const std::vector<Part>* parts : {&value.words, &value.skeletons}) {
        for (const Part& part : *parts) seen.push_back(part.word);
      }
    }
    SortUnique(seen);
    for (const uint32_t word : seen) ++comparer.words_[word].mentions;
    comparer.AddTerms(i, terms);
  }
  comparer.term_count_ = terms.size();
  for (const WordEntry& word : comparer.words_) {
    comparer.idf_.push_back(
        static_cast<float>(std::log1p(static_cast<double>(values.size()) / std::max<uint32_t>(word.mentions, 1))));
  }
  const absl::Status weighed = ParallelFor(context.Threads(), values.size(), [&](size_t i) {
    for (Value& value : comparer.values_[i]) {
      comparer.Weigh(value.words);
      comparer.Weigh(value.skeletons);
    }
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(weighed);
  return comparer;
}

void Comparer::NameFeatures() {
  for (const MatchAttribute& attribute : attributes_) {
    leading_.push_back(names_.size());
    if (!HasWords(attribute.comparison)) {
      independent_.push_back(names_.size());
      names_.push_back(attribute.name);
      continue;
    }
    for (const std::string_view feature : kWordFeatures) {
      if (feature == "words" || feature == "codes" || feature == "numbers") independent_.push_back(names_.size());
      names_.push_back(fmt::format("{}.{}", attribute.name, feature));
    }
  }
  for (const std::string_view feature : kWordFeatures) names_.push_back(fmt::format("*.{}", feature));
}

uint32_t Comparer::Intern(const std::string& word) {
  const auto [it, added] = word_ids_.try_emplace(word, static_cast<uint32_t>(words_.size()));
  if (added) words_.push_back({word, 0});
  return it->second;
}

void Comparer::Fill(const MatchAttribute& attribute, const std::string& text, Value& value) {
  if (Trim(text).empty()) return;
  if (attribute.comparison == Comparison::kNumber) {
    const std::optional<double> number = NumberIn(text);
    value.present = number.has_value();
    value.number = number.value_or(0);
    return;
  }
  if (attribute.comparison == Comparison::kPlace) {
    const auto place = PlaceIn(text);
    value.present = place.has_value();
    if (place) std::tie(value.number, value.longitude) = *place;
    return;
  }
  const std::vector<Word> words = WordsOf(text);
  value.plain = JoinWords(words);
  value.present = !words.empty();
  if (attribute.comparison == Comparison::kExact) return;
  value.arabic = HasArabic(value.plain);
  absl::flat_hash_map<uint32_t, float> counts;
  absl::flat_hash_map<uint32_t, float> skeletons;
  for (const Word& word : words) {
    const uint32_t id = Intern(word.text);
    ++counts[id];
    if (word.kind == Word::Kind::kCode) value.codes.push_back(id);
    if (word.kind == Word::Kind::kNumber) value.numbers.push_back(id);
    if (attribute.comparison != Comparison::kName) continue;
    const std::string skeleton = Skeleton(word.text);
    if (!skeleton.empty()) ++skeletons[Intern("\x01" + skeleton)];  // no word of a text begins so
  }
  SortUnique(value.codes);
  SortUnique(value.numbers);
  for (const auto& [id, count] : counts) value.words.push_back({id, count});
  for (const auto& [id, count] : skeletons) value.skeletons.push_back({id, count});
  for (std::vector<Part>* parts : {&value.words, &value.skeletons}) {
    std::sort(parts->begin(), parts->end(), [](const Part& a, const Part& b) { return a.word < b.word; });
  }
}

void Comparer::Weigh(std::vector<Part>& words) const {
  double square = 0;
  for (Part& part : words) {
    part.weight = (1 + std::log(part.weight)) * idf_[part.word];
    square += double{part.weight} * part.weight;
  }
  if (square <= 0) return;
  const double norm = std::sqrt(square);
  for (Part& part : words) part.weight = static_cast<float>(part.weight / norm);
}

void Comparer::AddTerms(size_t mention, absl::flat_hash_map<std::string, uint32_t>& terms) {
  std::vector<uint32_t>& own = terms_[mention];
  const auto add = [&](const std::string& term) {
    own.push_back(terms.try_emplace(term, static_cast<uint32_t>(terms.size())).first->second);
  };
  for (size_t k = 0; k < attributes_.size(); ++k) {
    const Value& value = values_[mention][k];
    if (!value.present) continue;
    if (attributes_[k].comparison == Comparison::kPlace) {
      // The cell that a place lies in and those around it, so that near places share one whatever the borders.
      const double degrees = std::max(attributes_[k].within, 1.0) / 111'000;
      const auto row = static_cast<int64_t>(std::floor(value.number / degrees));
      const double width = degrees / std::max(0.01, std::cos((value.number) * 0.017453292519943295));
      const auto column = static_cast<int64_t>(std::floor(value.longitude / width));
      for (int64_t dy = 0; dy <= 1; ++dy) {
        for (int64_t dx = 0; dx <= 1; ++dx) add(fmt::format("p{} {} {}", k, row + dy, column + dx));
      }
    } else if (attributes_[k].comparison == Comparison::kExact) {
      add(fmt::format("e{} {}", k, value.plain));
    } else if (HasWords(attributes_[k].comparison)) {
      std::string_view before;
      for (const std::string_view word : Split(value.plain, ' ')) {
        add(fmt::format("w{}", word));
        if (!before.empty()) add(fmt::format("b{} {}", before, word));
        if (word.size() >= 6) add(fmt::format("s{}", word.substr(0, 5)));
        before = word;
      }
      for (const Part& part : value.skeletons) add(words_[part.word].text);
    }
  }
  SortUnique(own);
}

double Comparer::Cosine(const std::vector<Part>& a, const std::vector<Part>& b) const {
  double sum = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].word == b[j].word) {
      sum += double{a[i++].weight} * b[j++].weight;
    } else if (a[i].word < b[j].word) {
      ++i;
    } else {
      ++j;
    }
  }
  return std::min(sum, 1.0);
}

// Soft TF-IDF (Cohen, Ravikumar and Fienberg 2003): words that are nearly the same count by how near they are.
double Comparer::SoftCosine(const std::vector<Part>& a, const std::vector<Part>& b) const {
  double sum = 0;
  for (const Part& left : a) {
    const std::string& word = words_[left.word].text;
    double best = 0;
    double weight = 0;
    for (const Part& right : b) {
      const std::string& other = words_[right.word].text;
      double alike = left.word == right.word ? 1 : 0;
      const size_t gap = word.size() > other.size() ? word.size() - other.size() : other.size() - word.size();
      const bool slip = gap <= 2 && std::min(word.size(), other.size()) >= 4 && word[0] == other[0] &&
                        std::none_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (alike == 0 && slip) alike = JaroWinkler(word, other);
      const bool initial = std::min(word.size(), other.size()) == 1 && word[0] == other[0] && word[0] >= 'a';
      if (alike == 0 && initial) alike = kSoftWord;
      if (alike < kSoftWord || alike <= best) continue;
      best = alike;
      weight = right.weight;
    }
    sum += best * left.weight * weight;
  }
  return std::min(sum, 1.0);
}

// How much of the value with less to say stands in the other.
double Comparer::Containment(const std::vector<Part>& a, const std::vector<Part>& b) const {
  double common = 0;
  double left = 0;
  double right = 0;
  for (const Part& part : a) left += idf_[part.word];
  for (const Part& part : b) right += idf_[part.word];
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].word == b[j].word) {
      common += idf_[a[i].word];
      ++i;
      ++j;
    } else if (a[i].word < b[j].word) {
      ++i;
    } else {
      ++j;
    }
  }
  const double less = std::min(left, right);
  return less > 0 ? common / less : 0;
}

float Comparer::Codes(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) const {
  if (a.empty() || b.empty()) return kMissing;
  double best = 0;
  for (const uint32_t left : a) {
    for (const uint32_t right : b) best = std::max(best, CodeCloseness(words_[left].text, words_[right].text));
  }
  return static_cast<float>(best);
}

float Comparer::Numbers(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) const {
  if (a.empty() || b.empty()) return kMissing;
  std::vector<uint32_t> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return static_cast<float>(common.size()) / static_cast<float>(a.size() + b.size() - common.size());
}

void Comparer::CompareWords(Comparison comparison, const Value& a, const Value& b, Features& features) const {
  if (!a.present || !b.present) {
    features.insert(features.end(), std::size(kWordFeatures), kMissing);
    return;
  }
  const bool by_consonants = comparison == Comparison::kName && a.arabic != b.arabic;
  const std::vector<Part>& left = by_consonants ? a.skeletons : a.words;
  const std::vector<Part>& right = by_consonants ? b.skeletons : b.words;
  features.push_back(static_cast<float>(SoftCosine(left, right)));
  features.push_back(static_cast<float>(Cosine(left, right)));
  features.push_back(static_cast<float>(Containment(left, right)));
  features.push_back(Codes(a.codes, b.codes));
  features.push_back(Numbers(a.numbers, b.numbers));
  constexpr size_t kSpelling = 64;  // bytes: what follows is no name any more
  features.push_back(by_consonants ? kMissing
                                   : static_cast<float>(JaroWinkler(std::string_view(a.plain).substr(0, kSpelling),
                                                                    std::string_view(b.plain).substr(0, kSpelling))));
}

Features Comparer::Compare(size_t a, size_t b) const {
  Features features;
  features.reserve(names_.size());
  for (size_t k = 0; k < attributes_.size(); ++k) {
    const Value& left = values_[a][k];
    const Value& right = values_[b][k];
    const Comparison comparison = attributes_[k].comparison;
    if (HasWords(comparison)) {
      CompareWords(comparison, left, right, features);
    } else if (!left.present || !right.present) {
      features.push_back(kMissing);
    } else if (comparison == Comparison::kNumber) {
      features.push_back(static_cast<float>(NumberCloseness(left.number, right.number)));
    } else if (comparison == Comparison::kPlace) {
      const double metres = MetresBetween({left.number, left.longitude}, {right.number, right.longitude});
      features.push_back(static_cast<float>(std::exp2(-metres / std::max(attributes_[k].within, 1e-3))));
    } else {
      features.push_back(left.plain == right.plain ? 1.0F : 0.0F);
    }
  }
  CompareWords(Comparison::kText, values_[a].back(), values_[b].back(), features);
  return features;
}

Json EvidenceOf(const Comparer& comparer, const Features& features, const std::vector<std::string>& a,
                const std::vector<std::string>& b) {
  Json evidence = Json::object();
  size_t at = 0;
  for (size_t k = 0; k < comparer.attributes().size(); ++k) {
    const MatchAttribute& attribute = comparer.attributes()[k];
    Json similarity = Json::object();
    const size_t count = HasWords(attribute.comparison) ? std::size(kWordFeatures) : 1;
    for (size_t i = 0; i < count; ++i, ++at) {
      if (std::isnan(features[at])) continue;
      const std::string name(HasWords(attribute.comparison) ? kWordFeatures[i] : NameOf(attribute.comparison));
      similarity[name] = std::round(double{features[at]} * 10'000) / 10'000;
    }
    if (a[k].empty() && b[k].empty()) continue;
    evidence[attribute.name] = {{"a", a[k]}, {"b", b[k]}, {"similarity", std::move(similarity)}};
  }
  return evidence;
}

}  // namespace rhodes
