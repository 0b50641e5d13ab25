// Telemetry to fused, rendered documents: fuse_render DIRECTORY [SAMPLES] [RUNS]
//
// Writes SAMPLES records of vehicle telemetry (deterministic: a drive around a ring road, one sample a second) into
// DIRECTORY/out unless they are there, DIRECTORY/rhodes.toml with the view and its template, and times Fuse() on them
// with two threads, everything made anew. bench/peers/fuse_render.py does the same with DuckDB and Python and compares
// the texts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "fuse/fuse.h"
#include "store/record_store.h"

namespace rhodes {
namespace {

constexpr char kTemplate[] =
    "On {car.time:time(s)} the car {car.name} drove {car.speed:.1f km/h} at {car.latitude:.5f} north, "
    "{car.longitude:.5f} east.[ Its battery held {car.battery:.0f%} and it was {car.outside:.1f °C} outside.][ The "
    "cabin was at {car.inside:.1f °C}.]";

constexpr char kView[] =
    "SELECT unnest(render('sample', {'car': {'id': id, 'time': time, 'name': author, 'speed': channels['speed'],\n"
    "       'latitude': latitude, 'longitude': longitude, 'battery': channels['battery'],\n"
    "       'outside': channels['outside'], 'inside': channels['inside']}})), time, 'en' AS language\n"
    "FROM samples";

absl::Status WriteSamples(const std::string& out, uint64_t samples, const RunContext& context) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                   RecordWriter::Open(out, "samples", RecordWriter::Mode::kReplace, context));
  for (uint64_t i = 0; i < samples; ++i) {
    const double angle = static_cast<double>(i) * 1e-3;
    Record record;
    record.source = "samples";
    record.kind = "sample";
    record.author = fmt::format("car-{:02}", i % 16);
    record.time = 1709474709'000000 + static_cast<int64_t>(i) * 1'000'000;
    record.time_precision = TimePrecision::kSecond;
    record.latitude = 52.52 + 0.2 * std::sin(angle);
    record.longitude = 13.4 + 0.3 * std::cos(angle);
    record.channels = {{"battery", 100 - std::fmod(static_cast<double>(i) * 0.013, 90)},
                       {"outside", 8 + 9 * std::sin(angle / 40)},
                       {"speed", 60 + 55 * std::sin(angle * 7)}};
    if (i % 3 != 0) record.channels.insert(record.channels.begin() + 1, {"inside", 20 + 2 * std::sin(angle * 3)});
    record.text = fmt::format("{},{},{:.4f},{:.6f},{:.6f}", i, record.author, record.channels.back().second,
                              *record.latitude, *record.longitude);
    record.original = record.text;
    record.origin = {"samples.csv", i * 60, i * 60 + 60};
    record.reader = "bench/1";
    record.id = ContentId({record.source, record.kind, record.original});
    RETURN_IF_ERROR(writer->Append(std::move(record)));
  }
  return writer->Commit("", Json::object(), 0).status();
}

absl::Status Run(const std::string& directory, uint64_t samples, int runs) {
  RunContext context;
  context.threads = 2;
  const std::string out = directory + "/out";
  const std::string stored = out + "/records/samples/manifest.json";
  const absl::StatusOr<Json> manifest = ReadJsonFile(stored);
  if (!manifest.ok() || manifest->at("counts").value("stored", uint64_t{0}) != samples) {
    RETURN_IF_ERROR(WriteSamples(out, samples, context));
  }
  RETURN_IF_ERROR(WriteFileAtomically(
      directory + "/rhodes.toml",
      fmt::format("[[source]]\nname = \"samples\"\npaths = [\"rhodes.toml\"]\n\n[[fuse.template]]\nname = \"sample\"\n"
                  "text = '''\n{}'''\n\n[[fuse.view]]\nname = \"sample\"\nsql = '''\n{}'''\n",
                  kTemplate, kView)));
  FuseOptions options;
  options.out = out;
  FuseView view;
  view.name = "sample";
  view.sql = kView;
  options.views.push_back(view);
  options.templates.push_back({"sample", "en", DigitStyle::kWestern, kTemplate, "", 1});
  std::vector<double> seconds;
  FuseReport report;
  for (int run = 0; run < runs; ++run) {
    RETURN_IF_ERROR(RemoveTree(out + "/documents"));
    ASSIGN_OR_RETURN(report, Fuse(options, context));
    seconds.push_back(report.seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  fmt::print(
      "fuse and render: {} samples, 2 threads: median {:.2f} s ({:.2f} to {:.2f}), {:.0f} a second, {} documents, "
      "{:.1f} MB of text\n",
      samples, median, seconds.front(), seconds.back(), static_cast<double>(samples) / median, report.documents,
      static_cast<double>(report.text_bytes) / 1e6);
  return absl::OkStatus();
}

}  // namespace
}  // namespace rhodes

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: fuse_render DIRECTORY [SAMPLES] [RUNS]\n");
    return 2;
  }
  const uint64_t samples = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1'000'000;
  const absl::Status status = rhodes::Run(arguments[1], samples, count > 3 ? std::atoi(arguments[3]) : 5);
  if (!status.ok()) fmt::print(stderr, "{}\n", rhodes::Message(status));
  return status.ok() ? 0 : 1;
}
