// Models in and out: a model trained here goes into a GGUF file and back, and says the same everywhere; what is broken is
// refused with one message and the right exit code, and leaves nothing behind.
import { copyFileSync, existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { random } from './fixture.mjs';
import { check, equal, readFileSync, run, runJson, statSync, withScratch } from './harness.mjs';

const configs = {
  llama: { model_type: 'llama', architectures: ['LlamaForCausalLM'], hidden_act: 'silu' },
  grok2: { model_type: 'grok2', architectures: ['Grok1ForCausalLM'], num_local_experts: 4, num_experts_per_tok: 2,
    moe_intermediate_size: 32, residual_moe: true, embedding_multiplier_scale: 8, output_multiplier_scale: 0.5,
    attn_logit_softcapping: 30, router_logit_softcapping: 30, final_logit_softcapping: 50 },
};
const shape = { hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2,
  head_dim: 16, max_position_embeddings: 64, rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: false };

function writeTexts(path) {
  const next = random(3);
  const words = 'the a small large model file reads writes token house river stone light and of in'.split(' ');
  const text = () => Array.from({ length: 60 }, () => words[Math.floor(next() * words.length)]).join(' ');
  writeFileSync(path, Array.from({ length: 200 }, (_, i) => JSON.stringify({ id: `d${i}`, text: `${text()}.` })).join('\n') + '\n');
}

// Of two tables of logits. `same` asks for every bit, and does not print them all.
const distance = (one, other) => Math.max(...one.flatMap((row, i) => row.map((value, j) => Math.abs(value - other[i][j]))));
const same = (one, other, what) => check(JSON.stringify(one) === JSON.stringify(other), `${what}: apart by ${distance(one, other)}`);

withScratch('models', (directory) => {
  writeTexts(`${directory}/texts.jsonl`);
  runJson(['tokenize', `${directory}/texts.jsonl`, '--out', directory, '--vocabulary', '384', '--validation', '0.1']);
  const tokenizer = `${directory}/tokenizer.json`;
  const vocabulary = Math.max(...Object.values(JSON.parse(readFileSync(tokenizer, 'utf8')).model.vocab),
    ...JSON.parse(readFileSync(tokenizer, 'utf8')).added_tokens.map((token) => token.id)) + 1;
  const ids = run(['encode', '--tokenizer', tokenizer], { input: 'the small river reads a large house' }).out.trim();
  check(ids.split(' ').length >= 5, 'the text has several tokens');

  for (const [name, family] of Object.entries(configs)) {
    const config = `${directory}/${name}.json`;
    const out = `${directory}/${name}`;
    writeFileSync(config, JSON.stringify({ ...family, ...shape, vocab_size: vocabulary }));
    const trained = run(['train', '--config', config, '--tokenizer', tokenizer, '--shards', `${directory}/shards`, '--out', out,
      '--steps', '20', '--batch', '4', '--context', '32', '--compute', 'f32', '--json']);
    equal([trained.code, trained.err], [0, ''], `training ${name}`);
    const model = `${out}/model`;
    // A mixture's routers are balanced, and the lines say how far.
    const steps = trained.out.trim().split('\n').map((line) => JSON.parse(line)).filter((line) => 'gradient_norm' in line);
    equal(steps.length, 20, 'a line a step');
    for (const line of steps) {
      const { router_aux_loss, expert_load_min, expert_load_max } = line;
      check(name === 'llama' ? router_aux_loss === undefined
        : router_aux_loss > 1 && router_aux_loss < 4 && expert_load_min <= 0.25 && expert_load_max >= 0.25,
      `balance of ${name} in step ${line.step}: ${router_aux_loss}, ${expert_load_min} to ${expert_load_max}`);
    }
    equal(JSON.parse(readFileSync(`${model}/config.json`, 'utf8')).router_aux_loss_coef, name === 'llama' ? undefined : 0.01,
      'the coefficient in the config of the model');
    const other = run(['train', '--config', config, '--tokenizer', tokenizer, '--shards', `${directory}/shards`, '--out', out,
      '--steps', '20', '--batch', '4', '--context', '32', '--compute', 'f32', '--router-aux-loss', '0']);
    equal(other.code, 2, 'another coefficient without --resume');
    check(other.err.includes(name === 'llama' ? 'this model has none' : 'differs in router_aux_loss: --resume'), other.err);
    const logits = (path) => runJson(['logits', '--model', path, '--tokens', ids]).logits;
    const expected = logits(model);
    equal([expected.length, expected[0].length], [ids.split(' ').length, vocabulary], 'a row of logits for each token');
    const last = runJson(['logits', '--model', model, '--tokens', ids, '--last']).logits;
    check(last.length === 1 && distance(last, expected.slice(-1)) < 1e-4, 'the last row alone');

    // Out and in again: the same bits in f32; rounded once in the others.
    const f32 = `${out}/f32.gguf`;
    const report = runJson(['export', model, '--gguf', f32, '--type', 'f32']);
    equal([report.architecture, report.tokens, report.notes], [name === 'llama' ? 'llama' : 'grok', vocabulary, []], 'report');
    equal(report.bytes, statSync(f32).size, 'bytes in the report');
    same(logits(f32), expected, `logits of ${name} from a GGUF file`);
    runJson(['import', f32, '--out', `${out}/back`]);
    same(logits(`${out}/back`), expected, `logits of ${name} after import`);
    equal(run(['encode', '--tokenizer', `${out}/back/tokenizer.json`], { input: 'the small river reads a large house' }).out.trim(),
      ids, 'ids after import');
    for (const type of ['bf16', 'q8_0']) {
      const file = `${out}/${type}.gguf`;
      runJson(['export', model, '--gguf', file, '--type', type]);
      runJson(['import', file, '--out', `${out}/${type}`]);
      const rounded = logits(file);
      same(logits(`${out}/${type}`), rounded, `logits of ${name} from ${type} and after import`);
      const difference = distance(rounded, expected);
      const largest = Math.max(...expected.flat().map(Math.abs));
      check(difference > 0 && difference < 0.05 * largest, `${type} rounds ${name} a little: ${difference} of ${largest}`);
    }
    const ask = (path) => {
      const answer = runJson(['chat', '--model', path, '--prompt', 'the small', '--raw', '--temperature', '0', '--max-tokens', '20', '--f32']);
      return [answer.text, answer.prompt_tokens];
    };
    equal(ask(f32), ask(model), `greedy text of ${name} from a GGUF file`);
  }

  // What is wrong, said once; nothing is left.
  const model = `${directory}/llama/model`;
  const refused = (args, code, message) => {
    const result = run(args);
    equal(result.code, code, `exit code of ${args.join(' ')}: ${result.err}`);
    check(result.err.trim().split('\n').length === 1 && message.test(result.err), `${args[0]} says ${result.err}`);
  };
  const bad = `${directory}/bad`;
  mkdirSync(bad);
  for (const file of readdirSync(model)) copyFileSync(`${model}/${file}`, `${bad}/${file}`);
  const weights = `${bad}/model.safetensors`;
  truncateSync(weights, statSync(weights).size - 10);
  for (const command of [['export', bad, '--gguf', `${bad}/x.gguf`], ['import', bad, '--out', `${bad}/out`],
    ['logits', '--model', bad, '--tokens', '1'], ['chat', '--model', bad, '--prompt', 'x']]) {
    refused(command, 1, /bad\/model\.safetensors: tensor .* are not inside the \d+ bytes/);
  }
  copyFileSync(`${directory}/llama/f32.gguf`, `${bad}/cut.gguf`);
  truncateSync(`${bad}/cut.gguf`, statSync(`${bad}/cut.gguf`).size / 2);
  refused(['import', `${bad}/cut.gguf`, '--out', `${bad}/out`], 1, /cut\.gguf: tensor .*beyond the file's end/);
  check(!existsSync(`${bad}/x.gguf`) && !existsSync(`${bad}/out`), 'nothing is written');
  copyFileSync(`${model}/model.safetensors`, weights);
  const configuration = JSON.parse(readFileSync(`${bad}/config.json`, 'utf8'));
  writeFileSync(`${bad}/config.json`, JSON.stringify({ ...configuration, num_attention_heads: 3 }));
  refused(['export', bad, '--gguf', `${bad}/x.gguf`], 1, /config\.json: hidden_size 64 is not a multiple of num_attention_heads 3/);
  refused(['export', model, '--gguf', `${bad}/x.gguf`, '--type', 'q3'], 2, /type q3 is not one of f32, bf16, q8_0/);
  refused(['logits', '--model', model, '--tokens', '1 two'], 2, /tokens: "two" is no token id/);
  refused(['logits', '--model', model, '--tokens', `${vocabulary}`], 2, /is not below the vocabulary/);
  refused(['logits', '--model', `${directory}/nothing`, '--tokens', '1'], 1, /no such folder or file/);
});
