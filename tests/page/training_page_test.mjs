// The page's view of training runs in a real browser, on runs that are trained here: one that is finished, one more with
// another learning rate, and one under way, which is killed in the end.
//
// Usage: node training_page_test.mjs --rhodes BINARY --screenshot FILE.png [--chromium PATH]
// Writes FILE-one.png, FILE-three.png, FILE-dark.png and FILE-narrow.png. Exit code 0 when all holds.

import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { check, startServer, withPage } from "./browser.mjs";

const { values: options } = parseArgs({
  options: { rhodes: { type: "string" }, screenshot: { type: "string" }, chromium: { type: "string", default: "/usr/bin/chromium" } },
});
for (const name of ["rhodes", "screenshot"]) {
  if (options[name] === undefined) {
    console.error(`training_page_test: --${name} is missing`);
    process.exit(2);
  }
}
const shot = (name) => options.screenshot.replace(/\.png$/, `-${name}.png`);

function rhodes(...args) {
  const result = spawnSync(options.rhodes, args, { encoding: "utf8" });
  check(result.status === 0, `rhodes ${args.join(" ")}: ${result.stderr}`);
}

const subjects = ["The ferry", "A letter", "Our teacher", "The harbour", "My sister", "An old map", "The engine"];
const verbs = ["leaves", "finds", "carries", "follows", "repairs", "draws", "keeps"];
const objects = ["the island", "a bridge", "the morning train", "seven lamps", "the long road", "a small garden"];

// Documents of made-up sentences, tokens, and the shape of a small model.
function prepare(directory) {
  let state = 1;
  const pick = (list) => list[(state = (state * 48271) % 2147483647) % list.length];
  const documents = Array.from({ length: 400 }, (_, i) => JSON.stringify({
    id: `d${i}`, text: Array.from({ length: 12 }, () => `${pick(subjects)} ${pick(verbs)} ${pick(objects)}.`).join(" "),
  }));
  writeFileSync(join(directory, "documents.jsonl"), `${documents.join("\n")}\n`);
  rhodes("tokenize", join(directory, "documents.jsonl"), "--out", directory, "--vocabulary", "320", "--validation", "0.1");
  writeFileSync(join(directory, "config.json"), JSON.stringify({
    architectures: ["LlamaForCausalLM"], model_type: "llama", vocab_size: 320, hidden_size: 64, intermediate_size: 128,
    num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 64,
    rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: "silu",
  }));
}

const trainArguments = (directory, out, steps, ...more) => ["train", "--config", join(directory, "config.json"), "--tokenizer",
  join(directory, "tokenizer.json"), "--shards", join(directory, "shards"), "--out", join(directory, "runs", out), "--steps",
  String(steps), "--batch", "4", "--context", "64", "--threads", "1", "--seed", "3", "--sample", "The ferry", ...more];

async function until(what, holds) {
  for (let i = 0; i < 300; ++i) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`after 30 seconds still not: ${what}`);
}

