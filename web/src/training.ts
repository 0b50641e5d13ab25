// The view of training runs: which there are, the curves of those that are chosen, and what sets them apart.

import type { Line, Point, Scale } from "./chart.js";
import { Chart, nearest } from "./chart.js";
import { byId, counted, element, formatDuration, formatLarge, formatNumber } from "./dom.js";
import { runLabel, samplesSection, settingsSection, troublesSection } from "./run_details.js";
import type { Run, RunMetrics, StepColumns, ValidationColumns } from "./runs_api.js";
import { fetchMetrics, fetchRuns } from "./runs_api.js";

const mostChosen = 8;  // as many as there are colours that can be told apart
const chosenAtFirst = 3;
const pause = { reading: 100, running: 2000, still: 10_000 };  // milliseconds between two looks

// Ticks are round numbers: "50 k", not "50.0 k".
function compact(value: number): string {
  return formatLarge(value).replace(".0 ", " ");
}

type Axis = "step" | "tokens" | "seconds";
const axes: { [axis in Axis]: Scale } = {
  step: { label: "Step", format: compact },
  tokens: { label: "Tokens", format: compact },
  seconds: { label: "Time of training", format: formatDuration },
};

interface Quantity extends Scale {
  of_step: Exclude<keyof StepColumns, Axis> | null;
  of_evaluation: Exclude<keyof ValidationColumns, Axis> | null;
}
const short = (value: number): string => Number(value.toPrecision(4)).toString();
const quantities: { [name: string]: Quantity } = {
  loss: { label: "Loss, nats a token", format: short, of_step: "loss", of_evaluation: "loss" },
  bits: { label: "Validation, bits per byte", format: short, of_step: null, of_evaluation: "bits_per_byte" },
  rate: { label: "Learning rate", format: short, of_step: "learning_rate", of_evaluation: null },
  norm: { label: "Gradient norm", format: short, of_step: "gradient_norm", of_evaluation: null },
  speed: { label: "Tokens a second", format: compact, of_step: "tokens_per_second", of_evaluation: null },
  peak: { label: "Share of peak", format: (value) => `${short(100 * value)} %`, of_step: "share_of_peak", of_evaluation: null },
};

interface Curves {
  name: string;
  color: number;
  steps: Point[];
  evaluations: Point[];
}

interface Row {
  row: HTMLTableRowElement;
  box: HTMLInputElement;
}

const states: { [state in Run["state"]]: string } = { running: "running", finished: "finished", stopped: "stopped", failed: "failed" };

function stateText(run: Run): string {
  if (run.state === "running" && run.seconds_left !== null) return `${formatDuration(run.seconds_left)} left`;
  if (run.state === "finished") return run.stopped_early ? "stopped early" : "";
  return `last line ${formatDuration(run.age_seconds)} ago`;
}

export class Training {
  private runs: Run[] = [];
  private truncated = false;
  private readonly rows = new Map<string, Row>();
  private readonly chosen = new Map<string, number>();  // name -> colour, in the order chosen
  private readonly metrics = new Map<string, RunMetrics>();
  private timer = 0;
  private looking = false;
  private again = false;   // what is to be shown changed during a look
  private cursor: number | null = null;
  private visible = false;
  private built = false;
  private shown = "";  // what the details show, so that they are made anew only when that changes

  private readonly chart = new Chart((x, byKeyboard) => this.showCursor(x, byKeyboard));
  private readonly note = element("p", { class: "hint", id: "runs-note", role: "status" });
  private readonly said = element("p", { class: "visually-hidden", role: "status" });
  private readonly body = element("tbody");
  private readonly legend = element("ul", { class: "legend", id: "legend", "aria-label": "Legend" });
  private readonly details = element("div", { class: "details" });
  private readonly quantity = element("select", { id: "quantity" });
  private readonly axis = element("select", { id: "axis" });
  private readonly logarithmic = element("input", { type: "checkbox", id: "logarithmic" });
  private readonly secondHalf = element("input", { type: "checkbox", id: "second-half" });

  constructor(private readonly root: HTMLElement, private readonly onChoice: (parameters: URLSearchParams) => void) {
    document.addEventListener("visibilitychange", () => this.look());
  }

