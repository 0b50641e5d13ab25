// Forgetting on a small project: an author goes from every byte of the output folder, does not come back, and the receipt
// holds; an erasure that is killed ends the same; damage is found and repaired.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random } from './fixture.mjs';
import { check, digests, equal, killedAfter, readFileSync, run, runJson, withScratch } from './harness.mjs';

const kills = Number(process.argv[3] ?? 12);
const seed = Number(process.argv[4] ?? 4711);
const erased = 'Quillan Marrowby';
const authors = [erased, 'Bertha Oxley', 'Cosmo Tarn', 'Delphine Ure'];
const words = 'harbour lantern meadow orchard pebble quarry river saddle timber valley willow yonder amber basin cedar delta'.split(' ');

// Each post has words that no other has, so that what is left of one can be told.
function post(i) {
  const next = random(1000 + i);
  const pick = (count) => Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');
  return { text: `${pick(5)} mark${i * 7919}x ${pick(12)} and so on.`, author: authors[i % 4], topic: words[i % 5], created_at: `2024-03-0${1 + i % 9}T10:00:00Z` };
}
const posts = Array.from({ length: 320 }, (_, i) => post(i));
const theirs = posts.filter((each) => each.author === erased);
const quoted = 'the memorable sentence that somebody else had said';

const project = (out) => `[project]
name = "forget"
out = "${out}"

[[source]]
name = "posts"
paths = ["data/posts.jsonl"]
rights = { training = "allowed", owner = "the test" }

[[source]]
name = "notes"
paths = ["data/notes.jsonl"]
rights = { training = "allowed", owner = "the test" }

[[fuse.view]]
name = "topic"
sql = """
SELECT string_agg(text, E'\\\\n' ORDER BY id) AS text, list(id ORDER BY id) AS parents
FROM (SELECT *, row_number() OVER (PARTITION BY fields['topic'] ORDER BY id) // 8 AS part FROM posts)
GROUP BY fields['topic'], part
"""

[[fuse.view]]
name = "post"
source = "posts"

[[fuse.view]]
name = "note"
source = "notes"

[curate]
rules = ["normalise", "exact"]

[tokenize]
vocabulary = 320
validation = 0.05

[train]
layers = 1
width = 32
context = 32
batch = 2
tokens = 1024
learning_rate = 0.003
eval_every = 8
`;

// Every byte of every file, and every row of every table.
function everything(out) {
  const all = [];
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) all.push(readFileSync(path).toString('latin1'));
    }
  };
  walk(out);
  for (const table of ['records', 'documents', 'corpus', 'dropped']) {
    const rows = run(['sql', out, `SELECT COLUMNS(*)::VARCHAR FROM ${table}`, '--format', 'csv']);
    if (rows.code === 0) all.push(Buffer.from(rows.out, 'utf8').toString('latin1'));
  }
  const blobs = run(['sql', out, 'SELECT decode(original) AS original FROM records WHERE original IS NOT NULL', '--format', 'csv']);
  check(blobs.code === 0, `originals: ${blobs.err}`);
  all.push(Buffer.from(blobs.out, 'utf8').toString('latin1'));
  return all.join('\n');
}

