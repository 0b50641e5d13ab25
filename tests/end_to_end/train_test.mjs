// Training from the command line: 40 steps are 20, a SIGKILL and 20, to the byte; what OUT holds already is not lost by
// mistake; budgets grow; what is wrong is said before any work.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { random } from './fixture.mjs';
import { check, equal, readFileSync, rhodes, run, withScratch } from './harness.mjs';

const words = ['the ', 'sum ', 'of ', 'one ', 'and ', 'two ', 'is ', 'three ', 'not ', 'four. '];

// Kills `rhodes ARGS... --json` as soon as it has said that `step` is done.
function killedAtStep(args, step) {
  return new Promise((resolve) => {
    const child = spawn(rhodes, [...args, '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', (piece) => {
      said += piece;
      if (said.includes(`"step":${step},`)) child.kill('SIGKILL');
    });
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
}

// What two runs of the same work share: steps, losses, rates, evaluations.
function metrics(out) {
  return readFileSync(`${out}/metrics.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line))
    .map(({ step, loss, learning_rate, gradient_norm, validation_loss, bits_per_byte }) =>
      JSON.stringify({ step, loss, learning_rate, gradient_norm, validation_loss, bits_per_byte }));
}
const model = (out) => readFileSync(`${out}/model/model.safetensors`);

withScratch('train', async (directory) => {
  const next = random(7);
  const documents = Array.from({ length: 300 }, (_, i) => JSON.stringify({
    id: `d${i}`, text: Array.from({ length: 30 }, () => words[Math.floor(next() * words.length)]).join(''),
  }));
  writeFileSync(`${directory}/documents.jsonl`, `${documents.join('\n')}\n`);
  const tokenized = run(['tokenize', `${directory}/documents.jsonl`, '--out', directory, '--vocabulary', '300',
    '--validation', '0.1']);
  check(tokenized.code === 0, `tokenize: ${tokenized.err}`);
  const config = {
    architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 300, hidden_size: 64, intermediate_size: 128,
    num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, max_position_embeddings: 64,
    rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: 'silu',
  };
  writeFileSync(`${directory}/config.json`, JSON.stringify(config));
  const args = (out, steps, ...more) => ['train', '--config', `${directory}/config.json`, '--tokenizer',
    `${directory}/tokenizer.json`, '--shards', `${directory}/shards`, '--out', `${directory}/${out}`, '--steps', `${steps}`,
    '--batch', '4', '--context', '32', '--seed', '5', '--threads', '1', '--checkpoint-seconds', '0', ...more];

  for (const optimizer of ['adamw', 'muon']) {
    const whole = `whole-${optimizer}`, broken = `broken-${optimizer}`;
    const straight = run([...args(whole, 40, '--optimizer', optimizer), '--json']);
    check(straight.code === 0, `the undisturbed run: ${straight.err}`);
    const lines = straight.out.trim().split('\n').map((line) => JSON.parse(line));
    const step = lines.find((line) => line.step === 40);
    for (const name of ['loss', 'learning_rate', 'gradient_norm', 'tokens_per_second', 'share_of_peak']) {
      check(typeof step[name] === 'number', `a step's line has ${name}`);
    }
    // The kill comes a little after the step was said; where it came after the end, again, and earlier.
    let killed = {};
    for (const at of [20, 12, 6, 3]) {
      rmSync(`${directory}/${broken}`, { recursive: true, force: true });
      killed = await killedAtStep(args(broken, 40, '--optimizer', optimizer), at);
      if (killed.signal === 'SIGKILL') break;
    }
    equal(killed.signal, 'SIGKILL', 'the run was killed');
    check(!readdirSync(`${directory}/${broken}`).includes('model'), 'a killed run leaves no model');
    const resumed = run([...args(broken, 40, '--optimizer', optimizer, '--resume'), '--json']);
    check(resumed.code === 0, `the run after the kill: ${resumed.err}`);
    check(JSON.parse(resumed.out.split('\n')[0]).step > 2, 'what a checkpoint holds is not done again');
    check(model(`${directory}/${whole}`).equals(model(`${directory}/${broken}`)), `${optimizer}: the same bytes`);
    equal(metrics(`${directory}/${broken}`), metrics(`${directory}/${whole}`), `${optimizer}: the same metrics`);
  }

  // A run that is there: the same goes on (to the same bytes), another is not begun over it, --resume makes it longer.
  const again = run(args('whole-adamw', 40));
  check(again.code === 0, `the same command again: ${again.err}`);
  const longer = run(args('whole-adamw', 50));
  equal(longer.code, 2, 'a longer run without --resume');
  check(longer.err.includes('differs in steps') && longer.err.includes('--resume'), longer.err);
  const other = run([...args('whole-adamw', 40), '--accumulation', '2', '--resume']);
  equal(other.code, 2, 'a run with other batches');
  check(other.err.includes('differ in accumulation'), other.err);
  const grown = run([...args('whole-adamw', 50, '--resume'), '--json']);
  check(grown.code === 0, `a longer run: ${grown.err}`);
  const first = JSON.parse(grown.out.split('\n')[0]);
  equal(first.step, 41, 'goes on where the shorter one ended');

  // From released weights.
  const from = run(['train', '--from', `${directory}/whole-adamw/model`, '--shards', `${directory}/shards`, '--out',
    `${directory}/from`, '--steps', '3', '--batch', '4', '--context', '32', '--threads', '1', '--json']);
  check(from.code === 0, `--from: ${from.err}`);
  const begun = JSON.parse(from.out.split('\n')[0]);
  check(begun.loss < 4, `the first loss of a trained model is ${begun.loss}; ln 300 is 5.7`);

  // Foretold, and refused.
  const estimate = JSON.parse(run(['train', '--estimate', '--config', `${directory}/config.json`, '--batch', '4', '--context',
    '32', '--steps', '100', '--threads', '1', '--json']).out);
  check(estimate.fits && estimate.tokens_per_second > 0 && estimate.seconds > 0, 'an estimate has speed and time');
  equal(estimate.tokens, 12800, 'tokens of an estimate');
  const large = JSON.parse(run(['train', '--estimate', '--preset', '124m', '--memory', '1GB', '--json']).out);
  equal([large.fits, large.tokens_per_second], [false, null], 'a run that does not fit');
  const refused = run([...args('small', 10), '--memory', '1MB']);
  equal(refused.code, 1, 'too little memory');
  check(refused.err.includes('are needed') && refused.err.includes('--memory'), refused.err);
  const heads = { ...config, num_attention_heads: 5 };
  writeFileSync(`${directory}/heads.json`, JSON.stringify(heads));
  const wrong = run(['train', '--config', `${directory}/heads.json`, '--tokenizer', `${directory}/tokenizer.json`, '--shards',
    `${directory}/shards`, '--out', `${directory}/wrong`, '--steps', '1']);
  check(wrong.code !== 0 && wrong.err.includes('num_'), `heads: ${wrong.err}`);
  mkdirSync(`${directory}/nothing`);
  const missing = run(['train', '--steps', '3', '--out', `${directory}/nothing`]);
  equal(missing.code, 2, 'no shards');
});
