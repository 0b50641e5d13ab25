#include "token/shard_mix.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace rhodes {
namespace {

// The weight of each source, "*" shared out.
absl::StatusOr<std::vector<double>> WeightsOf(const MixOptions& options, const std::vector<MixSource>& sources) {
  const auto rest = options.weights.find("*");
  double rest_tokens = 0;
  std::vector<std::string> unnamed;
  for (const MixSource& source : sources) {
    if (options.weights.count(source.name) != 0) continue;
    rest_tokens += static_cast<double>(source.available);
    unnamed.push_back("\"" + source.name + "\"");
  }
  if (rest == options.weights.end() && !unnamed.empty()) {
    std::string names = unnamed[0];
    for (size_t i = 1; i < unnamed.size(); ++i) names += ", " + unnamed[i];
    return UsageError(fmt::format(
        "--mix gives no weight to the sources {}: name them, or all that are not named with --mix '*=WEIGHT'", names));
  }
  for (const auto& [name, weight] : options.weights) {
    const bool known =
        name == "*" || std::any_of(sources.begin(), sources.end(),
                                   [&name = name](const MixSource& source) { return source.name == name; });
    if (!known) return UsageError(fmt::format("--mix {}={}: no document is of the source \"{}\"", name, weight, name));
  }
  std::vector<double> weights;
  for (const MixSource& source : sources) {
    const auto named = options.weights.find(source.name);
    if (named != options.weights.end()) {
      weights.push_back(named->second);
    } else {
      weights.push_back(rest_tokens == 0 ? 0 : rest->second * static_cast<double>(source.available) / rest_tokens);
    }
  }
  if (std::accumulate(weights.begin(), weights.end(), 0.0) <= 0) {
    return UsageError("--mix: the weights are all 0, so that nothing would be trained on");
  }
  return weights;
}

}  // namespace

absl::StatusOr<std::map<std::string, double>> ParseMixWeights(const std::vector<std::string>& settings) {
  std::map<std::string, double> weights;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find_last_of('=');
    double weight = -1;
    const char* const end = setting.data() + setting.size();
    if (equals != std::string::npos) {
      const auto [stop, error] = std::from_chars(setting.data() + equals + 1, end, weight);
      if (error != std::errc() || stop != end) weight = -1;
    }
    if (!(weight >= 0) || !std::isfinite(weight)) {
      return UsageError(fmt::format("\"{}\" is not NAME=WEIGHT with a weight of 0 or more", setting));
    }
    if (!weights.emplace(setting.substr(0, equals), weight).second) {
      return UsageError(fmt::format("\"{}\" has a weight twice", setting.substr(0, equals)));
    }
  }
  return weights;
}

absl::Status MixTargets(const MixOptions& options, std::vector<MixSource>& sources) {
  ASSIGN_OR_RETURN(const std::vector<double> weights, WeightsOf(options, sources));
  uint64_t left = options.tokens;
  if (left == 0) {
    for (size_t s = 0; s < sources.size(); ++s) left += weights[s] > 0 ? sources[s].available : 0;
  }
  std::vector<size_t> open;
  for (size_t s = 0; s < sources.size(); ++s) {
    sources[s].target = 0;
    if (weights[s] > 0) open.push_back(s);
  }
  while (!open.empty()) {
    long double sum = 0;
    for (const size_t s : open) sum += weights[s];
    std::vector<size_t> below;
    uint64_t taken = 0;
    for (const size_t s : open) {
      const uint64_t cap = sources[s].available * options.max_repeat;
      if (static_cast<long double>(left) * weights[s] / sum <= static_cast<long double>(cap)) {
        below.push_back(s);
      } else {
        sources[s].target = cap;
        taken += cap;
      }
    }
    if (below.size() == open.size()) {
      // Rounded where they end one after another, so that they add up to all that is left.
      long double end = 0;
      uint64_t begin = 0;
      for (const size_t s : open) {
        end += static_cast<long double>(left) * weights[s] / sum;
        const auto rounded = std::min(left, static_cast<uint64_t>(std::llround(end)));
        sources[s].target = std::min(rounded - begin, sources[s].available * options.max_repeat);
        begin = rounded;
      }
      break;
    }
    left -= taken;
    open = std::move(below);
  }
  return absl::OkStatus();
}

}  // namespace rhodes