async function oneRun(page, directory) {
  await page.waitForSelector("#chart .curve.marked");
  check(page.url().includes("#training"), "without a model the page does not begin with the training runs");
  check(await page.locator("#to-chat").isHidden(), "without a model there is nobody to chat with");
  const lines = readFileSync(join(directory, "runs/steady/metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const last = lines[lines.length - 1];
  const cell = (label) => page.locator(`[data-run="runs/steady"] [data-label="${label}"]`).innerText();
  check((await cell("State")).startsWith("finished"), `state: ${await cell("State")}`);
  check((await cell("Steps")).includes("200 of 200"), `steps: ${await cell("Steps")}`);
  check((await cell("Validation")) === last.validation_loss.toFixed(3), `validation: ${await cell("Validation")}`);
  check((await cell("Bits per byte")) === last.bits_per_byte.toFixed(3), `bits per byte: ${await cell("Bits per byte")}`);
  const evaluations = lines.filter((line) => line.validation_loss !== undefined && !line.final).length;
  check((await page.locator("#chart .dot").count()) === evaluations, "the chart has not a dot for each evaluation");
  check((await page.locator("#run-samples .sample").first().innerText()).startsWith("The ferry"), "no samples are shown");
  // The cursor by keyboard: at the beginning the loss is that of the first steps.
  await page.focus("#chart");
  await page.keyboard.press("Home");
  const begin = Number((await page.locator("#legend .legend-value").first().innerText()).split(" ")[0]);
  check(Math.abs(begin - lines[0].loss) < 0.5, `the loss at the beginning is ${begin}, in the metrics ${lines[0].loss}`);
  await page.keyboard.press("Escape");
  await page.screenshot({ path: shot("one"), fullPage: false });
}

async function threeRuns(page, directory, live) {
  await page.waitForSelector('[data-run="runs/live"]', { timeout: 20_000 });
  const box = (name) => page.locator(`[data-run="runs/${name}"] input`);
  for (const name of ["fast", "live"]) {
    await box(name).focus();
    if (!(await box(name).isChecked())) await page.keyboard.press("Space");
    await until(`runs/${name} is chosen`, () => box(name).isChecked());
    check(await box(name).evaluate((node) => node === document.activeElement), "the box loses the focus when it is pressed");
  }
  await until("three curves are drawn", async () => (await page.locator("#chart .range").count()) === 3);
  const differing = await page.locator("#run-settings > .scroll tbody th").allInnerTexts();
  check(differing.includes("learning_rate"), `the settings that differ: ${differing}`);
  check(!differing.includes("batch"), `batch is the same in all runs: ${differing}`);
  check((await page.locator('[data-run="runs/live"] .state').innerText()) === "running", "the run under way is not running");
  const steps = () => page.locator('[data-run="runs/live"] [data-label="Steps"]').innerText();
  const before = await steps();
  await until("the run under way comes further on the page", async () => (await steps()) !== before);
  await page.selectOption("#axis", "tokens");
  await page.check("#second-half");
  check(page.url().includes("over=tokens") && page.url().includes("end=1"), `the address does not keep the choice: ${page.url()}`);
  await page.hover("#chart", { position: { x: 500, y: 150 } });
  check((await page.locator("#legend .legend-at").innerText()).startsWith("at tokens"), "the pointer moves no cursor");
  await page.screenshot({ path: shot("three") });
  // A line that is being written, and one that is none, disturb nothing.
  const metrics = join(directory, "runs/fast/metrics.jsonl");
  appendFileSync(metrics, 'no line\n{"step": 20');
  await page.reload();
  await until("three curves are drawn after a reload", async () => (await page.locator("#chart .range").count()) === 3);
  check((await page.locator("#axis").inputValue()) === "tokens", "a reload forgets the axis");
  live.kill("SIGKILL");
}

async function run() {
  const directory = mkdtempSync(join(tmpdir(), "rhodes-training-page-"));
  let live = null;
  let server = null;
  try {
    prepare(directory);
    rhodes(...trainArguments(directory, "steady", 200, "--learning-rate", "1e-3"));
    server = await startServer(options.rhodes, ["--runs", join(directory, "runs")]);
    const { url } = server;
    const { chromium } = options;
    await withPage({ url, chromium }, (page) => oneRun(page, directory));
    rhodes(...trainArguments(directory, "fast", 150, "--learning-rate", "6e-3"));
    live = spawn(options.rhodes, trainArguments(directory, "live", 1_000_000, "--learning-rate", "3e-4", "--eval-every", "100"), { stdio: "ignore" });
    await until("the third run has begun", () => existsSync(join(directory, "runs/live/metrics.jsonl")));
    await withPage({ url, chromium }, (page) => threeRuns(page, directory, live));
    const all = `${url}/#training?run=runs%2Fsteady&run=runs%2Ffast&run=runs%2Flive`;
    for (const [name, shape] of [["dark", { dark: true }], ["narrow", { width: 390, height: 844 }]]) {
      await withPage({ url: all, chromium, ...shape }, async (page) => {
        await until(`three curves are drawn (${name})`, async () => (await page.locator("#chart .range").count()) === 3);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        check(wide <= 0, `the page is ${wide} pixels wider than the window (${name})`);
        await page.screenshot({ path: shot(name) });
        await page.locator("#run-settings").scrollIntoViewIfNeeded();
        await page.screenshot({ path: shot(`${name}-below`) });
      });
    }
    console.log("training_page_test: one run, three runs, one of them under way; dark and narrow");
  } finally {
    live?.kill("SIGKILL");
    const code = (await server?.stop()) ?? 0;
    rmSync(directory, { recursive: true, force: true });
    check(code === 0, `rhodes serve ended with ${code} after SIGINT`);
  }
}

try {
  await run();
} catch (error) {
  console.error(`training_page_test: ${error.message}`);
  process.exit(1);
}
