// Marks the spans of an answer that stand in the training text.

import type { Span } from "./api.js";
import { element, times } from "./dom.js";

// A piece of the text and the span that owns it, if any.
interface Piece {
  text: string;
  span: Span | null;
}

// How strongly a span is drawn, 1 to 4: long and rare words say more about where an answer comes from than short and
// common ones. The line between levels is drawn by eye: five words that stand once in the corpus are at the top.
export function level(span: Span): number {
  const words = span.text.trim().split(/\s+/).length;
  const rarity = 1 / (1 + 0.5 * Math.log10(Math.max(1, span.count)));
  const strength = Math.min(1, Math.log2(1 + words) / 3) * rarity;
  return Math.max(1, Math.min(4, Math.ceil(strength * 4)));
}

// Byte offsets of the UTF-8 text as indexes into the string.
function indexesOf(text: string, offsets: Set<number>): Map<number, number> {
  const indexes = new Map<number, number>();
  let bytes = 0;
  let index = 0;
  for (const character of text) {
    if (offsets.has(bytes)) indexes.set(bytes, index);
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += character.length;
  }
  if (offsets.has(bytes)) indexes.set(bytes, index);
  return indexes;
}

// Cuts `text` at the spans. Where spans overlap the longer one owns the words.
export function cut(text: string, spans: Span[]): Piece[] {
  const indexes = indexesOf(text, new Set(spans.flatMap((span) => [span.begin, span.end])));
  const placed = spans
    .map((span) => ({ span, begin: indexes.get(span.begin), end: indexes.get(span.end) }))
    .filter((place): place is { span: Span; begin: number; end: number } =>
      place.begin !== undefined && place.end !== undefined && place.begin < place.end)
    .sort((a, b) => b.end - b.begin - (a.end - a.begin));
  const owners: (Span | null)[] = new Array<Span | null>(text.length).fill(null);
  for (const { span, begin, end } of placed) {
    for (let i = begin; i < end; ++i) owners[i] ??= span;
  }
  const pieces: Piece[] = [];
  for (let begin = 0; begin < text.length; ) {
    let end = begin + 1;
    while (end < text.length && owners[end] === owners[begin]) ++end;
    pieces.push({ text: text.slice(begin, end), span: owners[begin] ?? null });
    begin = end;
  }
  return pieces;
}

// Replaces the content of `body` by the text with its spans as buttons.
export function mark(body: HTMLElement, text: string, spans: Span[], open: (span: Span, from: HTMLElement) => void): void {
  const nodes = cut(text, spans).map(({ text: words, span }) => {
    // White space at the ends of a span is not underlined: a line under nothing looks like a mistake.
    const core = words.trim();
    if (span === null || core === "") return [document.createTextNode(words)];
    const start = words.indexOf(core);
    const button = element(
      "span",
      {
        class: `span level-${level(span)}`,
        role: "button",
        tabindex: 0,
        "aria-label": `${core}: stands ${times(span.count)} in the training text`,
        title: `stands ${times(span.count)} in the training text`,
      },
      core,
    );
    button.addEventListener("click", () => open(span, button));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(span, button);
    });
    return [document.createTextNode(words.slice(0, start)), button, document.createTextNode(words.slice(start + core.length))];
  });
  body.replaceChildren(...nodes.flat());
}
