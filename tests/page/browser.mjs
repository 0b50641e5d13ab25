// What the page's tests share: a server on a free port, and a page in Chromium that may talk to it alone.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

// Starts `rhodes serve ARGS` on a free port; resolves with its address and the way to end it.
export function startServer(rhodes, more) {
  const server = spawn(rhodes, ["serve", ...more, "--port", "0", "--json"], { stdio: ["ignore", "pipe", "pipe"] });
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

// Opens `url` in a browser with an empty profile and hands the page to `body`; afterwards nothing may have gone wrong in
// its scripts, and it may have asked no other address for anything.
export async function withPage({ url, chromium: path, dark = false, width = 1360, height = 860 }, body) {
  const profile = mkdtempSync(join(tmpdir(), "rhodes-page-"));
  const problems = [];
  const origin = new URL(url).origin;
  let context = null;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: path,
      headless: true,
      viewport: { width, height },
      colorScheme: dark ? "dark" : "light",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"],
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
    context.on("request", (request) => {
      if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) problems.push(`asked the network for ${request.url()}`);
    });
    await page.goto(url);
    await body(page);
    check(problems.length === 0, problems.join("\n"));
  } finally {
    await context?.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
