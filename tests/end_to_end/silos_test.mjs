// The example of all kinds of sources, or the same project on real samples: rights are asked for, counts balance, and a
// model's trace leads back to posts, vehicles, dishes, satellites and Arabic articles, to the very bytes.
//   node silos_test.mjs RHODES EXAMPLE [SAMPLES]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { check, equal, run, runJson, withScratch } from './harness.mjs';

const example = process.argv[3];
const samples = process.argv[4];
if (samples && !existsSync(samples)) {
  console.log(`silos: there are no samples at ${samples}; skipped`);
  process.exit(77);
}

withScratch('silos', async (directory) => {
  const file = `${directory}/rhodes.toml`;
  const out = `${directory}/out`;
  let project = readFileSync(`${example}/rhodes.toml`, 'utf8');
  if (samples) {
    symlinkSync(samples, `${directory}/data`);
    // What the samples lack, and shapes for more text.
    project = project.replace(/\[\[source\]\]\nname = "log"[\s\S]*?\n\n/, '').replace(/\[\[fuse\.view\]\]\nname = "note"[\s\S]*?'''\n\n/, '').replace('# The keeper\'s log: a table of no known kind, with a column map.\n', '')
      .replace('vocabulary = 1024', 'vocabulary = 4096').replace('steps = 150', 'steps = 60');
  } else {
    cpSync(`${example}/data`, `${directory}/data`, { recursive: true });
  }

  // Nobody stated that models may be trained on it.
  const unstated = project.replace(/^rights = .*$/gm, '');
  check(unstated !== project, 'rights were stated');
  writeFileSync(file, unstated);
  const refused = run(['run', file]);
  check(refused.code !== 0, 'training without rights is refused');
  for (const name of ['posts', 'cars', 'dishes', 'articles']) check(refused.err.includes(name), `the refusal names ${name}: ${refused.err}`);
  writeFileSync(file, unstated.replace('[train]\n', '[train]\nrights_override = "a test of the readers; nothing is published"\n'));
  const until = run(['run', file, '--until', 'ingest']);
  check(until.code === 0, `reading needs no rights: ${until.err}`);
  const rights = Object.fromEntries(['posts', 'archive', 'cars'].map((name) => [name, JSON.parse(readFileSync(`${out}/records/${name}/manifest.json`, 'utf8'))]));
  check(rights.posts.counts.read === rights.posts.counts.stored + rights.posts.counts.duplicates + rights.posts.counts.rejected, 'counts balance');
  if (samples) {
    const trained = run(['run', file]);
    check(trained.code === 0, `the run with an override: ${trained.err}`);
    const manifest = JSON.parse(readFileSync(`${out}/model/manifest.json`, 'utf8'));
    equal(manifest.rights_override, 'a test of the readers; nothing is published', 'the reason is in the manifest of the model');
    const stated = JSON.stringify(manifest.rights);
    check(stated.includes('not-allowed') && stated.includes('posts'), `the model's rights: ${stated}`);
  } else {
    writeFileSync(file, project);
    const made = run(['run', file]);
    check(made.code === 0, `the project runs: ${made.err}`);
  }

  // What is read is stored, a duplicate or rejected, in each source and file.
  let stored = 0;
  for (const name of runJson(['sql', out, 'SELECT list(DISTINCT source) AS all FROM records']).all) {
    const { counts } = JSON.parse(readFileSync(`${out}/records/${name}/manifest.json`, 'utf8'));
    equal(counts.read, counts.stored + counts.duplicates + counts.rejected, `${name} balances`);
    stored += counts.stored - (counts.erased ?? 0);
  }
  equal(runJson(['sql', out, 'SELECT count(*) AS n FROM records']).n, stored, 'all that is stored is seen');
  check(run(['check', out]).code === 0, `the folder is well: ${run(['check', out]).out}`);

  // A line of a document of each kind leads to records of that kind, and these to their bytes.
  const wanted = {
    post: { view: 'post', kinds: ['post', 'note', 'like'] },
    vehicle: { view: 'drive', source: 'cars' },
    van: { view: 'drive', source: 'vans' },
    outage: { view: 'outage', kinds: ['dish-outage'] },
    dish: { view: 'dish', source: 'dishes' },
    satellite: { view: 'orbits', kinds: ['element-set'] },
    arabic: { view: 'article', language: 'ar', source: 'articles' },
    english: { view: 'article', language: 'en', source: 'articles' },
  };
  const lines = (query) => run(['sql', out, query, '--format', 'json']).out.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const contents = new Map();
  const bytesOf = (path) => {
    if (!contents.has(path)) {
      const bytes = readFileSync(path);
      const unpacked = path.endsWith('.bz2') ? execFileSync('bzip2', ['-dc', path], { maxBuffer: 1 << 30 }) : bytes;
      contents.set(path, path.endsWith('.gz') ? gunzipSync(bytes) : unpacked);
    }
    return contents.get(path);
  };
  for (const [name, want] of Object.entries(wanted)) {
    const where = [`meta->>'view' = '${want.view}'`];
    if (want.language) where.push(`language = '${want.language}'`);
    if (want.source) where.push(`list_contains(sources, '${want.source}')`);
    const documents = lines(`SELECT id, text, parents FROM corpus WHERE ${where.join(' AND ')} ORDER BY hash(id) LIMIT 12`);
    check(documents.length > 0, `${name}: there are documents`);
    let led = 0;
    for (const document of documents) {
      const line = document.text.split('\n').reduce((a, b) => (b.length > a.length ? b : a)).slice(0, 200);
      const traced = runJson(['trace', '--out', out, line]);
      const found = traced.documents.find((each) => each.id === document.id);
      if (!found) continue; // held out, or more often elsewhere
      ++led;
      equal(found.records.map((each) => each.id).sort(), [...document.parents].sort().slice(0, found.records.length), `${name}: its records`);
      for (const record of found.records.slice(0, 5)) {
        if (want.kinds) check(want.kinds.includes(record.kind), `${name}: a record of kind ${record.kind}`);
        if (want.source) equal(record.source, want.source, `${name}: the source`);
        if (!existsSync(record.file)) continue; // a member of an archive
        const bytes = bytesOf(record.file).subarray(record.begin, record.end);
        check(bytes.length > 0, `${name}: ${record.file} holds [${record.begin}, ${record.end})`);
        const row = lines(`SELECT md5(coalesce(original, text::BLOB)) AS digest, octet_length(coalesce(original, text::BLOB)) AS bytes FROM records WHERE id = '${record.id}'`)[0];
        if (row.bytes === bytes.length) check(row.digest === createHash('md5').update(bytes).digest('hex'), `${name}: the bytes of the file are those stored`);
      }
    }
    check(led > 0, `${name}: a trace leads to one of ${documents.length} documents`);
  }
  const answers = JSON.parse(readFileSync(`${out}/answers.json`, 'utf8'));
  equal(answers.answers?.length ?? answers.length, 2, 'both questions are answered');
});
