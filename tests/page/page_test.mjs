// The page in a real browser: asks a question, follows a span of the answer to its record, and compares the bytes that
// are shown with those of the file.
//
// Usage: node page_test.mjs --rhodes BINARY --out OUT --screenshot FILE.png [--question TEXT] [--chromium PATH]
//                           [--dark] [--model DIR] [--temperature T]
// Writes FILE.png (the answer with the panel open), FILE-record.png (the record) and FILE-training.png (the run that made
// the model). Exit code 0 when all holds.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

import { check, startServer, withPage } from "./browser.mjs";

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

// The training run that made the model, and back to the conversation, which is still there.
async function showTraining(page) {
  await page.click("#to-training");
  await page.waitForSelector("#runs [data-run]");
  await page.waitForSelector("#chart .curve");
  check((await page.locator("#runs [data-run] .state").first().innerText()) === "finished", "the run of OUT is not finished");
  check((await page.locator("#chart .curve.marked").count()) > 0, "the chart has no validation curve");
  await page.screenshot({ path: options.screenshot.replace(/\.png$/, "-training.png") });
  await page.click("#to-chat");
  check(await page.locator(".message.assistant").first().isVisible(), "the conversation is gone after a look at the training");
}

async function run() {
  const args = ["--out", options.out];
  if (options.model !== undefined) args.push("--model", options.model);
  const server = await startServer(options.rhodes, args);
  try {
    await withPage({ url: server.url, chromium: options.chromium, dark: options.dark }, async (page) => {
      await page.waitForSelector("#facts dd");
      await page.screenshot({ path: options.screenshot.replace(/\.png$/, "-welcome.png") });
      const answer = await askAndWait(page);
      const words = await openSpan(page, answer);
      await page.screenshot({ path: options.screenshot });
      const record = await followToRecord(page);
      await page.screenshot({ path: options.screenshot.replace(/\.png$/, "-record.png") });
      await page.keyboard.press("Escape");
      check(await page.locator("#panel").isHidden(), "Escape does not close the panel");
      await showTraining(page);
      console.log(`page_test: "${words}" led to ${record.file} bytes ${record.begin} to ${record.end}; the page shows the file's bytes`);
    });
  } finally {
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
