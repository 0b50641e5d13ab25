#include "infer/engine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file.h"
#include "exchange/tokenizer_files.h"
#include "infer/text_stream.h"

namespace rhodes {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The special tokens of a tokenizer, to be found in the text of a conversation's form.
class SpecialTokens {
 public:
  explicit SpecialTokens(const Tokenizer& tokenizer) {
    for (TokenId id = 0; id < tokenizer.vocabulary_size(); ++id) {
      if (tokenizer.IsSpecial(id) && !tokenizer.TokenBytes(id).empty()) {
        tokens_.emplace_back(tokenizer.TokenBytes(id), id);
      }
    }
  }
  // Where the first one of `text` begins, the longest of several; {text.size(), nothing} when there is none.
  std::pair<size_t, std::optional<TokenId>> Find(std::string_view text) const {
    std::pair<size_t, std::optional<TokenId>> best = {text.size(), std::nullopt};
    size_t length = 0;
    for (const auto& [bytes, id] : tokens_) {
      const size_t at = text.find(bytes);
      if (at > best.first || (at == best.first && bytes.size() <= length) || at == std::string_view::npos) continue;
      best = {at, id};
      length = bytes.size();
    }
    return best;
  }
  // The token whose text is `text`.
  std::optional<TokenId> Whole(std::string_view text) const {
    for (const auto& [bytes, id] : tokens_) {
      if (bytes == text) return id;
    }
    return std::nullopt;
  }

 private:
  std::vector<std::pair<std::string, TokenId>> tokens_;
};

// One request on its way. The engine's thread owns all of it but what `mutex` guards.
struct Sequence {
  Sequence(const GenerationRequest& of, int64_t tokens)
      : request(of), token_limit(tokens), sampler(of.sampling), stream(of.stop, of.skip_leading_space) {
    sampler.SeePrompt(request.prompt);
  }

  const GenerationRequest& request;  // lives as long as the caller waits
  const int64_t token_limit;         // tokens to generate at most
  Sampler sampler;
  TextStream stream;
  std::unique_ptr<SequenceCache> cache;
  uint64_t cache_bytes = 0;
  size_t prefilled = 0;  // tokens of the prompt that are in the cache
  TokenId next = 0;      // drawn, not yet in the cache
  GenerationResult result;
  Clock::time_point begun = Clock::now();
  Clock::time_point decoding;
  std::atomic<bool> cancelled{false};

  std::mutex mutex;
  std::condition_variable changed;
  GenerationPiece ready;  // guarded: not yet given to the caller
  bool done = false;      // guarded
  absl::Status status;    // guarded

  bool Prefilled() const { return prefilled == request.prompt.size(); }
};

class BatchingEngine final : public Engine {
 public:
  BatchingEngine(std::unique_ptr<Decoder> decoder, std::unique_ptr<const Tokenizer> tokenizer, ChatTemplate chat,
                 const EngineOptions& options, std::vector<TokenId> ends)
      : decoder_(std::move(decoder)),
        tokenizer_(std::move(tokenizer)),
        chat_(std::move(chat)),
        options_(options),
        specials_(*tokenizer_),
        ends_(std::move(ends)),
        thread_([this] { Work(); }) {}
  ~BatchingEngine() override {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  const ModelConfig& config() const override { return decoder_->config(); }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }
  const ChatTemplate& chat() const override { return chat_; }
  std::vector<TokenId> Tokenize(std::string_view text) const override;
  absl::StatusOr<std::vector<TokenId>> TokenizeChat(const std::vector<ChatMessage>& messages) const override;
  absl::StatusOr<GenerationResult> Generate(const GenerationRequest& request,
                                            const std::function<bool(const GenerationPiece&)>& on_piece,
                                            const std::atomic<bool>* cancelled) override;

 private:
  absl::Status Check(const GenerationRequest& request) const;
  void Work();
  void Admit();
  void StepPrefill();
  void StepDecode();
  absl::Status PrefillPiece(Sequence& sequence);
  void Accept(Sequence& sequence, std::span<const float> logits);
  GeneratedToken Describe(const Sequence& sequence, std::span<const float> logits, TokenId token) const;
  void Finish(Sequence& sequence, FinishReason reason, absl::Status status = absl::OkStatus());

  const std::unique_ptr<Decoder> decoder_;
  const std::unique_ptr<const Tokenizer> tokenizer_;
  const ChatTemplate chat_;
  const EngineOptions options_;
  const SpecialTokens specials_;
  const std::vector<TokenId> ends_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Sequence>> waiting_;  // guarded
  bool ending_ = false;                            // guarded

