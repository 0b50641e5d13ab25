#include "train/optimizer.h"

#include <algorithm>
#include <numeric>

#include "model/kernels/threads.h"

namespace rhodes {
namespace {

constexpr int64_t kBlock = int64_t{1} << 16;  // elements of a vector that one thread updates together

bool IsMuons(const Parameter& parameter) { return parameter.kind == ParameterKind::kMatrix; }

std::vector<MatrixShape> MuonShapes(const ParameterLayout& layout) {
  std::vector<MatrixShape> shapes;
  for (const Parameter& parameter : layout.parameters()) {
    if (IsMuons(parameter)) shapes.push_back({parameter.rows, parameter.columns});
  }
  return shapes;
}

size_t SecondMoments(OptimizerKind kind, const ParameterLayout& layout) {
  if (kind == OptimizerKind::kAdamW) return static_cast<size_t>(layout.size());
  int64_t count = 0;
  for (const Parameter& parameter : layout.parameters()) count += IsMuons(parameter) ? 0 : parameter.size();
  return static_cast<size_t>(count);
}

}  // namespace

absl::StatusOr<OptimizerKind> ParseOptimizer(std::string_view name) {
  if (name == "adamw") return OptimizerKind::kAdamW;
  if (name == "muon") return OptimizerKind::kMuon;
  return UsageError(fmt::format("optimizer \"{}\" is not known; there are adamw and muon", name));
}

std::string_view OptimizerName(OptimizerKind kind) { return kind == OptimizerKind::kMuon ? "muon" : "adamw"; }

// Whole matrices are dealt to threads, the largest first: a matrix's products stay on one core, which beats splitting
// products this small, and makes the bits independent of the number of threads.
class Optimizer::MuonTeam {
 public:
  MuonTeam(const ParameterLayout& layout, ComputeType compute, int threads) : threads_(threads) {
    int64_t second_moment = 0;
    for (const Parameter& parameter : layout.parameters()) {
      if (IsMuons(parameter)) {
        matrices_.push_back(parameter);
      } else {
        others_.push_back({parameter, second_moment});
        second_moment += parameter.size();
      }
    }
    std::ranges::stable_sort(matrices_, std::greater<>(), &Parameter::size);
    const std::vector<MatrixShape> shapes = MuonShapes(layout);
    for (int i = 0; i < threads; ++i) {
      if (compute == ComputeType::kBf16) {
        low_.push_back(std::make_unique<MuonWorker<Bf16>>(shapes));
      } else {
        high_.push_back(std::make_unique<MuonWorker<float>>(shapes));
      }
    }
  }

  absl::Status Step(const AdamW& adamw, const MuonSettings& muon, std::span<float> m, std::span<float> v,
                    Model& model) {
    const absl::Status status = low_.empty() ? StepMatrices(high_, muon, m, model) : StepMatrices(low_, muon, m, model);
    RETURN_IF_ERROR(status);
    const Elementwise<float>& fast = FastElementwise<float>();
    for (const Other& other : others_) {
      AdamW own = adamw;
      if (!other.parameter.matrix()) own.decay = 0.0f;
      const float* gradient = model.gradients().data() + other.parameter.offset;
      float* weight = model.weights().data() + other.parameter.offset;
      float* first = m.data() + other.parameter.offset;
      float* second = v.data() + other.second_moment;
      ParallelRanges(threads_, other.parameter.size(), kBlock, [&](int64_t begin, int64_t end) {
        fast.adamw_step(own, gradient + begin, end - begin, weight + begin, first + begin, second + begin,
                        weight + begin);
      });
    }
    model.CommitWeights();
    return absl::OkStatus();
  }

 private:
  struct Other {
    Parameter parameter;
    int64_t second_moment;  // offset
  };

  template <typename T>
  absl::Status StepMatrices(std::vector<std::unique_ptr<MuonWorker<T>>>& workers, const MuonSettings& settings,
                            std::span<float> m, Model& model) {
    ParallelTasks(threads_, static_cast<int64_t>(matrices_.size()), [&](int64_t task, int thread) {
      const Parameter& matrix = matrices_[static_cast<size_t>(task)];
      const size_t at = static_cast<size_t>(matrix.offset), count = static_cast<size_t>(matrix.size());
      workers[static_cast<size_t>(thread)]->Step(settings, model.gradients().subspan(at, count),
                                                 {matrix.rows, matrix.columns}, model.weights().subspan(at, count),
                                                 m.subspan(at, count));
    });
    for (const auto& worker : workers) RETURN_IF_ERROR(worker->status());
    return absl::OkStatus();
  }

  int threads_;
  std::vector<Parameter> matrices_;
  std::vector<Other> others_;
  std::vector<std::unique_ptr<MuonWorker<Bf16>>> low_;  // one of the two, one a thread
  std::vector<std::unique_ptr<MuonWorker<float>>> high_;
};

Optimizer::Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads)
    : kind_(kind),
      threads_(threads),
      m_(static_cast<size_t>(layout.size())),
      v_(SecondMoments(kind, layout)),
      muon_(kind == OptimizerKind::kMuon ? std::make_unique<MuonTeam>(layout, compute, threads) : nullptr) {}

Optimizer::~Optimizer() = default;

absl::Status Optimizer::Step(const AdamW& adamw, const MuonSettings& muon, Model& model) {
  if (kind_ == OptimizerKind::kMuon) return muon_->Step(adamw, muon, m_.span(), v_.span(), model);
  model.StepAdamW(adamw, m_.span(), v_.span());
  return absl::OkStatus();
}

void Optimizer::Reset() {
  for (Buffer<float>* state : {&m_, &v_}) {
    ParallelRanges(threads_, static_cast<int64_t>(state->size()), kBlock,
                   [&](int64_t begin, int64_t end) { std::fill(state->data() + begin, state->data() + end, 0.0f); });
  }
}

uint64_t Optimizer::StateBytes(OptimizerKind kind, const ParameterLayout& layout) {
  return (static_cast<uint64_t>(layout.size()) + SecondMoments(kind, layout)) * sizeof(float);
}

uint64_t Optimizer::ScratchBytes(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads) {
  if (kind == OptimizerKind::kAdamW) return 0;
  const std::vector<MatrixShape> shapes = MuonShapes(layout);
  return static_cast<uint64_t>(threads) * (compute == ComputeType::kBf16 ? MuonWorker<Bf16>::MemoryBytes(shapes)
                                                                         : MuonWorker<float>::MemoryBytes(shapes));
}

}  // namespace rhodes
