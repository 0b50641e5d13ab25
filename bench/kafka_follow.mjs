// From a Kafka topic to durable Parquet: node kafka_follow.mjs PATH_TO_RHODES PATH_TO_KAFKA_MOCK [MESSAGES] [LETTERS]
// The broker is librdkafka's mock cluster on loopback, which keeps 5 MB a partition, so that a topic of 64 partitions holds
// about 300 MB. Prints rates, processor seconds and peak memory; the broker's own processor time is its share.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [rhodes, mock, messages = '500000', letters = '450'] = process.argv.slice(2);
const partitions = 64;
const idle = 1;
const broker = spawn(mock, [], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: broker.stdout })[Symbol.asyncIterator]();
const address = (await lines.next()).value;
const tell = async (line) => {
  broker.stdin.write(`${line}\n`);
  if ((await lines.next()).value !== 'ok') throw new Error(line);
};
await tell(`topic load ${partitions}`);
await tell(`produce load 0 ${messages} ${letters}`);
const ticks = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
for (let run = 0; run < 3; ++run) {
  const out = mkdtempSync(join(tmpdir(), 'rhodes-kafka-'));
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
  const [user, system, kilobytes] = errors.trim().split(' ').map(Number);
  console.log(JSON.stringify({ seconds: Number(seconds.toFixed(2)), megabytes_per_second: Number((source.bytes / 1e6 / seconds).toFixed(1)),
    records_per_second: Math.round(source.stored / seconds), processor_seconds: user + system,
    records_per_processor_second: Math.round(source.stored / (user + system)), peak_megabytes: Math.round(kilobytes / 1024),
    broker_processor_seconds: Number((ticks(broker.pid) - before).toFixed(2)) }));
  rmSync(out, { recursive: true });
}
broker.kill();
