// The demo on a slice of its real input, fetched from the Debian archive: usage demo_slice_test.mjs RHODES EXAMPLE WORK.
// WORK/out is left for the page's test.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { check, equal, readFileSync, runJson, run } from './harness.mjs';

const [, , , example, work] = process.argv;
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
for (const file of readdirSync(example)) {
  if (/\.(sql|sh|toml)$/.test(file)) copyFileSync(`${example}/${file}`, `${work}/${file}`);
}
const fetched = spawnSync('sh', ['fetch.sh', '8'], { cwd: work, encoding: 'utf8' });
check(fetched.status === 0, `fetch.sh: ${fetched.stdout}${fetched.stderr}`);

// The demo's own project with a budget in tokens, so that every machine does the same work.
const project = `${work}/rhodes.toml`;
const text = readFileSync(project, 'utf8').replace(/^minutes = 5$/m, 'tokens = 1000000');
check(text.includes('tokens = 1000000'), 'the budget of the demo is where it is expected');
writeFileSync(project, text);

const report = runJson(['run', project]);
equal(report.changed, true, 'the run works');
let records = 0;
for (const source of ['packages', 'descriptions', 'changelogs', 'pages', 'manuals']) {
  const { counts } = JSON.parse(readFileSync(`${work}/out/records/${source}/manifest.json`, 'utf8'));
  equal(counts.read, counts.stored + counts.duplicates + counts.rejected, `counts of ${source}`);
  check(counts.stored > 0, `${source} has records`);
  records += counts.stored;
}
check(records > 3000, `${records} records`);
const joined = runJson(['sql', `${work}/out`, "SELECT count(*) AS n FROM documents WHERE len(sources) >= 4"]);
check(joined.n >= 1, 'index, description, changes and manual page are joined into one document');

const training = JSON.parse(readFileSync(`${work}/out/model/manifest.json`, 'utf8')).counts;
const { answers } = JSON.parse(readFileSync(`${work}/out/answers.json`, 'utf8'));
equal(answers.length, 3, 'three questions are answered');
check(answers.some((answer) => JSON.stringify(answer).includes('"begin"')), 'answers lean on records');

const [row] = [runJson(['sql', `${work}/out`, "SELECT text FROM descriptions WHERE language = 'en' AND length(text) > 200 ORDER BY id LIMIT 1"])];
const phrase = row.text.replace(/\s+/g, ' ').slice(0, 60);
const traced = runJson(['trace', '--out', `${work}/out`, phrase]);
for (const span of traced.spans) {
  for (const document of span.documents) {
    for (const record of document.records) {
      const bytes = readFileSync(record.file);
      const whole = record.file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
      check(record.begin < record.end && record.end <= whole.length, `${record.file} holds ${record.begin}-${record.end}`);
    }
  }
}
const again = run(['run', project]);
check(again.code === 0, again.err);
console.log(`demo_slice: ${records} records, ${JSON.stringify(training).slice(0, 300)}`);
