// A Kafka topic and a directory followed under load for SECONDS, the follower killed again and again: every message and
// every line is stored exactly once, and memory stays bounded.
// Usage: node follow_soak_test.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK SECONDS [MESSAGES_A_SECOND]
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { check, equal, rhodes, runJson, withScratch } from './harness.mjs';
import { exitOf, randomNumbers, sleep, startBroker } from './follow_tools.mjs';

const mock = process.argv[3];
const seconds = Number(process.argv[4] ?? 20);
const rate = Number(process.argv[5] ?? 2000);
const tick = 250;

function peakMemory(pid) {
  const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return match ? Number(match[1]) * 1024 : 0;
}

withScratch('follow-soak', async (scratch) => {
  const out = join(scratch, 'out');
  const spool = join(scratch, 'spool');
  mkdirSync(spool);
  const random = randomNumbers(777);
  const broker = await startBroker(mock);
  const start = (more = []) => spawn(rhodes, ['ingest', '--follow',
    '--source', `kafka://${broker.address}/numbers?group=soak&format=jsonl&partitions=all`,
    '--source', `dir://${spool}?format=jsonl&pattern=*.log*&name=lines&quiet=3`,
    '--out', out, '--part-seconds', '2', '--memory', '1GB', '--quiet', ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await broker.tell('topic numbers 8');
    const end = Date.now() + seconds * 1000;
    let produced = 0;
    let written = 0;
    let file = 0;
    let kills = 0;
    let memory = 0;
    let follower = start();
    let killAt = Date.now() + 3000 + random(12000);
    while (Date.now() < end) {
      const begun = Date.now();
      const count = Math.round((rate * tick) / 1000);
      await broker.tell(`produce numbers ${produced} ${count}`);
      produced += count;
      let lines = '';
      for (let i = 0; i < 50; ++i) lines += `{"d": ${written++}, "text": "line ${written}"}\n`;
      appendFileSync(join(spool, 'now.log'), lines);
      if (written % 20000 === 0) renameSync(join(spool, 'now.log'), join(spool, `now.log.${file++}`));
      if (Date.now() >= killAt) {
        memory = Math.max(memory, peakMemory(follower.pid));
        const ended = exitOf(follower);
        follower.kill('SIGKILL');
        await ended;
        ++kills;
        follower = start();
        killAt = Date.now() + 3000 + random(12000);
      }
      await sleep(Math.max(0, tick - (Date.now() - begun)));
    }
    const ended = exitOf(follower);
    follower.kill('SIGTERM');
    const code = await ended;
    check(code === 130, `ended by a signal it returns 130, not ${code}`);
    const last = start(['--stop-after-idle', '4', '--json']);
    equal(await exitOf(last), 0, 'the last follower ends well');
    for (const [source, channel, expected] of [['numbers', 'n', produced], ['lines', 'd', written]]) {
      const row = runJson(['sql', out, `SELECT count(*) AS n, count(DISTINCT channels['${channel}']) AS different FROM ${source}`]);
      equal([row.n, row.different], [expected, expected], `what is stored of ${source}`);
      const { counts, parts } = JSON.parse(readFileSync(join(out, `records/${source}/manifest.json`), 'utf8'));
      equal([counts.read, counts.stored, counts.duplicates, counts.rejected], [expected, expected, 0, 0], `the counts of ${source}`);
      check(parts.length < 60 + expected / 100000, `${parts.length} parts of ${source}`);
    }
    check(memory < 1.2 * 2 ** 30, `the follower took ${memory} bytes`);
    console.log(`follow-soak: ${produced} messages and ${written} lines in ${seconds} s, ${kills} kills, peak memory ${memory}`);
  } finally {
    broker.stop();
  }
});
