// The conversation: questions, answers as they stream in, and the marks on a finished answer.

import type { AskSettings, Message, Outcome } from "./api.js";
import { ApiError, ask, trace } from "./api.js";
import { counted, element, formatNumber } from "./dom.js";
import { mark } from "./marks.js";
import type { Panel } from "./panel.js";

export class Chat {
  private readonly history: Message[] = [];
  private running: AbortController | null = null;

  constructor(
    private readonly log: HTMLElement,
    private readonly panel: Panel,
    private readonly onRunning: (running: boolean) => void,
    public traced: boolean,
  ) {}

  get busy(): boolean {
    return this.running !== null;
  }
  get empty(): boolean {
    return this.history.length === 0;
  }

  stop(): void {
    this.running?.abort();
  }

  clear(): void {
    this.stop();
    this.history.length = 0;
    this.log.replaceChildren();
  }

  async send(question: string, settings: AskSettings): Promise<void> {
    this.history.push({ role: "user", content: question });
    this.log.append(element("div", { class: "message user" }, element("div", { class: "body", dir: "auto" }, question)));
    const body = element("div", { class: "body cursor", dir: "auto" });
    const foot = element("div", { class: "foot" });
    const message = element("div", { class: "message assistant", "aria-busy": "true" }, body, foot);
    this.log.append(message);
    this.scroll();
    const running = new AbortController();
    this.running = running;
    this.onRunning(true);
    let text = "";
    try {
      const { outcome, dropped } = await this.askWithRoom(settings, running.signal, (piece) => {
        text += piece;
        body.textContent = text;
        this.scroll();
      });
      this.finish(body, foot, text, outcome, dropped);
    } catch (error) {
      if (running.signal.aborted) {
        foot.append("stopped");
        if (text !== "") this.history.push({ role: "assistant", content: text });
      } else {
        message.classList.add("error");
        body.textContent = error instanceof Error ? error.message : String(error);
        this.history.pop();
      }
    }
    body.classList.remove("cursor");
    message.removeAttribute("aria-busy");
    if (this.running === running) {
      this.running = null;
      this.onRunning(false);
    }
    if (text !== "" && this.traced && !message.classList.contains("error")) await this.markAnswer(message, body, foot, text);
  }

  // A small model's context is soon full: the oldest turns are left out until the rest fits.
  private async askWithRoom(
    settings: AskSettings,
    signal: AbortSignal,
    onText: (piece: string) => void,
  ): Promise<{ outcome: Outcome; dropped: number }> {
    for (let dropped = 0; ; dropped += 2) {
      try {
        return { outcome: await ask(this.history.slice(dropped), settings, onText, signal), dropped };
      } catch (error) {
        const full = error instanceof ApiError && error.code === "context_length_exceeded";
        if (!full || dropped + 2 >= this.history.length) throw error;
      }
    }
  }

  private finish(body: HTMLElement, foot: HTMLElement, text: string, outcome: Outcome, dropped: number): void {
    if (text === "") body.textContent = "(the model ended its answer at once)";
    this.history.push({ role: "assistant", content: text });
    if (outcome.usage) foot.append(element("span", {}, counted(outcome.usage.completion_tokens, "token")));
    if (outcome.timings) {
      foot.append(element("span", {}, `${formatNumber(Math.round(outcome.timings.tokens_per_second))} tokens a second`));
    }
    if (outcome.finishReason === "length") foot.append(element("span", {}, "cut at the longest length"));
    if (dropped > 0) foot.append(element("span", {}, `${counted(dropped, "earlier message")} left out: the context is full`));
  }

  private async markAnswer(message: HTMLElement, body: HTMLElement, foot: HTMLElement, text: string): Promise<void> {
    const note = element("span", { class: "lead" }, "looking the words up…");
    foot.prepend(note);
    try {
      const { spans } = await trace(text, new AbortController().signal);
      mark(body, text, spans, (span, from) => this.panel.openSpan(span, from));
      note.textContent = spans.length === 0
        ? "no words of this stand in the training text"
        : `${counted(spans.length, "passage")} found in the training text: follow ${spans.length === 1 ? "it" : "one"}`;
      message.dataset["traced"] = "done";
    } catch (error) {
      note.textContent = `not led back: ${error instanceof Error ? error.message : String(error)}`;
      message.dataset["traced"] = "failed";
    }
  }

  private scroll(): void {
    this.log.scrollTop = this.log.scrollHeight;
  }
}
