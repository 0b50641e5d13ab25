// Training on several ranks under mpirun: the losses of one process, the same bytes for the same ranks; a rank that dies,
// hangs or has an error of its own ends the job with its checkpoints whole, and any number of ranks goes on from them. Skipped
// (77) without mpirun. Nothing here supposes how fast the machine is: runs that are to be ended on the way have more steps than
// they could make.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { random } from './fixture.mjs';
import { check, equal, readFileSync, rhodes, run, withScratch } from './harness.mjs';

if (spawnSync('mpirun', ['--version']).status !== 0) {
  console.log('skipped: mpirun is not here (Debian: openmpi-bin)');
  process.exit(77);
}
// A container's user is root, and has fewer cores than ranks. Under AddressSanitizer: Open MPI leaves memory behind from
// plug-ins that it has unloaded by then, so that no suppression could name them; the same training without MPI is asked
// for its leaks by the other tests.
const environment = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1', ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };
const launch = (ranks, args) => ['-np', `${ranks}`, rhodes, ...args];
function onRanks(ranks, args) {
  const result = spawnSync('mpirun', launch(ranks, args), { encoding: 'utf8', env: environment, timeout: 300000 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

// The process of `rank` that trains into `out`.
function processOf(rank, out) {
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      const variables = readFileSync(`/proc/${id}/environ`, 'utf8').split('\0');
      if (words[0] === rhodes && words.includes(out) && variables.includes(`OMPI_COMM_WORLD_RANK=${rank}`)) return Number(id);
    } catch { /* it has ended */ }
  }
  throw new Error(`rank ${rank} of ${out} does not run`);
}

// Starts ranks, calls `strike` once `step` is done, and waits for the end: { code, seconds since, err }. Seconds are counted
// in tenths by a timer, so that those in which the machine had no time for this process are left out: the ranks count alike.
function struck(ranks, args, step, strike) {
  return new Promise((resolve, reject) => {
    const child = spawn('mpirun', launch(ranks, [...args, '--json']), { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '', err = '', tenths = 0, timer;
    child.stderr.on('data', (piece) => { err += piece; });
    child.stdout.on('data', (piece) => {
      if (timer) return;
      said += piece;
      if (!said.includes(`"step":${step},`)) return;
      timer = setInterval(() => { ++tenths; }, 100);
      try {
        strike();
      } catch (error) {
        child.kill();
        reject(error);
      }
    });
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, seconds: tenths / 10, err });
    });
  });
}

