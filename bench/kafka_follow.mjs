// From a Kafka topic to durable Parquet, beside a consumer that only takes the messages and forgets them:
//   node kafka_follow.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK [PATH_TO_BENCH_KAFKA_CONSUME] [--messages N] [--letters N]
//     [--runs N] [--peer PYTHON] [--json]
// --peer: a Python that has confluent-kafka and pyarrow; peers/kafka_follow.py is run on the same topic.
// The broker is librdkafka's mock cluster on loopback, which keeps 5 MB a partition, so that a topic of 64 partitions holds
// about 300 MB. Runs of both alternate; medians, least and greatest are printed: rates, processor seconds, peak memory; the
// broker's own processor time is its share of the machine.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals: [rhodes, mock, consume] } = parseArgs({ allowPositionals: true, options: {
  messages: { type: 'string', default: '500000' }, letters: { type: 'string', default: '450' },
  runs: { type: 'string', default: '5' }, peer: { type: 'string' }, json: { type: 'boolean', default: false } } });
if (!mock) {
  console.error('usage: node kafka_follow.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK [PATH_TO_BENCH_KAFKA_CONSUME] [--messages N] [--json]');
  process.exit(2);
}
const messages = Number(values.messages);
const partitions = 64;
const idle = 3; // a busy machine lets a broker wait for more than a second

const ticks = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

function followOnce(address, broker, run) {
  const out = mkdtempSync(join(tmpdir(), 'rhodes-kafka-'));
  try {
    const before = ticks(broker.pid);
    const child = spawnSync('/usr/bin/env', ['time', '-f', '%U %S %M', rhodes, 'ingest', '--follow', '--json', '--source',
      `kafka://${address}/load?partitions=all&format=jsonl&group=bench${run}`, '--out', out, '--stop-after-idle', `${idle}`],
    { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (child.status !== 0) throw new Error(child.stderr);
    const report = JSON.parse(child.stdout);
    const [source] = report.sources;
    if (source.stored !== messages || source.read !== messages) throw new Error(`not all was stored: ${child.stdout}`);
    const seconds = report.seconds - idle;
    const [user, system, kilobytes] = child.stderr.trim().split('\n').at(-1).split(' ').map(Number);
    return { seconds, megabytes_per_second: source.bytes / 1e6 / seconds, records_per_second: messages / seconds,
      processor_seconds: user + system, records_per_processor_second: messages / (user + system),
      megabytes_per_processor_second: source.bytes / 1e6 / (user + system), peak_megabytes: kilobytes / 1024,
      broker_processor_seconds: ticks(broker.pid) - before };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function consumeOnce(address) {
  const child = spawnSync(consume, [address, 'load', `${messages}`], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

function peerOnce(address) {
  const out = mkdtempSync(join(tmpdir(), 'peer-kafka-'));
  try {
    const child = spawnSync(values.peer, [join(dirname(fileURLToPath(import.meta.url)), 'peers/kafka_follow.py'),
      address, 'load', `${messages}`, out], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const spread = (runs) => Object.fromEntries(Object.keys(runs[0]).map((name) => {
  const sorted = runs.map((run) => run[name]).sort((a, b) => a - b);
  const rounded = (value) => Number(value.toPrecision(4));
  return [name, { median: rounded(sorted[sorted.length >> 1]), least: rounded(sorted[0]), greatest: rounded(sorted.at(-1)) }];
}));

const broker = spawn(mock, [], { stdio: ['pipe', 'pipe', 'inherit'] });
try {
  const lines = createInterface({ input: broker.stdout })[Symbol.asyncIterator]();
  const address = (await lines.next()).value;
  for (const line of [`topic load ${partitions}`, `produce load 0 ${messages} ${values.letters}`]) {
    broker.stdin.write(`${line}\n`);
    if ((await lines.next()).value !== 'ok') throw new Error(line);
  }
  const followed = [];
  const consumed = [];
  const peers = [];
  for (let run = 0; run < Number(values.runs); ++run) {
    if (consume) consumed.push(consumeOnce(address));
    followed.push(followOnce(address, broker, run));
    if (values.peer) peers.push(peerOnce(address));
  }
  const result = { messages, follow: spread(followed), ...(consume ? { consume: spread(consumed) } : {}),
    ...(values.peer ? { peer: spread(peers) } : {}) };
  if (values.json) {
    console.log(JSON.stringify(result));
  } else {
    for (const [what, figures] of Object.entries(result)) {
      if (what === 'messages') continue;
      for (const [name, { median, least, greatest }] of Object.entries(figures)) {
        console.log(`${what.padEnd(8)} ${name.padEnd(32)} median ${median}   (${least} to ${greatest})`);
      }
    }
  }
} finally {
  broker.kill();
}
