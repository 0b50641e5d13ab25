// Notices: a post that its author deleted goes from every byte of the output folder, in all sources, whether the notice
// comes before the post, with it or after it; a scrubbed place goes; killed in between, it ends the same.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random } from './fixture.mjs';
import { check, digests, equal, killedAfter, run, runJson, withScratch } from './harness.mjs';

const rounds = Number(process.argv[3] ?? 6);
const seed = Number(process.argv[4] ?? 4711);
const words = 'harbour lantern meadow orchard pebble quarry river saddle timber valley willow yonder amber basin cedar delta'.split(' ');

const number = (i) => String(1234567890123456000n + BigInt(i));
function post(i, extra = {}) {
  const next = random(500 + i);
  const pick = (count) => Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');
  return {
    created_at: `Thu Jun 0${1 + (i % 9)} 10:00:00 +0000 2023`, id: Number(number(i)), id_str: number(i),
    text: `${pick(6)} secret${i * 7919}x ${pick(8)} as it was`, lang: 'en',
    user: { id: 40 + (i % 3), id_str: String(40 + (i % 3)), name: `Name ${i % 3}`, screen_name: `person_${i % 3}` },
    ...extra,
  };
}
const secret = (i) => `secret${i * 7919}x`;
const lines = (values) => values.map((each) => `${JSON.stringify(each)}\n`).join('');
const deleted = (i) => ({ delete: { status: { id: Number(number(i)), id_str: number(i), user_id: 40 + (i % 3), user_id_str: String(40 + (i % 3)) } } });

const project = `[project]
name = "notices"

[[source]]
name = "posts"
paths = ["data/posts.jsonl"]
rights = { training = "allowed", owner = "the test" }

[[source]]
name = "copies"
paths = ["data/copies.jsonl"]
rights = { training = "allowed", owner = "the test" }

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
`;

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
  for (const query of ['SELECT COLUMNS(*)::VARCHAR FROM records', 'SELECT decode(original) AS o FROM records WHERE original IS NOT NULL',
    'SELECT COLUMNS(*)::VARCHAR FROM documents', 'SELECT COLUMNS(*)::VARCHAR FROM corpus']) {
    const rows = run(['sql', out, query, '--format', 'csv']);
    check(rows.code === 0, `${query}: ${rows.err}`);
    all.push(rows.out);
  }
  return all.join('\n');
}

