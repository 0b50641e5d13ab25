#include "model/kernels/product.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <dnnl.hpp>
#include <map>
#include <tuple>
#include <vector>

#include "model/kernels/buffer.h"
#include "model/kernels/elementwise.h"
#include "model/kernels/threads.h"

namespace rhodes {
namespace {

using dnnl::memory;

struct Key {
  int64_t m, n, k, lead_a, lead_b, lead_c;
  int flags;  // transposed a, transposed b, accumulate, type of a and b, type of c
  auto operator<=>(const Key&) const = default;
};

// oneDNN objects of one shape. The memories are bound to new addresses at each call. Room to work in is ours: oneDNN's
// own belongs to the thread that made the primitive, and a team's threads may end and be others the next time.
struct Entry {
  dnnl::matmul primitive;
  memory a, b, c, room;
  size_t room_bytes;
};

// Sets the size of OpenMP teams for the calling thread while it lives: oneDNN plans a primitive for the size it sees.
class TeamSize {
 public:
  explicit TeamSize(int threads) : before_(omp_get_max_threads()) {
    if (before_ != threads) omp_set_num_threads(threads);
    threads_ = threads;
  }
  ~TeamSize() {
    if (before_ != threads_) omp_set_num_threads(before_);
  }
  TeamSize(const TeamSize&) = delete;
  TeamSize& operator=(const TeamSize&) = delete;

 private:
  int before_;
  int threads_;
};

bool HasBf16Products() {
  static const bool has = std::string_view(InstructionSetName()).starts_with("avx512");
  return has;
}

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc Describe(int64_t rows, int64_t columns, memory::data_type type, int64_t leading, bool transposed) {
  return transposed ? memory::desc({rows, columns}, type, memory::dims{1, leading})
                    : memory::desc({rows, columns}, type, memory::dims{leading, 1});
}

template <typename T>
constexpr memory::data_type TypeOf() {
  return sizeof(T) == 4 ? memory::data_type::f32 : memory::data_type::bf16;
}

}  // namespace

// Rows or columns of a product that one thread makes begin at multiples of this: whole vectors and blocks of oneDNN's.
constexpr int64_t kGrain = 64;
// Columns that a thread makes at once: oneDNN arranges a transposed B for them in memory of its own, which for all of a
// vocabulary of 50304 was 50 MB a thread.
constexpr int64_t kMostColumns = 4096;
// Multiplications below which a product is not worth a team that is ours.
constexpr int64_t kLeastWork = int64_t{1} << 20;

struct Products::Impl {
  explicit Impl(int team) : threads(team), stream(Engine()) {
    for (int i = 0; team > 1 && i < team; ++i) parts.push_back(std::make_unique<Impl>(1));
  }

  template <typename A, typename C>
  void Run(int64_t m, int64_t n, int64_t k, Matrix<const A> a, Matrix<const A> b, Matrix<C> c, bool accumulate) {
    if (!status.ok() || m == 0 || n == 0 || k == 0) return;
    if constexpr (sizeof(A) == 2) {
      if (!HasBf16Products()) return RunWide(m, n, k, a, b, c, accumulate);
    }
    const int64_t longer = std::max(m, n);
    if (threads > 1 && m * n * k >= kLeastWork && longer >= kGrain * threads) {
      return RunInParts(m, n, k, a, b, c, accumulate);
    }
    RunWhole(m, n, k, a, b, c, accumulate);
  }

  // Each thread makes some rows or columns of C by itself: oneDNN's own division of a product among threads was
  // slower: 3 to 5 % of a step's time in turns on two cores, up to 15 % of the products' when the machine was slow. The
  // longer side of C is cut, so that the operand that all threads read is the smaller one.
  template <typename A, typename C>
  void RunInParts(int64_t m, int64_t n, int64_t k, Matrix<const A> a, Matrix<const A> b, Matrix<C> c, bool accumulate) {
    const bool rows = m >= n;
    ParallelRanges(threads, rows ? m : n, kGrain, [&](int64_t begin, int64_t end) {
      Impl& part = *parts[static_cast<size_t>(omp_get_thread_num())];
      if (rows) {
        Matrix<const A> own_a = a;
        own_a.data += begin * (a.transposed ? 1 : a.leading);
        part.RunWhole(end - begin, n, k, own_a, b, Matrix<C>{c.data + begin * c.leading, c.leading}, accumulate);
      } else {
        const int64_t blocks = (end - begin + kMostColumns - 1) / kMostColumns;
        const int64_t block = ((end - begin + blocks - 1) / blocks + kGrain - 1) / kGrain * kGrain;
        for (int64_t at = begin; at < end; at += block) {
          Matrix<const A> own_b = b;
          own_b.data += at * (b.transposed ? b.leading : 1);
          part.RunWhole(m, std::min(block, end - at), k, a, own_b, Matrix<C>{c.data + at, c.leading}, accumulate);
        }
      }
    });
    for (const auto& part : parts) {
      if (!part->status.ok()) status = part->status;
    }
  }

