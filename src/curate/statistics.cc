#include "curate/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"

namespace rhodes {
namespace {

constexpr int kWidth = 360;
constexpr int kHeight = 90;

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// At most `bytes`, cut between characters.
std::string Beginning(const std::string& text, size_t bytes) {
  if (text.size() <= bytes) return text;
  return std::string(Utf8Prefix(text, bytes)) + "…";
}

std::string Number(double value) { return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value); }

// Bars of the documents in each bin, those beyond the threshold in another colour, and where the threshold is. Heights
// are of the square root, so that a rare tail is seen beside a common middle.
std::string Plot(const Histogram& histogram) {
  const uint64_t most = *std::max_element(histogram.documents.begin(), histogram.documents.end());
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, kHeight + 14);
  const double width = static_cast<double>(kWidth) / Histogram::kBins;
  const auto height = [&](uint64_t count) {
    return most == 0 ? 0.0 : kHeight * std::sqrt(static_cast<double>(count) / static_cast<double>(most));
  };
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) {
    if (histogram.documents[bin] == 0) continue;
    const double all = height(histogram.documents[bin]);
    const double part =
        all * static_cast<double>(histogram.dropped[bin]) / static_cast<double>(histogram.documents[bin]);
    svg += fmt::format(
        "<g><title>{} and more: {} documents, {} beyond the threshold</title><rect class=\"k\" x=\"{:.1f}\" "
        "y=\"{:.1f}\" "
        "width=\"{:.1f}\" height=\"{:.1f}\"/><rect class=\"d\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"/></g>",
        Number(histogram.BinBegin(bin)), histogram.documents[bin], histogram.dropped[bin],
        static_cast<double>(bin) * width, kHeight - all, width - 1, all, static_cast<double>(bin) * width,
        kHeight - part, width - 1, part);
  }
  const double at = static_cast<double>(histogram.BinOf(histogram.threshold)) * width;
  svg += fmt::format("<line class=\"t\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1}\"/>", at, kHeight);
  svg += fmt::format("<text x=\"0\" y=\"{0}\">{1}</text><text x=\"{2}\" y=\"{0}\" text-anchor=\"end\">{3}</text></svg>",
                     kHeight + 12, Number(histogram.BinBegin(0)), kWidth,
                     Number(histogram.BinBegin(Histogram::kBins - 1)));
  return svg;
}

constexpr char kStyle[] = R"(:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.15rem .8rem;text-align:left;border-bottom:1px solid #8884}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(22rem,1fr));gap:1rem}
figure{margin:0;padding:.6rem;border:1px solid #8884;border-radius:6px}figcaption{font-size:.85rem}
svg{width:100%;height:auto}.k{fill:#4a8fd4}.d{fill:#d8573f}.t{stroke:currentColor;stroke-dasharray:3 2}
svg text{font-size:9px;fill:currentColor}
blockquote{margin:.4rem 0;padding:.5rem .8rem;border-inline-start:3px solid #8886;white-space:pre-wrap;overflow-wrap:anywhere;max-height:14rem;overflow:auto}
small{opacity:.75}details{margin:.3rem 0})";

std::string Row(const std::string& name, uint64_t count, uint64_t all) {
  return fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.2f} %</td></tr>", Escape(name), count,
                     all == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(all));
}

}  // namespace

size_t Histogram::BinOf(double value) const {
  if (!(value > 0)) return 0;
  const double bin = share ? value * kBins : 2 * std::log2(value) + 1;
  return static_cast<size_t>(std::clamp(bin, 0.0, static_cast<double>(kBins - 1)));
}

double Histogram::BinBegin(size_t bin) const {
  if (bin == 0) return 0;
  return share ? static_cast<double>(bin) / kBins : std::exp2((static_cast<double>(bin) - 1) / 2);
}

void Histogram::Add(const Measure& measure) {
  share = measure.threshold <= 1;
  threshold = measure.threshold;
  const size_t bin = BinOf(measure.value);
  ++documents[bin];
  dropped[bin] += measure.dropped ? 1 : 0;
}

std::string CurateStatistics::GroupOf(const char* kind, const std::string& name) {
  std::string group = fmt::format("{} {}", kind, name.empty() ? "none" : name);
  if (groups_.contains(group)) return group;
  if (group_counts_[kind] >= kMostGroups) return fmt::format("{} other", kind);
  ++group_counts_[kind];
  return group;
}

