#include "record/json_documents.h"

#include <simdjson.h>

#include <cstring>
#include <functional>
#include <limits>

#include "absl/time/time.h"
#include "base/decompress.h"
#include "base/hash.h"
#include "base/text.h"

namespace rhodes {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kRead = size_t{1} << 20;

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  for (const char* format :
       {"%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%dT%H:%M:%E*S", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d"}) {
    absl::Time time;
    if (absl::ParseTime(format, std::string(text), &time, nullptr)) return absl::ToUnixMicros(time);
  }
  return std::nullopt;
}

std::string Minified(std::string_view json) {
  std::string out(json.size(), '\0');
  size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size) != simdjson::SUCCESS) return std::string(json);
  out.resize(size);
  return out;
}

// A string's characters; of anything else its JSON; nothing for null.
simdjson::error_code TextOf(ondemand::value value, std::optional<std::string>& text) {
  text.reset();
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::null) return simdjson::SUCCESS;
  std::string_view view;
  if (type == ondemand::json_type::string) {
    if (const auto error = value.get_string().get(view)) return error;
    text.emplace(view);
    return simdjson::SUCCESS;
  }
  if (const auto error = simdjson::to_json_string(value).get(view)) return error;
  text = Minified(Trim(view));
  return simdjson::SUCCESS;
}

simdjson::error_code ListOf(ondemand::value value, std::vector<std::string>& list) {
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return error;
  if (type != ondemand::json_type::array) return simdjson::SUCCESS;
  std::optional<std::string> text;
  for (simdjson::simdjson_result<ondemand::value> element : value.get_array()) {
    ondemand::value one;
    if (const auto error = std::move(element).get(one)) return error;
    if (const auto error = TextOf(one, text)) return error;
    if (text) list.push_back(*std::move(text));
  }
  return simdjson::SUCCESS;
}

// None when they are not a list of objects with three whole numbers.
simdjson::error_code SpansOf(ondemand::value value, JsonDocuments::Triples& spans) {
  std::string_view raw;
  if (const auto error = simdjson::to_json_string(value).get(raw)) return error;
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(raw.data(), raw.size(), true).get(list) != simdjson::SUCCESS) return simdjson::SUCCESS;
  for (const simdjson::dom::element element : list) {
    std::array<uint64_t, 3> triple{};
    const char* const names[] = {"begin", "end", "parent"};
    for (size_t i = 0; i < triple.size(); ++i) {
      // What is no number is no place in any text: the check behind this names the row.
      if (element[names[i]].get(triple[i]) != simdjson::SUCCESS) triple[i] = std::numeric_limits<uint64_t>::max();
    }
    spans.push_back(triple);
  }
  return simdjson::SUCCESS;
}

// What lies before the bytes that are read, for messages.
struct Place {
  uint64_t lines = 0;
  uint64_t rows = 0;  // lines that are not blank
};

class Lines final : public JsonDocuments {
 public:
  // `end`: lines that begin there or behind it are another reader's; `place` says where the first line stands.
  Lines(ByteSource source, uint64_t end, std::function<Place()> place)
      : source_(std::move(source)), end_of_range_(end), place_(std::move(place)) {}

  absl::StatusOr<bool> Next(Document& document, Triples& spans) override {
    while (true) {
      ASSIGN_OR_RETURN(const bool more, NextLine());
      if (!more) return false;
      if (Trim(line()).empty()) continue;
      ++row_;
      document = {};
      spans.clear();
      simdjson::error_code error = Parse(document, spans);
      if (error == simdjson::UTF8_ERROR) {
        Repair();
        document = {};
        spans.clear();
        error = Parse(document, spans);
      }
      if (error != simdjson::SUCCESS) {
        return absl::InvalidArgumentError(fmt::format("Malformed JSON in line {}: {}", place_().lines + line_number_,
                                                      simdjson::error_message(error)));
      }
      if (!has_text_) return absl::InvalidArgumentError(fmt::format("row {}: there is no \"text\"", row()));
      if (document.id.empty() && !has_id_ && with_id_) document.id = ContentId({document.text});
      return true;
    }
  }
  uint64_t row() const override { return place_().rows + row_; }
  void TakeTextOnly(bool with_id) override {
    text_only_ = true;
    with_id_ = with_id;
  }

