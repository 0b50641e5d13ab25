// What stands below the chart: settings in which runs differ, samples of text on the way, troubles.

import type { RunMetrics } from "./runs_api.js";
import { element, formatNumber } from "./dom.js";

export interface Chosen {
  name: string;
  color: number;
  metrics: RunMetrics;
}

const samplesAtFirst = 3;

// {"config": {"hidden_size": 256}, "batch": 16} as "config.hidden_size" -> 256, "batch" -> 16.
export function flattened(settings: unknown, prefix = ""): Map<string, string> {
  const result = new Map<string, string>();
  if (typeof settings !== "object" || settings === null) return result;
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [inner, text] of flattened(value, `${prefix}${name}.`)) result.set(inner, text);
    } else {
      result.set(prefix + name, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  return result;
}

// Names of the settings that are not the same in all of `all`, in the order in which they first stand there.
export function differing(all: Map<string, string>[]): string[] {
  const names = new Set(all.flatMap((settings) => [...settings.keys()]));
  return [...names].filter((name) => new Set(all.map((settings) => settings.get(name))).size > 1);
}

export function runLabel(name: string, color: number): HTMLElement {
  return element("span", { class: "run-label" }, element("i", { class: `swatch series-${color}` }), element("bdi", {}, name));
}

function table(chosen: Chosen[], all: Map<string, string>[], names: string[]): HTMLElement {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Settings" },
    element("table", { class: "settings-table" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Setting"),
        ...chosen.map(({ name, color }) => element("th", { scope: "col" }, runLabel(name, color))))),
      element("tbody", {}, ...names.map((name) => element("tr", {}, element("th", { scope: "row" }, name),
        ...all.map((settings) => element("td", {}, settings.get(name) ?? "–")))))));
}

export function settingsSection(chosen: Chosen[]): HTMLElement {
  const all = chosen.map(({ metrics }) => flattened(metrics.settings));
  const known = all.some((settings) => settings.size > 0);
  const section = element("section", { class: "detail", id: "run-settings" });
  if (chosen.length > 1) {
    const names = differing(all);
    section.append(element("h3", {}, "Settings that differ"),
      names.length > 0 ? table(chosen, all, names) : element("p", { class: "hint" }, known ? "None: the runs have the same settings." : "No settings are recorded."));
  }
  if (known) {
    const names = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
    section.append(element("details", {}, element("summary", {}, "All settings"), table(chosen, all, names)));
  }
  return section;
}

export function troublesSection(chosen: Chosen[]): HTMLElement | null {
  const items = chosen.flatMap(({ name, color, metrics }) => metrics.troubles.map((trouble) =>
    element("li", {}, runLabel(name, color),
      ` step ${formatNumber(trouble.at_step)}: ${trouble.reason}; back to step ${formatNumber(trouble.step)}, its batch was left out`)));
  if (items.length === 0) return null;
  return element("section", { class: "detail", id: "run-troubles" }, element("h3", {}, "Trouble"), element("ul", { class: "troubles" }, ...items));
}

export function samplesSection(chosen: Chosen[]): HTMLElement | null {
  const cards = chosen.filter(({ metrics }) => metrics.samples.length > 0).map(({ name, color, metrics }) => {
    const items = [...metrics.samples].reverse().map((sample) => element("li", {},
      element("span", { class: "tag" }, `step ${formatNumber(sample.step)}`),
      element("p", { class: "sample", dir: "auto" }, element("b", {}, sample.prompt), sample.text.startsWith(sample.prompt) ? sample.text.slice(sample.prompt.length) : sample.text)));
    const later = items.slice(samplesAtFirst);
    return element("div", { class: "card samples" }, element("h4", {}, runLabel(name, color)),
      element("ul", {}, ...items.slice(0, samplesAtFirst)),
      later.length > 0 ? element("details", {}, element("summary", {}, `${later.length} earlier`), element("ul", {}, ...later)) : null);
  });
  if (cards.length === 0) return null;
  return element("section", { class: "detail", id: "run-samples" }, element("h3", {}, "Samples on the way"), element("div", { class: "sample-cards" }, ...cards));
}
