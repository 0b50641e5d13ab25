#include "token/training_weights.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace rhodes {
namespace {

// A few sentences taken for a language of their own must not become the whole vocabulary.
constexpr double kMostWeight = 100'000;

std::optional<double> Number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

absl::Status Wrong(const std::string& text, std::string_view why) {
  return UsageError(
      fmt::format("weight \"{}\": {}; allowed: language=equal, language=proportional, language=alpha:A (A from 0 to "
                  "1), language=temperature:T (T from 1), language:NAME=W (W above 0), and the same with source",
                  text, why));
}

absl::StatusOr<double> ExponentFrom(const std::string& text, std::string_view value) {
  if (value == "proportional") return 1;
  if (value == "equal") return 0;
  for (const std::string_view kind : {"alpha:", "temperature:"}) {
    if (!value.starts_with(kind)) continue;
    const std::optional<double> number = Number(value.substr(kind.size()));
    if (kind == "alpha:") {
      if (!number || *number < 0 || *number > 1) return Wrong(text, "alpha is a number from 0 to 1");
      return *number;
    }
    if (!number || *number < 1) {
      return Wrong(text, "a temperature is a number from 1 on; for an exponent such as 0.3 write alpha:0.3");
    }
    return 1 / *number;
  }
  return Wrong(text, fmt::format("\"{}\" is not known", value));
}

absl::Status Multiply(const WeightRule& rule, const char* what, std::string TextGroup::*name,
                      const std::vector<TextGroup>& groups, const std::vector<uint64_t>& text_bytes,
                      std::vector<double>& weights) {
  std::map<std::string, double> bytes;
  double all = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    bytes[groups[i].*name] += static_cast<double>(text_bytes[i]);
    all += static_cast<double>(text_bytes[i]);
  }
  for (const auto& [named, factor] : rule.factors) {
    if (bytes.contains(named)) continue;
    std::string known;
    for (const auto& [one, size] : bytes) known += (known.empty() ? "" : ", ") + one;
    return UsageError(fmt::format("weight \"{}:{}={}\": there is no such {}; there are: {}", what, named, factor, what,
                                  known.empty() ? "none" : known));
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string& one = groups[i].*name;
    const auto factor = rule.factors.find(one);
    if (factor != rule.factors.end()) weights[i] *= factor->second;
    // Without a byte there is nothing to weigh.
    if (bytes[one] > 0) weights[i] *= std::pow(bytes[one] / all, rule.exponent - 1);
  }
  return absl::OkStatus();
}

Json RuleJson(const WeightRule& rule) { return {{"exponent", rule.exponent}, {"factors", rule.factors}}; }

}  // namespace

bool TrainingWeights::none() const {
  return source.exponent == 1 && language.exponent == 1 && source.factors.empty() && language.factors.empty();
}

absl::Status AddWeight(const std::string& text, TrainingWeights& weights) {
  const bool by_source = text.starts_with("source");
  if (!by_source && !text.starts_with("language")) return Wrong(text, "it begins with neither source nor language");
  WeightRule& rule = by_source ? weights.source : weights.language;
  const std::string_view rest = std::string_view(text).substr(by_source ? 6 : 8);
  if (rest.starts_with('=')) {
    ASSIGN_OR_RETURN(rule.exponent, ExponentFrom(text, rest.substr(1)));
    return absl::OkStatus();
  }
  const size_t equals = rest.rfind('=');
  if (!rest.starts_with(':') || equals == std::string_view::npos || equals < 2) {
    return Wrong(text, "neither =SETTING nor :NAME=W follows");
  }
  const std::optional<double> factor = Number(rest.substr(equals + 1));
  if (!factor || !(*factor > 0)) return Wrong(text, "W is a number above 0");
  rule.factors[std::string(rest.substr(1, equals - 1))] = *factor;
  return absl::OkStatus();
}

Json ToJson(const TrainingWeights& weights) {
  return {{"source", RuleJson(weights.source)}, {"language", RuleJson(weights.language)}};
}

absl::StatusOr<std::vector<double>> GroupWeights(const TrainingWeights& weights, const std::vector<TextGroup>& groups,
                                                 const std::vector<uint64_t>& text_bytes) {
  std::vector<double> result(groups.size(), 1);
  RETURN_IF_ERROR(Multiply(weights.source, "source", &TextGroup::source, groups, text_bytes, result));
  RETURN_IF_ERROR(Multiply(weights.language, "language", &TextGroup::language, groups, text_bytes, result));
  const auto least = std::min_element(result.begin(), result.end());
  const double most = least == result.end() ? 0 : *least * kMostWeight;
  for (double& weight : result) weight = std::min(weight, most);
  return result;
}

}  // namespace rhodes