 private:
  // The current line lies in buffer_[begin_, end_), with room behind it for the parser to read.
  std::string_view line() const { return std::string_view(buffer_).substr(begin_, end_ - begin_); }

  absl::StatusOr<bool> NextLine() {
    begin_ = std::min(end_ + (has_line_ ? 1 : 0), filled_);
    if (offset_ + begin_ >= end_of_range_) return false;
    size_t looked = begin_;
    while (true) {
      const void* const found = std::memchr(buffer_.data() + looked, '\n', filled_ - looked);
      if (found != nullptr) {
        end_ = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data());
        break;
      }
      if (ended_) {
        if (begin_ == filled_) return false;
        end_ = filled_;
        break;
      }
      // What is left moves to the front, and more is read behind it.
      std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
      filled_ -= begin_;
      offset_ += begin_;
      begin_ = 0;
      looked = filled_;
      const size_t wanted = filled_ + std::max(kRead, filled_);
      if (buffer_.size() < wanted + simdjson::SIMDJSON_PADDING) buffer_.resize(wanted + simdjson::SIMDJSON_PADDING);
      ASSIGN_OR_RETURN(const size_t count, source_(buffer_.data() + filled_, wanted - filled_));
      ended_ = count == 0;
      filled_ += count;
    }
    has_line_ = true;
    ++line_number_;
    return true;
  }

  // Puts the repaired line, which may be longer, in the place of the line.
  void Repair() {
    const std::string valid = ReplaceInvalidUtf8(line());
    buffer_.replace(begin_, end_ - begin_, valid);
    filled_ = filled_ - (end_ - begin_) + valid.size();
    offset_ -= valid.size() - (end_ - begin_);  // modulo 2^64: what follows stays where it was
    end_ = begin_ + valid.size();
    if (buffer_.size() < filled_ + simdjson::SIMDJSON_PADDING) buffer_.resize(filled_ + simdjson::SIMDJSON_PADDING);
  }

  simdjson::error_code Parse(Document& document, Triples& spans) {
    has_text_ = has_id_ = false;
    const simdjson::padded_string_view bytes(buffer_.data() + begin_, end_ - begin_, buffer_.size() - begin_);
    // The other parser looks only at what it is asked for, and takes a word that begins like null for it. This one
    // looks at all, at more than 1 GB/s.
    if (const auto error = checker_.parse(buffer_.data() + begin_, end_ - begin_, false).error()) return error;
    ondemand::document json;
    if (const auto error = parser_.iterate(bytes).get(json)) return error;
    ondemand::json_type type;
    if (const auto error = json.type().get(type)) return error;
    if (type != ondemand::json_type::object) return simdjson::SUCCESS;  // a row without text
    ondemand::object object;
    if (const auto error = json.get_object().get(object)) return error;
    std::string meta;
    for (simdjson::simdjson_result<ondemand::field> result : object) {
      ondemand::field field;
      if (const auto error = std::move(result).get(field)) return error;
      if (const auto error = Take(field, document, spans, meta)) return error;
    }
    if (!meta.empty()) document.meta = "{" + meta + "}";
    return simdjson::SUCCESS;
  }

  simdjson::error_code Take(ondemand::field field, Document& document, Triples& spans, std::string& meta) {
    const ondemand::raw_json_string key = field.key();
    std::optional<std::string> text;
    if (key == "text") {
      if (const auto error = TextOf(field.value(), text)) return error;
      has_text_ = text.has_value();
      if (text) document.text = *std::move(text);
    } else if (key == "language") {
      if (const auto error = TextOf(field.value(), text)) return error;
      if (text) document.language = *std::move(text);
    } else if (key == "sources") {
      return ListOf(field.value(), document.sources);
    } else if (key == "id" && with_id_) {
      if (const auto error = TextOf(field.value(), text)) return error;
      has_id_ = text.has_value();
      if (text) document.id = *std::move(text);
    } else if (text_only_) {
      return simdjson::SUCCESS;
    } else if (key == "time") {
      if (const auto error = TextOf(field.value(), text)) return error;
      if (text) document.time = ParseTimestamp(*text);
    } else if (key == "parents") {
      return ListOf(field.value(), document.parents);
    } else if (key == "spans") {
      return SpansOf(field.value(), spans);
    } else {
      // The key as it is written: between its quotes, escapes included.
      const std::string_view name(key.raw(), static_cast<size_t>(KeyEnd(key.raw()) - key.raw()));
      std::string_view raw;
      if (const auto error = simdjson::to_json_string(field.value()).get(raw)) return error;
      meta += fmt::format("{}\"{}\":{}", meta.empty() ? "" : ",", name, Minified(Trim(raw)));
    }
    return simdjson::SUCCESS;
  }

  static const char* KeyEnd(const char* at) {
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    return at;
  }

  const ByteSource source_;
  const uint64_t end_of_range_;
  const std::function<Place()> place_;
  uint64_t offset_ = 0;  // of buffer_'s first byte, from the first line on
  simdjson::dom::parser checker_;
  ondemand::parser parser_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0, filled_ = 0;
  bool has_line_ = false, ended_ = false, has_text_ = false, has_id_ = false;
  bool text_only_ = false, with_id_ = true;
  uint64_t line_number_ = 0;
  uint64_t row_ = 0;
};

