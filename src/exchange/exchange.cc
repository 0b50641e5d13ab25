#include "exchange/exchange.h"

#include <filesystem>

#include "base/file.h"
#include "exchange/tokenizer_files.h"
#include "model/gguf_model.h"
#include "model/open_model.h"

namespace rhodes {
namespace {

// What a model is called in the file: its folder's name, or of `run/model` the run's.
std::string NameOf(const std::string& path) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::absolute(path, error).lexically_normal();
  if (full.filename().empty()) full = full.parent_path();
  if (full.filename() == "model" && full.has_parent_path()) full = full.parent_path();
  return full.stem().string();
}

ExchangeReport ReportOf(const OpenedModel& model, const Tokenizer& tokenizer) {
  ExchangeReport report;
  report.parameters = model.config.ParameterCount();
  report.tokens = tokenizer.vocabulary_size();
  return report;
}

// Files beside the weights that are taken along as they are.
constexpr const char* kCompanions[] = {"config.json",
                                       "tokenizer.json",
                                       "tokenizer_config.json",
                                       "generation_config.json",
                                       "special_tokens_map.json",
                                       "chat_template.jinja"};

}  // namespace

Json ToJson(const ExchangeReport& report) {
  return Json{{"written", report.written},       {"architecture", report.architecture},
              {"parameters", report.parameters}, {"bytes", report.bytes},
              {"tokens", report.tokens},         {"notes", report.notes}};
}

absl::StatusOr<GgmlType> ParseGgufWeightType(const std::string& name) {
  for (const GgmlType type : {GgmlType::kF32, GgmlType::kBf16, GgmlType::kQ8_0}) {
    if (name == GgmlTypeName(type)) return type;
  }
  return UsageError(fmt::format("type {} is not one of f32, bf16, q8_0", name));
}

absl::StatusOr<ExchangeReport> ExportGguf(const std::string& model, const std::string& file, GgmlType type) {
  ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(model));
  ASSIGN_OR_RETURN(const TokenizerFiles files, ReadTokenizerFiles(model, opened.config));
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, MakeTokenizer(files, opened.config, model));
  GgufWriter writer;
  ExchangeReport report = ReportOf(opened, *tokenizer);
  ASSIGN_OR_RETURN(report.notes, AddGgufConfig(opened.config, NameOf(model), type, writer));
  ASSIGN_OR_RETURN(const std::vector<std::string> token_notes, AddGgufTokenizer(files, opened.config, model, writer));
  report.notes.insert(report.notes.end(), token_notes.begin(), token_notes.end());
  RETURN_IF_ERROR(AddGgufWeights(opened.config, opened.weights, type, writer));
  RETURN_IF_ERROR(writer.Write(file));
  report.written = file;
  report.architecture = GgufArchitecture(opened.config);
  ASSIGN_OR_RETURN(report.bytes, FileSize(file));
  return report;
}

absl::StatusOr<ExchangeReport> ImportModel(const std::string& from, const std::string& out) {
  std::error_code error;
  if (std::filesystem::equivalent(from, out, error)) {
    return absl::InvalidArgumentError(fmt::format("import: {} and {} are the same folder", from, out));
  }
  ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(from));
  ASSIGN_OR_RETURN(const TokenizerFiles files, ReadTokenizerFiles(from, opened.config));
  ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer, MakeTokenizer(files, opened.config, from));
  ASSIGN_OR_RETURN(StagedDirectory staged, StagedDirectory::Open(out));
  const auto write = [&](const char* name, std::string_view text) {
    return WriteFileAtomically(staged.path() + "/" + name, text);
  };
  if (IsGgufFile(from)) {
    RETURN_IF_ERROR(write("config.json", DumpJson(opened.config.ToJson(), 2) + "\n"));
    RETURN_IF_ERROR(write("tokenizer.json", files.tokenizer_json));
    RETURN_IF_ERROR(write("tokenizer_config.json", DumpJson(files.tokenizer_config, 2) + "\n"));
    RETURN_IF_ERROR(write("generation_config.json", DumpJson(files.generation_config, 2) + "\n"));
  } else {
    for (const char* name : kCompanions) {
      const std::string path = from + "/" + name;
      if (!PathExists(path)) continue;
      ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
      RETURN_IF_ERROR(write(name, bytes));
    }
  }
  RETURN_IF_ERROR(WriteWeights(staged.path() + "/model.safetensors", opened.config, *opened.weights));
  RETURN_IF_ERROR(staged.Commit());
  ExchangeReport report = ReportOf(opened, *tokenizer);
  report.written = out;
  report.architecture = GgufArchitecture(opened.config);
  ASSIGN_OR_RETURN(report.bytes, FileSize(out + "/model.safetensors"));
  return report;
}

}  // namespace rhodes