  // The engine's thread only.
  std::vector<std::shared_ptr<Sequence>> running_;
  uint64_t cache_bytes_ = 0;
  std::vector<float> logits_;

  std::thread thread_;  // last: starts when all else is there
};

std::vector<TokenId> BatchingEngine::Tokenize(std::string_view text) const {
  std::vector<TokenId> tokens;
  if (config().bos_id >= 0 && options_.add_bos) tokens.push_back(static_cast<TokenId>(config().bos_id));
  tokenizer_->Encode(text, tokens);
  return tokens;
}

absl::StatusOr<std::vector<TokenId>> BatchingEngine::TokenizeChat(const std::vector<ChatMessage>& messages) const {
  ASSIGN_OR_RETURN(const std::vector<ChatTemplate::Piece> pieces, chat_.Pieces(messages));
  std::vector<TokenId> tokens = Tokenize("");
  // What stands between special tokens is one text, whatever it came from, as when the whole were tokenized at once.
  std::string text;
  const auto flush = [&] {
    tokenizer_->Encode(text, tokens);
    text.clear();
  };
  for (const ChatTemplate::Piece& piece : pieces) {
    std::string_view rest = piece.text;
    while (piece.form && chat_.special && !rest.empty()) {
      const auto [at, token] = specials_.Find(rest);
      text += rest.substr(0, at);
      rest.remove_prefix(at);
      if (!token) break;
      flush();
      tokens.push_back(*token);
      rest.remove_prefix(tokenizer_->TokenBytes(*token).size());
    }
    text += rest;
  }
  flush();
  return tokens;
}

absl::Status BatchingEngine::Check(const GenerationRequest& request) const {
  RETURN_IF_ERROR(request.sampling.Validate());
  const int64_t prompt = static_cast<int64_t>(request.prompt.size());
  if (prompt == 0) return absl::InvalidArgumentError("the prompt is empty");
  if (request.max_tokens < -1) {
    return absl::InvalidArgumentError(fmt::format("max_tokens is {}, not 0 or more", request.max_tokens));
  }
  const int64_t needed = request.max_tokens == 0 ? prompt : prompt + 1;
  if (needed > config().max_positions) {
    return absl::OutOfRangeError(
        fmt::format("the prompt has {} tokens and the model's context is {}: shorten the prompt, or the conversation",
                    prompt, config().max_positions));
  }
  for (const TokenId token : request.prompt) {
    if (token >= config().vocabulary_size) {
      return absl::InvalidArgumentError(
          fmt::format("token {} is not below the model's vocabulary of {}", token, config().vocabulary_size));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<GenerationResult> BatchingEngine::Generate(const GenerationRequest& request,
                                                          const std::function<bool(const GenerationPiece&)>& on_piece,
                                                          const std::atomic<bool>* cancelled) {
  RETURN_IF_ERROR(Check(request));
  const int64_t prompt = static_cast<int64_t>(request.prompt.size());
  const int64_t room = config().max_positions - prompt;
  const int64_t limit = request.max_tokens < 0 ? room : std::min(request.max_tokens, room);
  const auto sequence = std::make_shared<Sequence>(request, limit);
  sequence->cache_bytes = decoder_->CacheBytes(prompt + limit);
  if (sequence->cache_bytes > options_.cache_bytes) {
    return absl::ResourceExhaustedError(fmt::format("{} tokens need a cache of {} bytes; {} are set aside for caches",
                                                    prompt + limit, sequence->cache_bytes, options_.cache_bytes));
  }
  if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) sequence->cancelled = true;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(sequence);
  }
  changed_.notify_all();

  std::unique_lock lock(sequence->mutex);
  while (true) {
    // The time limit is there for `cancelled`, which is set by a signal handler and wakes nobody.
    sequence->changed.wait_for(lock, std::chrono::milliseconds(50), [&] {
      return sequence->done || !sequence->ready.text.empty() || !sequence->ready.tokens.empty();
    });
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) sequence->cancelled = true;
    GenerationPiece piece = std::exchange(sequence->ready, {});
    const bool done = sequence->done;
    lock.unlock();
    if ((!piece.text.empty() || !piece.tokens.empty()) && on_piece && !sequence->cancelled) {
      if (!on_piece(piece)) sequence->cancelled = true;
    }
    if (done) break;
    lock.lock();
  }
  RETURN_IF_ERROR(sequence->status);
  return std::move(sequence->result);
}

void BatchingEngine::Work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ending_ || !waiting_.empty() || !running_.empty(); });
      if (ending_) break;
      Admit();
    }
    for (const std::shared_ptr<Sequence>& sequence : running_) {
      if (sequence->cancelled) Finish(*sequence, FinishReason::kCancelled);
    }
    StepPrefill();
    StepDecode();
    std::erase_if(running_, [&](const std::shared_ptr<Sequence>& sequence) {
      if (sequence->cache != nullptr) return false;
      cache_bytes_ -= sequence->cache_bytes;
      return true;
    });
  }
}

