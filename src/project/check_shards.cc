#include "project/check_shards.h"

#include "base/manifest.h"
#include "token/shard_check.h"

namespace rhodes {

absl::StatusOr<CheckedShards> CheckShardFiles(const std::string& directory, const std::string& prefix,
                                              const char* repair, CheckReport& report, RunContext& context) {
  CheckedShards checked;
  for (const char* split : {"train", "validation"}) {
    const absl::StatusOr<ShardCheck> check = CheckShards(directory, split, context);
    if (absl::IsNotFound(check.status())) {
      report.problems.push_back({"shards", prefix + split, Message(check.status()), repair});
      checked.whole = false;
      continue;
    }
    RETURN_IF_ERROR(check.status());
    for (const ShardProblem& problem : check->problems) {
      report.problems.push_back({"shards", prefix + problem.path.substr(directory.size() + 1), problem.what, repair});
      checked.whole = false;
    }
    checked.documents += check->documents;
    checked.tokens += check->tokens;
    checked.rows.insert(checked.rows.end(), check->rows.begin(), check->rows.end());
  }
  return checked;
}

bool IsShardsFolder(const std::string& directory) {
  const absl::StatusOr<Manifest> manifest = ReadManifest(directory);
  return manifest.ok() && manifest->stage == "tokenize";
}

absl::StatusOr<CheckReport> CheckShardsFolder(const std::string& directory, RunContext& context) {
  constexpr char kRepair[] = "make them again with the same `rhodes tokenize` command";
  CheckReport report;
  ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(directory));
  context.progress->Begin("check", 0, "");
  ASSIGN_OR_RETURN(const CheckedShards checked, CheckShardFiles(directory, "", kRepair, report, context));
  context.progress->End();
  report.checked["documents"] = checked.documents;
  report.checked["tokens"] = checked.tokens;
  if (checked.whole && manifest.counts.is_object() &&
      (manifest.counts.value("documents", checked.documents) != checked.documents ||
       manifest.counts.value("tokens", checked.tokens) != checked.tokens)) {
    report.problems.push_back(
        {"shards", "manifest.json",
         fmt::format("its counts are not those of the shards, {} documents and {} tokens: a shard at the end may be "
                     "gone",
                     checked.documents, checked.tokens),
         kRepair});
  }
  return report;
}

}  // namespace rhodes
