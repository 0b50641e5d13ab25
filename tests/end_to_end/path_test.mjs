// The whole path on a small project: counts balance, nothing runs twice, answers lead back to bytes, errors say what is wrong.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { projectText, writeInput } from './fixture.mjs';
import { check, equal, readFileSync, rhodes, run, runJson, withScratch } from './harness.mjs';

const ran = (report) => report.stages.filter((stage) => stage.status === 'done').map((stage) => stage.stage);

withScratch('path', (directory) => {
  writeInput(`${directory}/data`);
  const project = `${directory}/rhodes.toml`;
  const out = `${directory}/out`;
  writeFileSync(project, projectText());

  // The whole path, and counts that balance.
  const first = runJson(['run', project]);
  equal(first.changed, true, 'the first run works');
  for (const source of ['packages', 'descriptions', 'changelogs', 'pages', 'manuals']) {
    const { counts } = JSON.parse(readFileSync(`${out}/records/${source}/manifest.json`, 'utf8'));
    equal(counts.read, counts.stored + counts.duplicates + counts.rejected, `counts of ${source}`);
    check(counts.stored > 0, `${source} has records`);
  }
  const inspected = runJson(['inspect', out]);
  check(JSON.stringify(inspected).includes('packages'), 'inspect names the sources');

  // A second run does nothing, fast.
  const again = runJson(['run', project]);
  equal(again.changed, false, 'a second run changes nothing');
  check(again.seconds < 2, `a second run takes ${again.seconds} s`);

  // A training setting reruns training and what follows, nothing before.
  writeFileSync(project, projectText({ learningRate: 0.002 }));
  equal(ran(runJson(['run', project])), ['train', 'ask'], 'stages after a change in [train]');
  // A new file reruns its source and what follows, no other source.
  writeFileSync(`${directory}/data/manuals/new.txt`, 'A new page about the installation of packages over a slow network.\n');
  const after = runJson(['run', project]);
  equal(after.stages.filter((stage) => stage.stage === 'ingest' && stage.status === 'done').map((stage) => stage.label),
    ['ingest manuals'], 'sources after a new file');

  // A phrase of the input leads to exact bytes of a file.
  const traced = runJson(['trace', '--out', out, 'This package holds the']);
  check(traced.spans.length >= 1 && traced.spans[0].count > 100, 'the phrase is found');
  let records = 0;
  for (const span of traced.spans) {
    equal(Buffer.from('This package holds the').subarray(span.begin, span.end).toString(), span.text, 'span offsets');
    equal(Object.values(span.by_source).reduce((a, b) => a + b, 0), span.count, 'occurrences by source add up');
    for (const document of span.documents) {
      check(document.records.length >= 2, 'a fused document has all its parents');
      let held = false;
      for (const record of document.records) {
        let bytes = readFileSync(record.file);
        if (record.file.endsWith('.gz')) bytes = gunzipSync(bytes);
        const text = bytes.subarray(record.begin, record.end).toString('utf8');
        if (record.file.includes('Translation')) {
          check(/^Package: .*\nDescription-md5: /.test(text), 'the range begins at the record');
          check(text.trimEnd().split('\n\n').length === 1, 'the range holds exactly one record');
        }
        held ||= text.includes('This package holds the');
        ++records;
      }
      check(held, 'one of the records holds the phrase');
    }
  }
  check(records > 0, 'records were followed');
  const document = runJson(['inspect', out, '--document', traced.spans[0].documents[0].id]);
  check(JSON.stringify(document).includes('Translation-en'), 'inspect shows the lineage of a document');

  // Arabic went in and can be found.
  const arabic = runJson(['sql', out, "SELECT count(*) AS n FROM corpus WHERE language LIKE 'ar%'"]);
  check(arabic.n >= 1, 'the Arabic page is in the corpus');

  // The model answers, the same twice.
  const ask = ['chat', '--model', `${out}/model`, '--prompt', 'What is the package libfile4?', '--max-tokens', '16', '--temperature', '0.8', '--seed', '5'];
  equal(runJson(ask).text, runJson(ask).text, 'a seeded answer');

  // Wrong project files and input, each with its code and a message that says what and where.
  const expect = (args, code, pattern, what) => {
    const result = run(args);
    check(result.code === code && pattern.test(result.err), `${what}: code ${result.code}, expected ${code}; ${result.err}`);
    check(!/terminate called|Segmentation/.test(result.err), `${what} did not crash`);
  };
  const variant = (name, text) => {
    writeFileSync(`${directory}/${name}.toml`, text);
    return ['run', `${directory}/${name}.toml`];
  };
  expect(['run', `${directory}/none.toml`], 2, /none\.toml/, 'a project file that is not there');
  expect(variant('key', projectText({ out: 'o1' }).replace('learning_rate', 'learning_rat')), 2, /learning_rate/, 'an unknown key');
  expect(variant('sql', projectText({ out: 'o2' }).replace('FROM packages p', 'FROM packagez p')), 2, /sql\.toml:\d+[\s\S]*packagez/, 'a SQL error');
  expect(variant('path', projectText({ out: 'o3' }).replace('data/index/Packages', 'data/index/Nothing')), 1, /Nothing/, 'a missing path');
  expect(['frobnicate'], 2, /./, 'an unknown command');
  expect(['trace', '--out', `${directory}/nowhere`, 'text'], 1, /rhodes trace/, 'no index');

  const bad = `${directory}/bad`;
  mkdirSync(bad);
  writeFileSync(`${bad}/rows.jsonl`, '{"text": "good"}\n{"text": \n{"text": "also good"}\n{"text": "bad \xff"}\n', 'latin1');
  const counts = runJson(['ingest', `${bad}/rows.jsonl`, '--format', 'jsonl', '--name', 'rows', '--out', `${bad}/out`]);
  equal([counts.read, counts.stored, counts.rejected], [4, 2, 2], 'broken rows are rejected');
  expect(['ingest', `${bad}/rows.jsonl`, '--format', 'jsonl', '--name', 'strict', '--out', `${bad}/out`, '--max-rejects', '0.1'], 3, /reject/i, 'too many rejects');
  const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `{"text": "row ${i} ${Math.sin(i)}"}\n`).join(''));
  writeFileSync(`${bad}/cut.jsonl.gz`, whole.subarray(0, whole.length / 2));
  const cut = runJson(['ingest', `${bad}/cut.jsonl.gz`, '--name', 'cut', '--out', `${bad}/out`]);
  check(cut.stored > 1000 && cut.rejected >= 1 && cut.read === cut.stored + cut.duplicates + cut.rejected, 'a truncated gz keeps what is whole');
  if (process.getuid() !== 0) { // root reads everything
    writeFileSync(`${bad}/secret.jsonl`, '{"text": "x"}\n');
    chmodSync(`${bad}/secret.jsonl`, 0);
    expect(['ingest', `${bad}/secret.jsonl`, '--name', 'secret', '--out', `${bad}/out`], 1, /secret\.jsonl/, 'an unreadable file');
  }

  // A file size limit stands for a full disk; what was there stays whole.
  const before = runJson(['sql', `${bad}/out`, 'SELECT count(*) AS n FROM records']).n;
  const rows = Array.from({ length: 40000 }, (_, i) => `{"text": "${Math.sin(i)} ${Math.cos(i)} ${Math.tan(i)}"}\n`).join('');
  writeFileSync(`${bad}/many.jsonl`, rows);
  const full = spawnSync('sh', ['-c', 'ulimit -f 64; exec "$0" "$@"', rhodes, 'ingest', `${bad}/many.jsonl`, '--name', 'many', '--out', `${bad}/out`],
    { encoding: 'utf8' });
  check(full.status === 1 && /space|large/i.test(full.stderr), `a full disk: ${full.status} ${full.stderr}`);
  equal(runJson(['sql', `${bad}/out`, 'SELECT count(*) AS n FROM records']).n, before, 'a full disk loses nothing');
});
