// Elements without a framework. Text goes in as text nodes: nothing that a model or a file says is ever markup.

type Child = Node | string | null;
type Attributes = { [name: string]: string | number | boolean | ((event: Event) => void) };

// <tag attributes...>children</tag>; a function is a listener for the event of its name ("onclick").
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false) node.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null) node.append(child);
  return node;
}

export function byId<T extends HTMLElement>(id: string, type: { new (): T }): T {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return node;
}

const icons = {
  send: "M5 12h13M12 5l7 7-7 7",
  stop: "M7 7h10v10H7z",
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  sun: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
};

export function icon(name: keyof typeof icons): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [attribute, value] of Object.entries({
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "2",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
  })) {
    svg.setAttribute(attribute, value);
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}

const numbers = new Intl.NumberFormat("en");
export const formatNumber = (value: number): string => numbers.format(value);

// 14 200 000 as "14.2 M".
export function formatLarge(value: number): string {
  for (const [size, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1)} ${unit}`;
  }
  return formatNumber(value);
}

// "1 document", "3 documents".
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatNumber(count)} ${count === 1 ? one : many}`;

// "once", "3 times".
export const times = (count: number): string => (count === 1 ? "once" : counted(count, "time"));

// 4000 seconds as "1 h 7 min".
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 10 && seconds > 0) return `${Number(seconds.toPrecision(2))} s`;
  if (whole < 60) return `${whole} s`;
  const parts = whole < 3600 ? [Math.floor(whole / 60), "min", whole % 60, "s"]
    : whole < 86_400 ? [Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min"]
    : [Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h"];
  return parts[2] === 0 ? `${parts[0]} ${parts[1]}` : parts.join(" ");
}