const losses = (out) => readFileSync(`${out}/metrics.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
  .filter((line) => 'loss' in line && 'learning_rate' in line).map((line) => line.loss);
const model = (out) => readFileSync(`${out}/model/model.safetensors`);
function sameLosses(a, b, what, steps = 200) {
  const x = losses(a), y = losses(b);
  equal(y.length, steps, `${what}: steps`);
  x.slice(0, 200).forEach((loss, i) => check(Math.abs(loss - y[i]) < 1e-4 * loss, `${what}: step ${i + 1}: ${y[i]}, alone ${loss}`));
}

withScratch('ranks', async (directory) => {
  const words = ['the ', 'sum ', 'of ', 'one ', 'and ', 'two ', 'is ', 'three ', 'not ', 'four. '];
  const next = random(7);
  writeFileSync(`${directory}/documents.jsonl`, Array.from({ length: 300 }, (_, i) => JSON.stringify({
    id: `d${i}`, text: Array.from({ length: 30 }, () => words[Math.floor(next() * words.length)]).join(''),
  }) + '\n').join(''));
  check(run(['tokenize', `${directory}/documents.jsonl`, '--out', directory, '--vocabulary', '300', '--validation', '0.1'])
    .code === 0, 'tokenize');
  writeFileSync(`${directory}/config.json`, JSON.stringify({
    architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 300, hidden_size: 64, intermediate_size: 128,
    num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 64,
    rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: 'silu',
  }));
  const args = (out, steps, ...more) => ['train', '--config', `${directory}/config.json`, '--tokenizer',
    `${directory}/tokenizer.json`, '--shards', `${directory}/shards`, '--out', `${directory}/${out}`, '--steps', `${steps}`,
    '--batch', '8', '--context', '32', '--seed', '5', '--threads', '1', '--compute', 'f32', '--learning-rate', '1e-3',
    '--schedule', 'constant', '--warmup', '0', '--eval-every', '50', ...more];

  check(run(args('one', 200)).code === 0, 'one process');
  for (const ranks of [2, 4]) {
    const result = onRanks(ranks, [...args(`on-${ranks}`, 200), '--json']);
    check(result.code === 0, `${ranks} ranks: ${result.err}`);
    equal(result.out.split('\n').filter((line) => line.includes('"step":200,') && line.includes('"loss"')).length, 1,
      'one rank prints');
    sameLosses(`${directory}/one`, `${directory}/on-${ranks}`, `${ranks} ranks`);
  }
  check(onRanks(2, args('again', 200)).code === 0, '2 ranks again');
  check(model(`${directory}/on-2`).equals(model(`${directory}/again`)), 'the same bytes for the same ranks');

  // A rank dies: the job ends, and goes on from its last checkpoint on other numbers of ranks.
  const endless = '1000000';
  for (const [first, then] of [[2, 1], [2, 4], [4, 2]]) {
    const out = `${directory}/died-${first}-${then}`;
    const common = ['--checkpoint-seconds', '0'];
    const died = await struck(first, args(`died-${first}-${then}`, endless, ...common), 100,
      () => process.kill(processOf(1, out), 'SIGKILL'));
    check(died.code !== 0 && died.seconds < 30, `ended with ${died.code} after ${died.seconds} s`);
    const reached = Math.max(...readdirSync(`${out}/checkpoints`).map((name) => Number(name.match(/^checkpoint-(\d+)\.state$/)?.[1] ?? 0)));
    check(reached >= 90, `a checkpoint of each step: the last one is of ${reached}`);
    const steps = Math.max(200, reached + 20);
    const more = [...args(`died-${first}-${then}`, steps, ...common, '--resume'), '--json'];
    const resumed = then === 1 ? run(more) : onRanks(then, more);
    check(resumed.code === 0, `from ${first} on ${then}: ${resumed.err}`);
    check(!resumed.out.includes(`"step":${reached},"`), 'what a checkpoint holds is not done again');
    sameLosses(`${directory}/one`, out, `from ${first} on ${then}`, steps);
  }

  // A rank hangs: the others say so and end it.
  const hung = await struck(2, args('hung', endless), 20, () => process.kill(processOf(1, `${directory}/hung`), 'SIGSTOP'));
  check(hung.code !== 0 && hung.seconds < 30, `ended with ${hung.code} after ${hung.seconds} s`);
  check(hung.err.includes('no sign of life'), hung.err);

  // Rank 0 alone knows that a checkpoint cannot be written.
  const place = `${directory}/full/checkpoints`;
  const full = await struck(2, args('full', endless, '--checkpoint-seconds', '0'), 20, () => {
    for (let tries = 0; tries < 1000; ++tries) {
      try {
        rmSync(place, { recursive: true, force: true });
        writeFileSync(place, 'no folder');
        return;
      } catch { /* it was made again meanwhile */ }
    }
    throw new Error('could not stand in the way of a checkpoint');
  });
  equal(full.code, 1, full.err);
  check(full.seconds < 30 && full.err.includes('rank 0 of 2: ') && full.err.includes('full/checkpoints'), full.err);

  // Ranks that were given different things say so before they wait for each other.
  const apart = spawnSync('mpirun', [...launch(1, args('apart', 10)), ':', ...launch(1, args('apart', 20))],
    { encoding: 'utf8', env: environment, timeout: 300000 });
  equal(apart.status, 2, apart.stderr);
  check(apart.stderr.includes('rank 1 and rank 0 differ in the settings'), apart.stderr);
  equal(readdirSync(`${directory}/apart`), ['.lock'], 'nothing was begun');

  // An error that all have is said once: the others leave rank 0 two seconds, which a machine under load may miss.
  let said = 0;
  for (let tries = 0; tries < 3 && said !== 1; ++tries) {
    const few = onRanks(4, args('few', 10, '--accumulation', '0'));
    equal(few.code, 2, `a wrong flag's exit code: ${few.err}`);
    said = few.err.split('must be at least 1').length - 1;
  }
  equal(said, 1, 'said once');

  // What a run will take, measured on the ranks that there are, and foretold for others.
  const shape = ['--estimate', '--config', `${directory}/config.json`, '--batch', '8', '--context', '32', '--threads', '1', '--json'];
  const measured = onRanks(2, ['train', ...shape]);
  check(measured.code === 0, measured.err);
  const foretold = JSON.parse(run(['train', ...shape, '--ranks', '2']).out);
  const here = JSON.parse(measured.out);
  check(here.ranks === 2 && here.tokens_per_second > 0, measured.out);
  equal(JSON.stringify(here.memory_bytes), JSON.stringify(foretold.memory_bytes), 'memory of rank 0');
  check(foretold.memory_bytes_of_others.total < foretold.memory_bytes.total, 'rank 0 gathers checkpoints');
  equal(run(['train', ...shape.slice(1), '--ranks', '2']).code, 2, 'ranks are started by mpirun');
});