void CurateStatistics::AddTo(const std::string& group, const std::vector<Measure>& measures) {
  std::map<MeasureName, Histogram>& histograms = groups_[group];
  for (const Measure& measure : measures) {
    const MeasureName name(measure.rule, measure.reason);
    const auto [it, fresh] = histograms.try_emplace(name);
    if (fresh && group == "all") order_.push_back(name);
    it->second.Add(measure);
  }
}

void CurateStatistics::Add(const Document& document, const Verdict& verdict, const std::vector<Measure>& measures) {
  AddTo("all", measures);
  AddTo(GroupOf("language", document.language), measures);
  for (const std::string& source : document.sources) AddTo(GroupOf("source", source), measures);
  KeepSample({std::string(verdict.rule), std::string(verdict.reason)}, document);
}

std::string CurateStatistics::SampleOf(const std::string& text) { return Beginning(text, kSampleBytes); }

void CurateStatistics::KeepSample(const MeasureName& reason, const Document& document) {
  std::map<uint64_t, CurateSample>& samples = samples_[reason];
  const size_t most = reason.first.empty() ? 2 * kSamples : kSamples;
  const uint64_t key = Fingerprint(document.id, 0x5a);
  if (samples.size() >= most && key >= samples.rbegin()->first) return;
  samples[key] = {document.id, document.language, SampleOf(document.text)};
  if (samples.size() > most) samples.erase(std::prev(samples.end()));
}

Json CurateStatistics::ToJson() const {
  Json list = Json::array();
  for (const auto& [group, histograms] : groups_) {
    for (const MeasureName& name : order_) {
      const auto found = histograms.find(name);
      if (found == histograms.end()) continue;
      const Histogram& histogram = found->second;
      Json begins = Json::array();
      for (size_t bin = 0; bin < Histogram::kBins; ++bin) begins.push_back(histogram.BinBegin(bin));
      list.push_back({{"rule", name.first},
                      {"reason", name.second},
                      {"threshold", histogram.threshold},
                      {"group", group},
                      {"begins", std::move(begins)},
                      {"documents", histogram.documents},
                      {"dropped", histogram.dropped}});
    }
  }
  return {{"histograms", std::move(list)}};
}

std::string CurateStatistics::ToHtml(const Json& counts) const {
  const uint64_t documents = counts.value("documents", uint64_t{0});
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>Curation</title><style>{}</style></head><body><h1>Curation</h1>"
      "<p>{} documents, {} kept, {} dropped.</p><h2>Why documents went</h2><table><tr><th>rule: reason</th><th "
      "class=\"n\">documents</th><th class=\"n\">share</th></tr>",
      kStyle, documents, counts.value("kept", uint64_t{0}), counts.value("dropped", uint64_t{0}));
  for (const auto& [rule, reasons] : counts["reasons"].items()) {
    for (const auto& [reason, count] : reasons.items()) {
      html += Row(fmt::format("{}: {}", rule, reason), count.get<uint64_t>(), documents);
    }
  }
  html +=
      "</table><h2>Sources</h2><table><tr><th>source</th><th class=\"n\">kept</th><th class=\"n\">of its "
      "documents</th></tr>";
  for (const auto& [source, of_source] : counts["sources"].items()) {
    html += Row(source.empty() ? "(none)" : source, of_source.value("kept", uint64_t{0}),
                of_source.value("documents", uint64_t{0}));
  }
  html +=
      "</table><h2>What the rules measured</h2><p>Heights show the square root of the number of documents. Red: beyond "
      "the threshold (dashed).</p>";
  for (const auto& [group, histograms] : groups_) {
    html += fmt::format("<details{}><summary>{}</summary><div class=\"plots\">", group == "all" ? " open" : "",
                        Escape(group));
    for (const MeasureName& name : order_) {
      const auto found = histograms.find(name);
      if (found == histograms.end()) continue;
      html += fmt::format("<figure>{}<figcaption>{}: {}, threshold {}</figcaption></figure>", Plot(found->second),
                          Escape(name.first), Escape(name.second), Number(found->second.threshold));
    }
    html += "</div></details>";
  }
  html += "<h2>Samples</h2>";
  for (const auto& [reason, samples] : samples_) {
    html += fmt::format("<h3>{}</h3>", reason.first.empty() ? "kept" : Escape(reason.first + ": " + reason.second));
    for (const auto& [key, sample] : samples) {
      html += fmt::format("<small>{} {}</small><blockquote dir=\"auto\">{}</blockquote>", Escape(sample.id),
                          Escape(sample.language), Escape(sample.text));
    }
  }
  return html + "</body></html>\n";
}

}  // namespace rhodes
