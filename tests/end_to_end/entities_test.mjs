// Who is who on a small project: keys and names across two sources, SQL and fuse over the entities, a link undone for
// good, and an erasure that leaves nothing of a record in them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { check, equal, readFileSync, run, runJson, withScratch } from './harness.mjs';

const cars = `vin,owner,note
WBA1,Acme Logistics GmbH,first
wba 1,ACME Logistics,second
WBA2,Nile Traders,third
WBA3,Globex Corporation,fourth
`;
const shops = `name,account,note
Acme Logistics GmbH,A-17,fifth
Nile Traders,C-30,sixth
محمد صلاح,D-40,seventh
Mohamed Salah,,eighth
Initech Systems,E-50,ninth
`;
const project = `[project]
name = "who"

[[source]]
name = "cars"
paths = ["data/cars.csv"]
columns.text = "note"

[[source]]
name = "shops"
paths = ["data/shops.csv"]
columns.text = "note"

[[entity]]
kind = "device"
keys = ["vin"]

[[entity.from]]
source = "cars"
keys.vin = "fields['vin']"

[[entity]]
kind = "organisation"
keys = ["account"]
match.name.compare = "name"

[[entity.from]]
source = "cars"
attributes.name = "fields['owner']"

[[entity.from]]
source = "shops"
keys.account = "fields['account']"
attributes.name = "fields['name']"

[[fuse.view]]
name = "organisations"
sql = """
SELECT e.name || ': ' || string_agg(r.text, ', ' ORDER BY r.text) AS text, list(r.id ORDER BY r.id) AS parents
FROM records r JOIN record_entities x ON x.record = r.id JOIN entities e ON e.id = x.entity
WHERE e.kind = 'organisation' GROUP BY e.id, e.name
"""
`;

withScratch('entities', (scratch) => {
  mkdirSync(`${scratch}/data`);
  writeFileSync(`${scratch}/data/cars.csv`, cars);
  writeFileSync(`${scratch}/data/shops.csv`, shops);
  writeFileSync(`${scratch}/rhodes.toml`, project);
  const file = `${scratch}/rhodes.toml`;
  const out = `${scratch}/out`;
  const sql = (query) => run(['sql', out, query, '--json']).out.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const fuse = () => runJson(['run', file, '--until', 'fuse']);
  const stage = (report) => report.stages.find((each) => each.stage === 'entities');

  const counts = stage(fuse()).counts;
  const [device, organisation] = counts.kinds;
  equal([device.mentions, device.entities, device.by_key], [4, 3, 1], 'a key holds two spellings of one VIN');
  equal([organisation.mentions, organisation.entities], [9, 6], 'names across sources and scripts');
  equal(stage(fuse()).status, 'up to date', 'a second run does nothing');
  const documents = sql("SELECT text FROM documents ORDER BY text").map((row) => row.text);
  check(documents.some((text) => /fifth, first/.test(text)), 'a fuse view joins records by entity');
  check(documents.some((text) => /eighth, seventh/.test(text)), 'Arabic and Latin letters meet');
  equal(run(['check', out]).code, 0, 'check finds nothing');

  const link = sql("SELECT l.id, l.a, l.b FROM entity_links l JOIN entity_mentions m ON m.id = l.a WHERE l.kind = 'organisation' AND m.attributes['name'] LIKE '%Nile%'")[0];
  run(['entities', out, '--undo', link.id, '--reason', 'two firms of one name']);
  const apart = () => {
    const rows = sql(`SELECT DISTINCT entity FROM entity_mentions WHERE id IN ('${link.a}', '${link.b}')`);
    return rows.length === 2;
  };
  check(apart(), 'an undone link parts its mentions at once');
  equal(stage(fuse()).status, 'done', 'a decision is input: the stage runs again');
  check(apart(), 'and stays undone');
  const shown = runJson(['entities', out, '--show', sql(`SELECT entity FROM entity_mentions WHERE id = '${link.a}'`)[0].entity]);
  check(shown.links.some((each) => each.id === link.id && each.state === 'undone' && each.evidence.attributes.name), 'its evidence is kept');

  const record = sql("SELECT id FROM shops WHERE text = 'seventh'")[0].id;
  equal(sql(`SELECT count(*) AS n FROM record_entities WHERE record = '${record}'`)[0].n, 1, 'the record mentions one');
  run(['erase', out, '--record', record]);
  equal(sql(`SELECT count(*) AS n FROM record_entities WHERE record = '${record}'`)[0].n, 0, 'an erased record leaves the entities');
  equal(sql("SELECT count(*) AS n FROM entity_mentions WHERE attributes['name'] LIKE '%محمد%'")[0].n, 0, 'and so do its values');
  check(apart(), 'decisions outlive an erasure');
  equal(run(['check', out]).code, 0, 'check finds nothing after it');
  check(!readFileSync(`${out}/entity-decisions.jsonl`, 'utf8').includes('Nile'), 'the journal holds no values');
});
