// Reading posts beside simdjson's parse of the same lines, both in memory and on one thread: x_parse FILE.jsonl
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "source/x_v1.h"

namespace {

double Median(int runs, const auto& body) {
  std::vector<double> seconds;
  for (int run = 0; run < runs; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    body();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  absl::StatusOr<std::string> read = rhodes::ReadFile(arguments[1]);
  if (!read.ok()) return 1;
  const size_t size = read->size();
  read->append(simdjson::SIMDJSON_PADDING, ' ');
  const std::string_view bytes = std::string_view(*read).substr(0, size);
  simdjson::dom::parser parser;
  size_t documents = 0;
  const double parse = Median(7, [&] {
    documents = 0;
    for (size_t at = 0; at < size;) {
      const size_t end = std::min(bytes.find('\n', at), size);
      simdjson::dom::element element;
      documents += parser.parse(bytes.data() + at, end - at, false).get(element) == simdjson::SUCCESS;
      at = end + 1;
    }
  });
  const rhodes::Format& format = rhodes::XV1Format();
  rhodes::ReadOptions options;
  options.source = "posts";
  const auto state = format.Prepare(bytes, options);
  size_t records = 0;
  const double reading = Median(7, [&] {
    records = 0;
    for (size_t at = 0; at < size;) {
      const std::string_view rest = bytes.substr(at);
      const size_t cut = rest.size() > rhodes::ReadOptions::kBlockBytes
                             ? format.Cut(rest, at, rhodes::ReadOptions::kBlockBytes, true, state.get(), options)
                             : rest.size();
      rhodes::ParsedBlock out;
      const size_t padding = rest.size() - cut + simdjson::SIMDJSON_PADDING;
      format.Parse(rhodes::Block{"/f", rest.substr(0, cut), at, padding, state.get()}, options, out);
      records += out.records.size();
      at += cut;
    }
  });
  fmt::print("simdjson {} documents {:.0f} MB/s; records {} {:.0f} MB/s; {:.2f} times its time\n", documents,
             static_cast<double>(size) / 1e6 / parse, records, static_cast<double>(size) / 1e6 / reading,
             reading / parse);
  return 0;
}
