// A chart of curves, drawn as SVG: axes, lines, ranges, and a cursor for pointer and keyboard.

import { element } from "./dom.js";

export interface Point {
  x: number;
  y: number;
  low?: number;
  high?: number;
}

export interface Line {
  points: Point[];
  color: number;    // 0 to 7: the class "series-N" has the colour
  marked: boolean;  // dashed, with a dot at each point: for few and exact values; else a smoothed line over its range
}

export interface Scale {
  label: string;
  format: (value: number) => string;
}

export interface Drawing {
  lines: Line[];
  x: Scale;
  y: Scale;
  logarithmic: boolean;
  secondHalf: boolean;  // the y axis fits what lies in the right half
  description: string;  // said by a screen reader
}

const height = 340;
const margin = { top: 28, right: 18, bottom: 42, left: 62 };

function svg(tag: string, attributes: { [name: string]: string | number }, ...children: Node[]): SVGElement {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

// Round numbers that divide [low, high] into about `count` parts.
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / Math.max(1, count);
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const result: number[] = [];
  for (let i = first; i * step <= high + step * 1e-9; ++i) result.push(Number((i * step).toPrecision(12)));
  return result;
}

// 1, 2 and 5 of each power of ten within [low, high]; where there are fewer than two, round numbers.
export function logarithmicTicks(low: number, high: number): number[] {
  const result: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
    for (const factor of [1, 2, 5]) {
      const value = Number((factor * 10 ** power).toPrecision(6));
      if (value >= low && value <= high) result.push(value);
    }
  }
  if (result.length < 2) return ticks(low, high, 5);
  return result.length > 9 ? result.filter((value) => Number.isInteger(Math.log10(value))) : result;
}

// Means over a window of a fiftieth of the curve: what is drawn strong over the range of the single steps.
export function smoothed(points: Point[]): Point[] {
  const reach = Math.floor(points.length / 100);
  if (reach === 0) return points;
  const sums = [0];
  for (const { y } of points) sums.push((sums[sums.length - 1] ?? 0) + y);
  return points.map(({ x }, i) => {
    // The window is cut alike on both sides, so that the ends do not lag behind.
    const side = Math.min(reach, i, points.length - 1 - i);
    return { x, y: ((sums[i + side + 1] ?? 0) - (sums[i - side] ?? 0)) / (2 * side + 1) };
  });
}

// The point of `points` (in order of x) nearest to `x`.
export function nearest(points: Point[], x: number): Point | null {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.x ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const at = points[low];
  const before = points[low - 1];
  if (at === undefined) return null;
  return before !== undefined && x - before.x < at.x - x ? before : at;
}

const path = (points: [number, number][]): string =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

export class Chart {
  readonly node = element("div", {
    class: "chart", id: "chart", tabindex: 0, role: "group", "aria-roledescription": "chart",
    "aria-keyshortcuts": "ArrowLeft ArrowRight Home End Escape",
  });
  private drawing: Drawing | null = null;
  private range = { left: 0, right: 1, low: 0, high: 1 };
  private cursor: number | null = null;
  private cursorLine: SVGElement | null = null;
  private width = 0;

