#include "entity/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace rhodes {
namespace {

constexpr char kData[] = "/work/shared/data/dedup/";

EvaluationReport Measure(const std::string& name) {
  const std::string path = kData + name;
  const std::string text = *ReadFile(path);
  const LabelledPairs pairs = *ParseLabelledPairs(text, name);
  EvaluationReport r = *Evaluate(pairs, {}, RunContext{});
  for (auto* e : {&r.without_labels, &r.with_labels}) {
    fmt::print("{} {} P {:.4f} R {:.4f} F1 {:.4f} {:.2f}s\n", name, e->model, e->at_threshold.precision(),
               e->at_threshold.recall(), e->at_threshold.f1(), e->seconds);
    for (auto& c : e->curve) fmt::print(" {:.2f}:{:.3f}", c.threshold, c.f1());
    fmt::print("\n");
  }
  return r;
}

TEST(Evaluate, X) {
  Measure("ditto_Structured_Amazon-Google_train.txt");
  Measure("ditto_Structured_DBLP-ACM_valid.txt");
  Measure("ditto_Textual_Abt-Buy_valid.txt");
}

}  // namespace
}  // namespace rhodes
