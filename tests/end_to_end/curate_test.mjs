// rhodes curate on files of its own: rows with their columns and reasons in the input's format, duplicates with the copy
// that stays, the same for any number of threads, and why for a document.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib, { gunzipSync, gzipSync } from 'node:zlib';
import { random } from './fixture.mjs';
import { check, digests, equal, run, runJson, withScratch } from './harness.mjs';

const words = ('the of and to in that have with be river stone morning village bridge harbour teacher carried slowly across '
  + 'winter market letters garden evening children because through between against another during number people water').split(' ');
function sentence(next, count) {
  const picked = Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');
  return `${picked[0].toUpperCase()}${picked.slice(1)}.`;
}
function prose(seed, sentences = 12) {
  const next = random(seed);
  return Array.from({ length: sentences }, () => sentence(next, 9 + Math.floor(next() * 8))).join('\n');
}
const rows = (path) => readFileSync(path, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
const jsonl = (values) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

withScratch('curate', async (scratch) => {
  const documents = [];
  for (let i = 0; i < 60; ++i) documents.push({ id: `doc-${i}`, text: prose(i), url: `https://example.org/${i}`, score: i / 2, sources: [i % 2 ? 'web' : 'news'] });
  documents.push({ id: 'short', text: words.slice(0, 30).join(' '), url: 'https://example.org/s', score: 0, sources: ['web'] });
  documents.push({ id: 'same', text: documents[3].text, url: 'https://example.org/c', score: 9, sources: ['web'] });
  const near = documents[5].text.split('\n');
  near[4] = `${near[4]} Indeed.`;
  documents.push({ id: 'nearly', text: near.join('\n'), url: 'https://example.org/n', score: 9, sources: ['news'] });
  const passage = documents[8].text.split('\n').slice(0, 8).join('\n');
  documents.push({ id: 'quotes', text: `${prose(900, 14)}\n${passage}\n${prose(901, 14)}`, url: 'https://example.org/q', score: 1, sources: ['web'] });
  const input = join(scratch, 'web.jsonl');
  writeFileSync(input, jsonl(documents));

  const database = join(scratch, 'database'); // for SQL over files
  runJson(['ingest', input, '--format', 'jsonl', '--name', 'web', '--out', database]);

  const rules = 'gopher-repetition,gopher-quality,exact,near,substring';
  const out = join(scratch, 'out');
  const report = runJson(['curate', input, '--out', out, '--rules', rules]);
  equal([report.documents, report.kept, report.dropped], [64, 61, 3], 'the counts');
  equal(report.reasons, { exact: { duplicate: 1 }, 'gopher-quality': { gopher_short_doc: 1 }, near: { duplicate: 1 } }, 'the reasons');
  const kept = rows(join(out, 'kept.jsonl'));
  const dropped = rows(join(out, 'dropped.jsonl'));
  equal(kept.length + dropped.length, documents.length, 'every row is in one of the two');
  for (const row of kept) {
    const { url, score, sources, text } = documents.find((document) => document.id === row.id);
    equal([row.url, row.score, row.sources], [url, score, sources], 'the other columns stay');
    if (row.id !== 'quotes') equal(row.text, text, 'a kept text is as it was');
  }
  equal(dropped.map((row) => [row.id, row.rule, row.reason, row.kept_id ?? null]),
    [['short', 'gopher-quality', 'gopher_short_doc', null], ['same', 'exact', 'duplicate', 'doc-3'], ['nearly', 'near', 'duplicate', 'doc-5']], 'the dropped rows');
  check(dropped[2].cluster === 5, 'a near duplicate names its cluster');
  const quotes = kept.find((row) => row.id === 'quotes').text;
  check(quotes.includes(prose(900, 14)) && quotes.includes(prose(901, 14)) && !quotes.includes(passage.slice(40, 300)), 'a repeated passage is cut, and nothing else');
  check(report.cut_text_bytes > 400, `what was cut is counted: ${report.cut_text_bytes}`);
  const clusters = runJson(['ingest', join(out, 'clusters'), '--format', 'parquet', '--name', 'clusters', '--out', join(scratch, 'table')]);
  equal(clusters.counts?.stored ?? clusters.stored, 2, 'the table of clusters has both');

  // One thread or two, little memory or much.
  const same = (more) => {
    const other = join(scratch, 'other');
    runJson(['curate', input, '--out', other, '--rules', rules, ...more]);
    return digests(other);
  };
  equal(same(['--threads', '1']), same(['--threads', '2', '--memory', '600MB']), 'the same bytes');

  // The source named first keeps its copy.
  const priority = join(scratch, 'priority');
  runJson(['curate', input, '--out', priority, '--rules', 'exact,near', '--source-priority', 'news,web']);
  const ids = rows(join(priority, 'dropped.jsonl')).map((row) => [row.id, row.kept_id]);
  equal(ids, [['doc-5', 'nearly'], ['same', 'doc-3']], 'news before web');

  // Compressed in, compressed out; Parquet in, Parquet out.
  writeFileSync(join(scratch, 'web.jsonl.gz'), gzipSync(jsonl(documents)));
  runJson(['curate', join(scratch, 'web.jsonl.gz'), '--out', join(scratch, 'gz'), '--rules', 'gopher-quality']);
  equal(gunzipSync(readFileSync(join(scratch, 'gz/kept.jsonl.gz'))).toString().trim().split('\n').length, 63, 'gzip');
  const parquet = join(scratch, 'web.parquet');
  writeFileSync(parquet, run(['sql', database, 'SELECT id, text FROM web', '--format', 'parquet'], { encoding: 'buffer' }).out);
  equal(runJson(['curate', parquet, '--out', join(scratch, 'pq'), '--rules', 'gopher-quality']).kept, 63, 'Parquet in');
  equal(runJson(['curate', join(scratch, 'pq/kept.parquet'), '--out', join(scratch, 'pq2'), '--rules', 'exact']).documents, 63, 'Parquet out');

  // Why.
  const why = runJson(['curate', input, '--explain', 'short', '--rules', rules]);
  equal([why.rule, why.reason], ['gopher-quality', 'gopher_short_doc'], 'the verdict');
  check(why.measures.some((measure) => measure.reason === 'gopher_short_doc' && measure.value === 30 && measure.threshold === 50 && measure.dropped), 'the measure beside its threshold');
  check(run(['curate', input, '--explain', 'short', '--rules', rules]).out.includes('<- drops it'), 'and as a table');
  const missing = run(['curate', input, '--explain', 'nobody']);
  check(missing.code === 1 && missing.err.includes('nobody'), `an id that is not there: ${missing.err}`);

  // The page, the personal data, the evaluation sets.
  writeFileSync(join(scratch, 'eval.jsonl'), jsonl([{ question: documents[20].text.split('\n').slice(2, 4).join(' ') }]));
  const written = documents.slice(0, 30).map((document) => ({ ...document, text: `<script> ${document.text}` }));
  written[1].text += '\nWrite to jane.roe@mail.example.org or pay to GB82 WEST 1234 5698 7654 32 <script>.';
  writeFileSync(join(scratch, 'personal.jsonl'), jsonl(written));
  const safe = join(scratch, 'safe');
  const found = runJson(['curate', join(scratch, 'personal.jsonl'), '--out', safe, '--report', '--rules', `gopher-quality,pii,overlap=${scratch}/eval.jsonl`]);
  equal(found.personal_data, { email: 1, iban: 1 }, 'what was found');
  equal(found.reasons, { overlap: { evaluation_set: 1 } }, 'the document that holds the evaluation set');
  check(rows(join(safe, 'kept.jsonl'))[1].text.endsWith('Write to <EMAIL> or pay to <IBAN> <script>.'), 'placeholders');
  check(rows(join(safe, 'dropped.jsonl'))[0].id === 'doc-20', 'the right document');
  const chain = ['--rules', 'gopher-quality,c4-quality,exact', '--set', 'gopher-quality.min_words=100'];
  const plain = runJson(['curate', input, '--out', join(scratch, 'plain'), ...chain]);
  const measured = runJson(['curate', input, '--out', join(scratch, 'measured'), '--report', ...chain]);
  equal([measured.kept, measured.reasons], [plain.kept, plain.reasons], 'measuring changes no verdict');
  equal(readFileSync(join(scratch, 'measured/dropped.jsonl'), 'utf8'), readFileSync(join(scratch, 'plain/dropped.jsonl'), 'utf8'), 'and no byte');
  const page = readFileSync(join(safe, 'report.html'), 'utf8');
  check(page.includes('gopher_short_doc') && page.includes('overlap: evaluation_set') && page.includes('&lt;script&gt;') && !page.includes('<script'), 'the page');
  const statistics = JSON.parse(readFileSync(join(safe, 'statistics.json'), 'utf8'));
  const histogram = statistics.histograms.find((one) => one.reason === 'gopher_short_doc' && one.group === 'all');
  equal(histogram.documents.reduce((sum, count) => sum + count), 30, 'a histogram counts every document');

  // The rules of a project, looked at elsewhere.
  const project = join(scratch, 'rhodes.toml');
  writeFileSync(project, `[project]\nname = "look"\nout = "${join(scratch, 'database')}"\n\n[[source]]\nname = "web"\npaths = ["web.jsonl"]\nformat = "jsonl"\n\n[curate]\nrules = ["gopher-quality"]\n[curate.gopher_quality]\nmin_words = 100\n`);
  const look = runJson(['curate', input, '--project', project, '--out', join(scratch, 'look'), '--report']);
  const byHand = runJson(['curate', input, '--out', join(scratch, 'hand'), '--rules', 'gopher-quality', '--set', 'gopher-quality.min_words=100']);
  equal([look.kept, look.reasons], [byHand.kept, byHand.reasons], 'the rules and thresholds of the project');
  check(existsSync(join(scratch, 'look/report.html')), 'its report');
  check(run(['curate', input, '--project', project, '--out', join(scratch, 'database')]).code === 2, 'not in its own folder');
  check(run(['curate', input, '--project', project, '--rules', 'exact', '--out', join(scratch, 'x')]).code === 2, 'not with other rules');

  // Slips.
  const unknown = run(['curate', input, '--out', out, '--rules', 'gopher']);
  check(unknown.code === 2 && unknown.err.includes('gopher-quality'), `an unknown rule names those there are: ${unknown.err}`);
  writeFileSync(join(scratch, 'broken.jsonl'), `${JSON.stringify(documents[0])}\n{"text": \n`);
  const broken = run(['curate', join(scratch, 'broken.jsonl'), '--out', join(scratch, 'b'), '--rules', 'exact']);
  check(broken.code !== 0 && broken.err.includes('broken.jsonl') && /line 2/.test(broken.err), `a broken line is named: ${broken.err}`);
  mkdirSync(join(scratch, 'empty'));
  writeFileSync(join(scratch, 'none.jsonl'), '');
  equal(runJson(['curate', join(scratch, 'none.jsonl'), '--out', join(scratch, 'n'), '--rules', rules]).documents, 0, 'an empty file');
  if (zlib.zstdDecompressSync) {
    writeFileSync(join(scratch, 'web.jsonl.zst'), zlib.zstdCompressSync(Buffer.from(jsonl(documents))));
    runJson(['curate', join(scratch, 'web.jsonl.zst'), '--out', join(scratch, 'zst'), '--rules', 'gopher-quality']);
    equal(zlib.zstdDecompressSync(readFileSync(join(scratch, 'zst/kept.jsonl.zst'))).toString().trim().split('\n').length, 63, 'zstd');
  }
});