  template <typename A, typename C>
  void RunWhole(int64_t m, int64_t n, int64_t k, Matrix<const A> a, Matrix<const A> b, Matrix<C> c, bool accumulate) {
    const Key key{m,
                  n,
                  k,
                  a.leading,
                  b.leading,
                  c.leading,
                  int{a.transposed} | int{b.transposed} << 1 | int{accumulate} << 2 | int{sizeof(A) == 4} << 3 |
                      int{sizeof(C) == 4} << 4};
    try {
      Entry* entry = Find<A, C>(key, a, b, c, accumulate);
      // The C interface: the C++ one builds a hash map for each call, which costs as much as a small product.
      dnnl_memory_set_data_handle(entry->a.get(), const_cast<A*>(a.data));
      dnnl_memory_set_data_handle(entry->b.get(), const_cast<A*>(b.data));
      dnnl_memory_set_data_handle(entry->c.get(), c.data);
      if (room.size() < entry->room_bytes) room = Buffer<std::byte>(entry->room_bytes);
      dnnl_memory_set_data_handle(entry->room.get(), room.data());
      const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, entry->a.get()},
                                           {DNNL_ARG_WEIGHTS, entry->b.get()},
                                           {DNNL_ARG_DST, entry->c.get()},
                                           {DNNL_ARG_SCRATCHPAD, entry->room.get()}};
      const int count = entry->room_bytes > 0 ? 4 : 3;
      const TeamSize team(threads);
      const dnnl_status_t code = dnnl_primitive_execute(entry->primitive.get(), stream.get(), count, arguments);
      if (code != dnnl_success) Fail(key, fmt::format("oneDNN status {}", static_cast<int>(code)));
    } catch (const std::exception& error) {  // dnnl::error, std::bad_alloc: neither may leave a team's thread
      Fail(key, error.what());
    }
  }

  // Without AVX-512 oneDNN has no bf16 products: they are made in f32, which holds every product of two bf16 exactly,
  // so the results are those of a bf16 product up to the order of the sums.
  template <typename C>
  void RunWide(int64_t m, int64_t n, int64_t k, Matrix<const Bf16> a, Matrix<const Bf16> b, Matrix<C> c,
               bool accumulate) {
    const auto [a_rows, a_columns] = a.transposed ? std::pair(k, m) : std::pair(m, k);
    const auto [b_rows, b_columns] = b.transposed ? std::pair(n, k) : std::pair(k, n);
    Widen(a, a_rows, a_columns, wide_a);
    Widen(b, b_rows, b_columns, wide_b);
    Matrix<float> result;
    if constexpr (sizeof(C) == sizeof(float)) {
      result = c;
    } else {
      if (static_cast<int64_t>(wide_c.size()) < m * n) wide_c = Buffer<float>(m * n);
      result = {wide_c.data(), n};
      if (accumulate) {
        for (int64_t i = 0; i < m * n; ++i) wide_c[i] = ToFloat(c.data[i / n * c.leading + i % n]);
      }
    }
    Run<float, float>(m, n, k, {wide_a.data(), a_columns, a.transposed}, {wide_b.data(), b_columns, b.transposed},
                      result, accumulate);
    if constexpr (sizeof(C) != sizeof(float)) {
      FastElementwise<Bf16>().store_rows(wide_c.data(), nullptr, m, n, c.leading, c.data);
    }
  }

  static void Widen(const Matrix<const Bf16>& from, int64_t rows, int64_t columns, Buffer<float>& to) {
    if (static_cast<int64_t>(to.size()) < rows * columns) to = Buffer<float>(rows * columns);
    for (int64_t r = 0; r < rows; ++r) {
      const uint32_t row = 0;
      FastElementwise<Bf16>().gather_rows(from.data + r * from.leading, &row, 1, columns, to.data() + r * columns);
    }
  }

  template <typename A, typename C>
  Entry* Find(const Key& key, const Matrix<const A>& a, const Matrix<const A>& b, const Matrix<C>& c, bool accumulate) {
    if (auto found = entries.find(key); found != entries.end()) return &found->second;
    const TeamSize team(threads);
    const auto [m, n, k] = std::tuple(key.m, key.n, key.k);
    const memory::desc left = Describe(m, k, TypeOf<A>(), a.leading, a.transposed);
    const memory::desc right = Describe(k, n, TypeOf<A>(), b.leading, b.transposed);
    const memory::desc result = Describe(m, n, TypeOf<C>(), c.leading, false);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (accumulate) {
      dnnl::post_ops operations;
      operations.append_sum(1.0f);
      attributes.set_post_ops(operations);
    }
    const dnnl::matmul::desc operation(left, right, result);
    const dnnl::matmul::primitive_desc description(operation, attributes, Engine());
    const memory::desc working = description.scratchpad_desc();
    Entry entry{dnnl::matmul(description),
                memory(left, Engine(), DNNL_MEMORY_NONE),
                memory(right, Engine(), DNNL_MEMORY_NONE),
                memory(result, Engine(), DNNL_MEMORY_NONE),
                memory(working, Engine(), DNNL_MEMORY_NONE),
                working.get_size()};
    return &entries.emplace(key, std::move(entry)).first->second;
  }

  void Fail(const Key& key, std::string_view what) {
    status = absl::InternalError(fmt::format("product [{}, {}] x [{}, {}]: {}", key.m, key.k, key.k, key.n, what));
  }

  int threads;
  std::vector<std::unique_ptr<Impl>> parts;  // of one thread each, for a team
  dnnl::stream stream;
  Buffer<std::byte> room;                // for the largest of `entries`
  Buffer<float> wide_a, wide_b, wide_c;  // of RunWide
  std::map<Key, Entry> entries;          // a few dozen; the lookup is nothing beside a product
  absl::Status status;
};

