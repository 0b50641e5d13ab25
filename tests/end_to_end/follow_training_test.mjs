// A model that goes on learning from a stream: a first model from files, then cycles; what is learnt, what is not
// forgotten, what is refused; killed at any moment it ends with the same bytes; an erasure begins the cycle anew.
// Usage: node follow_training_test.mjs PATH_TO_RHODES [KILLS] [SEED]
import { spawn } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random } from './fixture.mjs';
import { exitOf, sleep } from './follow_tools.mjs';
import { check, digests, equal, rhodes, run, runJson, withScratch } from './harness.mjs';

const kills = Number(process.argv[3] ?? 6);
const seed = Number(process.argv[4] ?? 4711);

const towns = ['the harbour', 'the market', 'a fisherman', 'the ferry', 'the mayor', 'a student', 'the baker'];
const deeds = ['opened', 'closed', 'repaired', 'visited', 'painted', 'measured', 'sold'];
const things = ['the old bridge', 'seven boats', 'a new school', 'the northern road', 'the museum', 'fresh bread'];
const parts = ['probe', 'orbit', 'antenna', 'signal', 'crater', 'module', 'battery', 'sensor', 'panel'];

function texts(kind, begin, count) {
  const next = random(begin + 17 * kind);
  const pick = (words) => words[Math.floor(next() * words.length)];
  return Array.from({ length: count }, (_, i) => {
    const sentences = Array.from({ length: 4 + Math.floor(next() * 6) }, () => (kind === 0
      ? `In ${1900 + Math.floor(next() * 100)} ${pick(towns)} ${pick(deeds)} ${pick(things)}.`
      : `The ${pick(parts)} of lander ${Math.floor(next() * 50)} sent a ${pick(parts)} report about its ${pick(parts)}.`));
    return `${JSON.stringify({ id: `${kind}-${begin + i}`, text: sentences.join(' ') })}\n`;
  }).join('');
}

const project = (more = '', sources = '') => `[project]
name = "town"
${sources || `[[source]]
name = "archive"
paths = ["archive.jsonl"]
rights = { owner = "the test", training = "allowed" }
`}
[[source]]
name = "reports"
follow = "dir://./spool?format=jsonl&pattern=*.jsonl&quiet=0.2"
rights = { owner = "the test", training = "allowed" }

[curate]
rules = ["normalise", "exact"]

[tokenize]
vocabulary = 400
validation = 0.05

[train]
layers = 2
width = 64
context = 64
batch = 8
steps = 100
checkpoint_seconds = 0.05

[follow]
every = "1 second"
part_seconds = 0.5
${more}`;

