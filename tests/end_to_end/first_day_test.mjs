// What people do to any program on the first day: pipes that close early, a full disk behind standard output, numbers that
// are none. One message and the right exit code each; what only shows the work never stops it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { check, equal, rhodes, run, runJson, withScratch } from './harness.mjs';

const shell = (script, ...values) => {
  const result = spawnSync('bash', ['-c', `set -o pipefail; ${script}`, 'bash', rhodes, ...values],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  return [result.status, result.stdout, result.stderr];
};

withScratch('first-day', async (directory) => {
  const texts = `${directory}/texts.jsonl`;
  const line = (i) => JSON.stringify({ id: `d${i}`, text: `The ${i}th of the documents that we have, and it is of no use.` });
  writeFileSync(texts, Array.from({ length: 300 }, (_, i) => line(i)).join('\n') + '\n');
  const tokenizer = `${directory}/tokenizer.json`;
  runJson(['tokenize', '--train', texts, '--vocab', '300', '--out', tokenizer]);

  // A reader that has what it wanted: silence and 0, though the rest could not be written.
  const lines = `${directory}/lines.txt`;
  writeFileSync(lines, 'the document\n'.repeat(200000));
  for (const command of ['encode --lines', 'encode']) {
    const [code, out, err] = shell(`"$1" ${command} --tokenizer "$2" < "$3" | head -c 20`, tokenizer, lines);
    equal([code, out.length, err], [0, 20, ''], `${command} | head`);
  }
  const ids = `${directory}/ids.txt`;
  writeFileSync(ids, '40 41 42\n'.repeat(200000));
  equal(shell('"$1" decode --tokenizer "$2" < "$3" | head -c 3', tokenizer, ids).slice(0, 3), [0, 'IJK', ''], 'decode | head');
  equal(shell('"$1" manual | head -n 0'), [0, '', ''], 'manual | head');
  const sources = `${directory}/sources.jsonl`;  // a table longer than any buffer
  writeFileSync(sources, Array.from({ length: 3000 }, (_, i) => JSON.stringify({ text: 'a', sources: [`source-${i}`] })).join('\n') + '\n');
  equal(shell('"$1" count --quiet --tokenizer "$2" "$3" | head -n 1 | wc -l', tokenizer, sources), [0, '1\n', ''], 'count | head');

  // A disk that is full is a failure, however little there is to write.
  for (const command of ['encode --tokenizer "$2" <<< a', 'encode --json --tokenizer "$2" <<< a', 'decode --tokenizer "$2" <<< 40',
    'manual', 'count --quiet --tokenizer "$2" "$3"']) {
    const [code, , err] = shell(`"$1" ${command} > /dev/full`, tokenizer, texts);
    check(code === 1 && /^rhodes: write standard output: /.test(err) && err.trim().split('\n').length === 1,
      `${command} > /dev/full: ${code} ${err}`);
  }

  // What is no token id is not the end of the input.
  for (const [input, message] of [['40 99999999999999999999 41', 'id 99999999999999999999 (number 2 of the input) is beyond'],
    ['40 -2', '"-2" (number 2 of the input) is not a token id'], ['40,41', '"40,41" (number 1'], ['1e3', '"1e3" (number 1']]) {
    const result = run(['decode', '--tokenizer', tokenizer], { input });
    check(result.code === 1 && result.err.includes(message), `decode ${input}: ${result.code} ${result.err}`);
  }

  // Rows of id and text alone: rules that have words of a language find it out, and a language asked for is one wanted.
  const bare = `${directory}/bare.jsonl`;
  const rare = 'Green mountains rise behind quiet villages where children gather colourful stones along narrow rivers';
  const common = 'This is the house that we have in the town, and it is there that all of them have been with their friends';
  writeFileSync(bare, [rare, common].map((words, i) => JSON.stringify({ id: `b${i}`, text: Array.from({ length: 9 },
    (_, j) => `${words} ${i}${j}`).join('. ') })).join('\n') + '\n');
  equal(runJson(['curate', bare, '--out', `${directory}/words`, '--rules', 'gopher-quality']).reasons,
    { 'gopher-quality': { gopher_enough_stop_words: 1 } }, 'stop words of rows that state no language');
  equal(runJson(['curate', bare, '--out', `${directory}/arabic`, '--rules', 'exact', '--language', 'arb_Arab']).kept, 0, '--language alone');

  // Copies share a cluster; a table without rows is a table.
  writeFileSync(bare, [1, 2, 3].map((i) => JSON.stringify({ id: `c${i}`, text: i === 2 ? rare : common })).join('\n') + '\n');
  runJson(['curate', bare, '--out', `${directory}/copies`, '--rules', 'exact']);
  const copy = JSON.parse(readFileSync(`${directory}/copies/dropped.jsonl`, 'utf8'));
  equal([copy.id, copy.kept_id, copy.cluster], ['c3', 'c1', 0], 'a copy');
  runJson(['ingest', bare, '--name', 'bare', '--out', `${directory}/store`]);
  equal(shell('"$1" sql "$2" "SELECT id, text FROM records" --format parquet > "$2/table.parquet"', `${directory}/store`)[0], 0, 'a table');
  const table = ['curate', `${directory}/store/table.parquet`, '--out', `${directory}/whole`, '--rules', 'normalise'];
  equal(runJson(table).dropped, 0, 'nothing is dropped');
  equal(runJson(['curate', `${directory}/whole/dropped.parquet`, '--out', `${directory}/again`, '--rules', 'normalise']).documents, 0,
    'and dropped.parquet is there');

  // What fails leaves nothing beside the file that it did not write.
  equal([run(['tokenize', '--train', texts, '--vocab', '300', '--weight', 'source:nobody=2', '--out', `${directory}/w.json`]).code,
    existsSync(`${directory}/w.json.training`)], [2, false], 'a weight of a source that is not there');

  // Two processes with the same output: the second one names the first.
  const shards = `${directory}/shards`;
  runJson(['tokenize', texts, '--tokenizer', tokenizer, '--shards', shards, '--validation', '0.1']);
  const slow = spawn(rhodes, ['train', '--preset', '14m', '--tokenizer', tokenizer, '--shards', shards, '--out', `${directory}/two`,
    '--steps', '100000', '--batch', '1', '--context', '16', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(slow.stdout, 'data');
  const second = run(['train', '--preset', '14m', '--tokenizer', tokenizer, '--shards', shards, '--out', `${directory}/two`,
    '--steps', '100000', '--batch', '1', '--context', '16']);
  slow.kill('SIGKILL');
  check(second.code === 1 && second.err.includes(`another run is at work in this folder (process ${slow.pid})`),
    `two runs in one folder: ${second.code} ${second.err}`);

  // A run over weights that cannot be read is no run: mended ones are taken.
  const configuration = { model_type: 'llama', hidden_size: 32, intermediate_size: 48, num_hidden_layers: 1, num_attention_heads: 2,
    vocab_size: 300, max_position_embeddings: 32, rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: 'silu' };
  writeFileSync(`${directory}/config.json`, JSON.stringify(configuration));
  const small = ['train', '--shards', shards, '--steps', '2', '--batch', '2', '--context', '16', '--json'];
  equal(run([...small, '--config', `${directory}/config.json`, '--tokenizer', tokenizer, '--out', `${directory}/first`]).code, 0, 'a first run');
  const weights = `${directory}/first/model/model.safetensors`;
  const sound = readFileSync(weights);
  const damaged = Buffer.from(sound);
  damaged.fill(0xff, sound.length - 8);
  writeFileSync(weights, damaged);
  const onward = [...small, '--from', `${directory}/first/model`, '--out', `${directory}/second`];
  check(/is -?nan/.test(run(onward).err), 'damaged weights are named');
  writeFileSync(weights, sound);
  const mended = run(onward);
  equal([mended.code, mended.err], [0, ''], 'the same run with mended weights');

  // Numbers of the command line.
  const train = ['train', '--preset', '1.4m', '--tokenizer', tokenizer, '--shards', directory, '--out', `${directory}/run`, '--steps', '1'];
  for (const [args, flag] of [
    [['curate', texts, '--out', `${directory}/c`, '--sample', 'nan'], '--sample'],
    [['curate', texts, '--out', `${directory}/c`, '--set', 'quality.max_symbol_word_ratio=nan'], 'quality.max_symbol_word_ratio'],
    [['tokenize', texts, '--tokenizer', tokenizer, '--shards', `${directory}/s`, '--validation', 'nan'], '--validation'],
    [[...train, '--learning-rate', 'inf'], '--learning-rate'], [[...train, '--seed', '-1'], '--seed'],
    [[...train, '--keep', '0'], '--keep'], [[...train, '--eval-tokens', '-1'], '--eval-tokens'],
    [[...train, '--checkpoint-seconds', '-1'], '--checkpoint-seconds'], [[...train, '--eval-every', '-2'], '--eval-every'],
    [['train', '--estimate', '--preset', '1.4m', '--batch', '-1'], 'batch -1'],
    [['chat', '--model', directory, '--prompt', 'x', '--top-p', '2'], '--top-p'],
    [['tokenise', texts], 'there is no command "tokenise"; did you mean "tokenize"?'],
    [['bench', 'train', '--preset', '1.4m', '--batch', '-1'], '--batch: Value -1 not in range 1 to 1048576'],
    [['chat', '--model', directory, '--prompt', 'x', '--temperature', 'inf'], '--temperature'],
  ]) {
    const result = run(args);
    check(result.code === 2 && result.err.includes(flag), `${args.join(' ')}: ${result.code} ${result.err}`);
  }
  check(!['c', 's', 'run'].some((name) => existsSync(`${directory}/${name}`)), 'nothing was begun');
});
