// rhodes tokenize --train and rhodes count as users meet them: files of every kind and pipes give the same tokenizer;
// killed at any moment, training goes on and gives the same bytes; weights help the small language; counts are those of
// encode; what is wrong is said.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { random } from './fixture.mjs';
import { check, equal, killedAfter, rhodes, run, runJson, withScratch } from './harness.mjs';

const kills = Number(process.argv[3] ?? 8);
const english = ('the of and to in that have with river stone morning village bridge harbour teacher carried slowly across winter '
  + 'market letters garden evening children because through between against another during number people water').split(' ');
const arabic = 'في من على وثيقة القمر الكتاب المدينة مدرسة الطريق الشبكة الماء النهر الصباح القرية الجسر المعلم السوق الحديقة'.split(' ');

function documents(count) {
  const next = random(3);
  return Array.from({ length: count }, (_, i) => {
    const language = i % 20 === 0 ? 'ar' : 'en';
    const words = language === 'ar' ? arabic : english;
    const text = Array.from({ length: 40 + Math.floor(next() * 80) }, () => {
      const word = words[Math.floor(next() * words.length)];
      return next() < 0.1 ? `${word}${Math.floor(next() * 3000)}` : word;
    }).join(' ');
    return { text: `${text}.`, language, sources: [i % 3 === 0 ? 'web' : 'news'] };
  });
}

// `rhodes ARGS...` with `input` on its standard input, which is a pipe.
function piped(args, input) {
  return new Promise((resolve) => {
    const child = spawn(rhodes, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => { out += piece; });
    child.stderr.on('data', (piece) => { err += piece; });
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => {}); // it may end before it has read all
    child.stdin.end(input);
  });
}

