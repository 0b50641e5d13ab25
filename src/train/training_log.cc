#include "train/training_log.h"

#include "train/router_report.h"

namespace rhodes {

Json StepLine(const StepReport& step) {
  return {{"step", step.step},
          {"loss", step.loss},
          {"learning_rate", step.learning_rate},
          {"gradient_norm", step.gradient_norm},
          {"tokens", step.tokens},
          {"tokens_per_second", step.tokens_per_second},
          {"share_of_peak", step.share_of_peak}};
}

absl::Status TrainingLog::Open(const TrainOptions& options, int64_t step) {
  metrics_.reset();
  ASSIGN_OR_RETURN(MetricsLog log, MetricsLog::Open(options.out + "/metrics.jsonl", step, options.on_metrics_line));
  metrics_.emplace(std::move(log));
  if (options.event_dir.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(EventFile events, EventFile::Create(options.event_dir, step));
  events_.emplace(std::move(events));
  return absl::OkStatus();
}

absl::Status TrainingLog::Write(const Json& line) {
  if (!metrics_) return absl::OkStatus();
  RETURN_IF_ERROR(metrics_->Append(line));
  return events_ ? WriteEvents(line) : absl::OkStatus();
}

absl::Status TrainingLog::WriteEvents(const Json& line) {
  const int64_t step = line.value("step", int64_t{0});
  if (line.contains("sample")) {
    return events_->Text(step, "sample/" + line.value("prompt", ""), line.value("sample", ""));
  }
  if (line.contains("trouble")) return events_->Text(step, "trouble", DumpJson(line));
  if (line.value("final", false)) {
    for (const char* name : {"validation_loss", "bits_per_byte"}) {
      RETURN_IF_ERROR(events_->Scalar(step, std::string("final/") + name, line.value(name, 0.0)));
    }
    return absl::OkStatus();
  }
  const bool of_step = line.contains("loss");
  for (const auto& [name, value] : line.items()) {
    if (name == "step") continue;
    if (value.is_number()) {
      RETURN_IF_ERROR(events_->Scalar(step, (of_step ? "train/" : "validation/") + name, value.get<double>()));
    } else if (name == "validation_by_source") {
      for (const auto& [source, of] : value.items()) {
        RETURN_IF_ERROR(events_->Scalar(step, "validation_loss/" + source, of["loss"].get<double>()));
      }
    } else if (name == "expert_load") {
      RETURN_IF_ERROR(WriteExpertLoad(*events_, step, value));
    }
  }
  return absl::OkStatus();
}

}  // namespace rhodes
