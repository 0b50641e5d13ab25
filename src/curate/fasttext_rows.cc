#include "curate/fasttext_rows.h"

#include <hwy/cache_control.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "curate/fasttext_rows.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rhodes {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Rows come from anywhere in a matrix that can be larger than any cache.
constexpr size_t kAhead = 12;

HWY_INLINE void FetchAhead(const float* values, size_t columns, const uint32_t* rows, size_t count, size_t i) {
  if (i + kAhead >= count) return;
  const float* const row = values + size_t{rows[i + kAhead]} * columns;
  hwy::Prefetch(row);
  if (columns > 16) hwy::Prefetch(row + 16);
}

// kVectors vectors of columns stay in registers while all rows pass by.
template <size_t kVectors, class D>
HWY_INLINE void AddBlock(D d, const float* values, size_t columns, const uint32_t* rows, size_t count, float* sum) {
  const size_t lanes = hn::Lanes(d);
  auto sum0 = hn::LoadU(d, sum);
  auto sum1 = hn::LoadU(d, sum + (kVectors > 1 ? lanes : 0));
  auto sum2 = hn::LoadU(d, sum + (kVectors > 2 ? 2 * lanes : 0));
  auto sum3 = hn::LoadU(d, sum + (kVectors > 2 ? 3 * lanes : 0));
  for (size_t i = 0; i < count; ++i) {
    FetchAhead(values, columns, rows, count, i);
    const float* const row = values + size_t{rows[i]} * columns;
    sum0 = hn::Add(sum0, hn::LoadU(d, row));
    if (kVectors > 1) sum1 = hn::Add(sum1, hn::LoadU(d, row + lanes));
    if (kVectors > 2) {
      sum2 = hn::Add(sum2, hn::LoadU(d, row + 2 * lanes));
      sum3 = hn::Add(sum3, hn::LoadU(d, row + 3 * lanes));
    }
  }
  hn::StoreU(sum0, d, sum);
  if (kVectors > 1) hn::StoreU(sum1, d, sum + lanes);
  if (kVectors > 2) {
    hn::StoreU(sum2, d, sum + 2 * lanes);
    hn::StoreU(sum3, d, sum + 3 * lanes);
  }
}

void AddRows(const float* values, size_t columns, const uint32_t* rows, size_t count, float* sum) {
  const hn::CappedTag<float, 16> d;
  const size_t lanes = hn::Lanes(d);
  if (columns == lanes) return AddBlock<1>(d, values, columns, rows, count, sum);
  if (columns == 2 * lanes) return AddBlock<2>(d, values, columns, rows, count, sum);
  if (columns == 4 * lanes) return AddBlock<4>(d, values, columns, rows, count, sum);
  for (size_t i = 0; i < count; ++i) {
    FetchAhead(values, columns, rows, count, i);
    const float* const row = values + size_t{rows[i]} * columns;
    size_t c = 0;
    for (; c + lanes <= columns; c += lanes)
      hn::StoreU(hn::Add(hn::LoadU(d, sum + c), hn::LoadU(d, row + c)), d, sum + c);
    for (; c < columns; ++c) sum[c] += row[c];
  }
}

// Of one block of `width` rows, four vectors of them at a time.
void MultiplyBlock(const float* block, size_t width, size_t columns, const float* vector, float* products) {
  const hn::CappedTag<float, 16> d;
  const size_t lanes = hn::Lanes(d);
  size_t r = 0;
  for (; r + 4 * lanes <= width; r += 4 * lanes) {
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    auto sum2 = hn::Zero(d);
    auto sum3 = hn::Zero(d);
    const float* from = block + r;
    for (size_t c = 0; c < columns; ++c, from += width) {
      const auto factor = hn::Set(d, vector[c]);
      sum0 = hn::Add(sum0, hn::Mul(factor, hn::LoadU(d, from)));
      sum1 = hn::Add(sum1, hn::Mul(factor, hn::LoadU(d, from + lanes)));
      sum2 = hn::Add(sum2, hn::Mul(factor, hn::LoadU(d, from + 2 * lanes)));
      sum3 = hn::Add(sum3, hn::Mul(factor, hn::LoadU(d, from + 3 * lanes)));
    }
    hn::StoreU(sum0, d, products + r);
    hn::StoreU(sum1, d, products + r + lanes);
    hn::StoreU(sum2, d, products + r + 2 * lanes);
    hn::StoreU(sum3, d, products + r + 3 * lanes);
  }
  for (; r < width; ++r) {
    float sum = 0;
    for (size_t c = 0; c < columns; ++c) sum += vector[c] * block[c * width + r];
    products[r] = sum;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rhodes
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rhodes {

HWY_EXPORT(AddRows);
HWY_EXPORT(MultiplyBlock);

namespace {

constexpr size_t kBlockRows = 64;

}  // namespace

void AddFastTextRows(const float* values, size_t columns, const uint32_t* rows, size_t count, float* sum) {
  HWY_DYNAMIC_DISPATCH(AddRows)(values, columns, rows, count, sum);
}

void BlockFastTextRows(const float* values, size_t rows, size_t columns, float* blocked) {
  for (size_t begin = 0; begin < rows; begin += kBlockRows) {
    const size_t width = std::min(kBlockRows, rows - begin);
    for (size_t c = 0; c < columns; ++c) {
      for (size_t r = 0; r < width; ++r) *blocked++ = values[(begin + r) * columns + c];
    }
  }
}

void MultiplyFastTextRows(const float* blocked, size_t rows, size_t columns, const float* vector, float* products) {
  for (size_t begin = 0; begin < rows; begin += kBlockRows) {
    const size_t width = std::min(kBlockRows, rows - begin);
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)(blocked + begin * columns, width, columns, vector, products + begin);
  }
}

}  // namespace rhodes
#endif  // HWY_ONCE
