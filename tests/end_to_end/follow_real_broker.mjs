// Following a topic on a real Kafka broker, started here from a folder of its jars; skipped (77) where that is not.
// Usage: node follow_real_broker.mjs PATH_TO_RHODES PATH_TO_KAFKA_PEER FOLDER_OF_JARS [KILLS]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { check, equal, rhodes, runJson, withScratch } from './harness.mjs';
import { exitOf, randomNumbers, sleep } from './follow_tools.mjs';

const [peerProgram, jars, killsText = '40'] = process.argv.slice(3);
const kills = Number(killsText);
const partitions = 4;
const batch = 2000;
if (!jars || !existsSync(jars) || spawnSync('java', ['-version']).error) {
  console.log('follow_real_broker: skipped: needs java and a folder of Kafka\'s jars');
  process.exit(77);
}

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// A broker that is its own controller, with all it keeps in `directory`.
async function startRealBroker(directory) {
  const [port, controller] = [await freePort(), await freePort()];
  const settings = join(directory, 'server.properties');
  writeFileSync(settings, [
    'process.roles=broker,controller', 'node.id=1', `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`, 'controller.listener.names=CONTROLLER',
    `log.dirs=${join(directory, 'logs')}`, 'offsets.topic.replication.factor=1', 'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1', 'offsets.topic.num.partitions=4', 'transaction.state.log.num.partitions=4',
    'group.initial.rebalance.delay.ms=0', ''].join('\n'));
  const java = (...args) => ['-Xmx1g', '-cp', join(jars, '*'), ...args];
  const formatted = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', 'a9anAYyMQ_2PI_MmZqYu1A', '-c', settings));
  check(formatted.status === 0, `the broker's storage was formatted: ${formatted.stderr}`);
  const child = spawn('java', java('kafka.Kafka', settings), { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (data) => { log += data; });
  child.stderr.on('data', (data) => { log += data; });
  for (let i = 0; i < 600 && !log.includes('Kafka Server started'); ++i) await sleep(100);
  check(log.includes('Kafka Server started'), `the broker started: ${log.slice(-2000)}`);
  return { address: `127.0.0.1:${port}`, stop: () => child.kill('SIGKILL') };
}

function startPeer(address) {
  const child = spawn(peerProgram, [address], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value } = await lines.next();
    check(value === 'ok', `${line}: ${value}`);
  };
  return { tell, stop: () => child.kill() };
}

