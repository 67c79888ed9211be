// The stories of docs/debugger-walkthroughs.md: what they say happens.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type BuiltAdapter, buildAdapter, type Client } from './built-adapter';

const root = resolve(__dirname, '..', '..');
const page = readFileSync(resolve(root, 'docs', 'debugger-walkthroughs.md'), 'utf8');
const [, spec] = /```json\n(.*?)```/s.exec(page)!;
const thread = { threadId: 1 };

let adapter: BuiltAdapter;
let client: Client;
beforeAll(async () => {
  adapter = await buildAdapter();
});
afterAll(() => adapter.remove());
afterEach(() => client.close());

async function open(name: string, text: string): Promise<void> {
  client = await adapter.start();
  await client.open(adapter.write(name, text));
}

it('finds why the loss became NaN, backward', async () => {
  expect(readFileSync(resolve(root, 'test', 'host', 'workspace', 'nan-at-step-412.nabla.json'), 'utf8')).toBe(spec);
  await open('nan.nabla.json', spec);
  const { reason } = await client.move(() => client.continueRequest(thread));
  const names = async (): Promise<string[]> => (await client.frames()).map(({ name }) => name);
  expect([reason, ...(await names())]).toEqual(['exception', 'backward: output', 'step 411 (epoch 69, batch 3)']);
  expect(Number(await client.value('lr'))).toBeCloseTo(0.738, 3);
  const stepsBack = async (condition: string, count: number): Promise<number[]> => {
    await client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'loss', condition }] });
    const steps: number[] = [];
    while (steps.length < count) {
      await client.move(() => client.reverseContinueRequest(thread));
      steps.push(Number(await client.value('step')));
    }
    return steps;
  };
  expect(await stepsBack('value > 10 * previous', 4)).toEqual([411, 410, 409, 408]);
  expect(Number(await client.value('loss'))).toBeCloseTo(550, 0);
  const crossings = [392, 390, 389, 388, 375, 374, 373, 372, 368, 367, 365];
  expect(await stepsBack('crosses(0.1)', 11)).toEqual(crossings);
  expect(Number(await client.value('lr'))).toBeCloseTo(0.656, 3);
  await client.setFunctionBreakpointsRequest({ breakpoints: [] });
  const trainWith = async (value: string): Promise<string[]> => {
    const [{ id }] = await client.frames();
    const { scopes } = (await client.scopesRequest({ frameId: id })).body;
    const { variablesReference } = scopes.find(({ name }) => name === 'Run')!;
    await client.setVariableRequest({ variablesReference, name: 'lr', value });
    const stop = await client.move(() => client.continueRequest(thread));
    return [stop.reason, await client.value('step')];
  };
  expect(await trainWith('0.5')).toEqual(['exception', '518']);
  expect(await client.value('lr')).toBe('0.5');
  await client.value('undo', 'repl');
  expect(await client.value('step')).toBe('365');
  expect(await trainWith('0.4')).toEqual(['pause', '600']);
});

it('shows one step of one neuron', async () => {
  await open('one.nabla.json', readFileSync(resolve(root, 'examples', 'one-neuron.nabla.json'), 'utf8'));
  const phases = ['zero gradients', 'forward: linear1', 'forward: tanh1', 'loss', 'backward: loss', 'backward: tanh1'];
  for (const phase of [...phases, 'backward: linear1', 'update']) {
    await client.move(() => client.nextRequest(thread));
    expect((await client.frames())[0].name).toBe(phase);
  }
  const expected: readonly (readonly [expression: string, value: number])[] = [
    ['linear1.output[0, 0]', 0.8814],
    ['tanh1.output[0, 0]', 0.7071],
    ['loss', 0.5],
    ['grad(tanh1.output)[0, 0]', 1],
    ['grad(linear1.output)[0, 0]', 0.5],
    ['grad(linear1.weight)[0, 0]', 1],
    ['grad(linear1.weight)[0, 1]', 0],
    ['linear1.weight[0, 0]', -3.05],
    ['linear1.weight[0, 1]', 1],
  ];
  for (const [expression, value] of expected) expect(Number(await client.value(expression))).toBeCloseTo(value, 4);
  await client.move(() => client.stepBackRequest(thread));
  expect([await client.value('linear1.weight[0, 0]'), await client.value('grad(linear1.output)[0, 0]')]).toEqual([
    '-3',
    '0.4999999999999999',
  ]);
});
