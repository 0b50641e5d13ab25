#include "train/train.h"

namespace rhodes {

Json ToJson(const TrainReport& report) {
  Json json = {{"steps", report.steps},
               {"resumed_from", report.resumed_from},
               {"tokens", report.tokens},
               {"parameters", report.parameters},
               {"compute", report.compute},
               {"train_loss", report.train_loss},
               {"validation_loss", report.validation.loss},
               {"bits_per_byte", report.validation.bits_per_byte},
               {"validation_tokens", report.validation.tokens},
               {"validation_bytes", report.validation.bytes},
               {"training_seconds", report.training_seconds},
               {"checkpoint_stall_seconds", report.checkpoint_stall_seconds},
               {"tokens_per_second", report.tokens_per_second},
               {"flops_per_second", report.flops_per_second},
               {"peak_flops_per_second", report.peak_flops_per_second},
               {"share_of_peak", report.share_of_peak},
               {"peak_memory_bytes", report.peak_memory_bytes}};
  if (!report.validation_by_source.empty()) json["validation_by_source"] = report.validation_by_source;
  if (!report.skipped_batches.empty()) json["skipped_batches"] = report.skipped_batches;
  if (report.stopped_early) json["stopped_early"] = true;
  return json;
}

}  // namespace rhodes
