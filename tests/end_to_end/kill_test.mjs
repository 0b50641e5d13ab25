// Kills `rhodes run` with SIGKILL at random moments, at least 20 times and until every stage was hit or the run is done, then
// finishes and compares every byte with an undisturbed run.
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { projectText, random, writeInput } from './fixture.mjs';
import { check, digests, equal, killedAfter, run, runJson, withScratch } from './harness.mjs';

const kills = Number(process.argv[3] ?? 20);
const seed = Number(process.argv[4] ?? 4711);

withScratch('kill', async (directory) => {
  console.log(`kill: seed ${seed}`);
  writeInput(`${directory}/data`);
  // The same output path for both, so that nothing can differ by name: the undisturbed run's output is set aside.
  const project = `${directory}/rhodes.toml`;
  writeFileSync(project, projectText({ tokens: 65536 }));
  const begun = Date.now();
  const undisturbed = run(['run', project, '--threads', '2']);
  check(undisturbed.code === 0, `the undisturbed run: ${undisturbed.err}`);
  const whole = Date.now() - begun;
  const expected = digests(`${directory}/out`);
  cpSync(`${directory}/out`, `${directory}/kept`, { recursive: true });
  rmSync(`${directory}/out`, { recursive: true });

  const next = random(seed);
  let killed = 0;
  const hit = {};
  while (killed < kills) {
    // Some kills soon after the start, some anywhere in the run.
    const after = Math.max(5, next() * (next() < 0.3 ? 200 : whole));
    const result = await killedAfter(['run', project, '--threads', '2'], after);
    if (result.signal === 'SIGKILL') {
      ++killed;
      const stages = result.said.match(/^(ingest|fuse|curate|tokenizer|tokenize|train|index|ask)/gm) ?? ['start'];
      const last = stages[stages.length - 1];
      hit[last] = (hit[last] ?? 0) + 1;
    } else {
      check(result.code === 0, `a run between kills: ${result.said}`);
      // It finished: begin again, so that all the stages get their share of kills.
      rmSync(`${directory}/out`, { recursive: true });
    }
  }
  console.log(`kill: ${killed} kills, by the last stage that said something: ${JSON.stringify(hit)}`);
  const last = run(['run', project, '--threads', '2']);
  check(last.code === 0, `the run after the kills: ${last.err}`);
  const actual = digests(`${directory}/out`);
  equal(Object.keys(actual), Object.keys(expected), 'the same files');
  for (const [path, digest] of Object.entries(expected)) {
    check(actual[path] === digest, `${path} differs from the undisturbed run (seed ${seed})`);
  }
  equal(runJson(['run', project, '--threads', '2']).changed, false, 'nothing is left to do');
});
