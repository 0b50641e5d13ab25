// `rhodes ingest --follow` on a directory, an HTTP server and a dish at once; the peers drop, repeat, garble, rotate and
// go away, and the program is killed with SIGKILL again and again. In the end everything is stored once.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { random } from './fixture.mjs';
import { check, equal, rhodes, run, runJson, withScratch } from './harness.mjs';

const peer = process.argv[3];
const kills = Number(process.argv[4] ?? 6);
const seed = Number(process.argv[5] ?? 4711);
const lines = 400;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const line = (kind, number) => `${JSON.stringify({ id: `${kind}${number}`, text: `${kind} ${number}`, more: 'x'.repeat(100) })}\n`;

withScratch('follow', async (directory) => {
  console.log(`follow: seed ${seed}`);
  const next = random(seed);

  // Each connection begins at the first line again, breaks off anywhere, and has garbage in it.
  let sent = 0;
  const server = createServer((request, response) => {
    if (next() < 0.2) return response.writeHead(503, { 'Retry-After': '0' }).end();
    response.writeHead(200);
    for (let i = 0; i < sent; ++i) response.write(line('web', i) + (i % 50 === 7 ? '{"garbage": [\n' : ''));
    if (sent < lines) response.write(line('web', sent).slice(0, 80));
    setTimeout(() => response.destroy(), 20 + next() * 300);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  const dish = spawn(peer, ['24'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise((resolve) => createInterface(dish.stdout).once('line', resolve));

  mkdirSync(`${directory}/logs`);
  const log = `${directory}/logs/app.log`;
  let written = 0;
  let rotated = 0;
  let samples = 0;
  let rest = '';
  const work = setInterval(() => {
    if (sent < lines) sent += 2;
    if (rest === '' && written < lines) {
      if (next() < 0.1 && existsSync(log)) renameSync(log, `${log}.${++rotated}`);
      for (let i = 0; i < 3 && written < lines; ++i) rest += line('log', written++);
    }
    const size = Math.ceil(next() * rest.length);
    if (size > 0) appendFileSync(log, rest.slice(0, size));
    rest = rest.slice(size);
  }, 20);
  const seconds = setInterval(() => {
    ++samples;
    dish.stdin.write(next() < 0.2 ? 'count 1\naway\n' : 'count 1\n');
  }, 1000);

  const out = `${directory}/out`;
  const args = ['ingest', '--follow', '--source', `dir://${directory}/logs?format=jsonl&pattern=*.log*&name=logs`,
    '--source', `http://127.0.0.1:${server.address().port}/stream?format=jsonl&name=web`,
    '--source', `grpc://127.0.0.1:${port}/dish?every=1&name=dish`, '--out', out, '--part-seconds', '0.3', '--quiet'];
  const follow = () => {
    const child = spawn(rhodes, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.said = '';
    child.stderr.on('data', (piece) => { child.said += piece; });
    child.ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
    return child;
  };
  for (let i = 0; i < kills; ++i) {
    const child = follow();
    await sleep(500 + next() * 2500);
    child.kill('SIGKILL');
    const end = await child.ended;
    equal(end.signal, 'SIGKILL', `run ${i} was still following: ${child.said}`);
  }
  const last = follow();
  for (let i = 0; i < 600 && (sent < lines || written < lines || rest !== ''); ++i) await sleep(50);
  clearInterval(work);
  clearInterval(seconds);
  // A poll of the history and the server's whole answer take up to some seconds; a busy machine takes longer.
  const stored = (source, which = 'true') => Number(runJson(['sql', out, `SELECT count(*) AS n FROM ${source} WHERE ${which}`]).n);
  const whole = () => stored('logs') >= lines && stored('web') >= lines && stored('dish', "kind = 'dish-sample'") >= samples;
  for (let i = 0; i < 60 && !whole(); ++i) await sleep(1000);
  await sleep(2000); // and nothing comes twice after that
  last.kill('SIGINT');
  equal((await last.ended).code, 130, `it ends when it is told to: ${last.said}`);
  dish.stdin.end();
  server.close();

  const numbers = (sql) => Object.values(runJson(['sql', out, sql])).map(Number);
  for (const source of ['logs', 'web']) {
    equal(numbers(`SELECT count(*), count(DISTINCT text) AS texts FROM ${source}`), [lines, lines], `${source}, each once`);
  }
  const [count, distinct, newest] = numbers(
    "SELECT count(*), count(DISTINCT fields['sample']) AS numbers, max(CAST(fields['sample'] AS INTEGER)) AS newest FROM dish WHERE kind = 'dish-sample'",
  );
  equal([count, distinct, newest], [samples, samples, samples - 1], 'each sample of the dish once');
  const result = run(['check', out]);
  check(result.code === 0, `rhodes check: ${result.out}${result.err}`);
});