withScratch('tokenizer_training', async (scratch) => {
  const path = (name) => join(scratch, name);
  const all = documents(40_000);
  const lines = `${all.map((document) => JSON.stringify(document)).join('\n')}\n`;
  writeFileSync(path('web.jsonl'), lines);
  writeFileSync(path('web.jsonl.gz'), gzipSync(lines));
  mkdirSync(path('folder'));
  writeFileSync(path('folder/a.jsonl'), `${lines.split('\n').slice(0, 30_000).join('\n')}\n`);
  writeFileSync(path('folder/b.jsonl.gz'), gzipSync(lines.split('\n').slice(30_000).join('\n')));
  const train = (input, out, more = []) => ['tokenize', '--train', ...input, '--vocab', '2000', '--pattern', 'gpt2', '--out', path(out), ...more];
  const bytes = (name) => readFileSync(path(name), 'utf8');

  // The same documents, however they come.
  const begun = Date.now();
  const report = runJson(train([path('web.jsonl')], 'whole.json'));
  const whole = Date.now() - begun;
  equal([report.vocabulary_size, report.merges, report.documents], [2000, 1743, 40_000], 'the size');
  equal(report.bytes, all.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0), 'the bytes');
  equal(Object.keys(report.by_source), ['news', 'web'], 'the sources');
  equal(report.by_language.ar.documents, 2000, 'the Arabic documents');
  check(report.by_language.en.whole_words > 0.8 && report.by_language.ar.whole_characters > 0.9, `the report: ${JSON.stringify(report.by_language)}`);
  for (const [name, input] of [['gz', ['web.jsonl.gz']], ['folder', ['folder']], ['two', ['folder/a.jsonl', 'folder/b.jsonl.gz']]]) {
    runJson(train(input.map(path), `${name}.json`, ['--threads', name === 'gz' ? '1' : '3']));
    check(bytes(`${name}.json`) === bytes('whole.json'), `the tokenizer from ${name}`);
  }
  for (const [name, input] of [['pipe', lines], ['pipe of gzip', gzipSync(lines)]]) {
    const { code, err } = await piped([...train([], 'pipe.json'), '--json'], input);
    equal([code, err], [0, ''], name);
    check(bytes('pipe.json') === bytes('whole.json'), `the tokenizer from a ${name}`);
  }
  writeFileSync(path('texts.txt'), all.map(({ text }) => text).join('\n'));
  runJson(train([path('texts.txt')], 'lines.json', ['--format', 'lines']));
  check(bytes('lines.json') === bytes('whole.json'), 'the tokenizer from lines of text');

  // Killed again and again.
  const next = random(17);
  const slow = train([path('web.jsonl')], 'killed.json', ['--save-every', '0']);
  let died = 0;
  let kept = 0;
  for (let i = 0; i < kills; ++i) {
    if ((await killedAfter(slow, (0.2 + next()) * whole)).signal === 'SIGKILL') ++died;
    if (existsSync(path('killed.json.training/state.json'))) ++kept;
  }
  check(died > 0 && kept > 0, `${died} of ${kills} runs were killed, ${kept} had kept counts`);
  const resumed = runJson(slow);
  check(bytes('killed.json') === bytes('whole.json'), `the tokenizer after ${died} kills`);
  equal([resumed.tokens, resumed.by_language], [report.tokens, report.by_language], 'the report after kills');
  check(!existsSync(path('killed.json.training')), 'nothing is left behind');

  // A vocabulary too small for both languages: with weights the small one is not starved.
  const small = (more) => runJson(['tokenize', '--train', path('web.jsonl'), '--vocabulary', '420', '--out', path('small.json'), ...more]).by_language;
  const plain = small([]);
  const level = small(['--weight', 'language=equal']);
  check(level.ar.bytes_per_token > 2 * plain.ar.bytes_per_token, `Arabic: ${plain.ar.bytes_per_token}, ${level.ar.bytes_per_token}`);
  check(level.en.bytes_per_token > 0.4 * plain.en.bytes_per_token, `English: ${plain.en.bytes_per_token}, ${level.en.bytes_per_token}`);
  check(level.ar.weight > 10 && level.en.weight === 1, `the weights: ${level.ar.weight}, ${level.en.weight}`);

  // Counts are those of encode, however the text comes.
  const tokenizer = ['--tokenizer', path('whole.json')];
  const counts = runJson(['count', ...tokenizer, path('web.jsonl')]);
  const ids = JSON.parse(run(['encode', ...tokenizer, '--lines', '--json'], { input: all.map(({ text }) => `${text}\n`).join(''), maxBuffer: 1 << 30 }).out).ids;
  equal(counts.tokens, ids.reduce((sum, list) => sum + list.length, 0), 'the tokens');
  equal([counts.documents, counts.bytes], [40_000, report.bytes], 'documents and bytes');
  equal(counts.words, all.reduce((sum, { text }) => sum + text.split(' ').length, 0), 'the words');
  equal(counts.characters, all.reduce((sum, { text }) => sum + text.length, 0), 'the characters');
  equal(counts.by_language.ar.documents + counts.by_language.en.documents, 40_000, 'by language');
  equal(counts.by_source.web.documents, 13_334, 'by source');
  const again = JSON.parse((await piped(['count', ...tokenizer, '--json'], gzipSync(lines))).out);
  equal({ ...again, seconds: 0 }, { ...counts, seconds: 0 }, 'the counts of a pipe');
  equal(runJson(['count', ...tokenizer, path('texts.txt')]).documents, 1, 'a text is one document');
  const table = run(['count', ...tokenizer, path('web.jsonl')]);
  check(table.code === 0 && /^web +13334 /m.test(table.out) && /^all +40000 /m.test(table.out), `the table: ${table.out}`);

  // What is wrong is said, with what is allowed.
  const fails = (args, code, ...said) => {
    const result = run(args);
    equal(result.code, code, `rhodes ${args.join(' ')}: ${result.err}`);
    for (const part of said) check(result.err.includes(part), `"${part}" in: ${result.err}`);
  };
  for (const vocab of ['256', '262145']) fails(['tokenize', '--train', path('web.jsonl'), '--vocab', vocab, '--out', path('x.json')], 2, '257 to 262144', '256 bytes');
  fails(['tokenize', '--train', path('web.jsonl')], 2, '--out is required');
  fails(['tokenize', '--train', path('web.jsonl'), '--out', scratch], 2, 'is a folder');
  fails(train([path('web.jsonl')], 'x.json', ['--weight', 'language=even']), 2, 'language=equal');
  fails(train([path('web.jsonl')], 'x.json', ['--weight', 'language:fr=2']), 2, 'there are: ar, en');
  fails(['tokenize', '--train', path('web.jsonl'), '--pattern', 'gpt9', '--out', path('x.json')], 2, '"gpt9"', 'known: gpt2');
  fails(train([path('web.jsonl')], 'x.json', ['--mix', 'web=2']), 2, '--weight');
  const parquet = await piped(['count', ...tokenizer], 'PAR1 and more');
  check(parquet.code === 1 && parquet.err.includes('standard input: Parquet cannot be read from a pipe'), `Parquet in a pipe: ${parquet.err}`);
  fails(train([path('none.jsonl')], 'x.json'), 1, 'none.jsonl');
  fails(['count', ...tokenizer, path('none.jsonl')], 1, 'none.jsonl');
  writeFileSync(path('torn.jsonl'), `${lines.slice(0, 3 << 20)}\n`);
  fails(['count', ...tokenizer, path('torn.jsonl')], 1, 'torn.jsonl', 'line ');
  check(!existsSync(path('x.json')), 'nothing was written');
});
