// The page in a real browser: asks a question, follows a span of the answer to its record, and compares the bytes that
// are shown with those of the file.
//
// Usage: node page_test.mjs --rhodes BINARY --out OUT --screenshot FILE.png [--question TEXT] [--chromium PATH]
//                           [--dark] [--model DIR] [--temperature T]
// Writes FILE.png (the answer with the panel open) and FILE-record.png (the record). Exit code 0 when all holds.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: {
    rhodes: { type: "string" },
    out: { type: "string" },
    model: { type: "string" },
    screenshot: { type: "string" },
    question: { type: "string", default: "What is zlib?" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    dark: { type: "boolean", default: false },
    temperature: { type: "string" },
  },
});
for (const name of ["rhodes", "out", "screenshot"]) {
  if (options[name] === undefined) {
    console.error(`page_test: --${name} is missing`);
    process.exit(2);
  }
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}

// Starts the server on a free port; resolves with its address and the way to end it.
function startServer() {
  const args = ["serve", "--out", options.out, "--port", "0", "--json"];
  if (options.model !== undefined) args.push("--model", options.model);
  const server = spawn(options.rhodes, args, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  server.stderr.on("data", (data) => (errors += data));
  const ended = new Promise((resolve) => server.on("exit", (code) => resolve(code)));
  const started = new Promise((resolve, reject) => {
    let output = "";
    server.stdout.on("data", (data) => {
      output += data;
      if (output.includes("\n")) resolve(JSON.parse(output).url);
    });
    server.on("error", reject);
    void ended.then((code) => reject(new Error(`rhodes serve ended with ${code}: ${errors}`)));
  });
  return started.then((url) => ({
    url,
    stop: () => {
      server.kill("SIGINT");
      return ended;
    },
  }));
}

// The bytes [begin, end) of the uncompressed file, as the page shows them; null for a compression Node does not know.
function fileBytes(file, begin, end) {
  let bytes = readFileSync(file);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  else if (bytes.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) || bytes.subarray(0, 3).equals(Buffer.from("BZh")) ||
      bytes.subarray(0, 6).equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]))) return null;
  return new TextDecoder("utf-8").decode(bytes.subarray(begin, end));
}

async function setTemperature(page, temperature) {
  await page.click(".settings summary");
  await page.fill("#temperature", temperature);
  await page.click(".settings summary");
}

// Asks and waits until the answer is marked. A model that has seen little may draw words that stand nowhere together; then
// the likeliest words of all are asked for once more.
async function askAndWait(page) {
  if (options.temperature !== undefined) await setTemperature(page, options.temperature);
  for (let attempt = 1; ; ++attempt) {
    await page.fill("#question", options.question);
    await page.press("#question", "Enter");
    await page.locator(".message.assistant[data-traced]").nth(attempt - 1).waitFor({ timeout: 120_000 });
    const answer = page.locator(".message.assistant").nth(attempt - 1);
    check((await answer.getAttribute("data-traced")) === "done", `the answer was not led back: ${await answer.innerText()}`);
    check((await answer.locator(".body").innerText()).trim() !== "", "the answer is empty");
    if ((await answer.locator(".span").count()) > 0) return answer;
    check(attempt === 1, `no span is marked in: ${await answer.innerText()}`);
    await setTemperature(page, "0");
  }
}

// Opens the strongest span by keyboard.
async function openSpan(page, answer) {
  let best = answer.locator(".span").first();
  for (const level of [4, 3, 2]) {
    if ((await answer.locator(`.span.level-${level}`).count()) > 0) {
      best = answer.locator(`.span.level-${level}`).first();
      break;
    }
  }
  await best.focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("#panel:not([hidden]) .card");
  return (await best.innerText()).trim();
}

// Goes from the panel to a record and compares its bytes with the file's.
async function followToRecord(page) {
  const buttons = page.locator("#panel [data-record]");
  const count = await buttons.count();
  check(count > 0, "the span's documents have no records");
  for (let i = 0; i < count; ++i) {
    await buttons.nth(i).click();
    await page.waitForSelector("#panel .record-view, #panel .notice");
    check((await page.locator("#panel .notice").count()) === 0, `record: ${await page.locator("#panel").innerText()}`);
    const file = await page.locator("#panel [data-file]").getAttribute("data-file");
    const range = page.locator("#panel [data-begin]");
    const begin = Number(await range.getAttribute("data-begin"));
    const end = Number(await range.getAttribute("data-end"));
    const expected = fileBytes(file, begin, end);
    if (expected === null) {
      await page.click("#panel-back");
      continue;
    }
    const shown = await page.locator("#panel [data-record-text]").evaluate((node) => node.textContent);
    check(shown === expected, `${file} bytes ${begin} to ${end}: the page shows other bytes than the file has`);
    check(end > begin, `${file}: the record is empty`);
    return { file, begin, end };
  }
  throw new Error("no record lies in a file that this test can read");
}

async function run() {
  const server = await startServer();
  const profile = mkdtempSync(join(tmpdir(), "rhodes-page-"));
  const problems = [];
  let context = null;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: options.chromium,
      headless: true,
      viewport: { width: 1360, height: 860 },
      colorScheme: options.dark ? "dark" : "light",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"],
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
    context.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) problems.push(`asked the network for ${request.url()}`);
    });
    await page.goto(server.url);
    await page.waitForSelector("#facts dd");
    await page.screenshot({ path: options.screenshot.replace(/\.png$/, "-welcome.png") });
    const answer = await askAndWait(page);
    const words = await openSpan(page, answer);
    await page.screenshot({ path: options.screenshot });
    const record = await followToRecord(page);
    await page.screenshot({ path: options.screenshot.replace(/\.png$/, "-record.png") });
    await page.keyboard.press("Escape");
    check(await page.locator("#panel").isHidden(), "Escape does not close the panel");
    check(problems.length === 0, problems.join("\n"));
    console.log(`page_test: "${words}" led to ${record.file} bytes ${record.begin} to ${record.end}; the page shows the file's bytes`);
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
    const code = await server.stop();
    check(code === 0, `rhodes serve ended with ${code} after SIGINT`);
  }
}

try {
  await run();
} catch (error) {
  console.error(`page_test: ${error.message}`);
  process.exit(1);
}