Products::Products(int threads) : impl_(std::make_unique<Impl>(threads)) {}
Products::~Products() = default;
Products::Products(Products&&) noexcept = default;
const absl::Status& Products::status() const { return impl_->status; }

void Products::Run(int64_t m, int64_t n, int64_t k, Matrix<const float> a, Matrix<const float> b, Matrix<float> c,
                   bool accumulate) {
  impl_->Run(m, n, k, a, b, c, accumulate);
}
void Products::Run(int64_t m, int64_t n, int64_t k, Matrix<const Bf16> a, Matrix<const Bf16> b, Matrix<float> c,
                   bool accumulate) {
  impl_->Run(m, n, k, a, b, c, accumulate);
}
void Products::Run(int64_t m, int64_t n, int64_t k, Matrix<const Bf16> a, Matrix<const Bf16> b, Matrix<Bf16> c,
                   bool accumulate) {
  impl_->Run(m, n, k, a, b, c, accumulate);
}

ComputeType NativeComputeType() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx:
      return ComputeType::kBf16;
    default:
      return ComputeType::kF32;
  }
}

const char* InstructionSetName() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    default:
      return "sse41";
  }
}

namespace {

template <typename A>
double Rate(int64_t size, int threads, double seconds) {
  Buffer<A> a(size * size), b(size * size), c(size * size);
  for (int64_t i = 0; i < size * size; ++i) a[i] = b[i] = FromFloat<A>(static_cast<float>(i % 7) - 3.0f);
  Products products(threads);
  const auto run = [&] {
    products.Run(size, size, size, Matrix<const A>{a.data(), size}, Matrix<const A>{b.data(), size},
                 Matrix<A>{c.data(), size});
  };
  run();
  run();
  using Clock = std::chrono::steady_clock;
  double best = 0;
  double elapsed = 0;
  do {
    const Clock::time_point begin = Clock::now();
    constexpr int kRepeats = 4;
    for (int i = 0; i < kRepeats; ++i) run();
    const double time = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, kRepeats * 2.0 * static_cast<double>(size * size * size) / time);
    elapsed += time;
  } while (elapsed < seconds);
  return products.status().ok() ? best : 0;
}

}  // namespace

double MeasurePeak(ComputeType type, int threads, double seconds) {
  double best = 0;
  for (const int64_t size : {1024, 1536}) {
    best = std::max(best, type == ComputeType::kBf16 ? Rate<Bf16>(size, threads, seconds / 2)
                                                     : Rate<float>(size, threads, seconds / 2));
  }
  return best;
}

}  // namespace rhodes
