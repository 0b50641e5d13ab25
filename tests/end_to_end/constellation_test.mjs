// The constellation: a world whose truth is known is made, read and fused, and the fusion is compared with the truth, at
// seeds it was not written for. Then one event is followed from four raw records to one document and back to their bytes.
//   node constellation_test.mjs RHODES EXAMPLE
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { check, digests, equal, run, runJson, withScratch } from './harness.mjs';

const example = process.argv[3];
const size = 16;
const hours = 30;

const lines = (out, query) => run(['sql', out, query, '--format', 'json']).out.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

withScratch('constellation', async (directory) => {
  const project = readFileSync(`${example}/rhodes.toml`, 'utf8');
  const small = project.replace(/--seed 1 --size \d+ --hours \d+/, `--seed 101 --size ${size} --hours ${hours}`);
  check(small !== project, 'the example makes its world itself');

  for (const seed of [101, 202]) {
    const home = `${directory}/${seed}`;
    mkdirSync(home);
    cpSync(example, home, { recursive: true, filter: (path) => !/\/(data|out|out-quick)$/.test(path) });
    writeFileSync(`${home}/rhodes.toml`, small.replace('--seed 101', `--seed ${seed}`));
    const made = run(['run', `${home}/rhodes.toml`, '--until', 'fuse']);
    check(made.code === 0, `the project runs: ${made.err}`);
    const truth = readFileSync(`${home}/data/truth.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const of = (type) => truth.filter((line) => line.type === type);

    const score = runJson(['world', '--score', `${home}/out`, '--truth', `${home}/data/truth.jsonl`]);
    check(score.events === of('event').length && score.events >= 8, `there are events: ${score.events}`);
    check(score.precision >= 0.95, `seed ${seed}: precision ${score.precision}`);
    check(score.recall >= 0.95, `seed ${seed}: recall ${score.recall}`);
    check(score.matched >= 0.9 * score.events, `seed ${seed}: ${score.matched} of ${score.events} events are found`);
    for (const source of ['posts', 'dishes', 'vehicles', 'articles']) {
      const { precision, recall } = score.sources[source];
      check(precision >= 0.9 && recall >= 0.9, `seed ${seed}: ${source}: precision ${precision}, recall ${recall}`);
    }

    // Counts balance and nothing is lost: what is there is what the world wrote, by count and by keys.
    check(score.sound, `seed ${seed}: ${JSON.stringify(score.balance)}`);
    for (const [name, balance] of Object.entries(score.balance)) {
      equal(balance.read, balance.stored + balance.duplicates + balance.rejected, `${name} balances`);
      equal(balance.there, balance.expected, `${name}: nothing is lost`);
      const { counts } = JSON.parse(readFileSync(`${home}/out/records/${name}/manifest.json`, 'utf8'));
      equal(balance.read, counts.read, `${name} is counted as the manifest says`);
    }
    check(Object.values(score.balance).some((balance) => balance.rejected > 0), 'the noise broke some pieces');

    // Deletions are honoured, in records and documents.
    const deleted = new Set(of('deleted').map((line) => line.record.slice('post:'.length)));
    check(deleted.size > 0, 'posts were deleted');
    const stored = lines(`${home}/out`, "SELECT fields['post'] AS post, fields['repost_of'] AS repost FROM posts WHERE kind = 'post'");
    check(stored.every((row) => !deleted.has(row.post) && !deleted.has(row.repost)), 'no deleted post and no repost of one is stored');

    // Most rumours are in no event.
    check(score.rumours > 0 && score.rumours_joined <= 0.3 * score.rumours, `rumours: ${score.rumours_joined} of ${score.rumours} joined`);
  }

  // The same seed, the same bytes: of the world, and of what is made from it.
  const first = `${directory}/101`;
  equal(run(['world', '--seed', '101', '--size', `${size}`, '--hours', `${hours}`, '--out', `${directory}/again`]).code, 0, 'the world is made again');
  equal(digests(`${directory}/again`), digests(`${first}/data`), 'the same world');
  writeFileSync(`${first}/again.toml`, readFileSync(`${first}/rhodes.toml`, 'utf8').replace('out = "out"', 'out = "out-again"'));
  equal(run(['run', `${first}/again.toml`, '--until', 'fuse']).code, 0, 'the project runs again');
  const documents = (out) => Object.fromEntries(Object.entries(digests(`${out}/documents`)).filter(([path]) => path.endsWith('.parquet')));
  equal(documents(`${first}/out-again`), documents(`${first}/out`), 'the same documents');

  // One event: a post, an outage, a car and an article are one document, and it leads back to the bytes of each.
  const out = `${first}/out`;
  const wanted = ['articles', 'dishes', 'posts', 'vehicles'];
  const [document] = lines(out, `SELECT id, text, spans, parents FROM documents WHERE meta->>'view' = 'event' AND list_has_all(sources, ['${wanted.join("', '")}']) ORDER BY time LIMIT 1`);
  check(document, 'an event that four sources tell');
  const inspected = runJson(['inspect', out, '--document', document.id]);
  equal(inspected.records.map((record) => record.id).sort(), [...new Set(document.parents)].sort(), 'the document names its records');
  // Each record's bytes are where it says, and its name in the truth's terms comes from these bytes.
  const rows = new Map(lines(out, `SELECT id, md5(coalesce(original, text::BLOB)) AS digest, author, epoch_us(time) AS time, fields['post'] AS post, fields['url'] AS url, fields['title'] AS title
    FROM records WHERE id IN (SELECT unnest(parents) FROM documents WHERE id = '${document.id}')`).map((row) => [row.id, row]));
  const keyOf = (record, row, bytes) => {
    if (record.kind === 'post') {
      equal(JSON.parse(bytes).id_str ?? JSON.parse(bytes).id, row.post, 'the post is the one of that number');
      return `post:${row.post}`;
    }
    if (record.kind === 'dish-outage') return `outage:${row.author}:${JSON.parse(bytes).startTimestampNs}:${JSON.parse(bytes).durationNs}`;
    if (record.source === 'vehicles') return `car:${JSON.parse(bytes).vin}:${record.kind}:${row.time}`;
    if (record.source !== 'articles') return '';
    check(bytes.includes('NewsArticle') && bytes.includes(row.url), 'the article is the whole page');
    return `article:${row.url}`;
  };
  const named = inspected.records.map((record) => {
    const bytes = readFileSync(record.file).subarray(record.begin, record.end);
    const row = rows.get(record.id);
    equal(createHash('md5').update(bytes).digest('hex'), row.digest, `${record.source}: the bytes are those of the file`);
    return { record, row, key: keyOf(record, row, bytes.toString('utf8')) };
  }).filter((each) => each.key);
  // One true event has the most of them, and one of each source at least.
  const events = readFileSync(`${first}/data/truth.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((line) => line.type === 'event')
    .map((event) => new Set(Object.values(event.records).flatMap((files) => Object.values(files).flat())));
  const ours = events.map((keys) => named.filter((each) => keys.has(each.key))).reduce((a, b) => (b.length > a.length ? b : a));
  check(ours.length >= 0.9 * named.length, `${ours.length} of ${named.length} records are of one event`);
  equal([...new Set(ours.map((each) => each.record.source))].sort(), wanted, 'a post, an outage, a message and an article of one event');
  const witness = Object.fromEntries(ours.map((each) => [each.record.source, each]));
  // Its text says from which record each piece is.
  const text = Buffer.from(document.text, 'utf8');
  const parent = document.parents.indexOf(witness.articles.record.id);
  const pieces = document.spans.filter((span) => Number(span.parent) === parent).map((span) => text.subarray(Number(span.begin), Number(span.end)).toString('utf8'));
  check(pieces.some((piece) => piece.includes(witness.articles.row.title)), `the article's piece holds its headline: ${pieces}`);
});
