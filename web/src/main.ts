// The page's entry: wires the parts together.

import type { AskSettings, Summary } from "./api.js";
import { fetchSummary } from "./api.js";
import { Chat } from "./chat.js";
import { byId, counted, element, formatLarge, formatNumber, icon } from "./dom.js";
import { Panel } from "./panel.js";
import { Training } from "./training.js";

const question = byId("question", HTMLTextAreaElement);
const form = byId("ask", HTMLFormElement);
const send = byId("send", HTMLButtonElement);
const temperature = byId("temperature", HTMLInputElement);
const maxTokens = byId("max-tokens", HTMLInputElement);
const seed = byId("seed", HTMLInputElement);
const messages = byId("messages", HTMLElement);
const themeButton = byId("theme", HTMLButtonElement);

let summary: Summary | null = null;
const panel = new Panel(byId("panel", HTMLElement));
const chat = new Chat(messages, panel, showRunning, true);
const training = new Training(byId("training", HTMLElement), (parameters) => {
  const text = parameters.toString();
  history.replaceState(null, "", text === "" ? "#training" : `#training?${text}`);
});

// Settings stay in the browser. Storage can be refused; then they last as long as the page.
const store = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(`rhodes.${key}`);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(`rhodes.${key}`, value);
    } catch {
      return;
    }
  },
};

function showRunning(running: boolean): void {
  send.replaceChildren(icon(running ? "stop" : "send"));
  send.setAttribute("aria-label", running ? "Stop" : "Send");
  send.title = running ? "Stop" : "Send (Enter)";
}

function applyTheme(theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  themeButton.replaceChildren(icon(theme === "dark" ? "sun" : "moon"));
}

function initTheme(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = (): string => store.get("theme") ?? (system.matches ? "dark" : "light");
  applyTheme(current());
  system.addEventListener("change", () => applyTheme(current()));
  themeButton.addEventListener("click", () => {
    store.set("theme", current() === "dark" ? "light" : "dark");
    applyTheme(current());
  });
}

function initSettings(): void {
  for (const [input, otherwise] of [[temperature, "0.5"], [maxTokens, "160"], [seed, "1"]] as const) {
    input.value = store.get(input.id) ?? otherwise;
    input.addEventListener("change", () => store.set(input.id, input.value));
  }
  const show = (): void => {
    byId("temperature-value", HTMLOutputElement).value = Number(temperature.value).toFixed(1);
  };
  temperature.addEventListener("input", show);
  show();
}

function settings(): AskSettings {
  const whole = (input: HTMLInputElement, otherwise: number): number =>
    Number.isSafeInteger(input.valueAsNumber) ? input.valueAsNumber : otherwise;
  return {
    temperature: Number(temperature.value),
    max_tokens: Math.max(1, whole(maxTokens, 160)),
    seed: whole(seed, 1),
  };
}

function fit(): void {
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight}px`;
}

function submit(): void {
  if (chat.busy) return chat.stop();
  const text = question.value.trim();
  if (text === "") return;
  if (chat.empty) messages.replaceChildren();
  question.value = "";
  fit();
  void chat.send(text, settings());
}

function initQuestion(): void {
  showRunning(false);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  question.addEventListener("input", fit);
  question.addEventListener("keydown", (event) => {
    // While an input method composes, Enter ends the composition.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  byId("new-chat", HTMLButtonElement).addEventListener("click", () => {
    chat.clear();
    panel.close();
    welcome();
    question.focus();
  });
}

// Which view is shown stands in the address: "#training?..." is that of training runs, anything else the conversation.
function showView(): void {
  const [view = "", parameters = ""] = location.hash.slice(1).split("?");
  const isTraining = view.startsWith("training");
  byId("chat", HTMLElement).hidden = isTraining;
  byId("new-chat", HTMLButtonElement).hidden = isTraining;
  byId("skip", HTMLAnchorElement).href = isTraining ? "#training-title" : "#question";
  for (const [id, current] of [["to-chat", !isTraining], ["to-training", isTraining]] as const) {
    byId(id, HTMLAnchorElement).setAttribute("aria-current", current ? "page" : "false");
  }
  if (isTraining) {
    panel.close();
    training.show(new URLSearchParams(parameters));
    if (view === "training-title") training.focus();
  } else {
    training.hide();
    question.focus();
  }
}

function initViews(): void {
  addEventListener("hashchange", showView);
  showView();
}

// A number at one of `keys` of an object in the summary: stages call their counts differently.
function numberAt(object: unknown, ...keys: string[]): number | null {
  if (typeof object !== "object" || object === null) return null;
  for (const key of keys) {
    const value = (object as { [key: string]: unknown })[key];
    if (typeof value === "number") return value;
  }
  return null;
}

function showFacts(of: Summary): void {
  if (of.model === null) return;
  byId("model-name", HTMLElement).textContent = of.model.id;
  document.title = `${of.model.id} · Rhodes`;
  const tokens = numberAt(of.training, "tokens");
  const bits = numberAt(of.training, "bits_per_byte");
  const documents = numberAt(of.corpus, "kept", "documents");
  const entries: [string, string | null][] = [
    ["Parameters", formatLarge(of.model.parameters)],
    ["Tokens trained", tokens === null ? null : formatLarge(tokens)],
    ["Documents", documents === null ? null : formatNumber(documents)],
    ["Sources", of.sources === undefined ? null : formatNumber(of.sources.length)],
    ["Bits per byte", bits === null ? null : bits.toFixed(3)],
  ];
  const facts = byId("facts", HTMLElement);
  facts.replaceChildren();
  for (const [name, value] of entries) {
    if (value !== null) facts.append(element("div", {}, element("dt", {}, name), element("dd", {}, value)));
  }
}

function welcome(): void {
  const sources = summary?.sources ?? [];
  const led = summary === null || summary.trace;
  messages.replaceChildren(element("div", { class: "welcome" },
    element("h2", {}, "Ask, and see where the answer comes from"),
    element("p", {},
      "The model answers from what it was trained on. ",
      ...(led
        ? [element("span", { class: "example" }, "Underlined words"),
           " of an answer stand just so in the training text: follow them to the documents, the records and the bytes of the files."]
        : ["This server has no trace index, so answers are not led back to their records."]),
    ),
    element("ul", { "aria-label": "Sources" }, ...sources.map((source) =>
      element("li", {}, element("b", {}, source.name), element("span", {}, counted(source.records, "record"))))),
  ));
}

// Before there is a model there is nobody to ask.
function showOnlyTraining(): void {
  byId("to-chat", HTMLAnchorElement).hidden = true;
  if (!location.hash.startsWith("#training")) location.replace("#training");
}

async function start(): Promise<void> {
  initTheme();
  initSettings();
  initQuestion();
  welcome();
  initViews();
  try {
    summary = await fetchSummary();
    chat.traced = summary.trace;
    showFacts(summary);
    if (summary.model === null) showOnlyTraining();
    if (chat.empty) welcome();
  } catch (error) {
    messages.replaceChildren(element("div", { class: "message error" },
      element("div", { class: "body" }, `The server does not answer: ${error instanceof Error ? error.message : String(error)}`)));
  }
}

void start();