  // `onCursor` is told where the cursor stands on the x axis, and whether the keyboard brought it there.
  constructor(private readonly onCursor: (x: number | null, byKeyboard: boolean) => void) {
    this.node.addEventListener("pointermove", (event) => this.point(event));
    this.node.addEventListener("pointerdown", (event) => this.point(event));
    this.node.addEventListener("pointerleave", () => this.moveTo(null, false));
    this.node.addEventListener("blur", () => this.moveTo(null, false));
    this.node.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => {
      if (Math.abs(this.node.clientWidth - this.width) > 1) this.render();
    }).observe(this.node);
  }

  draw(drawing: Drawing): void {
    this.drawing = drawing;
    this.node.setAttribute("aria-label", drawing.description);
    this.render();
  }

  private x(value: number): number {
    const { left, right } = this.range;
    return margin.left + ((value - left) / (right - left)) * (this.width - margin.left - margin.right);
  }
  private y(value: number): number {
    const of = (v: number): number => (this.drawing?.logarithmic === true ? Math.log10(Math.max(v, 1e-30)) : v);
    const { low, high } = this.range;
    return height - margin.bottom - ((of(value) - of(low)) / (of(high) - of(low))) * (height - margin.top - margin.bottom);
  }

  private measure(drawing: Drawing): boolean {
    let left = Infinity;
    let right = -Infinity;
    for (const { points } of drawing.lines) {
      for (const { x } of points) {
        left = Math.min(left, x);
        right = Math.max(right, x);
      }
    }
    if (left > right) return false;
    if (left === right) left -= 1;
    if (left > 0 && left < right / 4) left = 0;
    const from = drawing.secondHalf ? (left + right) / 2 : left;
    let low = Infinity;
    let high = -Infinity;
    for (const line of drawing.lines) {
      for (const { x, y } of line.marked ? line.points : smoothed(line.points)) {
        if (x < from || (drawing.logarithmic && y <= 0)) continue;
        low = Math.min(low, y);
        high = Math.max(high, y);
      }
    }
    if (low > high) return false;
    if (drawing.logarithmic) {
      const room = (high / low) ** 0.05;
      low /= Math.max(room, 1.01);
      high *= Math.max(room, 1.01);
    } else {
      const room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
      low = low >= 0 ? Math.max(0, low - room) : low - room;
      high += room;
    }
    this.range = { left, right, low, high };
    return true;
  }

  private render(): void {
    const { drawing } = this;
    this.width = this.node.clientWidth;
    if (drawing === null || this.width === 0) return;
    if (!this.measure(drawing)) {
      this.cursorLine = null;
      this.node.replaceChildren(element("p", { class: "chart-empty" }, "No values yet"));
      return;
    }
    const clip = svg("clipPath", { id: "chart-area" }, svg("rect", {
      x: margin.left, y: margin.top, width: Math.max(0, this.width - margin.left - margin.right), height: height - margin.top - margin.bottom,
    }));
    const area = svg("g", { "clip-path": "url(#chart-area)" });
    for (const line of drawing.lines) area.append(...this.curve(line));
    this.cursorLine = svg("line", { class: "chart-cursor", y1: margin.top, y2: height - margin.bottom });
    area.append(this.cursorLine);
    this.node.replaceChildren(svg("svg", { width: this.width, height, viewBox: `0 0 ${this.width} ${height}`, "aria-hidden": "true" },
      svg("defs", {}, clip), this.axes(drawing), area));
    this.showCursor();
  }

  private axes(drawing: Drawing): SVGElement {
    const { left, right, low, high } = this.range;
    const group = svg("g", { class: "chart-axes" });
    const text = (label: string, attributes: { [name: string]: string | number }): SVGElement =>
      svg("text", attributes, document.createTextNode(label));
    const bottom = height - margin.bottom;
    for (const value of drawing.logarithmic ? logarithmicTicks(low, high) : ticks(low, high, 6)) {
      const y = this.y(value);
      group.append(svg("line", { x1: margin.left, x2: this.width - margin.right, y1: y, y2: y }),
        text(drawing.y.format(value), { x: margin.left - 8, y: y + 4, "text-anchor": "end" }));
    }
    for (const value of ticks(left, right, Math.max(2, Math.floor(this.width / 130)))) {
      const x = this.x(value);
      group.append(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4 }),
        text(drawing.x.format(value), { x, y: bottom + 18, "text-anchor": "middle" }));
    }
    group.append(text(drawing.x.label, { class: "chart-label", x: this.width - margin.right, y: height - 4, "text-anchor": "end" }),
      text(drawing.y.label, { class: "chart-label", x: 4, y: 14 }));
    return group;
  }

  private curve(line: Line): SVGElement[] {
    const place = (x: number, y: number): [number, number] => [this.x(x), this.y(y)];
    const strong = line.marked ? line.points : smoothed(line.points);
    const stroke = svg("path", {
      class: `curve series-${line.color}${line.marked ? " marked" : ""}`, d: path(strong.map(({ x, y }) => place(x, y))),
    });
    if (line.marked) {
      return [stroke, ...line.points.map(({ x, y }) =>
        svg("circle", { class: `dot series-${line.color}`, cx: this.x(x).toFixed(1), cy: this.y(y).toFixed(1), r: 3 }))];
    }
    const upper = line.points.map(({ x, y, high }) => place(x, high ?? y));
    const lower = line.points.map(({ x, y, low }) => place(x, low ?? y)).reverse();
    return [svg("path", { class: `range series-${line.color}`, d: `${path([...upper, ...lower])}Z` }), stroke];
  }

  private point(event: PointerEvent): void {
    const offset = event.clientX - this.node.getBoundingClientRect().left - margin.left;
    const share = offset / Math.max(1, this.width - margin.left - margin.right);
    const { left, right } = this.range;
    this.moveTo(share < -0.02 || share > 1.02 ? null : left + Math.min(1, Math.max(0, share)) * (right - left), false);
  }

  private key(event: KeyboardEvent): void {
    const { left, right } = this.range;
    const step = ((right - left) / 100) * (event.shiftKey ? 10 : 1);
    const from = this.cursor ?? right;
    const to = { ArrowLeft: from - step, ArrowRight: from + step, Home: left, End: right, Escape: null }[event.key];
    if (to === undefined || this.drawing === null) return;
    event.preventDefault();
    this.moveTo(to === null ? null : Math.min(right, Math.max(left, to)), true);
  }

  private moveTo(x: number | null, byKeyboard: boolean): void {
    if (this.cursor === x) return;
    this.cursor = x;
    this.showCursor();
    this.onCursor(x, byKeyboard);
  }

  private showCursor(): void {
    if (this.cursorLine === null) return;
    this.cursorLine.setAttribute("visibility", this.cursor === null ? "hidden" : "visible");
    if (this.cursor === null) return;
    for (const name of ["x1", "x2"]) this.cursorLine.setAttribute(name, this.x(this.cursor).toFixed(1));
  }
}
