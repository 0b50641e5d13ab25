#include "train/optimizer.h"

#include <algorithm>
#include <map>

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

StateMap::StateMap(OptimizerKind kind, const ParameterLayout& layout, std::span<const Share> shares)
    : m_size(layout.size()), v_size(static_cast<int64_t>(SecondMoments(kind, layout))) {
  std::map<int, int64_t> owned_m, owned_v;
  for (const Share& share : shares) {
    int64_t& at = owned_m[share.owner];
    m.push_back({share.begin, share.size(), share.owner, at});
    at += share.size();
  }
  if (kind == OptimizerKind::kAdamW) {
    v = m;
    return;
  }
  int64_t second_moment = 0;
  for (const Parameter& parameter : layout.parameters()) {
    if (IsMuons(parameter)) continue;
    for (const Share& share : shares) {
      const int64_t from = std::max(share.begin, parameter.offset);
      const int64_t to = std::min(share.end, parameter.offset + parameter.size());
      if (from >= to) continue;
      int64_t& at = owned_v[share.owner];
      v.push_back({second_moment + from - parameter.offset, to - from, share.owner, at});
      at += to - from;
    }
    second_moment += parameter.size();
  }
}

int64_t StateMap::Owned(std::span<const StatePiece> pieces, int rank) {
  int64_t size = 0;
  for (const StatePiece& piece : pieces) size += piece.owner == rank ? piece.size : 0;
  return size;
}

// Whole matrices are dealt to threads, the largest first: a matrix's products stay on one core, which beats splitting
// products this small, and makes the bits independent of the number of threads.
class Optimizer::MuonTeam {
 public:
  struct Matrix {
    Parameter parameter;
    int64_t m;  // offset
  };
  MuonTeam(std::vector<Matrix> matrices, const ParameterLayout& layout, ComputeType compute, int threads)
      : threads_(threads), matrices_(std::move(matrices)) {
    std::ranges::stable_sort(matrices_, std::greater<>(), [](const Matrix& matrix) { return matrix.parameter.size(); });
    const std::vector<MatrixShape> shapes = MuonShapes(layout);
    for (int i = 0; i < threads; ++i) {
      if (compute == ComputeType::kBf16) {
        low_.push_back(std::make_unique<MuonWorker<Bf16>>(shapes));
      } else {
        high_.push_back(std::make_unique<MuonWorker<float>>(shapes));
      }
    }
  }

  absl::Status Step(const MuonSettings& settings, std::span<float> m, Model& model) {
    return low_.empty() ? Step(high_, settings, m, model) : Step(low_, settings, m, model);
  }

 private:
  template <typename T>
  absl::Status Step(std::vector<std::unique_ptr<MuonWorker<T>>>& workers, const MuonSettings& settings,
                    std::span<float> m, Model& model) {
    ParallelTasks(threads_, static_cast<int64_t>(matrices_.size()), [&](int64_t task, int thread) {
      const auto& [matrix, momentum] = matrices_[static_cast<size_t>(task)];
      const size_t at = static_cast<size_t>(matrix.offset), count = static_cast<size_t>(matrix.size());
      workers[static_cast<size_t>(thread)]->Step(settings, model.gradients().subspan(at, count),
                                                 {matrix.rows, matrix.columns}, model.weights().subspan(at, count),
                                                 m.subspan(static_cast<size_t>(momentum), count));
    });
    for (const auto& worker : workers) RETURN_IF_ERROR(worker->status());
    for (const Matrix& matrix : matrices_) {
      model.CommitWeights(matrix.parameter.offset, matrix.parameter.offset + matrix.parameter.size());
    }
    return absl::OkStatus();
  }

  int threads_;
  std::vector<Matrix> matrices_;
  std::vector<std::unique_ptr<MuonWorker<Bf16>>> low_;  // one of the two, one a thread
  std::vector<std::unique_ptr<MuonWorker<float>>> high_;
};

Optimizer::Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads)
    : Optimizer(kind, layout, compute, threads, DealShares(layout, 1, kind == OptimizerKind::kMuon), 0) {}

Optimizer::Optimizer(OptimizerKind kind, const ParameterLayout& layout, ComputeType compute, int threads,
                     std::span<const Share> shares, int rank)
    : threads_(threads),
      map_(kind, layout, shares),
      m_(static_cast<size_t>(StateMap::Owned(map_.m, rank))),
      v_(static_cast<size_t>(StateMap::Owned(map_.v, rank))) {
  if (kind == OptimizerKind::kAdamW) {
    for (const StatePiece& piece : map_.m) {
      if (piece.owner != rank) continue;
      if (!parts_.empty() && parts_.back().end == piece.at) {
        parts_.back().end += piece.size;
      } else {
        parts_.push_back({piece.at, piece.at + piece.size, piece.owned_at, piece.owned_at});
      }
    }
    return;
  }
  std::vector<MuonTeam::Matrix> matrices;
  int64_t second_moment = 0;
  for (const Parameter& parameter : layout.parameters()) {
    for (const StatePiece& piece : map_.m) {
      const int64_t from = std::max(piece.at, parameter.offset);
      const int64_t to = std::min(piece.at + piece.size, parameter.offset + parameter.size());
      if (piece.owner != rank || from >= to) continue;
      const int64_t momentum = piece.owned_at + from - piece.at;
      if (IsMuons(parameter)) {
        matrices.push_back({parameter, momentum});
      } else {
        parts_.push_back({from, to, momentum, second_moment});
        second_moment += to - from;
      }
    }
  }
  muon_ = std::make_unique<MuonTeam>(std::move(matrices), layout, compute, threads);
}

Optimizer::~Optimizer() = default;

absl::Status Optimizer::Step(const AdamW& adamw, const MuonSettings& muon, Model& model) {
  if (muon_ != nullptr) RETURN_IF_ERROR(muon_->Step(muon, m_.span(), model));
  for (const Part& part : parts_) {
    model.StepAdamW(adamw, part.begin, part.end, m_.span().subspan(static_cast<size_t>(part.m)),
                    v_.span().subspan(static_cast<size_t>(part.v)));
  }
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
