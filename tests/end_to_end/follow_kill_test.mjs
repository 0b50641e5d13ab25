// A Kafka topic followed while the follower is killed at random moments: every message is stored exactly once.
// Usage: node follow_kill_test.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK KILLS
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { check, equal, rhodes, runJson, withScratch } from './harness.mjs';

const mock = process.argv[3];
const kills = Number(process.argv[4] ?? 8);
const partitions = 8;
const batch = 500;

// The broker as lines in and out.
async function startBroker() {
  const child = spawn(mock, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = (await lines.next()).value;
  const tell = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value } = await lines.next();
    check(value === 'ok', `the broker could not: ${line}`);
  };
  return { address, tell, stop: () => child.kill() };
}

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
// The same moments in every run.
let state = 12345;
const random = (below) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % below;
};

function follow(broker, out, config, more = []) {
  return spawn(rhodes, ['ingest', '--follow', '--source', `kafka://${broker.address}/numbers?group=test&format=jsonl&config=${config}`,
    '--out', out, '--part-seconds', '0.1', '--memory', '600MB', '--quiet', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
}

withScratch('follow-kill', async (scratch) => {
  const out = join(scratch, 'out');
  // A dead member is missed sooner than with the usual ten seconds: the mock cluster knows no fixed members.
  const config = join(scratch, 'kafka.conf');
  writeFileSync(config, 'session.timeout.ms=1000\nheartbeat.interval.ms=200\n');
  const broker = await startBroker();
  try {
    await broker.tell(`topic numbers ${partitions}`);
    let produced = 0;
    let died = 0;
    for (let round = 0; round < kills; ++round) {
      const follower = follow(broker, out, config);
      const ended = new Promise((done) => follower.on('exit', (code, signal) => done(signal ?? code)));
      await broker.tell(`produce numbers ${produced} ${batch}`);
      produced += batch;
      if (round % 4 === 3) await broker.tell(`raw numbers ${round % partitions} no JSON ${round}`);
      if (round % 7 === 5) {
        await broker.tell('down');
        await sleep(100);
        await broker.tell('up');
      }
      await sleep(600 + random(4000));
      follower.kill('SIGKILL');
      if ((await ended) === 'SIGKILL') ++died;
    }
    check(died === kills, `${died} of ${kills} were killed`);
    const broken = Math.floor(kills / 4);

    const last = follow(broker, out, config, ['--stop-after-idle', '8', '--json']);
    let printed = '';
    let errors = '';
    last.stdout.on('data', (data) => { printed += data; });
    last.stderr.on('data', (data) => { errors += data; });
    const code = await new Promise((done) => last.on('exit', done));
    check(code === 0, `the last follower ended with ${code}: ${errors}`);
    JSON.parse(printed);

    const row = runJson(['sql', out, "SELECT count(*) AS n, count(DISTINCT channels['n']) AS different, min(channels['n']) AS least, " +
      'max(channels[\'n\']) AS most FROM numbers']);
    equal({ n: row.n, different: row.different, least: row.least, most: row.most },
      { n: produced, different: produced, least: 0, most: produced - 1 }, 'what is stored');
    const manifest = runJson(['inspect', out]);
    check(JSON.stringify(manifest).includes('numbers'), 'inspect knows the source');
    const check1 = runJson(['check', out]);
    equal(check1.problems ?? [], [], 'rhodes check finds nothing');
    const counts = JSON.parse(readFileSync(join(out, 'records/numbers/manifest.json'), 'utf8')).counts;
    if (process.env.KEEP) { const { execSync } = await import('node:child_process'); execSync(`rm -rf /tmp/kept; cp -r ${out} /tmp/kept`); }
    equal([counts.read, counts.stored, counts.duplicates, counts.rejected], [produced + broken, produced, 0, broken], 'the counts');
    const rejects = readFileSync(join(out, 'rejects/numbers.jsonl'), 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    equal(rejects.length, broken, 'rejects');
    for (const reject of rejects) {
      check(Buffer.from(reject.bytes, 'base64').toString().startsWith('no JSON '), 'a reject keeps its bytes');
      check(reject.file.startsWith('kafka://numbers/'), 'a reject names its partition');
    }
  } finally {
    broker.stop();
  }
});
