// The server's answers, as types, and the calls that fetch them.

export interface Summary {
  model: { id: string; parameters: number; context_length: number } | null; // null: only training runs are served
  trace: boolean;
  sources?: { name: string; records: number }[];
  corpus?: Record<string, unknown>;
  training?: Record<string, unknown>;
}

export interface RecordOrigin {
  id: string;
  source: string;
  kind?: string;
  file: string;
  begin: number;
  end: number;
}

export interface SpanDocument {
  id: string;
  source: string;
  title?: string;
  snippet?: string;
  records: RecordOrigin[];
}

// `begin` and `end` are byte offsets in the UTF-8 text that was traced.
export interface Span {
  begin: number;
  end: number;
  text: string;
  count: number;
  by_source: { [source: string]: number };
  documents: SpanDocument[];
}

export interface Trace {
  tokens: number;
  spans: Span[];
}

export interface DocumentText {
  id: string;
  title: string;
  text: string;
  time: number | null;
  language: string | null;
  sources: string[];
  parents: RecordOrigin[];
  parent_count: number;
}

export interface RecordText extends RecordOrigin {
  text: string;
  before: string;
  after: string;
  note?: string;
}

export interface Message {
  role: "user" | "assistant";
  content: string;
}

export interface AskSettings {
  temperature: number;
  max_tokens: number;
  seed: number;
}

export interface Timings {
  tokens_per_second: number;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

interface Chunk {
  choices: { delta: { content?: string }; finish_reason: string | null }[];
  usage?: Usage;
  timings?: Timings;
  error?: { message: string };
}

export interface Outcome {
  finishReason: string | null;
  usage: Usage | null;
  timings: Timings | null;
}

// What the server said went wrong.
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: string | null,
  ) {
    super(message);
  }
}

async function failure(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as { error: { message: string; code: string | null } };
    return new ApiError(body.error.message, body.error.code);
  } catch {
    return new ApiError(`the server answered ${response.status}`, null);
  }
}

export async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw await failure(response);
  return (await response.json()) as T;
}

export const fetchSummary = (): Promise<Summary> => getJson("api/summary");
export const fetchDocument = (id: string): Promise<DocumentText> => getJson(`api/document/${encodeURIComponent(id)}`);
export const fetchRecord = (id: string): Promise<RecordText> => getJson(`api/record/${encodeURIComponent(id)}`);

export async function trace(text: string, signal: AbortSignal): Promise<Trace> {
  const response = await fetch("api/trace", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text }),
    signal,
  });
  if (!response.ok) throw await failure(response);
  return (await response.json()) as Trace;
}

// The data of server-sent events, one after another.
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    pending += decoder.decode(value, { stream: true });
    for (let end = pending.indexOf("\n\n"); end >= 0; end = pending.indexOf("\n\n")) {
      const event = pending.slice(0, end);
      pending = pending.slice(end + 2);
      for (const line of event.split("\n")) {
        if (line.startsWith("data: ")) yield line.slice("data: ".length);
      }
    }
  }
}

// Asks and calls `onText` with each new piece of the answer.
export async function ask(
  messages: Message[],
  settings: AskSettings,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  const response = await fetch("v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages, stream: true, stream_options: { include_usage: true }, ...settings }),
    signal,
  });
  if (!response.ok || response.body === null) throw await failure(response);
  const outcome: Outcome = { finishReason: null, usage: null, timings: null };
  for await (const data of events(response.body)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) throw new ApiError(chunk.error.message, null);
    const choice = chunk.choices[0];
    if (choice?.delta.content) onText(choice.delta.content);
    if (choice?.finish_reason) outcome.finishReason = choice.finish_reason;
    if (chunk.usage) outcome.usage = chunk.usage;
    if (chunk.timings) outcome.timings = chunk.timings;
  }
  return outcome;
}
