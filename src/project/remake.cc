#include "project/remake.h"

#include "token/tokenize.h"
#include "trace/build.h"

namespace rhodes {

absl::Status RemakeShards(const std::string& out, const std::string& folder, const std::string& key,
                          const Json& settings, RunContext& context) {
  TokenizeOptions options;
  options.inputs = {out + "/" + folder};
  options.out = out;
  options.tokenizer = out + "/tokenizer.json";
  options.validation_share = settings.value("validation", options.validation_share);
  options.seed = settings.value("seed", options.seed);
  const Json mix = settings.value("mix", Json::object());  // lives as long as the loop, which a temporary would not
  for (const auto& [source, weight] : mix.items()) {
    if (weight.is_number()) options.mix.weights[source] = weight.get<double>();
  }
  options.mix.max_repeat = settings.value("max_repeat", options.mix.max_repeat);
  options.mix.tokens = settings.value("mix_tokens", options.mix.tokens);
  options.key = key;
  options.settings = settings;
  return Tokenize(options, context).status();
}

absl::Status RemakeTrace(const std::string& out, const std::string& folder, const std::string& key,
                         const Json& settings, RunContext& context) {
  TraceBuildOptions options;
  options.out = out;
  options.corpus_dir = out + "/" + folder;
  options.key = key;
  options.settings = settings;
  return BuildTraceIndex(options, context).status();
}

}  // namespace rhodes
