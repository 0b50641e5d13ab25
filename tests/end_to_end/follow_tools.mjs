// What the tests of following share: a broker in a process of its own, numbers that are the same in every run.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { check } from './harness.mjs';

// The mock broker (tests/tools/kafka_mock.cc) as lines in and out; with RHODES_KAFKA=HOST:PORT the broker that is there.
export async function startBroker(mock) {
  const child = spawn(mock, process.env.RHODES_KAFKA ? [process.env.RHODES_KAFKA] : [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = (await lines.next()).value;
  const tell = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value } = await lines.next();
    check(value === 'ok', `the broker could not: ${line}`);
  };
  return { address, tell, stop: () => child.kill() };
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// The code or signal that a process ends with.
export const exitOf = (child) => new Promise((done) => child.on('exit', (code, signal) => done(signal ?? code)));

// A function that gives a number below its argument.
export function randomNumbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}
