// What a run says at its end: the JSON object for scripts and the table for people.
#include <fmt/format.h>

#include "base/byte_size.h"
#include "base/text.h"
#include "project/run.h"

namespace rhodes {
namespace {

std::string_view StateName(StageReport::State state) {
  switch (state) {
    case StageReport::State::kDone:
      return "done";
    case StageReport::State::kUpToDate:
      return "up to date";
    case StageReport::State::kNotReached:
      return "not reached";
  }
  return "";
}

const StageReport* Find(const RunReport& report, std::string_view kind) {
  for (const StageReport& stage : report.stages) {
    if (stage.kind == kind && stage.state != StageReport::State::kNotReached) return &stage;
  }
  return nullptr;
}

uint64_t Whole(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number() ? json[key].get<uint64_t>() : 0;
}

double Number(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
}

void AddRow(std::string& text, std::string_view name, std::string_view value, std::string_view note = "") {
  text += fmt::format("  {:<34} {:>14}{}{}\n", name, value, note.empty() ? "" : "   ", note);
}

void AddRecords(const RunReport& report, std::string& text) {
  for (const StageReport& stage : report.stages) {
    if (stage.kind != "ingest" || stage.state == StageReport::State::kNotReached) continue;
    const Json& counts = stage.counts;
    std::string note = FormatByteSize(Whole(counts, "bytes"));
    if (Whole(counts, "duplicates") > 0) note += fmt::format(", {} duplicates", Whole(counts, "duplicates"));
    if (Whole(counts, "rejected") > 0) note += fmt::format(", {} rejected", Whole(counts, "rejected"));
    if (Whole(counts, "erased") > 0) note += fmt::format(", {} erased", Whole(counts, "erased"));
    AddRow(text, "records of " + stage.label.substr(stage.label.find(' ') + 1),
           fmt::format("{}", Whole(counts, "stored") - Whole(counts, "erased")), note);
  }
}

void AddEntities(const RunReport& report, std::string& text) {
  const StageReport* entities = Find(report, "entities");
  if (entities == nullptr) return;
  for (const Json& kind : entities->counts.value("kinds", Json::array())) {
    AddRow(text, fmt::format("entities: {}", kind.value("kind", "")), fmt::format("{}", Whole(kind, "entities")),
           fmt::format("of {} mentions, {} links", Whole(kind, "mentions"), Whole(kind, "links")));
  }
}

void AddDocuments(const RunReport& report, std::string& text) {
  if (const StageReport* curate = Find(report, "curate")) {
    const Json& counts = curate->counts;
    AddRow(text, "documents", fmt::format("{}", Whole(counts, "documents")));
    AddRow(text, "documents kept", fmt::format("{}", Whole(counts, "kept")),
           FormatByteSize(Whole(counts, "kept_text_bytes")));
    const Json reasons = counts.value("reasons", Json::object());
    for (const auto& [rule, by_reason] : reasons.items()) {
      uint64_t dropped = 0;
      for (const auto& [reason, count] : by_reason.items()) dropped += count.get<uint64_t>();
      AddRow(text, fmt::format("documents dropped by {}", rule), fmt::format("{}", dropped));
    }
  } else if (const StageReport* fuse = Find(report, "fuse")) {
    AddRow(text, "documents", fmt::format("{}", Whole(fuse->counts, "documents")));
  }
  if (const StageReport* tokenize = Find(report, "tokenize")) {
    AddRow(text, "tokens", fmt::format("{}", Whole(tokenize->counts, "tokens")),
           fmt::format("vocabulary {}", Whole(tokenize->counts, "vocabulary_size")));
  }
}

void AddTraining(const RunReport& report, std::string& text) {
  if (Find(report, "train") == nullptr) return;
  const Json& training = report.training;
  AddRow(text, "parameters", fmt::format("{}", Whole(training, "parameters")));
  AddRow(text, "tokens trained on", fmt::format("{}", Whole(training, "tokens")),
         fmt::format("{} steps", Whole(training, "steps")));
  AddRow(text, "loss, training", fmt::format("{:.4f}", Number(training, "train_loss")), "nats a token");
  AddRow(text, "loss, held-out documents", fmt::format("{:.4f}", Number(training, "validation_loss")), "nats a token");
  AddRow(text, "bits per byte, held-out", fmt::format("{:.4f}", Number(training, "bits_per_byte")));
  AddRow(text, "tokens per second", fmt::format("{:.0f}", Number(training, "tokens_per_second")));
  AddRow(text, "FLOP/s", fmt::format("{:.1f} G", Number(training, "flops_per_second") / 1e9),
         fmt::format("{:.0f} % of this machine's measured peak, {:.1f} G ({})", 100 * Number(training, "share_of_peak"),
                     Number(training, "peak_flops_per_second") / 1e9, training.value("compute", "")));
}

void AddStages(const RunReport& report, std::string& text) {
  for (const StageReport& stage : report.stages) {
    if (stage.state == StageReport::State::kNotReached) {
      AddRow(text, stage.label, "-", StateName(stage.state));
    } else {
      const bool done = stage.state == StageReport::State::kDone;
      AddRow(text, stage.label, fmt::format("{:.2f} s", done ? stage.seconds : stage.recorded_seconds),
             done ? "" : StateName(stage.state));
    }
  }
}

void AddAnswers(const RunReport& report, std::string& text) {
  const StageReport* ask = Find(report, "ask");
  if (ask == nullptr) return;
  if (ask->state == StageReport::State::kUpToDate) {
    text += fmt::format("\nThe answers are in {}/answers.json.\n", report.out);
    return;
  }
  const Json answers = report.answers.value("answers", Json::array());
  for (const Json& answer : answers) {
    text += fmt::format("\nQuestion: {}\nAnswer: {}\n", answer["question"].get<std::string>(),
                        Trim(answer["answer"].get_ref<const std::string&>()));
    if (answer["leans_on"].empty()) text += "  No span of these words stands in the training text.\n";
    for (const Json& document : answer["leans_on"]) {
      const std::string title = document.value("title", "");
      text += fmt::format("  leans on {} ({}): \"{}\"\n", title.empty() ? document.value("id", "") : title,
                          document.value("source", ""), Trim(document["words"].get_ref<const std::string&>()));
      if (!document["records"].empty()) {
        const Json& record = document["records"].front();
        text += fmt::format("    {} bytes {} to {}\n", record.value("file", ""), record.value("begin", uint64_t{0}),
                            record.value("end", uint64_t{0}));
      }
    }
  }
}

}  // namespace

Json ToJson(const RunReport& report) {
  Json stages = Json::array();
  Json records = Json::object();
  for (const StageReport& stage : report.stages) {
    stages.push_back({{"stage", stage.kind},
                      {"label", stage.label},
                      {"status", StateName(stage.state)},
                      {"seconds", stage.seconds},
                      {"recorded_seconds", stage.recorded_seconds},
                      {"counts", stage.counts}});
    if (stage.kind == "ingest")
      records[stage.label.substr(stage.label.find(' ') + 1)] =
          Whole(stage.counts, "stored") - Whole(stage.counts, "erased");
  }
  Json json = {{"project", report.project}, {"file", report.file},
               {"out", report.out},         {"changed", report.changed},
               {"seconds", report.seconds}, {"peak_memory_bytes", report.peak_memory_bytes},
               {"stages", stages},          {"records", records}};
  if (const StageReport* curate = Find(report, "curate")) {
    json["documents"] = Whole(curate->counts, "documents");
    json["kept"] = Whole(curate->counts, "kept");
    json["dropped"] = Whole(curate->counts, "dropped");
  }
  if (const StageReport* tokenize = Find(report, "tokenize")) json["tokens"] = Whole(tokenize->counts, "tokens");
  if (Find(report, "train") != nullptr) {
    for (const char* key : {"parameters", "train_loss", "validation_loss", "bits_per_byte", "tokens_per_second",
                            "flops_per_second", "peak_flops_per_second", "share_of_peak"}) {
      if (report.training.contains(key)) json[key] = report.training[key];
    }
  }
  if (Find(report, "ask") != nullptr) json["answers"] = report.answers.value("answers", Json::array());
  return json;
}

std::string FormatReport(const RunReport& report) {
  std::string text;
  if (!report.changed) {
    text += fmt::format("{}: everything is up to date, nothing was run ({:.2f} s)\n\n", report.project, report.seconds);
  }
  AddRecords(report, text);
  AddEntities(report, text);
  AddDocuments(report, text);
  AddTraining(report, text);
  text += "\n";
  AddStages(report, text);
  AddRow(text, "in all", fmt::format("{:.2f} s", report.seconds),
         fmt::format("peak memory {}", FormatByteSize(report.peak_memory_bytes)));
  AddAnswers(report, text);
  if (Find(report, "train") != nullptr) {
    text += fmt::format(
        "\nThe page:  rhodes serve --out {0}\nChat:      rhodes chat --out {0}\nLook:      rhodes inspect {0}\n",
        report.out);
  }
  return text;
}

}  // namespace rhodes
