// What the end-to-end tests share: running the program, checking, reading an output folder.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const rhodes = process.argv[2];
if (!rhodes) {
  console.error('usage: node TEST.mjs PATH_TO_RHODES');
  process.exit(2);
}

let checks = 0;
export function check(condition, what) {
  ++checks;
  if (!condition) throw new Error(`check failed: ${what}`);
}
export function equal(actual, expected, what) {
  check(JSON.stringify(actual) === JSON.stringify(expected), `${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
}

// Runs `rhodes ARGS...`; a result with code, out, err.
export function run(args, options = {}) {
  const result = spawnSync(rhodes, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  return { code: result.status, signal: result.signal, out: result.stdout, err: result.stderr };
}
export function runJson(args, options) {
  const result = run([...args, '--json'], options);
  if (result.code !== 0) throw new Error(`rhodes ${args.join(' ')} ended with ${result.code}: ${result.err}`);
  return JSON.parse(result.out);
}

// Runs `rhodes ARGS...` and kills it with SIGKILL after so long, if it still runs: { code, signal, said } when it is over,
// the last one what it wrote to standard error.
export function killedAfter(args, milliseconds) {
  return new Promise((resolve) => {
    const child = spawn(rhodes, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (piece) => { said += piece; });
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, said });
    });
  });
}

// A scratch folder that is removed when the body is done, whether it failed or not; ends the process with the outcome.
export function withScratch(name, body) {
  const directory = mkdtempSync(join(tmpdir(), `rhodes-${name}-`));
  const finish = (error) => {
    rmSync(directory, { recursive: true, force: true });
    if (error) {
      console.error(error.stack ?? error);
      process.exit(1);
    }
    console.log(`${name}: ${checks} checks passed`);
  };
  Promise.resolve().then(() => body(directory)).then(() => finish(), finish);
}

function files(directory, prefix = '') {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(directory, join(prefix, entry.name)) : [join(prefix, entry.name)]);
}

// Names only the fields that may differ between two runs of the same work: how long things took.
const timing = /"(seconds|[a-z_]*_seconds|tokens_per_second|flops_per_second|peak_flops_per_second|share_of_peak|peak_memory_bytes|resumed_from)":\s*[-+.0-9eE]+/g;

// path -> SHA-256 of every file below `directory`, timing fields of JSON apart.
export function digests(directory) {
  const all = {};
  for (const path of files(directory).sort()) {
    if (path === '.lock' || path.startsWith('checkpoints/')) continue; // checkpoints hold where a run was stopped
    let bytes = readFileSync(join(directory, path));
    if (/\.jsonl?$/.test(path)) bytes = Buffer.from(bytes.toString('utf8').replace(timing, '"$1":0'));
    all[path] = createHash('sha256').update(bytes).digest('hex');
  }
  return all;
}

export { statSync, readFileSync };