Place CountLines(std::string_view before) {
  Place place;
  while (!before.empty()) {
    const size_t end = std::min(before.find('\n'), before.size() - 1);
    ++place.lines;
    place.rows += Trim(before.substr(0, end + 1)).empty() ? 0 : 1;
    before.remove_prefix(end + 1);
  }
  return place;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JsonDocuments>> JsonDocuments::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteReader> opened, ByteReader::Open(path));
  const std::shared_ptr<ByteReader> reader = std::move(opened);
  return std::make_unique<Lines>([reader](char* to, size_t size) { return reader->Read(to, size); },
                                 std::numeric_limits<uint64_t>::max(), [] { return Place(); });
}

std::unique_ptr<JsonDocuments> JsonDocuments::OfLines(std::string lines, uint64_t lines_before, uint64_t rows_before) {
  const auto source = [lines = std::move(lines), at = size_t{0}](char* to, size_t size) mutable {
    const size_t count = lines.copy(to, size, at);
    at += count;
    return absl::StatusOr<size_t>(count);
  };
  return std::make_unique<Lines>(source, std::numeric_limits<uint64_t>::max(), [lines_before, rows_before] {
    return Place{lines_before, rows_before};
  });
}

absl::StatusOr<std::unique_ptr<JsonDocuments>> JsonDocuments::OpenRange(const std::string& path, uint64_t begin,
                                                                        uint64_t end) {
  ASSIGN_OR_RETURN(MappedFile opened, MappedFile::Open(path));
  const auto file = std::make_shared<const MappedFile>(std::move(opened));
  const std::string_view bytes = file->bytes();
  size_t first = std::min<size_t>(begin, bytes.size());
  if (first > 0) {  // the line that holds the byte before is not this range's
    const size_t newline = bytes.find('\n', first - 1);
    first = newline == std::string_view::npos ? bytes.size() : newline + 1;
  }
  const auto source = [file, bytes, end, at = first](char* to, size_t size) mutable -> absl::StatusOr<size_t> {
    // Behind the end only the rest of the last line is wanted.
    constexpr size_t kBehind = size_t{64} << 10;
    const size_t limit = at < end ? static_cast<size_t>(end) - at : kBehind;
    const std::string_view part = bytes.substr(at, std::min(size, limit));
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    at += part.size();
    ReleasePages(part);
    return part.size();
  };
  return std::make_unique<Lines>(source, end - std::min<uint64_t>(first, end),
                                 [file, bytes, first] { return CountLines(bytes.substr(0, first)); });
}

}  // namespace rhodes