function make(directory, more, sources) {
  mkdirSync(join(directory, 'spool'), { recursive: true });
  writeFileSync(join(directory, 'archive.jsonl'), texts(0, 0, 800));
  writeFileSync(join(directory, 'rhodes.toml'), project(more, sources));
}
const follow = (directory, ...more) => runJson(['run', join(directory, 'rhodes.toml'), '--follow', '--stop-after-idle', '1.5', '--quiet', ...more]);
const history = (directory) => readFileSync(join(directory, 'out/follow/history.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
// What a cycle leaves, apart from the streams' own bookkeeping.
function outcome(directory) {
  const all = digests(join(directory, 'out'));
  return Object.fromEntries(Object.entries(all).filter(([path]) => /^(corpus|dropped|shards|trace|model|follow)\//.test(path)));
}

withScratch('follow-training', async (scratch) => {
  console.log(`seed ${seed}`);
  const base = join(scratch, 'base');
  make(base);
  const first = follow(base);
  equal(first.cycles.map((cycle) => cycle.outcome), ['too little'], 'a stream that brings nothing changes nothing');
  check(existsSync(join(base, 'out/follow/first-model/model.safetensors')), 'the first model is kept');

  const refused = join(scratch, 'refused');
  const killed = join(scratch, 'killed');
  const erased = join(scratch, 'erased');
  for (const copy of [refused, killed, erased]) cpSync(base, copy, { recursive: true });

  // What comes in is learnt, and what was known is not forgotten.
  for (const directory of [base, killed, erased]) writeFileSync(join(directory, 'spool/a.jsonl'), texts(1, 0, 300));
  const cycles = follow(base).cycles.filter((cycle) => cycle.outcome !== 'too little');
  equal(cycles.map((cycle) => [cycle.cycle, cycle.outcome, cycle.new_documents]), [[1, 'trained', 300]], 'the cycle');
  const [learnt] = cycles;
  const { old_validation_loss: old, new_validation_loss: fresh } = learnt;
  check(fresh.after < fresh.before - 1, `the new text is learnt: ${fresh.before} -> ${fresh.after}`);
  check(old.after <= old.first + 0.05 && old.first === old.before, `the old is not forgotten: ${old.first} -> ${old.after}`);
  equal(runJson(['check', join(base, 'out')]).problems ?? [], [], 'the folder is whole');
  const counts = runJson(['sql', join(base, 'out'), 'SELECT count(*) AS n FROM corpus']);
  equal(counts.n, 1100, 'the corpus has both');
  const metrics = readFileSync(join(base, 'out/metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  check(metrics.some((line) => line.step === 100 && !line.cycle) && metrics.some((line) => line.cycle === 1), 'the metrics of both trainings are kept');
  const again = run(['run', join(base, 'rhodes.toml')]);
  check(again.code === 2 && again.err.includes('--follow'), `a run from the beginning is refused: ${again.err}`);
  const shape = readFileSync(join(base, 'rhodes.toml'), 'utf8').replace('layers = 2', 'layers = 1');
  writeFileSync(join(base, 'other.toml'), shape);
  const other = run(['run', join(base, 'other.toml'), '--follow']);
  check(other.code === 2 && other.err.includes('shape'), `another shape is refused: ${other.err}`);

  // A second cycle goes on from the first.
  writeFileSync(join(base, 'spool/b.jsonl'), texts(1, 1000, 200));
  equal(follow(base).cycles.filter((cycle) => cycle.outcome !== 'too little').map((cycle) => [cycle.cycle, cycle.outcome, cycle.new_documents]),
    [[2, 'trained', 200]], 'the second cycle');
  equal(history(base).map((line) => line.cycle), [1, 2], 'the history');

  // Too high a rate on the new text alone: every attempt forgets too much, and everything stays as it was.
  writeFileSync(join(refused, 'rhodes.toml'), project('replay = 0\nlearning_rate = 0.02\nmax_forgetting = 0.001\nattempts = 2\n'));
  writeFileSync(join(refused, 'spool/a.jsonl'), texts(1, 0, 300));
  const before = outcome(refused);
  const [no] = follow(refused).cycles.filter((cycle) => cycle.outcome !== 'too little');
  equal([no.outcome, no.attempts], ['refused', 2], 'a model that forgets is refused');
  const after = outcome(refused);
  delete after['follow/history.jsonl'];
  equal(after, before, 'a refused cycle changes nothing');
  check(!existsSync(join(refused, 'out/next')), 'a refused cycle leaves nothing');

  // Killed again and again, then left to itself: the same bytes.
  const undisturbed = join(scratch, 'undisturbed');
  cpSync(killed, undisturbed, { recursive: true });
  follow(undisturbed);
  const next = random(seed);
  for (let i = 0; i < kills; ++i) {
    const child = spawn(rhodes, ['run', join(killed, 'rhodes.toml'), '--follow', '--quiet'], { stdio: 'ignore' });
    const ended = exitOf(child);
    await sleep(200 + next() * 3000);
    child.kill('SIGKILL');
    await ended;
  }
  follow(killed);
  equal(outcome(killed), outcome(undisturbed), 'killed or not, the same bytes');

  // Stopped within the training; then a record of the cycle's text is erased: the cycle begins anew without it.
  const child = spawn(rhodes, ['run', join(erased, 'rhodes.toml'), '--follow', '--quiet'], { stdio: 'ignore' });
  const ended = exitOf(child);
  while (!existsSync(join(erased, 'out/next/train-1/checkpoints/plan.json'))) await sleep(20);
  child.kill('SIGTERM');
  equal(await ended, 130, 'a signal ends it with 130');
  check(existsSync(join(erased, 'out/next/cycle.json')), 'the cycle waits to go on');
  const id = runJson(['sql', join(erased, 'out'), 'SELECT id FROM reports LIMIT 1']).id;
  const receipt = runJson(['erase', join(erased, 'out'), '--record', id]);
  equal(receipt.counts.records, 1, 'one record is erased');
  check(!existsSync(join(erased, 'out/next')), 'the text of the cycle goes');
  const [anew] = follow(erased).cycles.filter((cycle) => cycle.outcome !== 'too little');
  equal([anew.outcome, anew.new_documents], ['trained', 299], 'the cycle was made anew');

  // A notice takes a post back while a cycle trains on it: it goes at once, and the cycle begins anew without it.
  const noticed = join(scratch, 'noticed');
  make(noticed, 'epochs = 40\n');
  const text = readFileSync(join(noticed, 'rhodes.toml'), 'utf8').replace('dir://./spool?format=jsonl', 'dir://./spool?format=x-v1');
  writeFileSync(join(noticed, 'rhodes.toml'), text);
  follow(noticed);
  const name = (i) => String(1234567890123456000n + BigInt(i));
  const posts = Array.from({ length: 200 }, (_, i) => `${JSON.stringify({
    created_at: 'Thu Jun 01 10:00:00 +0000 2023', id: Number(name(i)), id_str: name(i), lang: 'en',
    text: `secret${i * 7919}x ${JSON.parse(texts(1, i, 1)).text}`,
    user: { id: 40, id_str: '40', name: 'Name', screen_name: 'person' } })}\n`).join('');
  writeFileSync(join(noticed, 'spool/posts.jsonl'), posts);
  const learner = spawn(rhodes, ['run', join(noticed, 'rhodes.toml'), '--follow', '--cycles', '1', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  learner.stdout.on('data', (data) => { printed += data; });
  let complaint = '';
  learner.stderr.on('data', (data) => { complaint = `${complaint}${data}`.slice(-2000); });
  const learnt1 = exitOf(learner);
  while (!existsSync(join(noticed, 'out/next/train-1/checkpoints/plan.json'))) await sleep(20);
  writeFileSync(join(noticed, 'spool/notice.jsonl'), `${JSON.stringify({ delete: { status: {
    id: Number(name(7)), id_str: name(7), user_id: 40, user_id_str: '40' } } })}\n`);
  equal(await learnt1, 0, `the cycle ends well: ${complaint}`);
  equal(JSON.parse(printed).cycles.filter((cycle) => cycle.outcome !== 'too little').map((cycle) => [cycle.outcome, cycle.new_documents]),
    [['voided', 200], ['trained', 199]], 'the cycle that read it was made anew');
  for (const table of ['records', 'documents', 'corpus']) {
    equal(runJson(['sql', join(noticed, 'out'), `SELECT count(*) AS n FROM ${table} WHERE text LIKE '%${`secret${7 * 7919}x`}%'`]).n, 0, `it is gone from ${table}`);
  }

  // Streams alone: the first model waits for its records.
  const streams = join(scratch, 'streams');
  make(streams, 'first_records = 250\n', ' ');
  writeFileSync(join(streams, 'spool/a.jsonl'), texts(0, 0, 100));
  const waiting = spawn(rhodes, ['run', join(streams, 'rhodes.toml'), '--follow', '--quiet', '--stop-after-idle', '8'], { stdio: 'ignore' });
  const end = exitOf(waiting);
  await sleep(1500);
  check(!existsSync(join(streams, 'out/model')), 'no model of too few records');
  appendFileSync(join(streams, 'spool/b.jsonl'), texts(0, 500, 200));
  while (!existsSync(join(streams, 'out/follow/state.json')) && waiting.exitCode === null) await sleep(50);
  waiting.kill('SIGTERM');
  equal(await end, 130, 'it follows on until it is stopped');
  equal(runJson(['sql', join(streams, 'out'), 'SELECT count(*) AS n FROM corpus']).n, 300, 'the first model is of the streams');
  rmSync(join(streams, 'out'), { recursive: true });
  const nothing = run(['run', join(streams, 'rhodes.toml'), '--until', 'train', '--follow']);
  check(nothing.code === 2 && nothing.err.includes('--until'), `--until is refused: ${nothing.err}`);
});