// With mutex_ held. First come, first served: a request that does not fit yet holds back those after it, so that it
// cannot starve.
void BatchingEngine::Admit() {
  while (!waiting_.empty() && static_cast<int>(running_.size()) < options_.max_sequences) {
    const std::shared_ptr<Sequence> sequence = waiting_.front();
    if (cache_bytes_ + sequence->cache_bytes > options_.cache_bytes) return;
    waiting_.pop_front();
    const int64_t tokens = static_cast<int64_t>(sequence->request.prompt.size()) + sequence->token_limit;
    absl::StatusOr<std::unique_ptr<SequenceCache>> cache = decoder_->NewCache(tokens);
    if (!cache.ok()) {
      Finish(*sequence, FinishReason::kCancelled, cache.status());
      continue;
    }
    sequence->cache = *std::move(cache);
    cache_bytes_ += sequence->cache_bytes;
    running_.push_back(sequence);
  }
}

void BatchingEngine::StepPrefill() {
  for (const std::shared_ptr<Sequence>& sequence : running_) {
    if (sequence->cache == nullptr || sequence->Prefilled()) continue;
    if (absl::Status status = PrefillPiece(*sequence); !status.ok()) {
      Finish(*sequence, FinishReason::kCancelled, std::move(status));
    }
    return;  // one piece between two steps
  }
}

absl::Status BatchingEngine::PrefillPiece(Sequence& sequence) {
  const std::vector<TokenId>& prompt = sequence.request.prompt;
  const size_t vocabulary = static_cast<size_t>(config().vocabulary_size);
  const size_t count = std::min<size_t>(prompt.size() - sequence.prefilled, Decoder::kMaxPrefill);
  const bool last = sequence.prefilled + count == prompt.size();
  const bool all = sequence.request.prompt_logprobs;
  logits_.resize(all ? count * vocabulary : last ? vocabulary : 0);
  RETURN_IF_ERROR(decoder_->Prefill(*sequence.cache, std::span(prompt).subspan(sequence.prefilled, count), logits_));
  if (all) {
    for (size_t i = 0; i < count && sequence.prefilled + i + 1 < prompt.size(); ++i) {
      sequence.result.prompt_token_chances.push_back(Describe(
          sequence, std::span(logits_).subspan(i * vocabulary, vocabulary), prompt[sequence.prefilled + i + 1]));
    }
  }
  sequence.prefilled += count;
  if (!last) return absl::OkStatus();
  sequence.result.prompt_seconds = SecondsSince(sequence.begun);
  sequence.decoding = Clock::now();
  if (sequence.token_limit == 0) {
    Finish(sequence, FinishReason::kLength);
  } else {
    Accept(sequence, std::span(logits_).last(vocabulary));
  }
  return absl::OkStatus();
}

void BatchingEngine::StepDecode() {
  std::vector<Sequence*> ready;
  for (const std::shared_ptr<Sequence>& sequence : running_) {
    if (sequence->cache != nullptr && sequence->Prefilled()) ready.push_back(sequence.get());
  }
  const size_t vocabulary = static_cast<size_t>(config().vocabulary_size);
  for (size_t begin = 0; begin < ready.size(); begin += Decoder::kMaxDecode) {
    const size_t count = std::min<size_t>(ready.size() - begin, Decoder::kMaxDecode);
    std::vector<SequenceCache*> caches;
    std::vector<TokenId> tokens;
    for (size_t i = begin; i < begin + count; ++i) {
      caches.push_back(ready[i]->cache.get());
      tokens.push_back(ready[i]->next);
    }
    logits_.resize(count * vocabulary);
    const absl::Status status = decoder_->Decode(caches, tokens, logits_);
    for (size_t i = 0; i < count; ++i) {
      if (!status.ok()) {
        Finish(*ready[begin + i], FinishReason::kCancelled, status);
      } else {
        Accept(*ready[begin + i], std::span(logits_).subspan(i * vocabulary, vocabulary));
      }
    }
  }
}

GeneratedToken BatchingEngine::Describe(const Sequence& sequence, std::span<const float> logits, TokenId token) const {
  GeneratedToken described{token, LogProbability(logits, token), {}};
  if (sequence.request.logprobs > 0) {
    described.top = LikeliestTokens(logits, static_cast<size_t>(sequence.request.logprobs));
  }
  return described;
}