function follow(broker, topic, out, query, more = []) {
  const child = spawn(rhodes, ['ingest', '--follow', '--source', `kafka://${broker.address}/${topic}?format=jsonl&${query}`,
    '--out', out, '--part-seconds', '0.2', '--memory', '600MB', '--quiet', '--json', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let errors = '';
  child.stdout.on('data', (data) => { printed += data; });
  child.stderr.on('data', (data) => { errors += data; });
  const ended = exitOf(child);
  return { child, ended, finish: async (what) => {
    const code = await ended;
    check(code === 0, `${what}: the follower ended with ${code}: ${errors}`);
    return JSON.parse(printed).sources[0];
  } };
}

const stored = (out, topic) => runJson(['sql', out, "SELECT count(*) AS n, count(DISTINCT channels['n']) AS different, " +
  `min(channels['n']) AS least, max(channels['n']) AS most FROM ${topic}`]);
const exactly = (count) => ({ n: count, different: count, least: 0, most: count - 1 });
const rejectsOf = (out, topic) => readFileSync(join(out, `rejects/${topic}.jsonl`), 'utf8').trim().split('\n').filter(Boolean)
  .map((line) => JSON.parse(line));

// Killed again and again while messages come in; `query` says how it is a member.
async function killed(broker, peer, scratch, topic, query) {
  const out = join(scratch, topic);
  const random = randomNumbers(7);
  await peer.tell(`topic ${topic} ${partitions}`);
  let produced = 0;
  for (let round = 0; round < kills / 2; ++round) {
    const follower = follow(broker, topic, out, query);
    await peer.tell(`produce ${topic} ${produced} ${batch} 200`);
    produced += batch;
    await sleep(random(900));
    follower.child.kill('SIGKILL');
    equal(await follower.ended, 'SIGKILL', 'how it ended');
  }
  await follow(broker, topic, out, query, ['--stop-after-idle', '30']).finish(topic);
  equal(stored(out, topic), exactly(produced), `${topic}: what is stored after ${kills / 2} kills`);
  equal(runJson(['check', out]).problems ?? [], [], `${topic}: rhodes check finds nothing`);
}

// Two followers with folders of their own share a group; the second comes later and goes before the end.
async function rebalanced(broker, peer, scratch) {
  const topic = 'shared';
  await peer.tell(`topic ${topic} ${partitions}`);
  await peer.tell(`produce ${topic} 0 ${batch}`);
  const outs = [join(scratch, 'shared-a'), join(scratch, 'shared-b')];
  const first = follow(broker, topic, outs[0], 'group=both', ['--stop-after-idle', '20']);
  await sleep(4000);
  const second = follow(broker, topic, outs[1], 'group=both', ['--stop-after-idle', '6']);
  for (let i = 1; i < 6; ++i) {
    await sleep(1500);
    await peer.tell(`produce ${topic} ${i * batch} ${batch}`);
  }
  await second.finish('the second of the group');
  await peer.tell(`produce ${topic} ${6 * batch} ${batch}`);
  await first.finish('the first of the group');
  const together = outs.map((out) => stored(out, topic).n);
  check(together[1] > 0, 'the second was given partitions');
  const numbers = new Set();
  for (const out of outs) {
    for (const { n } of runJsonRows(out, `SELECT channels['n'] AS n FROM ${topic}`)) numbers.add(n);
  }
  equal(numbers.size, 7 * batch, 'every message is in one of the two folders');
  // What one had taken in and not committed when the other got its partition is in both, and only that: here nothing came
  // for longer than --part-seconds before the changes.
  equal(together[0] + together[1], 7 * batch, 'messages in both folders together');
}

function runJsonRows(out, query) {
  const result = spawnSync(rhodes, ['sql', out, query, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  check(result.status === 0, result.stderr);
  return result.stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

async function transactions(broker, peer, scratch) {
  const topic = 'transactions';
  const out = join(scratch, topic);
  await peer.tell(`topic ${topic} ${partitions}`);
  for (let i = 0; i < 4; ++i) {
    await peer.tell(`aborted ${topic} ${1000000 + i * 500} 500`);
    await peer.tell(`committed ${topic} ${i * 500} 500`);
  }
  await follow(broker, topic, out, 'partitions=all', ['--stop-after-idle', '3']).finish(topic);
  equal(stored(out, topic), exactly(2000), 'only what was committed is stored');
  equal(rejectsOf(out, topic), [], 'no reject comes of markers and aborted messages');
}

async function trimmed(broker, peer, scratch) {
  const topic = 'trimmed';
  const out = join(scratch, topic);
  await peer.tell(`topic ${topic} 1`);
  await peer.tell(`produce ${topic} 0 1000`);
  await follow(broker, topic, out, 'partitions=all', ['--stop-after-idle', '2']).finish(topic);
  await peer.tell(`produce ${topic} 1000 1000`);
  await peer.tell(`trim ${topic} 0 1700`);
  await follow(broker, topic, out, 'partitions=all', ['--stop-after-idle', '3']).finish(topic);
  equal(stored(out, topic).n, 1300, 'what was there is stored');
  const rejects = rejectsOf(out, topic);
  equal(rejects.map(({ file, begin, end }) => ({ file, begin, end })), [{ file: `kafka://${topic}/0`, begin: 1000, end: 1700 }],
    'what was lost is told');
  check(rejects[0].reason.includes('deleted 700 messages'), rejects[0].reason);
}

withScratch('follow-real-broker', async (scratch) => {
  const broker = await startRealBroker(scratch);
  const peer = startPeer(broker.address);
  try {
    await trimmed(broker, peer, scratch);
    await transactions(broker, peer, scratch);
    await killed(broker, peer, scratch, 'alone', 'partitions=all');
    await killed(broker, peer, scratch, 'member', 'group=members');
    await rebalanced(broker, peer, scratch);
  } finally {
    peer.stop();
    broker.stop();
  }
});
