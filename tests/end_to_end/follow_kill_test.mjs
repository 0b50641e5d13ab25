// A Kafka topic followed while the follower is killed at random moments: every message is stored exactly once.
// Usage: node follow_kill_test.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK KILLS [PARTITIONS_AS_IN_THE_ADDRESS]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { check, equal, rhodes, runJson, withScratch } from './harness.mjs';
import { exitOf, randomNumbers, sleep, startBroker } from './follow_tools.mjs';

const mock = process.argv[3];
const kills = Number(process.argv[4] ?? 8);
const taken = process.argv[5] ?? 'all';
const partitions = 8;
const batch = 500;

const random = randomNumbers(12345);

function follow(broker, out, more = []) {
  return spawn(rhodes, ['ingest', '--follow', '--source', `kafka://${broker.address}/numbers?group=test&format=jsonl&partitions=${taken}`,
    '--out', out, '--part-seconds', '0.1', '--memory', '600MB', '--quiet', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
}

withScratch('follow-kill', async (scratch) => {
  const out = join(scratch, 'out');
  const broker = await startBroker(mock);
  try {
    await broker.tell(`topic numbers ${partitions}`);
    let produced = 0;
    let died = 0;
    for (let round = 0; round < kills; ++round) {
      const follower = follow(broker, out);
      const ended = exitOf(follower);
      await broker.tell(`produce numbers ${produced} ${batch}`);
      produced += batch;
      if (round % 4 === 3) await broker.tell(`raw numbers ${round % partitions} no JSON ${round}`);
      if (round % 7 === 5) {
        await broker.tell('down');
        await sleep(100);
        await broker.tell('up');
      }
      await sleep(random(1500));
      follower.kill('SIGKILL');
      if ((await ended) === 'SIGKILL') ++died;
    }
    check(died === kills, `${died} of ${kills} were killed`);
    const broken = Math.floor(kills / 4);

    const last = follow(broker, out, ['--stop-after-idle', '4', '--json']);
    let printed = '';
    let errors = '';
    last.stdout.on('data', (data) => { printed += data; });
    last.stderr.on('data', (data) => { errors += data; });
    const code = await exitOf(last);
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