// Draws the next token from `logits` and decides whether the sequence goes on.
void BatchingEngine::Accept(Sequence& sequence, std::span<const float> logits) {
  const TokenId token = sequence.sampler.Next(logits);
  if (std::find(ends_.begin(), ends_.end(), token) != ends_.end()) return Finish(sequence, FinishReason::kStop);
  GenerationResult& result = sequence.result;
  ++result.completion_tokens;
  sequence.next = token;
  const std::string text =
      sequence.stream.Push(tokenizer_->IsSpecial(token) ? std::string_view() : tokenizer_->TokenBytes(token));
  result.text += text;
  std::optional<GeneratedToken> described;
  if (sequence.request.logprobs >= 0) described = Describe(sequence, logits, token);
  if (described.has_value()) result.tokens.push_back(*described);
  {
    const std::scoped_lock lock(sequence.mutex);
    sequence.ready.text += text;
    if (described.has_value()) sequence.ready.tokens.push_back(*std::move(described));
  }
  sequence.changed.notify_all();
  if (sequence.stream.stopped()) return Finish(sequence, FinishReason::kStop);
  if (result.completion_tokens == sequence.token_limit) Finish(sequence, FinishReason::kLength);
}

void BatchingEngine::Finish(Sequence& sequence, FinishReason reason, absl::Status status) {
  sequence.cache.reset();  // Work() drops sequences without one
  GenerationResult& result = sequence.result;
  const std::string rest = sequence.stream.stopped() ? "" : sequence.stream.Finish();
  result.text += rest;
  result.finish_reason = reason;
  result.prompt_tokens = static_cast<int64_t>(sequence.request.prompt.size());
  if (sequence.Prefilled()) result.decode_seconds = SecondsSince(sequence.decoding);
  {
    // The caller may go away as soon as it sees `done`; our shared_ptr keeps the sequence, but not the request.
    const std::scoped_lock lock(sequence.mutex);
    sequence.ready.text += rest;
    sequence.status = std::move(status);
    sequence.done = true;
  }
  sequence.changed.notify_all();
}

std::vector<TokenId> EndTokens(const ModelConfig& config, const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::vector<TokenId> ends = {tokenizer.end_of_text()};
  if (chat.special) {
    const SpecialTokens specials(tokenizer);
    for (const std::string& stop : chat.stop) {
      if (const std::optional<TokenId> token = specials.Whole(stop)) ends.push_back(*token);
    }
  }
  if (config.eos_id >= 0) ends.push_back(static_cast<TokenId>(config.eos_id));
  return ends;
}

}  // namespace

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(std::unique_ptr<Decoder> decoder,
                                                       std::unique_ptr<const Tokenizer> tokenizer, ChatTemplate chat,
                                                       const EngineOptions& options) {
  if (tokenizer->vocabulary_size() > decoder->config().vocabulary_size) {
    return absl::InvalidArgumentError(
        fmt::format("the tokenizer has {} tokens and the model {}: they do not belong together",
                    tokenizer->vocabulary_size(), decoder->config().vocabulary_size));
  }
  std::vector<TokenId> ends = EndTokens(decoder->config(), *tokenizer, chat);
  return std::make_unique<BatchingEngine>(std::move(decoder), std::move(tokenizer), std::move(chat), options,
                                          std::move(ends));
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(const std::string& path, const EngineOptions& options) {
  std::string directory = path;
  constexpr std::string_view kWeights = "/model.safetensors";
  if (directory == kWeights.substr(1)) directory = ".";
  if (directory.ends_with(kWeights)) directory.resize(directory.size() - kWeights.size());
  if (!PathExists(directory)) return absl::NotFoundError(fmt::format("model {}: no such folder or file", directory));
  ASSIGN_OR_RETURN(std::unique_ptr<Decoder> decoder, Decoder::Load(directory, {options.precision, options.threads}));
  ASSIGN_OR_RETURN(const TokenizerFiles files, ReadTokenizerFiles(directory, decoder->config()));
  ASSIGN_OR_RETURN(std::unique_ptr<Tokenizer> tokenizer, MakeTokenizer(files, decoder->config(), directory));
  ASSIGN_OR_RETURN(ChatTemplate chat, ChatTemplate::FromGenerationConfig(files.generation_config, directory));
  if (!files.generation_config.contains("rhodes_chat"))
    chat = ChatTemplate::FromJinja(files.chat_template).value_or(chat);
  EngineOptions settings = options;
  settings.add_bos = options.add_bos && files.add_bos;
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Create(std::move(decoder), std::move(tokenizer), std::move(chat), settings);
  if (!engine.ok()) return Annotate(engine.status(), directory);
  return engine;
}

}  // namespace rhodes