withScratch('erase', async (directory) => {
  console.log(`erase: seed ${seed}`);
  const out = `${directory}/out`;
  const file = `${directory}/rhodes.toml`;
  const receipt = `${directory}/receipt.json`;
  const lines = posts.map((each) => `${JSON.stringify(each)}\n`);
  lines.push(lines[0]); // a duplicate
  lines.push(`${JSON.stringify({ text: 'Somebody put that well, and I repeat it here.', author: 'Cosmo Tarn', quote_author: erased, quote_text: quoted })}\n`);
  lines.push(`{"author": "${erased}", "text": broken\n`); // a reject
  mkdirSync(`${directory}/data`);
  writeFileSync(`${directory}/data/posts.jsonl`, lines.join(''));
  writeFileSync(`${directory}/data/notes.jsonl`, Array.from({ length: 40 }, (_, i) => `${JSON.stringify({ text: `note ${i * 104729} of the ${words[i % 16]} and the ${words[(i * 7) % 16]}` })}\n`).join(''));
  const inputTime = 1710000000;
  utimesSync(`${directory}/data/posts.jsonl`, inputTime, inputTime);
  writeFileSync(file, project('out'));
  const made = run(['run', file]);
  check(made.code === 0, `the project runs: ${made.err}`);
  equal(runJson(['check', out]).ok, true, 'a fresh folder is well');
  check(everything(out).includes(erased) && everything(out).includes(theirs[3].text), 'the author is there before');

  // A first erasure, of one record: it makes the salt, so that what follows can be compared byte by byte.
  const one = runJson(['sql', out, "SELECT id FROM notes ORDER BY id LIMIT 1"]).id;
  equal(runJson(['erase', out, '--record', one, '--receipt', `${directory}/one.json`]).counts.records, 1, 'one record goes');
  cpSync(out, `${directory}/before`, { recursive: true, verbatimSymlinks: true });

  // The author.
  const result = runJson(['erase', out, '--author', erased, '--receipt', receipt]);
  equal(result.counts.records, theirs.length, 'records that go');
  equal(result.masked.length, 1, 'the quotation is masked');
  check(result.models.some((model) => model.path === 'model/model.safetensors' && model.erased_documents > 0), 'the model is named');
  const left = everything(out);
  check(!left.includes(erased), 'the name is nowhere');
  check(!left.includes(quoted), 'nor are the quoted words');
  for (const each of theirs) check(!left.includes(each.text) && !left.includes(each.text.match(/mark\d+x/)[0]), `nothing of "${each.text}"`);
  check(left.includes(posts[1].text), 'the others are there');
  check(!JSON.stringify(JSON.parse(readFileSync(receipt, 'utf8'))).includes('Quillan'), 'the receipt does not name the author');
  equal(runJson(['erase', out, '--verify', receipt]).ok, true, 'the receipt holds');
  equal(run(['erase', out, '--verify', receipt]).code, 0, 'with its exit code');
  equal(runJson(['check', out]).ok, true, 'the folder is well');
  const traced = runJson(['trace', '--out', out, theirs[3].text]);
  check(traced.spans.every((span) => !span.text.includes(theirs[3].text.match(/mark\d+x/)[0])), 'no span of what was erased is found');
  equal(runJson(['run', file]).changed, false, 'the project is up to date');

  // It does not come back: neither with another file of the same posts, nor when the project reads its input again.
  writeFileSync(`${directory}/again.jsonl`, `\n${lines.slice(0, 8).join('')}`);
  const again = runJson(['ingest', `${directory}/again.jsonl`, '--name', 'again', '--out', out]);
  equal([again.read, again.stored, again.rejected], [8, 6, 2], 'posts of the erased author are rejected');
  check(readFileSync(`${out}/records/again/rejects.jsonl`, 'utf8').includes('erased on request'), 'with the reason');
  equal(runJson(['erase', out, '--verify', receipt]).ok, true, 'the receipt still holds');
  rmSync(`${out}/records/again`, { recursive: true });
  rmSync(`${out}/rejects/again.jsonl`);
  writeFileSync(`${directory}/data/posts.jsonl`, lines.join('') + JSON.stringify(post(1001)) + '\n');
  const read = runJson(['run', file]);
  equal(read.stages.find((stage) => stage.label === 'ingest posts').counts.rejected, theirs.length + 2, 'erased posts are rejected when read again');
  check(!everything(out).includes(theirs[3].text), 'and nothing of them is there');
  writeFileSync(`${directory}/data/posts.jsonl`, lines.join(''));
  utimesSync(`${directory}/data/posts.jsonl`, inputTime, inputTime); // as before: the stages know it again

  // A whole source, by a dry run first.
  rmSync(out, { recursive: true });
  cpSync(`${directory}/before`, out, { recursive: true, verbatimSymlinks: true });
  equal(runJson(['erase', out, '--source', 'notes', '--dry-run']).counts.records, 39, 'a dry run counts');
  equal(runJson(['sql', out, 'SELECT count(*) AS n FROM notes']).n, 39, 'and changes nothing');
  equal(runJson(['erase', out, '--source', 'notes', '--receipt', receipt]).counts.records, 39, 'a source goes');
  check(!everything(out).includes(String(3 * 104729)), 'nothing of it is there');
  equal(runJson(['run', file]).changed, false, 'the project is up to date without it');
  equal(runJson(['check', out]).ok, true, 'the folder is well without it');

  // Parquet keeps types.
  const parquet = run(['sql', out, 'SELECT id, time, channels, fields FROM records', '--format', 'parquet'], { encoding: 'buffer' });
  check(parquet.code === 0 && parquet.out.subarray(0, 4).toString() === 'PAR1' && parquet.out.subarray(-4).toString() === 'PAR1', 'a Parquet file');

  // Killed at random moments, it ends the same.
  const reset = () => {
    rmSync(out, { recursive: true, force: true });
    rmSync(receipt, { force: true });
    cpSync(`${directory}/before`, out, { recursive: true, verbatimSymlinks: true });
  };
  reset();
  const command = ['erase', out, '--author', erased, '--receipt', receipt, '--quiet'];
  const begun = Date.now();
  equal(run(command).code, 0, 'undisturbed');
  const whole = Date.now() - begun;
  const timeless = () => {
    const json = JSON.parse(readFileSync(receipt, 'utf8'));
    delete json.time;
    json.files = json.files.filter((each) => !each.file.endsWith('manifest.json')); // which say how long things took
    return json;
  };
  const expected = digests(out);
  const expectedReceipt = timeless();
  const next = random(seed);
  let killed = 0;
  for (let round = 0; round < kills; ++round) {
    reset();
    const outcome = await killedAfter(command, next() * whole);
    killed += outcome.signal === 'SIGKILL';
    if (next() < 0.3) killed += (await killedAfter(['check', out, '--repair', '--quiet'], next() * whole)).signal === 'SIGKILL';
    // Whoever comes next goes on with it.
    const finish = next() < 0.5 ? command : ['check', out, '--repair', '--json'];
    const last = run(finish);
    check(last.code === 0, `after a kill, ${finish[0]}: ${last.code} ${last.err} ${last.out} (seed ${seed})`);
    if (finish[0] === 'check' && !existsSync(receipt)) equal(run(command).code, 0, 'it was killed before it began');
    if (finish === command && !existsSync(`${receipt}`)) check(false, 'no receipt');
    const actual = digests(out);
    equal(Object.keys(actual), Object.keys(expected), `the same files (seed ${seed})`);
    for (const [path, digest] of Object.entries(expected)) check(actual[path] === digest, `${path} differs (seed ${seed}, round ${round})`);
    // Given again after its end, the command finds nothing more to do, and its receipt says so.
    const receiptNow = timeless();
    if (receiptNow.counts.records > 0) equal(receiptNow, expectedReceipt, `the same receipt (seed ${seed})`);
    equal(runJson(['check', out]).ok, true, 'the folder is well');
  }
  check(killed > 0, 'some were killed');
  console.log(`erase: ${killed} kills in ${kills} rounds`);

  // Damage is found and repaired, and `rhodes run` makes again what is missing.
  // What is made again of the records that are left is the oracle: an erasure takes documents away, and fusing anew makes
  // others of their other parents.
  cpSync(out, `${directory}/undamaged`, { recursive: true, verbatimSymlinks: true });
  for (const stage of ['documents', 'corpus', 'shards', 'trace']) rmSync(`${out}/${stage}/manifest.json`);
  equal(run(['run', file]).code, 0, 'made again');
  const undamaged = digests(out);
  rmSync(out, { recursive: true });
  cpSync(`${directory}/undamaged`, out, { recursive: true, verbatimSymlinks: true });
  truncateSync(`${out}/records/posts/part-00000.parquet`, 2000);
  rmSync(`${out}/records/notes/manifest.json`);
  truncateSync(`${out}/shards/train-00000.bin`, 100);
  const found = run(['check', out, '--json']);
  equal(found.code, 3, 'damage has an exit code');
  const problems = JSON.parse(found.out).problems;
  for (const part of ['records/posts/part-00000.parquet', 'records/notes/manifest.json', 'shards/train']) {
    check(problems.some((each) => each.file.startsWith(part) && each.repair), `${part} is named`);
  }
  const repaired = JSON.parse(run(['check', out, '--repair', '--json']).out);
  check(repaired.repaired.length >= 3, 'repairs are told');
  check(existsSync(`${out}/damaged/records/posts/part-00000.parquet`), 'what cannot be read is kept aside');
  equal(runJson(['sql', out, 'SELECT count(*) AS n FROM notes']).n, 39, 'readable records are kept');
  const remade = run(['run', file]);
  check(remade.code === 0, `the project makes it again: ${remade.err}`);
  rmSync(`${out}/damaged`, { recursive: true });
  const well = run(['check', out]);
  check(well.code === 0, `all is well again: ${repaired.repaired.join('; ')} ${well.out}`);
  const after = digests(out);
  const rewritten = ['documents/part-00000.parquet', 'corpus/part-00000.parquet', 'shards/train-00000.bin', 'shards/train-00000.lineage'];
  for (const path of [...rewritten, 'records/notes/part-00000.parquet', 'records/posts/part-00000.parquet']) {
    check(after[path] === undamaged[path], `${path} is the same again`);
  }
});
