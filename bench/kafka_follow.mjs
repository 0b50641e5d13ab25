// From a Kafka topic to durable Parquet, beside a bare consumer of the same topic in the same run:
//   node kafka_follow.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK PATH_TO_BENCH_KAFKA_CONSUME [MESSAGES] [LETTERS] [RUNS]
// The broker is librdkafka's mock cluster on loopback, which keeps 5 MB a partition, so that a topic of 64 partitions holds
// about 300 MB; with RHODES_KAFKA=HOST:PORT the broker that is there. Prints a line a run (rates, processor seconds, peak memory), and the medians last.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [rhodes, mock, consume, messages = '500000', letters = '450', runs = '5'] = process.argv.slice(2);
const partitions = 64;
const idle = 1;

const ticks = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

async function follow(address, broker, run) {
  const out = mkdtempSync(join(tmpdir(), 'rhodes-kafka-'));
  try {
    const before = ticks(broker.pid);
    const begun = Date.now();
    const child = spawn('/usr/bin/env', ['time', '-f', '%U %S %M', rhodes, 'ingest', '--follow', '--json', '--source',
      `kafka://${address}/load?partitions=all&format=jsonl&group=bench${run}`, '--out', out, '--stop-after-idle', `${idle}`],
    { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    let errors = '';
    child.stdout.on('data', (data) => { printed += data; });
    child.stderr.on('data', (data) => { errors += data; });
    const code = await new Promise((done) => child.on('exit', done));
    const seconds = (Date.now() - begun) / 1000 - idle;
    if (code !== 0) throw new Error(errors);
    const [source] = JSON.parse(printed).sources;
    if (source.stored !== Number(messages) || source.read !== source.stored) throw new Error(printed);
    const [user, system, kilobytes] = errors.trim().split('\n').at(-1).split(' ').map(Number);
    return { seconds, megabytes_per_second: source.bytes / 1e6 / seconds, records_per_second: source.stored / seconds,
      processor_seconds: user + system, records_per_processor_second: source.stored / (user + system),
      megabytes_per_processor_second: source.bytes / 1e6 / (user + system), peak_megabytes: kilobytes / 1024,
      broker_processor_seconds: ticks(broker.pid) - before };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function bare(address) {
  const result = spawnSync(consume, [address, 'load', messages, '--batch'], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout);
}

const rounded = (figures) => Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]));
const medians = (all) => Object.fromEntries(Object.keys(all[0]).map((name) => {
  const sorted = all.map((figures) => figures[name]).sort((a, b) => a - b);
  return [name, sorted[Math.floor(sorted.length / 2)]];
}));

const broker = spawn(mock, process.env.RHODES_KAFKA ? [process.env.RHODES_KAFKA] : [], { stdio: ['pipe', 'pipe', 'inherit'] });
try {
  const lines = createInterface({ input: broker.stdout })[Symbol.asyncIterator]();
  const address = (await lines.next()).value;
  const tell = async (line) => {
    broker.stdin.write(`${line}\n`);
    if ((await lines.next()).value !== 'ok') throw new Error(line);
  };
  await tell(`topic load ${partitions}`);
  await tell(`produce load 0 ${messages} ${letters}`);
  const all = { follow: [], bare: [] };
  for (let run = 0; run < Number(runs); ++run) {
    all.bare.push(bare(address));
    all.follow.push(await follow(address, broker, run));
    console.log(JSON.stringify({ bare: rounded(all.bare.at(-1)), follow: rounded(all.follow.at(-1)) }));
  }
  console.log(JSON.stringify({ median: { bare: rounded(medians(all.bare)), follow: rounded(medians(all.follow)) } }));
} finally {
  broker.kill();
}
