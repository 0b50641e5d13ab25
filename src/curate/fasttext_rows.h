// Sums over rows of fastText's matrices with vector instructions, in the order in which fastText makes them: a column's
// sum takes the rows, and a row's product the columns, one after another, and nothing is fused. So results are
// fastText's to the last bit, on every machine.
#ifndef RHODES_CURATE_FASTTEXT_ROWS_H_
#define RHODES_CURATE_FASTTEXT_ROWS_H_

#include <cstddef>
#include <cstdint>

namespace rhodes {

// sum[c] += values[rows[i] * columns + c], for each of `count` rows in turn.
void AddFastTextRows(const float* values, size_t columns, const uint32_t* rows, size_t count, float* sum);

// `values`, rows x columns, with 64 rows (the last block: what is left) side by side: first the first column of each,
// then the second of each ...
void BlockFastTextRows(const float* values, size_t rows, size_t columns, float* blocked);
// products[r] = the sum over columns c in turn of vector[c] * values[r * columns + c].
void MultiplyFastTextRows(const float* blocked, size_t rows, size_t columns, const float* vector, float* products);

}  // namespace rhodes

#endif  // RHODES_CURATE_FASTTEXT_ROWS_H_
