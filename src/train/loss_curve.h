// A curve in a few lines of text, of braille dots.
#ifndef RHODES_TRAIN_LOSS_CURVE_H_
#define RHODES_TRAIN_LOSS_CURVE_H_

#include <span>
#include <string>
#include <vector>

namespace rhodes {

// `values` from left to right over `columns` characters in `rows` lines, two dots a character across and four down,
// with the largest and the smallest at the left. Several values on one dot are averaged, and neighbours joined; the
// last `whole` - values.size() places stay empty (of a curve that is still growing). Values that are no numbers are
// left out. No lines when there is nothing to draw.
std::vector<std::string> DrawCurve(std::span<const double> values, size_t whole, size_t columns, size_t rows);

}  // namespace rhodes

#endif  // RHODES_TRAIN_LOSS_CURVE_H_
