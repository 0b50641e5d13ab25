// Ranks beside threads: whole training steps of N ranks of one thread against one process of N threads, in turn, on this
// machine. Usage: node bench/ranks.mjs RHODES [RANKS [ROUNDS]]. Prints the medians and their ratio.
import { spawnSync } from 'node:child_process';

const [rhodes, ranks = '2', rounds = '3'] = process.argv.slice(2);
if (!rhodes) {
  console.error('usage: node bench/ranks.mjs RHODES [RANKS [ROUNDS]]');
  process.exit(2);
}
const environment = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };
function measured(program, args) {
  const result = spawnSync(program, args, { encoding: 'utf8', env: environment });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

for (const [preset, batch] of [['14m', 16], ['1.4m', 32], ['124m', 4]]) {
  const args = (threads) => ['bench', 'train', '--preset', preset, '--batch', `${batch}`, '--context', '256', '--threads',
    `${threads}`, '--json'];
  const one = [], several = [], ratios = [];
  let waiting = 0;
  for (let round = 0; round < Number(rounds); ++round) {
    one.push(measured(rhodes, args(ranks)).tokens_per_second);
    const result = measured('mpirun', ['-np', ranks, rhodes, ...args(1)]);
    several.push(result.tokens_per_second);
    waiting = result.step_seconds_by_kind.communication / result.median_step_seconds;
    ratios.push(several.at(-1) / one.at(-1));
  }
  console.log(`${preset.padEnd(5)} B${batch} T256  1 rank x ${ranks} threads ${median(one).toFixed(0)} tokens/s   ${ranks} ranks x 1 ` +
    `thread ${median(several).toFixed(0)} tokens/s   ratio ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ` +
    `${Math.max(...ratios).toFixed(3)})   waiting ${(waiting * 100).toFixed(1)} % of a step`);
}