withScratch('takedown', async (directory) => {
  console.log(`takedown: seed ${seed}`);
  const out = `${directory}/out`;
  mkdirSync(`${directory}/data`);
  const posts = Array.from({ length: 120 }, (_, i) => post(i));
  posts.push(post(200, { text: `RT @person_1: ${posts[7].text}`, retweeted_status: posts[7] }));
  posts.push(post(201, { text: 'see what was said there', quoted_status_id_str: number(7), quoted_status: posts[7], is_quote_status: true }));
  posts.push(post(202, { coordinates: { type: 'Point', coordinates: [10.139, 54.323] }, place: { id: 'x', name: 'Kielplace', full_name: 'Kielplace, SH', country: 'Germany', country_code: 'DE', place_type: 'city' } }));
  posts.push(post(203)); // its notice is in the same file, behind it
  posts.push(deleted(203));
  writeFileSync(`${directory}/data/posts.jsonl`, lines(posts));
  writeFileSync(`${directory}/data/copies.jsonl`, lines([...posts.slice(0, 30).map((each, i) => ({ ...each, source: `copy ${i}` })), ...Array.from({ length: 20 }, (_, i) => post(300 + i))]));
  writeFileSync(`${directory}/notices.jsonl`, lines([deleted(7), deleted(11), deleted(900),
    { scrub_geo: { user_id: 41, user_id_str: '41', up_to_status_id: Number(number(250)), up_to_status_id_str: number(250) } }]));
  writeFileSync(`${directory}/late.jsonl`, lines([post(900), post(901)]));
  writeFileSync(`${directory}/rhodes.toml`, project);
  const made = run(['run', `${directory}/rhodes.toml`]);
  check(made.code === 0, `the project runs: ${made.err}`);
  let all = everything(out);
  check(!all.includes(secret(203)), 'deleted in the same file');
  check(all.includes(secret(7)) && all.includes(secret(11)), 'the others are there');
  check(all.includes('Kielplace'), 'a place is there');
  check(run(['check', out]).code === 0, `all is well: ${run(['check', out]).out}`);
  const documents = runJson(['sql', out, 'SELECT count(*) AS n FROM documents']).n;
  cpSync(out, `${directory}/before`, { recursive: true, verbatimSymlinks: true });

  const command = ['ingest', `${directory}/notices.jsonl`, '--format', 'x-v1', '--name', 'notices', '--out', out];
  const begun = Date.now();
  const told = runJson(command);
  const whole = Date.now() - begun;
  equal(told.takedowns.records, 5, 'the post 7 and its copy, its repost, the post 11 and its copy');
  equal(told.takedowns.masked, 2, 'a quotation and a place');
  all = everything(out);
  for (const i of [7, 11]) check(!all.includes(secret(i)), `post ${i} is nowhere`);
  check(!all.includes('Kielplace'), 'the place is nowhere');
  check(all.includes(secret(8)), 'others stay');
  equal(runJson(['sql', out, `SELECT count(*) AS n FROM records WHERE fields['post'] = '${number(202)}' AND latitude IS NULL AND text LIKE '%${secret(202)}%'`]).n, 1, 'the post without its place stays');
  equal(runJson(['sql', out, `SELECT count(*) AS n FROM records WHERE fields['post'] = '${number(201)}' AND text LIKE 'see what%'`]).n, 1, 'the quoting post stays');
  check(runJson(['sql', out, 'SELECT count(*) AS n FROM documents']).n < documents, 'documents went');
  equal(runJson(['check', out]).ok, true, 'all is well after notices');

  // A notice that came before its post.
  equal(runJson(['ingest', `${directory}/late.jsonl`, '--format', 'x-v1', '--name', 'late', '--out', out]).rejected, 1, 'refused with a reason');
  check(readFileSync(`${out}/rejects/late.jsonl`, 'utf8').includes('a delete notice names post'), 'which says so');
  check(!everything(out).includes(secret(900)), 'post 900 never comes in');
  rmSync(`${out}/records/late`, { recursive: true });
  rmSync(`${out}/rejects/late.jsonl`);

  // Killed at random moments: whoever comes next goes on.
  const relevant = () => Object.fromEntries(Object.entries(digests(out)).filter(([path]) => !/manifest.json$|\.lock$/.test(path)));
  const expected = relevant();
  const next = random(seed);
  let killed = 0;
  for (let round = 0; round < rounds; ++round) {
    rmSync(out, { recursive: true, force: true });
    cpSync(`${directory}/before`, out, { recursive: true, verbatimSymlinks: true });
    killed += (await killedAfter(command, next() * whole)).signal === 'SIGKILL';
    const finish = next() < 0.5;
    if (finish) {
      const repaired = run(['check', out, '--repair']);
      check(repaired.code === 0, `repair after a kill: ${repaired.out} ${repaired.err} (seed ${seed})`);
      if (runJson(['sql', out, "SELECT count(*) AS n FROM records WHERE source = 'notices'"]).n === 0) equal(run(command).code, 0, 'it was killed before it began');
    } else {
      equal(run([...command, '--replace']).code, 0, 'given again');
    }
    equal(runJson(['check', out]).ok, true, `all is well (seed ${seed}, round ${round})`);
    const actual = relevant();
    equal(Object.keys(actual), Object.keys(expected), `the same files (seed ${seed}, round ${round})`);
    for (const [path, digest] of Object.entries(expected)) check(actual[path] === digest, `${path} differs (seed ${seed}, round ${round})`);
  }
  check(killed > 0, 'some were killed');
});
