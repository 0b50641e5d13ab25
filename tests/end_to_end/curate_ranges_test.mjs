// rhodes curate on one larger file: killed at any moment it goes on and gives the same bytes; shares of the input judged
// by processes of their own, at the same time, and joined give them too; a full disk is named and loses nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random } from './fixture.mjs';
import { check, digests, equal, killedAfter, rhodes, run, runJson, withScratch } from './harness.mjs';

const kills = Number(process.argv[3] ?? 8);
const words = ('the of and to in that have with be river stone morning village bridge harbour teacher carried slowly across '
  + 'winter market letters garden evening children because through between against another during number people water').split(' ');

function documents(count) {
  const next = random(5);
  const lines = [];
  const texts = [];
  for (let i = 0; i < count; ++i) {
    if (i > 100 && i % 9 === 0) {
      texts.push(texts[Math.floor(next() * texts.length)]); // a copy
    } else {
      const sentences = Array.from({ length: 14 }, () => {
        const picked = Array.from({ length: 9 + Math.floor(next() * 8) }, () => words[Math.floor(next() * words.length)]).join(' ');
        return `${picked[0].toUpperCase()}${picked.slice(1)}.`;
      });
      if (i > 100 && i % 10 === 0) sentences.splice(3, 8, ...texts[i - 50].split('\n').slice(2, 10)); // a passage
      texts.push(sentences.join('\n'));
    }
    lines.push(JSON.stringify({ id: `doc-${i}`, text: texts[i], number: i }));
  }
  return `${lines.join('\n')}\n`;
}

withScratch('curate_ranges', async (scratch) => {
  const input = join(scratch, 'web.jsonl');
  writeFileSync(input, documents(24_000));
  check(statSync(input).size > 20 << 20, 'large enough for some twenty ranges');
  const rules = ['--rules', 'normalise,gopher-repetition,gopher-quality,exact,near,substring'];
  const command = (out, more = []) => ['curate', input, '--out', join(scratch, out), ...rules, ...more];

  const begun = Date.now();
  const report = runJson(command('whole'));
  const whole = Date.now() - begun;
  check(report.reasons.exact.duplicate > 1000 && report.cut_text_bytes > 10_000, `something to find: ${JSON.stringify(report.reasons)}`);
  const expected = digests(join(scratch, 'whole'));

  // Killed again and again, one run after the other in one directory.
  const next = random(11);
  let died = 0;
  for (let i = 0; i < kills; ++i) {
    if ((await killedAfter(command('killed'), next() * whole * 1.2)).signal === 'SIGKILL') ++died;
  }
  check(died > 0, 'some runs were killed');
  const after = runJson(command('killed'));
  equal([after.documents, after.kept, after.reasons], [report.documents, report.kept, report.reasons], 'the counts after kills');
  equal(digests(join(scratch, 'killed')), expected, `the bytes after ${died} kills`);
  check(!existsSync(join(scratch, 'killed/.curate')), 'nothing is left behind');

  // Three processes at once, then the one that joins.
  const shares = await Promise.all([1, 2, 3].map((number) => killedAfter(command('joined', ['--range', `${number}/3`]), 600_000)));
  equal(shares.map(({ code }) => code), [0, 0, 0], 'the shares');
  const joined = runJson(command('joined', ['--join', '3']));
  equal([joined.documents, joined.kept, joined.reasons], [report.documents, report.kept, report.reasons], 'the counts of joined shares');
  equal(digests(join(scratch, 'joined')), expected, 'the bytes of joined shares');
  run(command('early', ['--range', '1/2']));
  const early = run(command('early', ['--join', '2']));
  check(early.code === 1 && early.err.includes('range 2/2') && early.err.includes('--range 2/2'), `a share that is missing is named: ${early.err}`);
  check(run(command('early', ['--range', '3/2'])).code === 2, 'a share that cannot be');

  // A limit on the size of files fails a write as a full disk does.
  mkdirSync(join(scratch, 'full'));
  const full = spawnSync('sh', ['-c', 'ulimit -f 512; exec "$0" "$@"', rhodes, ...command('full')], { encoding: 'utf8' });
  check(full.status === 1 && full.stderr.includes('piece-'), `a full disk is named: ${full.stderr}`);
  check(!readdirSync(join(scratch, 'full')).includes('kept.jsonl'), 'and nothing stands under its name');
  runJson(command('full'));
  equal(digests(join(scratch, 'full')), expected, 'the bytes once there is room');
});
