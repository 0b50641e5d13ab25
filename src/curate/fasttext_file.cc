#include "curate/fasttext_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace rhodes {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied out of little-endian files as they are");

constexpr uint64_t kCentroids = 256;
constexpr int32_t kMagic = 793712314;
constexpr int32_t kSupervised = 3;
// A text of n bytes leads to at most n * max_n and n / 2 * word_ngrams rows: both stay linear whatever a file says.
constexpr int32_t kMaxN = 64;
// fastText builds its tree with 10^15 for "not there yet".
constexpr uint64_t kMaxLabelCount = 1'000'000'000'000'000;

class Parser {
 public:
  Parser(std::string_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  absl::StatusOr<FastTextFile> Parse() {
    RETURN_IF_ERROR(ReadHeader());
    RETURN_IF_ERROR(ReadArguments());
    RETURN_IF_ERROR(ReadDictionary());
    ASSIGN_OR_RETURN(const bool quantised, Flag("input matrix"));
    if (file_.pruned && !quantised) return Error("a pruned dictionary goes with a quantised matrix only");
    RETURN_IF_ERROR(ReadMatrix("input matrix", quantised, file_.input));
    ASSIGN_OR_RETURN(const bool output_quantised, Flag("output matrix"));
    RETURN_IF_ERROR(ReadMatrix("output matrix", quantised && output_quantised, file_.output));
    if (at_ != bytes_.size()) return Error(fmt::format("{} bytes follow the model's end", bytes_.size() - at_));
    RETURN_IF_ERROR(CheckShapes());
    return std::move(file_);
  }

 private:
  absl::Status Error(std::string_view what) const {
    return UsageError(fmt::format("language model {}: byte {}: {}", name_, at_, what));
  }
  absl::Status Short(std::string_view part) const {
    return Error(fmt::format("the file ends inside its {}: is it whole?", part));
  }
  uint64_t left() const { return bytes_.size() - at_; }

  template <typename Number>
  absl::StatusOr<Number> Read(std::string_view part) {
    if (left() < sizeof(Number)) return Short(part);
    Number number;
    std::memcpy(&number, bytes_.data() + at_, sizeof(Number));
    at_ += sizeof(Number);
    return number;
  }

  absl::StatusOr<bool> Flag(std::string_view part) {
    ASSIGN_OR_RETURN(const uint8_t flag, Read<uint8_t>(part));
    if (flag <= 1) return flag == 1;
    --at_;
    return Error(fmt::format("a switch of the {} is {}, neither 0 nor 1", part, flag));
  }

  // A count that is between `least` and `most`.
  template <typename Number>
  absl::StatusOr<uint64_t> Count(std::string_view part, std::string_view what, int64_t least, int64_t most) {
    ASSIGN_OR_RETURN(const Number number, Read<Number>(part));
    if (number >= least && number <= most) return static_cast<uint64_t>(number);
    at_ -= sizeof(Number);
    return Error(fmt::format("the {}'s {} is {}, not {} to {}", part, what, number, least, most));
  }

  absl::Status ReadHeader() {
    const absl::StatusOr<int32_t> magic = Read<int32_t>("header");
    if (!magic.ok() || *magic != kMagic) {
      return UsageError(fmt::format("language model {}: is not a fastText model (.bin or .ftz)", name_));
    }
    ASSIGN_OR_RETURN(version_, Read<int32_t>("header"));
    if (version_ == 11 || version_ == 12) return absl::OkStatus();
    return Error(fmt::format("fastText's format version {} is not known; 11 and 12 are", version_));
  }

  absl::Status ReadArguments() {
    constexpr std::string_view kPart = "list of arguments";
    constexpr int64_t kMost = INT32_MAX;
    ASSIGN_OR_RETURN(const uint64_t dimension, Count<int32_t>(kPart, "dimension", 1, kMost));
    for (int i = 0; i < 4; ++i)
      RETURN_IF_ERROR(Read<int32_t>(kPart).status());  // window, epochs, min. count, negatives
    ASSIGN_OR_RETURN(const int32_t word_ngrams, Read<int32_t>(kPart));
    ASSIGN_OR_RETURN(const uint64_t loss, Count<int32_t>(kPart, "loss", 1, 4));
    ASSIGN_OR_RETURN(const int32_t kind, Read<int32_t>(kPart));
    if (kind != kSupervised) return Error("the model has word vectors only: a classifier (supervised) is needed");
    ASSIGN_OR_RETURN(const uint64_t bucket, Count<int32_t>(kPart, "number of buckets", 0, kMost));
    ASSIGN_OR_RETURN(const int32_t min_n, Read<int32_t>(kPart));
    ASSIGN_OR_RETURN(int32_t max_n, Read<int32_t>(kPart));
    if (version_ == 11) max_n = 0;  // classifiers had no character n-grams then
    if (max_n > kMaxN || word_ngrams > kMaxN) {
      return Error(fmt::format("n-grams of {} characters or {} words are longer than {}, the longest that are taken",
                               max_n, word_ngrams, kMaxN));
    }
    RETURN_IF_ERROR(Read<int32_t>(kPart).status());
    RETURN_IF_ERROR(Read<double>(kPart).status());
    file_.dimension = static_cast<uint32_t>(dimension);
    file_.loss = static_cast<FastTextLoss>(loss);
    file_.word_ngrams = static_cast<uint32_t>(std::max(word_ngrams, 1));
    file_.bucket = static_cast<uint32_t>(bucket);
    file_.min_n = static_cast<uint32_t>(std::max(min_n, 0));
    file_.max_n = static_cast<uint32_t>(std::max(max_n, 0));
    if ((file_.max_n > 0 || file_.word_ngrams > 1) && bucket == 0) return Error("n-grams without buckets");
    return absl::OkStatus();
  }

  absl::Status ReadDictionary() {
    constexpr std::string_view kPart = "dictionary";
    constexpr uint64_t kEntryBytes = 10;  // at least: NUL, count, type
    ASSIGN_OR_RETURN(const uint64_t entries, Count<int32_t>(kPart, "number of entries", 1, INT32_MAX));
    ASSIGN_OR_RETURN(const uint64_t words, Count<int32_t>(kPart, "number of words", 0, INT32_MAX));
    ASSIGN_OR_RETURN(const uint64_t labels, Count<int32_t>(kPart, "number of labels", 1, INT32_MAX));
    RETURN_IF_ERROR(Read<int64_t>(kPart).status());
    ASSIGN_OR_RETURN(const int64_t kept, Read<int64_t>(kPart));
    if (words + labels != entries) {
      return Error(fmt::format("{} words and {} labels are not the {} entries", words, labels, entries));
    }
    if (entries > left() / kEntryBytes) return Short(kPart);
    file_.words = static_cast<uint32_t>(words);
    file_.labels = static_cast<uint32_t>(labels);
    file_.name_ends.reserve(entries);
    file_.label_counts.reserve(labels);
    for (uint64_t i = 0; i < entries; ++i) RETURN_IF_ERROR(ReadEntry(i >= words));
    if (kept < 0) return absl::OkStatus();
    file_.pruned = true;
    if (static_cast<uint64_t>(kept) > left() / 8) return Short(kPart);
    file_.kept_ngrams.reserve(static_cast<uint64_t>(kept));
    for (int64_t i = 0; i < kept; ++i) {
      ASSIGN_OR_RETURN(const uint64_t bucket, Count<int32_t>(kPart, "bucket of a kept n-gram", 0, INT32_MAX));
      ASSIGN_OR_RETURN(const uint64_t row, Count<int32_t>(kPart, "row of a kept n-gram", 0, INT32_MAX));
      file_.kept_ngrams.emplace_back(bucket, row);
    }
    return absl::OkStatus();
  }

  absl::Status ReadEntry(bool label) {
    constexpr std::string_view kPart = "dictionary";
    const size_t end = bytes_.find('\0', at_);
    if (end == std::string_view::npos) return Short(kPart);
    file_.names.append(bytes_.substr(at_, end - at_));
    file_.name_ends.push_back(file_.names.size());
    at_ = end + 1;
    ASSIGN_OR_RETURN(const uint64_t count,
                     Count<int64_t>(kPart, "count of an entry", 0, static_cast<int64_t>(kMaxLabelCount) - 1));
    if (label) file_.label_counts.push_back(count);
    ASSIGN_OR_RETURN(const int8_t type, Read<int8_t>(kPart));
    if (type == (label ? 1 : 0)) return absl::OkStatus();
    return Error(fmt::format("an entry among the {} is of type {}", label ? "labels" : "words", type));
  }

  absl::Status ReadMatrix(std::string_view part, bool quantised, FastTextMatrix& matrix) {
    if (quantised) return ReadQuantised(part, matrix);
    ASSIGN_OR_RETURN(matrix.rows, Count<int64_t>(part, "number of rows", 0, INT64_MAX));
    ASSIGN_OR_RETURN(matrix.columns, Count<int64_t>(part, "number of columns", file_.dimension, file_.dimension));
    if (matrix.rows > left() / sizeof(float) / matrix.columns) return Short(part);
    const uint64_t values = matrix.rows * matrix.columns;
    matrix.values = hwy::AllocateAligned<float>(std::max<uint64_t>(values, 1));
    if (matrix.values == nullptr) {
      return absl::ResourceExhaustedError(fmt::format("language model {}: no memory for its {}", name_, part));
    }
    return ReadFloats(part, values, matrix.values.get());
  }

  absl::Status ReadFloats(std::string_view part, uint64_t count, float* out) {
    if (count > left() / sizeof(float)) return Short(part);
    std::memcpy(out, bytes_.data() + at_, count * sizeof(float));
    const float* const bad = std::find_if_not(out, out + count, [](float value) { return std::isfinite(value); });
    if (bad != out + count) {
      at_ += static_cast<uint64_t>(bad - out) * sizeof(float);
      return Error(fmt::format("a value of the {} is not a finite number", part));
    }
    at_ += count * sizeof(float);
    return absl::OkStatus();
  }

  absl::Status ReadBytes(std::string_view part, uint64_t count, std::vector<uint8_t>& out) {
    if (count > left()) return Short(part);
    out.assign(bytes_.begin() + static_cast<ptrdiff_t>(at_), bytes_.begin() + static_cast<ptrdiff_t>(at_ + count));
    at_ += count;
    return absl::OkStatus();
  }

  absl::Status ReadQuantised(std::string_view part, FastTextMatrix& matrix) {
    ASSIGN_OR_RETURN(const bool with_norms, Flag(part));
    ASSIGN_OR_RETURN(matrix.rows, Count<int64_t>(part, "number of rows", 0, INT64_MAX));
    ASSIGN_OR_RETURN(matrix.columns, Count<int64_t>(part, "number of columns", file_.dimension, file_.dimension));
    ASSIGN_OR_RETURN(const uint64_t codes, Count<int32_t>(part, "size of codes", 0, INT32_MAX));
    RETURN_IF_ERROR(ReadBytes(part, codes, matrix.codes));
    RETURN_IF_ERROR(ReadQuantiser(part, matrix.columns, matrix));
    if (codes / matrix.sub_vectors != matrix.rows || codes % matrix.sub_vectors != 0) {
      return Error(fmt::format("the {}'s {} codes are not {} for each of {} rows", part, codes, matrix.sub_vectors,
                               matrix.rows));
    }
    if (!with_norms) return absl::OkStatus();
    RETURN_IF_ERROR(ReadBytes(part, matrix.rows, matrix.norm_codes));
    FastTextMatrix norms;
    RETURN_IF_ERROR(ReadQuantiser(part, 1, norms));
    matrix.norms = std::move(norms.centroids);
    return absl::OkStatus();
  }

  absl::Status ReadQuantiser(std::string_view part, uint64_t columns, FastTextMatrix& matrix) {
    const auto most = static_cast<int64_t>(columns);
    ASSIGN_OR_RETURN(const uint64_t dimension, Count<int32_t>(part, "quantiser's dimension", most, most));
    ASSIGN_OR_RETURN(matrix.sub_vectors, Count<int32_t>(part, "number of sub-vectors", 1, most));
    // More than there are columns when there is one sub-vector, which is the last.
    ASSIGN_OR_RETURN(matrix.sub_columns, Count<int32_t>(part, "length of sub-vectors", 1, INT32_MAX));
    ASSIGN_OR_RETURN(matrix.last_sub_columns, Count<int32_t>(part, "length of the last sub-vector", 1,
                                                             static_cast<int64_t>(matrix.sub_columns)));
    if ((matrix.sub_vectors - 1) * matrix.sub_columns + matrix.last_sub_columns != dimension) {
      return Error(fmt::format("the {}'s {} sub-vectors of length {} do not make {} columns", part, matrix.sub_vectors,
                               matrix.sub_columns, dimension));
    }
    if (dimension > left() / sizeof(float) / kCentroids) return Short(part);
    matrix.centroids.resize(dimension * kCentroids);
    return ReadFloats(part, matrix.centroids.size(), matrix.centroids.data());
  }

  absl::Status CheckShapes() const {
    const FastTextMatrix& input = file_.input;
    const bool ngrams = file_.max_n > 0 || file_.word_ngrams > 1;
    const uint64_t needed = uint64_t{file_.words} + (ngrams && !file_.pruned ? file_.bucket : 0);
    if (input.rows < needed) {
      return Error(fmt::format("the input matrix has {} rows, and the dictionary needs {}", input.rows, needed));
    }
    for (const auto& [bucket, row] : file_.kept_ngrams) {
      if (row >= input.rows - file_.words) {
        return Error(fmt::format("the input matrix has no row {} behind the words, where a kept n-gram is", row));
      }
    }
    if (file_.output.rows != file_.labels) {
      return Error(fmt::format("the output matrix has {} rows for {} labels", file_.output.rows, file_.labels));
    }
    return absl::OkStatus();
  }

  std::string_view bytes_;
  std::string_view name_;
  uint64_t at_ = 0;
  int32_t version_ = 0;
  FastTextFile file_;
};

}  // namespace

