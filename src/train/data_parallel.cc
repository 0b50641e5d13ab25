#include "train/data_parallel.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rhodes {

SequenceRange SequencesOf(int64_t batch, int rank, int ranks) {
  return {batch * rank / ranks, batch * (rank + 1) / ranks};
}

DataParallel::DataParallel(Communicator& ranks, Model& model, OptimizerKind kind)
    : ranks_(ranks), model_(model), shares_(DealShares(model.layout(), ranks.size(), kind == OptimizerKind::kMuon)) {
  optimizer_.emplace(kind, model.layout(), model.options().compute, model.options().threads, shares_, ranks.rank());
  if (ranks_.size() == 1) return;
  model_.OnGradients([this](int64_t begin, int64_t end) {
    if (reduce_) ranks_.StartReduce(model_.gradients().data(), SharesIn(shares_, begin, end));
  });
}

DataParallel::~DataParallel() {
  if (ranks_.size() == 1) return;
  model_.OnGradients({});
  // After an error in the middle of a backward pass, what the sums read and write goes with the model.
  if (ranks_.reducing()) ranks_.GiveUp(absl::UnavailableError("train: a step was left before its end"));
}

absl::StatusOr<double> DataParallel::ForwardBackward(const TokenBatch& batch, float scale, bool accumulate, bool last) {
  reduce_ = last;
  return model_.ForwardBackward(batch, scale, accumulate);
}

absl::StatusOr<DataParallel::Sums> DataParallel::SumUp(double nats) {
  RouterStatistics router = model_.TakeRouterStatistics();
  if (ranks_.size() == 1) return Sums{nats, model_.GradientNorm(), std::move(router)};
  std::vector<double> sums = {nats, 0.0};
  for (const Share& share : shares_) {
    if (share.owner == ranks_.rank()) sums[1] += model_.GradientSquares(share.begin, share.end);
  }
  sums.insert(sums.end(), router.sums().begin(), router.sums().end());
  RETURN_IF_ERROR(ranks_.Sum(sums));
  std::copy(sums.begin() + 2, sums.end(), router.sums().begin());
  return Sums{sums[0], std::sqrt(sums[1]), std::move(router)};
}

absl::Status DataParallel::GatherGradients() { return ranks_.AllGather(model_.gradients().data(), shares_); }

absl::Status DataParallel::Step(const AdamW& adamw, const MuonSettings& muon) {
  RETURN_IF_ERROR(optimizer_->Step(adamw, muon, model_));
  if (ranks_.size() == 1) return absl::OkStatus();
  RETURN_IF_ERROR(ranks_.AllGather(model_.weights().data(), shares_));
  for (const Share& share : shares_) {
    if (share.owner != ranks_.rank()) model_.CommitWeights(share.begin, share.end);
  }
  return absl::OkStatus();
}

absl::Status DataParallel::ShareWeights() {
  RETURN_IF_ERROR(ranks_.Broadcast(model_.weights()));
  model_.CommitWeights();
  return absl::OkStatus();
}

std::span<float> DataParallel::Owned(const StatePiece& piece, std::span<float> own) const {
  if (piece.owner != ranks_.rank()) return {};
  return own.subspan(static_cast<size_t>(piece.owned_at), static_cast<size_t>(piece.size));
}

std::span<float> DataParallel::OfAll(const StatePiece& piece, std::span<float> all) const {
  if (!ranks_.root()) return {};
  return all.subspan(static_cast<size_t>(piece.at), static_cast<size_t>(piece.size));
}

absl::Status DataParallel::Gather(std::span<const StatePiece> pieces, std::span<float> own, std::span<float> all) {
  for (const StatePiece& piece : pieces) {
    RETURN_IF_ERROR(ranks_.Move(piece.owner, Owned(piece, own), 0, OfAll(piece, all)));
  }
  return absl::OkStatus();
}

absl::Status DataParallel::Scatter(std::span<const StatePiece> pieces, std::span<float> all, std::span<float> own) {
  for (const StatePiece& piece : pieces) {
    RETURN_IF_ERROR(ranks_.Move(0, OfAll(piece, all), piece.owner, Owned(piece, own)));
  }
  return absl::OkStatus();
}

absl::Status DataParallel::Save(CheckpointStore& store, int64_t step, const Json& progress) {
  if (ranks_.size() == 1) return store.Save(step, {model_.weights(), optimizer_->m(), optimizer_->v()}, progress);
  const StateMap& map = optimizer_->map();
  TrainState all;
  if (ranks_.root()) {
    ASSIGN_OR_RETURN(all, store.Prepare(map.m_size, map.v_size));
    std::ranges::copy(model_.weights(), all.weights.begin());
  }
  RETURN_IF_ERROR(Gather(map.m, optimizer_->m(), all.m));
  RETURN_IF_ERROR(Gather(map.v, optimizer_->v(), all.v));
  return ranks_.root() ? store.SavePrepared(step, progress) : absl::OkStatus();
}

absl::StatusOr<std::optional<LoadedCheckpoint>> DataParallel::LoadNewest(CheckpointStore& store, RunContext& context) {
  if (ranks_.size() == 1) return store.LoadNewest({model_.weights(), optimizer_->m(), optimizer_->v()}, context);
  const StateMap& map = optimizer_->map();
  TrainState all;
  std::optional<LoadedCheckpoint> found;
  if (ranks_.root()) {
    ASSIGN_OR_RETURN(all, store.Prepare(map.m_size, map.v_size));
    ASSIGN_OR_RETURN(found, store.LoadNewest({model_.weights(), all.m, all.v}, context));
  }
  ASSIGN_OR_RETURN(const bool any, ranks_.BroadcastValue(found.has_value()));
  if (!any) return std::nullopt;
  if (!found) found.emplace();
  ASSIGN_OR_RETURN(found->step, ranks_.BroadcastValue(found->step));
  ASSIGN_OR_RETURN(const std::string progress, ranks_.Broadcast(DumpJson(found->progress)));
  ASSIGN_OR_RETURN(found->progress, ParseJson(progress, "progress of rank 0"));
  RETURN_IF_ERROR(ranks_.Broadcast(model_.weights()));
  RETURN_IF_ERROR(Scatter(map.m, all.m, optimizer_->m()));
  RETURN_IF_ERROR(Scatter(map.v, all.v, optimizer_->v()));
  return found;
}

}  // namespace rhodes