  // `parameters` say what to show: runs (names), show (a quantity), over (an axis), log, end.
  show(parameters: URLSearchParams): void {
    if (!this.built) this.build();
    this.visible = true;
    this.root.hidden = false;
    const names = parameters.getAll("run");
    if (names.length > 0) {
      for (const name of [...this.chosen.keys()]) if (!names.includes(name)) this.chosen.delete(name);
      for (const name of names) this.choose(name);
    }
    const pick = (select: HTMLSelectElement, value: string | null): void => {
      if ([...select.options].some((option) => option.value === value)) select.value = value ?? "";
    };
    pick(this.quantity, parameters.get("show") ?? "loss");
    pick(this.axis, parameters.get("over") ?? "step");
    this.logarithmic.checked = parameters.has("log");
    this.secondHalf.checked = parameters.has("end");
    this.look();
  }

  hide(): void {
    this.visible = false;
    this.root.hidden = true;
    window.clearTimeout(this.timer);
  }

  private build(): void {
    this.built = true;
    for (const [value, { label }] of Object.entries(quantities)) this.quantity.append(element("option", { value }, label));
    for (const [value, { label }] of Object.entries(axes)) this.axis.append(element("option", { value }, label));
    for (const control of [this.quantity, this.axis, this.logarithmic, this.secondHalf]) {
      control.addEventListener("change", () => { this.tell(); this.draw(); });
    }
    const heads = ["Run", "State", "Steps", "Loss", "Validation", "Bits per byte", "Tokens a second", "Of peak", "Time"];
    this.root.replaceChildren(element("div", { class: "training-inner" },
      element("div", { class: "training-head" }, element("h2", { id: "training-title", tabindex: -1 }, "Training runs"), this.note),
      element("div", { class: "scroll runs-scroll", tabindex: 0, role: "region", "aria-label": "Runs" },
        element("table", { class: "runs", id: "runs" },
          element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), this.body)),
      element("section", { class: "chart-card", "aria-label": "Curves" },
        element("div", { class: "chart-tools" },
          element("label", {}, "Show ", this.quantity), element("label", {}, "over ", this.axis),
          element("label", {}, this.logarithmic, " logarithmic scale"), element("label", {}, this.secondHalf, " fit to the second half")),
        this.chart.node, this.legend, this.said),
      this.details));
  }

  private choose(name: string): void {
    if (this.chosen.has(name) || this.chosen.size >= mostChosen) return;
    const used = new Set(this.chosen.values());
    this.chosen.set(name, [...Array(mostChosen).keys()].find((color) => !used.has(color)) ?? 0);
  }

  // The address keeps the choice, so that it can be opened again and sent on.
  private tell(): void {
    const parameters = new URLSearchParams([...this.chosen.keys()].map((name) => ["run", name]));
    if (this.quantity.value !== "loss") parameters.set("show", this.quantity.value);
    if (this.axis.value !== "step") parameters.set("over", this.axis.value);
    if (this.logarithmic.checked) parameters.set("log", "1");
    if (this.secondHalf.checked) parameters.set("end", "1");
    this.onChoice(parameters);
  }

  // Fetches what is new, shows it, and comes again.
  private look(): void {
    window.clearTimeout(this.timer);
    if (!this.visible || document.hidden) return;
    this.again = this.looking;
    if (this.looking) return;
    this.looking = true;
    void this.fetch().catch((error: unknown) => {
      this.note.textContent = `The server does not answer: ${error instanceof Error ? error.message : String(error)}`;
      return pause.still;
    }).then((wait) => {
      this.looking = false;
      if (this.visible && !document.hidden) this.timer = window.setTimeout(() => this.look(), this.again ? 0 : wait);
    });
  }

  private async fetch(): Promise<number> {
    const list = await fetchRuns();
    this.runs = list.runs;
    this.truncated = list.truncated;
    const names = new Set(this.runs.map((run) => run.name));
    for (const name of [...this.chosen.keys()]) if (!names.has(name)) this.chosen.delete(name);
    if (this.chosen.size === 0 && this.rows.size === 0) for (const run of this.runs.slice(0, chosenAtFirst)) this.choose(run.name);
    await this.fetchChosen();
    this.showRuns();
    this.draw();
    const of = [...this.chosen.keys()].map((name) => this.metrics.get(name));
    if (this.runs.some((run) => !run.complete) || of.some((metrics) => metrics?.complete === false)) return pause.reading;
    return this.runs.some((run) => run.state === "running") ? pause.running : pause.still;
  }

  private async fetchChosen(): Promise<void> {
    await Promise.all([...this.chosen.keys()].map(async (name) => {
      this.metrics.set(name, await fetchMetrics(name, this.metrics.get(name) ?? null));
    }));
    for (const name of [...this.metrics.keys()]) if (!this.chosen.has(name)) this.metrics.delete(name);
  }

  private showRuns(): void {
    const running = this.runs.filter((run) => run.state === "running").length;
    this.note.textContent = this.runs.length === 0
      ? "There are none here yet. A run of `rhodes train --out OUT` is shown by `rhodes serve --out OUT`, further ones by --runs FOLDER."
      : `${counted(this.runs.length, "run")}, ${running} running${this.truncated ? "; there are more than are shown" : ""}`;
    const names = new Set(this.runs.map((run) => run.name));
    for (const [name, { row }] of this.rows) {
      if (names.has(name)) continue;
      row.remove();
      this.rows.delete(name);
    }
    // Rows stay the same elements, so that the focus stays where it is.
    this.runs.forEach((run, i) => {
      const known = this.rows.get(run.name) ?? this.addRow(run.name);
      this.fill(known, run);
      if (this.body.children[i] !== known.row) this.body.insertBefore(known.row, this.body.children[i] ?? null);
    });
  }

  private addRow(name: string): Row {
    const box = element("input", { type: "checkbox", onchange: () => this.toggle(name) });
    const row = element("tr", { "data-run": name });
    const added = { row, box };
    this.rows.set(name, added);
    return added;
  }

  private toggle(name: string): void {
    if (this.chosen.has(name)) this.chosen.delete(name);
    else if (this.chosen.size < mostChosen) this.choose(name);
    else this.note.textContent = `At most ${mostChosen} runs are compared: take one out first.`;
    const run = this.runs.find((of) => of.name === name);
    const known = this.rows.get(name);
    if (run !== undefined && known !== undefined) this.fill(known, run);
    this.tell();
    void this.fetchChosen().then(() => this.draw(), () => this.look());
  }

  private fill({ row, box }: Row, run: Run): void {
    const color = this.chosen.get(run.name);
    box.checked = color !== undefined;
    const number = (value: number | null, digits: number): string => (value === null ? "–" : value.toFixed(digits));
    const progress = run.steps === null || run.steps === 0 ? null : element("span", { class: "progress" }, element("i"));
    if (progress?.firstElementChild instanceof HTMLElement) {
      progress.firstElementChild.style.width = `${Math.min(100, (100 * run.step) / (run.steps ?? 1))}%`;
    }
    const cells: [string, (Node | string)[]][] = [
      ["State", [element("span", { class: `state ${run.state}` }, states[run.state]), element("small", {}, stateText(run))]],
      ["Steps", [run.steps === null ? formatNumber(run.step) : `${formatNumber(run.step)} of ${formatNumber(run.steps)}`, ...(progress ? [progress] : [])]],
      ["Loss", [number(run.loss, 3)]],
      ["Validation", [number(run.validation_loss, 3)]],
      ["Bits per byte", [number(run.bits_per_byte, 3)]],
      ["Tokens a second", [run.tokens_per_second === null ? "–" : formatLarge(Math.round(run.tokens_per_second))]],
      ["Of peak", [run.share_of_peak === null ? "–" : `${(100 * run.share_of_peak).toFixed(1)} %`]],
      ["Time", [formatDuration(run.seconds)]],
    ];
    const label = element("label", { title: run.folder }, box,
      element("i", { class: color === undefined ? "swatch" : `swatch series-${color}` }), element("bdi", {}, run.name));
    const focused = document.activeElement === box;
    row.replaceChildren(element("th", { scope: "row" }, label),
      ...cells.map(([name, content]) => {
        const cell = element("td", { "data-label": name });
        cell.append(...content);
        return cell;
      }));
    row.classList.toggle("chosen", color !== undefined);
    if (focused) box.focus();
  }

  private curves(): Curves[] {
    const axis = this.axis.value as Axis;
    const quantity = quantities[this.quantity.value];
    const points = (columns: StepColumns | ValidationColumns, values: (number | null)[], lows?: (number | null)[], highs?: (number | null)[]): Point[] =>
      columns[axis].flatMap((x, i) => {
        const y = values[i] ?? null;
        return y === null ? [] : [{ x, y, low: lows?.[i] ?? y, high: highs?.[i] ?? y }];
      });
    return [...this.chosen].flatMap(([name, color]) => {
      const metrics = this.metrics.get(name);
      if (metrics === undefined || quantity === undefined) return [];
      const { steps, validation } = metrics;
      const ranged = quantity.of_step === "loss";
      return [{
        name, color,
        steps: quantity.of_step === null ? [] : points(steps, steps[quantity.of_step], ranged ? steps.loss_low : undefined, ranged ? steps.loss_high : undefined),
        evaluations: quantity.of_evaluation === null ? [] : points(validation, validation[quantity.of_evaluation]),
      }];
    });
  }

  private draw(): void {
    const quantity = quantities[this.quantity.value];
    const axis = axes[this.axis.value as Axis];
    if (quantity === undefined) return;
    const curves = this.curves();
    const lines: Line[] = curves.flatMap(({ color, steps, evaluations }) => [
      ...(steps.length > 0 ? [{ points: steps, color, marked: false }] : []),
      ...(evaluations.length > 0 ? [{ points: evaluations, color, marked: true }] : []),
    ]);
    this.chart.draw({
      lines, x: axis, y: quantity, logarithmic: this.logarithmic.checked, secondHalf: this.secondHalf.checked,
      description: `${quantity.label} over ${axis.label.toLowerCase()} of ${curves.map(({ name }) => name).join(", ") || "no run"}. Left and right move along it.`,
    });
    this.showLegend(curves, this.cursor);
    this.showDetails();
  }

  // What the curves are at `x`; at their ends for null.
  private legendText({ steps, evaluations }: Curves, quantity: Quantity, x: number | null): string {
    const end = Math.max(steps[steps.length - 1]?.x ?? -Infinity, evaluations[evaluations.length - 1]?.x ?? -Infinity);
    if (x !== null && x > end && end > -Infinity) return `ended at ${axes[this.axis.value as Axis].format(end)}`;
    const at = (points: Point[]): string | null => {
      const point = x === null ? points[points.length - 1] : nearest(points, x);
      return point === undefined || point === null ? null : quantity.format(point.y);
    };
    const parts = [at(steps), at(evaluations)];
    const named = steps.length > 0 && quantity.of_evaluation !== null ? ["", "validation "] : ["", ""];
    return parts.flatMap((text, i) => (text === null ? [] : [`${named[i] ?? ""}${text}`])).join(" · ") || "no values yet";
  }

  private showLegend(curves: Curves[], x: number | null): string {
    const quantity = quantities[this.quantity.value];
    if (quantity === undefined) return "";
    const texts = curves.map((of) => this.legendText(of, quantity, x));
    const axis = axes[this.axis.value as Axis];
    this.legend.replaceChildren(
      ...curves.map(({ name, color }, i) => element("li", {}, runLabel(name, color), element("span", { class: "legend-value" }, texts[i] ?? ""))),
      element("li", { class: "legend-at" }, curves.length === 0 ? "Choose runs in the table to see their curves." : x === null ? "at the end" : `at ${axis.label.toLowerCase()} ${axis.format(x)}`));
    return curves.map(({ name }, i) => `${name}: ${texts[i] ?? ""}`).join("; ");
  }

  private showCursor(x: number | null, byKeyboard: boolean): void {
    this.cursor = x;
    const text = this.showLegend(this.curves(), x);
    const axis = axes[this.axis.value as Axis];
    if (byKeyboard) this.said.textContent = x === null ? "" : `${axis.format(x)}: ${text}`;
  }

  private showDetails(): void {
    const chosen = [...this.chosen].flatMap(([name, color]) => {
      const metrics = this.metrics.get(name);
      return metrics === undefined ? [] : [{ name, color, metrics }];
    });
    const shown = JSON.stringify(chosen.map(({ name, color, metrics }) => [name, color, metrics.settings, metrics.samples, metrics.troubles]));
    if (shown === this.shown) return;
    this.shown = shown;
    if (chosen.length === 0) return this.details.replaceChildren();
    const parts = [troublesSection(chosen), settingsSection(chosen), samplesSection(chosen)];
    const open = [...this.details.querySelectorAll("details")].map((node) => node.open);
    this.details.replaceChildren(...parts.filter((part): part is HTMLElement => part !== null));
    // What was unfolded stays so while a run brings new samples.
    this.details.querySelectorAll("details").forEach((node, i) => { node.open = open[i] ?? false; });
  }

  focus(): void {
    byId("training-title", HTMLElement).focus();
  }
}