absl::StatusOr<FastTextFile> ParseFastText(std::string_view bytes, std::string_view name) {
  return Parser(bytes, name).Parse();
}

template <typename Visit>
void FastTextMatrix::ForEachSubVector(uint64_t row, Visit visit) const {
  const float norm = norms.empty() ? 1.0F : norms[norm_codes[row]];
  const uint8_t* const code = codes.data() + row * sub_vectors;
  for (uint64_t s = 0; s < sub_vectors; ++s) {
    const uint64_t count = s + 1 == sub_vectors ? last_sub_columns : sub_columns;
    visit(s * sub_columns, centroids.data() + s * kCentroids * sub_columns + code[s] * count, count, norm);
  }
}

void FastTextMatrix::AddRow(uint64_t row, float* sum) const {
  if (values != nullptr) {
    const float* const from = values.get() + row * columns;
    for (uint64_t i = 0; i < columns; ++i) sum[i] += from[i];
    return;
  }
  ForEachSubVector(row, [&](uint64_t column, const float* from, uint64_t count, float norm) {
    for (uint64_t i = 0; i < count; ++i) sum[column + i] += norm * from[i];
  });
}

FastTextMatrix FastTextMatrix::Expanded() const {
  FastTextMatrix expanded;
  expanded.rows = rows;
  expanded.columns = columns;
  expanded.values = hwy::AllocateAligned<float>(std::max<uint64_t>(rows * columns, 1));
  std::fill_n(expanded.values.get(), rows * columns, 0.0F);
  for (uint64_t row = 0; row < rows; ++row) AddRow(row, expanded.values.get() + row * columns);
  return expanded;
}

float FastTextMatrix::Dot(uint64_t row, const float* vector) const {
  float sum = 0;
  if (values != nullptr) {
    const float* const from = values.get() + row * columns;
    for (uint64_t i = 0; i < columns; ++i) sum += from[i] * vector[i];
    return sum;
  }
  float norm_of_row = 1;
  ForEachSubVector(row, [&](uint64_t column, const float* from, uint64_t count, float norm) {
    for (uint64_t i = 0; i < count; ++i) sum += vector[column + i] * from[i];
    norm_of_row = norm;
  });
  return sum * norm_of_row;
}

}  // namespace rhodes
