// The side panel: from a span to its documents, from a document to its records, from a record to its bytes.

import type { RecordOrigin, Span, SpanDocument } from "./api.js";
import { fetchDocument, fetchRecord } from "./api.js";
import { counted, element, formatNumber, icon, times } from "./dom.js";

const recordsAtFirst = 5;

interface View {
  title: string;
  body: HTMLElement;
}

export class Panel {
  private readonly views: View[] = [];
  private opener: HTMLElement | null = null;

  constructor(private readonly root: HTMLElement) {
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  openSpan(span: Span, opener: HTMLElement): void {
    this.opener?.classList.remove("open");
    this.opener = opener;
    opener.classList.add("open");
    this.views.length = 0;
    this.show({ title: "In the training text", body: this.spanBody(span) });
  }

  close(): void {
    this.root.hidden = true;
    this.opener?.classList.remove("open");
    this.opener?.focus();
    this.opener = null;
  }

  private show(view: View): void {
    this.views.push(view);
    this.render();
  }

  private render(): void {
    const view = this.views[this.views.length - 1];
    if (view === undefined) return;
    const back = element("button", {
      type: "button", class: "quiet icon", "aria-label": "Back", title: "Back", id: "panel-back",
      onclick: () => { this.views.pop(); this.render(); },
    }, icon("back"));
    const close = element("button", {
      type: "button", class: "quiet icon", "aria-label": "Close", title: "Close (Esc)", id: "panel-close", onclick: () => this.close(),
    }, icon("close"));
    const heading = element("h2", { tabindex: -1 }, view.title);
    this.root.replaceChildren(
      element("div", { class: "panel-head" }, this.views.length > 1 ? back : null, heading, close),
      element("div", { class: "panel-body" }, view.body),
    );
    this.root.hidden = false;
    heading.focus();
    this.root.querySelector("mark")?.scrollIntoView({ block: "center" });
  }

  private spanBody(span: Span): HTMLElement {
    const places = element("p", { class: "count" }, `Stands ${times(span.count)} in the training text`);
    const documents = span.documents.map((document) => this.documentCard(document, span));
    const shown = span.documents.length;
    return element("div", {},
      element("p", { class: "quote", dir: "auto" }, span.text.trim()),
      places,
      element("h3", {}, "Sources"),
      sourceBars(span.by_source),
      element("h3", {}, shown < span.count ? `Documents (${formatNumber(shown)} shown)` : "Documents"),
      element("div", {}, ...documents),
    );
  }

  private documentCard(document: SpanDocument, span: Span): HTMLElement {
    const head = element("button", { type: "button", class: "card-head", onclick: () => void this.openDocument(document.id, span) },
      element("span", { class: "tag" }, document.source),
      element("span", { class: "card-title", dir: "auto" }, document.title ?? document.id),
      document.snippet ? element("span", { class: "snippet", dir: "auto" }, ...highlighted(document.snippet, span.text)) : null,
    );
    return element("div", { class: "card", "data-document": document.id }, head, this.recordList(document.records, span, document.records.length));
  }

  private recordList(records: RecordOrigin[], span: Span | null, total: number): HTMLElement {
    const list = element("ul", { class: "records" });
    const add = (some: RecordOrigin[]): void => {
      for (const record of some) list.append(element("li", {}, this.recordButton(record, span)));
    };
    add(records.slice(0, recordsAtFirst));
    if (records.length > recordsAtFirst) {
      const more = element("li", {}, element("button", {
        type: "button", class: "record", onclick: () => { more.remove(); add(records.slice(recordsAtFirst)); },
      }, `Show ${counted(records.length - recordsAtFirst, "more record")}`));
      list.append(more);
    }
    if (total > records.length) list.append(element("li", { class: "more" }, `and ${formatNumber(total - records.length)} more`));
    return list;
  }

  private recordButton(record: RecordOrigin, span: Span | null): HTMLElement {
    return element("button", {
      type: "button", class: "record", "data-record": record.id, title: `Show the bytes of ${record.file}`,
      onclick: () => void this.openRecord(record.id, span),
    },
      // The end of a path says more than its beginning: the overflow is cut at the left.
      element("span", { class: "file" }, element("bdi", {}, record.file)),
      element("span", { class: "range" }, `bytes ${formatNumber(record.begin)} to ${formatNumber(record.end)}`),
    );
  }

  private async openDocument(id: string, span: Span): Promise<void> {
    await this.load("Document", async () => {
      const document = await fetchDocument(id);
      return {
        title: document.title,
        body: element("div", {},
          facts([
            ["Sources", document.sources.join(", ")],
            ["Language", document.language],
            ["Time", document.time === null ? null : new Date(document.time * 1000).toISOString().slice(0, 10)],
            ["Made from", counted(document.parent_count, "record")],
          ]),
          element("h3", {}, "Records"),
          element("div", { class: "card" }, this.recordList(document.parents, span, document.parent_count)),
          element("h3", {}, "Text"),
          element("div", { class: "text", dir: "auto" }, ...highlighted(document.text, span.text)),
        ),
      };
    });
  }

  private async openRecord(id: string, span: Span | null): Promise<void> {
    await this.load("Record", async () => {
      const record = await fetchRecord(id);
      const exact = element("span", { class: "exact", "data-record-text": "" }, ...highlighted(record.text, span?.text ?? ""));
      return {
        title: `Record of ${record.source}`,
        body: element("div", { class: "record-view" },
          facts([
            ["File", element("span", { class: "path", "data-file": record.file }, record.file)],
            ["Bytes", element("span", { "data-begin": record.begin, "data-end": record.end },
              `${formatNumber(record.begin)} to ${formatNumber(record.end)} (${counted(record.end - record.begin, "byte")})`)],
            ["Kind", record.kind ?? null],
            ["Id", element("span", { class: "path" }, record.id)],
          ]),
          record.note ? element("p", { class: "notice" }, record.note) : null,
          element("div", { class: "bytes", dir: "auto" },
            element("span", { class: "around" }, record.before), exact, element("span", { class: "around" }, record.after)),
        ),
      };
    });
  }

  // Shows what `make` fetches, or what went wrong.
  private async load(title: string, make: () => Promise<View>): Promise<void> {
    try {
      this.show(await make());
    } catch (error) {
      this.show({ title, body: element("p", { class: "notice" }, error instanceof Error ? error.message : String(error)) });
    }
  }
}

function facts(entries: [string, string | HTMLElement | null][]): HTMLElement {
  const list = element("dl", { class: "origin" });
  for (const [name, value] of entries) {
    if (value !== null && value !== "") list.append(element("dt", {}, name), element("dd", {}, value));
  }
  return list;
}

function sourceBars(counts: { [source: string]: number }): HTMLElement {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const most = entries[0]?.[1] ?? 1;
  return element("ul", { class: "bars" }, ...entries.map(([source, count]) => {
    const fill = element("i");
    fill.style.width = `${Math.max(2, (100 * count) / most)}%`;
    return element("li", {},
      element("span", {}, source), element("span", { class: "bar" }, fill), element("span", { class: "number" }, formatNumber(count)));
  }));
}

// `text` with the first places of `words` marked. Records may break lines where documents do not: any white space
// matches any.
function highlighted(text: string, words: string): (Node | string)[] {
  const core = words.trim();
  if (core === "") return [text];
  const pattern = core.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
  const nodes: (Node | string)[] = [];
  let at = 0;
  for (const match of text.matchAll(new RegExp(pattern, "g"))) {
    nodes.push(text.slice(at, match.index), element("mark", {}, match[0]));
    at = match.index + match[0].length;
    if (nodes.length > 40) break;
  }
  nodes.push(text.slice(at));
  return nodes;
}
