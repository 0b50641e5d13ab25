// Which formats there are, and which one a file is of.
#include <algorithm>

#include "base/text.h"
#include "source/debian_changelog.h"
#include "source/debian_packages.h"
#include "source/delimited.h"
#include "source/encoding.h"
#include "source/ephemeris.h"
#include "source/feed.h"
#include "source/format.h"
#include "source/html.h"
#include "source/json.h"
#include "source/jsonl.h"
#include "source/man.h"
#include "source/mediawiki.h"
#include "source/omm.h"
#include "source/parquet.h"
#include "source/starlink.h"
#include "source/tesla_fleet.h"
#include "source/tesla_telemetry.h"
#include "source/text_file.h"
#include "source/tle.h"
#include "source/trec.h"
#include "source/vehicle_tables.h"
#include "source/warc.h"
#include "source/x_archive.h"
#include "source/x_v1.h"
#include "source/x_v2.h"

namespace rhodes {
namespace {

// Files that are no text whatever their name says, but may have no NUL byte near their beginning.
struct Magic {
  std::string_view bytes;
  const char* name;
};
constexpr Magic kMagics[] = {{"%PDF-", "a PDF"},
                             {"\x89PNG", "a PNG image"},
                             {"GIF8", "a GIF image"},
                             {"\xFF\xD8\xFF", "a JPEG image"},
                             {"PK\x03\x04", "a zip archive"},
                             {"\x7F"
                              "ELF",
                              "a program"},
                             {"\x04\x22\x4D\x18", "lz4-compressed, which is not read"},
                             {"Rar!", "a rar archive"},
                             {"7z\xBC\xAF", "a 7z archive"}};

}  // namespace

const std::vector<const Format*>& AllFormats() {
  static const std::vector<const Format*> kAll = {&JsonlFormat(),
                                                  &JsonFormat(),
                                                  &CsvFormat(),
                                                  &TsvFormat(),
                                                  &ParquetFormat(),
                                                  &TextFormat(),
                                                  &DebianPackagesFormat(),
                                                  &DebianChangelogFormat(),
                                                  &ManFormat(),
                                                  &HtmlFormat(),
                                                  &XArchiveFormat(),
                                                  &XV2Format(),
                                                  &XV1Format(),
                                                  &TeslaTelemetryFormat(),
                                                  &TeslaFleetFormat(),
                                                  &TeslaFiFormat(),
                                                  &TeslaMateFormat(),
                                                  &ObdCsvFormat(),
                                                  &FeedFormat(),
                                                  &WarcFormat(),
                                                  &MediaWikiFormat(),
                                                  &TrecFormat(),
                                                  &StarlinkStatusFormat(),
                                                  &StarlinkHistoryFormat(),
                                                  &StarlinkObstructionFormat(),
                                                  &TleFormat(),
                                                  &OmmFormat(),
                                                  &EphemerisFormat()};
  return kAll;
}

absl::StatusOr<const Format*> FindFormat(std::string_view name) {
  std::vector<std::string> known = {"auto"};
  for (const Format* format : AllFormats()) {
    if (format->name() == name) return format;
    known.emplace_back(format->name());
  }
  const std::string nearest = Nearest(name, known);
  std::string message = fmt::format("unknown format \"{}\"; ", name);
  if (!nearest.empty()) return UsageError(message + fmt::format("did you mean {}?", nearest));
  message += "known are";
  for (const std::string& format : known) message += (format == known.front() ? " " : ", ") + format;
  return UsageError(message);
}

absl::StatusOr<const Format*> DetectFormat(std::string_view path, std::string_view head) {
  path = StripCompressionSuffix(path);
  for (const Format* format : AllFormats()) {
    if (format->binary() && format->Detect(path, head) == 100) return format;
  }
  for (const Magic& magic : kMagics) {
    if (head.starts_with(magic.bytes)) return absl::InvalidArgumentError(fmt::format("binary: {}", magic.name));
  }
  if (LooksBinary(head)) return absl::InvalidArgumentError("binary: not a text, and of no format that is read");
  const Format* best = nullptr;
  int best_score = 0;
  for (const Format* format : AllFormats()) {
    if (const int score = format->Detect(path, head); score > best_score) {
      best_score = score;
      best = format;
    }
  }
  return best;
}

}  // namespace rhodes
