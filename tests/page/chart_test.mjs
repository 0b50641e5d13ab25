// What the page computes for its charts and tables, without a browser.
//
// Usage: node chart_test.mjs DIRECTORY_OF_THE_COMPILED_PAGE

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const load = (name) => import(pathToFileURL(resolve(process.argv[2], name)).href);
const { ticks, logarithmicTicks, smoothed, nearest } = await load("chart.js");
const { flattened, differing } = await load("run_details.js");
const { formatDuration } = await load("dom.js");

assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
assert.deepEqual(ticks(0.31, 0.92, 7), [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
assert.deepEqual(ticks(3, 3, 5), [3], "no range: one tick, no endless loop");
assert.deepEqual(logarithmicTicks(0.9, 12), [1, 2, 5, 10]);
assert.deepEqual(logarithmicTicks(2.1, 4.9), ticks(2.1, 4.9, 5), "within one decade round numbers serve");
assert.deepEqual(logarithmicTicks(1e-6, 1), [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]);

const line = Array.from({ length: 500 }, (_, x) => ({ x, y: 2 * x + 1 }));
for (const [i, { x, y }] of smoothed(line).entries()) {
  assert.equal(x, i);
  assert.ok(Math.abs(y - (2 * x + 1)) < 1e-9, "the mean of a straight line is the line, at its ends too");
}
const zigzag = smoothed(Array.from({ length: 500 }, (_, x) => ({ x, y: x % 2 })));
assert.ok(zigzag.slice(5, -5).every(({ y }) => Math.abs(y - 0.5) < 0.06), "what goes up and down is evened out");
assert.equal(smoothed(line.slice(0, 50)).length, 50);

const points = [1, 4, 9].map((x) => ({ x, y: 0 }));
assert.deepEqual([-5, 2, 3, 4, 6, 7, 50].map((x) => nearest(points, x).x), [1, 1, 4, 4, 4, 9, 9]);
assert.equal(nearest([], 3), null);

const a = flattened({ config: { hidden_size: 64, rope_scaling: null }, betas: [0.9, 0.95], batch: 4, optimizer: "adamw" });
const b = flattened({ config: { hidden_size: 128, rope_scaling: null }, betas: [0.9, 0.95], batch: 4, patience: 3 });
assert.deepEqual([...a.keys()], ["config.hidden_size", "config.rope_scaling", "betas", "batch", "optimizer"]);
assert.deepEqual(differing([a, b]), ["config.hidden_size", "optimizer", "patience"]);
assert.deepEqual(differing([a, a]), []);
assert.equal(flattened(null).size, 0);

assert.deepEqual([0, 0.333, 9.4, 59, 60, 61, 3600, 4020, 86_400, 90_000].map(formatDuration),
  ["0 s", "0.33 s", "9.4 s", "59 s", "1 min", "1 min 1 s", "1 h", "1 h 7 min", "1 d", "1 d 1 h"]);
console.log("chart_test: ticks, means, nearest points, settings that differ, durations");
