// The debug adapter over its standard streams, with the engine process behind it.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { InlineValues } from '../../src/debugger';
import { formatNumber } from '../../src/presentation/plain-numbers';
import { Random } from '../../src/engine/random';
import { createSession, compileRun } from '../support/session-fixtures';
import { TrainingSession } from '../../src/session/session';
import { type BuiltAdapter, buildAdapter, type Client } from './built-adapter';

const SPEC = `{
  "name": "Circles",
  "data": { "type": "circles", "samples": 50 },
  "layers": [
    {
      "type": "linear",
      "out_features": 4,
      "name": "hidden"
    },
    "tanh",
    { "type": "linear", "out_features": 2, "name": "output" }
  ],
  "loss": "cross_entropy",
  "optimizer": { "type": "sgd", "lr": 0.2, "momentum": 0.9 },
  "batch_size": 8,
  "epochs": 4
}`;
const HIDDEN = 5;
const TANH = 10;
const LOSS = 13;
const OPTIMIZER = 14;

let adapter: BuiltAdapter;
let client: Client;
let program: string;
beforeAll(async () => {
  adapter = await buildAdapter();
  program = adapter.write('circles.nabla.json', SPEC);
});
afterAll(() => adapter.remove());
afterEach(() => client.close());

async function open(...args: [breakpoints?: DebugProtocol.SourceBreakpoint[], stopOnEntry?: boolean]) {
  client = await adapter.start();
  return client.open(program, ...args);
}

const straightSession = (): TrainingSession => new TrainingSession(compileRun(SPEC), SPEC);

/** A straight run up to the step whose loss lies on the other side of a value than the loss before it. */
function sessionAtCrossing(value: number): TrainingSession {
  const straight = straightSession();
  let previous: number;
  do {
    previous = straight.loss ?? NaN;
    straight.step();
  } while (Number.isNaN(previous) || previous < value === straight.loss! < value);
  return straight;
}

/** The values that every position of a straight run has, as the arrays of the network. */
function recordStraightRun(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const session = straightSession();
  const { network, model } = session;
  const bits = (data: ArrayLike<number>): string => Array.from(data, String).join();
  const record = (): ReadonlyMap<string, string> => {
    const { pass, progress } = session;
    const values = new Map<string, string>();
    for (const { name, value, gradient, layer, optimizerState } of network.parameters) {
      values.set(name, bits(value.data));
      values.set(`${name}.momentum`, bits(optimizerState[0].data));
      if (progress.hasParameterGradients(layer)) values.set(`grad(${name})`, bits(gradient.data));
    }
    model.layers.forEach(({ name }, layer) => {
      if (progress.hasOutput(layer)) values.set(`${name}.output`, bits(pass.outputs[layer].data));
      if (progress.hasOutputGradient(layer)) values.set(`grad(${name}.output)`, bits(pass.outputGradients[layer].data));
    });
    if (session.loss !== null) values.set('loss', String(session.loss));
    return values;
  };
  const all = new Map([['0.0', record()]]);
  while (session.position.step < session.totalSteps) {
    session.stepPhase();
    all.set(`${session.position.step}.${session.position.phase}`, record());
  }
  return all;
}

it('conforms to the protocol', async () => {
  client = await adapter.start();
  const { body } = await client.initializeRequest();
  expect(body).toMatchObject({ supportsStepBack: true, supportsDataBreakpoints: true, supportsSetVariable: true });
  await expect(client.customRequest('nothing')).rejects.toThrow('nothing');
  await expect(client.nextRequest({ threadId: 1 })).rejects.toThrow('no run');
  await expect(client.launchRequest({} as never)).rejects.toThrow('program');
  await expect(client.launchRequest({ program: 'missing.nabla.json' } as never)).rejects.toThrow('missing.nabla.json');
  const invalid = adapter.write('invalid.nabla.json', '{ "layers": ["lineer"] }');
  await expect(client.launchRequest({ program: invalid } as never)).rejects.toThrow('lineer');
  await client.disconnectRequest();
  client.isDisconnected = true;
});

it('stops before the first step, and ends with the client', async () => {
  await open();
  expect((await client.frames()).map(({ name }) => name)).toEqual(['before step 1']);
  expect((await client.threadsRequest()).body.threads).toEqual([{ id: 1, name: 'Circles' }]);
  const terminated = client.waitForEvent('terminated');
  await client.terminateRequest();
  await terminated;
});

it('goes phase by phase, with the line of the layer', async () => {
  await open();
  const seen: [string, number][] = [];
  for (let i = 0; i < 11; i++) {
    expect(await client.move(() => client.nextRequest({ threadId: 1 }))).toMatchObject({ reason: 'step', threadId: 1 });
    const [{ name, line }] = await client.frames();
    seen.push([name, line]);
  }
  expect(seen).toEqual([
    ['zero gradients', OPTIMIZER],
    ['forward: hidden', HIDDEN],
    ['forward: tanh1', TANH],
    ['forward: output', 11],
    ['loss', LOSS],
    ['backward: loss', LOSS],
    ['backward: output', 11],
    ['backward: tanh1', TANH],
    ['backward: hidden', HIDDEN],
    ['update', OPTIMIZER],
    ['zero gradients', OPTIMIZER],
  ]);
  expect((await client.frames())[1].name).toBe('step 2 (epoch 1, batch 2)');
  await client.move(() => client.stepBackRequest({ threadId: 1 }));
  await client.move(() => client.stepBackRequest({ threadId: 1 }));
  expect((await client.frames())[0].name).toBe('backward: hidden');
  await client.move(() => client.restartFrameRequest({ frameId: 1 }));
  await client.move(() => client.stepOutRequest({ threadId: 1 }));
  expect((await client.frames())[0].name).toBe('loss');
  await client.move(() => client.stepOutRequest({ threadId: 1 }));
  expect((await client.frames())[0].name).toBe('backward: hidden');
  await client.move(() => client.restartRequest({} as never));
  expect((await client.frames())[0].name).toBe('before step 1');
});

describe('a breakpoint', () => {
  it('stops in all phases of its layer, which its mode can limit', async () => {
    const set = await open([{ line: HIDDEN + 2 }, { line: LOSS, mode: 'backward' }, { line: 1 }]);
    expect(set.map(({ verified, line }) => [verified, line])).toEqual([
      [true, HIDDEN],
      [true, LOSS],
      [false, 1],
    ]);
    const stops: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { reason, hitBreakpointIds } = await client.move(() => client.continueRequest({ threadId: 1 }));
      expect([reason, hitBreakpointIds?.length]).toEqual(['breakpoint', 1]);
      stops.push((await client.frames())[0].name);
    }
    expect(stops).toEqual([
      'forward: hidden',
      'backward: loss',
      'backward: hidden',
      'update: hidden',
      'forward: hidden',
    ]);
    const { breakpoints } = (
      await client.customRequest('breakpointLocations', { source: { path: program }, line: 1, endLine: 20 })
    ).body as DebugProtocol.BreakpointLocationsResponse['body'];
    expect(breakpoints.map(({ line }) => line)).toEqual([HIDDEN, TANH, 11, LOSS, OPTIMIZER]);
  });

  it('has a condition, a hit count or a message', async () => {
    const set = await open([
      { line: HIDDEN, condition: 'step == 7 and norm(grad(hidden.weight)) > 0' },
      { line: TANH, mode: 'forward', hitCondition: '3' },
      { line: 11, mode: 'backward', condition: 'step <= 2', logMessage: 'loss {loss}' },
      { line: LOSS, condition: 'norm(nothing)' },
    ]);
    expect(set.map(({ verified }) => verified)).toEqual([true, true, true, false]);
    expect(set[3].message).toContain('nothing');
    await client.move(() => client.continueRequest({ threadId: 1 }));
    expect((await client.frames()).map(({ name }) => name)).toEqual(['forward: tanh1', 'step 3 (epoch 1, batch 3)']);
    await client.move(() => client.continueRequest({ threadId: 1 }));
    expect((await client.frames()).map(({ name }) => name)).toEqual(['backward: hidden', 'step 7 (epoch 2, batch 3)']);
    const straight = straightSession();
    const losses = [1, 2].map(() => (straight.step(), straight.loss));
    const messages = client.output.filter(({ line }) => line === 11);
    expect(messages.map(({ output }) => output)).toEqual(losses.map((loss) => `loss ${loss}\n`));
  });

  it('on data stops when its value does something', async () => {
    await open();
    await client.move(() => client.nextRequest({ threadId: 1 }));
    const run = (await client.scopesRequest({ frameId: 1 })).body.scopes.find(({ name }) => name === 'Run')!;
    const info = await client.dataBreakpointInfoRequest({ variablesReference: run.variablesReference, name: 'loss' });
    expect(info.body).toMatchObject({ dataId: 'loss', accessTypes: ['write'] });
    const norm = await client.dataBreakpointInfoRequest({ name: 'hidden.weight' });
    expect(norm.body.dataId).toBe('norm(hidden.weight)');
    const { body } = await client.setDataBreakpointsRequest({
      breakpoints: [{ dataId: 'loss', condition: 'crosses(0.65)' }, { dataId: 'hidden.weight' }],
    });
    expect(body.breakpoints.map(({ verified }) => verified)).toEqual([true, false]);
    const straight = sessionAtCrossing(0.65);
    expect(await client.move(() => client.continueRequest({ threadId: 1 }))).toMatchObject({
      reason: 'data breakpoint',
    });
    expect([await client.value('step'), await client.value('loss')]).toEqual([
      String(straight.position.step),
      String(straight.loss),
    ]);
  });
});

it('stops at the tensor or the layer that a function breakpoint names', async () => {
  await open();
  const { body } = await client.setFunctionBreakpointsRequest({
    breakpoints: [{ name: 'grad(hidden.weight)' }, { name: 'tanh1', condition: 'step == 2' }, { name: 'hiden.weight' }],
  });
  expect(body.breakpoints.map(({ verified }) => verified)).toEqual([true, true, false]);
  expect(body.breakpoints[2].message).toContain('hidden.weight');
  const stops: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    const { reason } = await client.move(() => client.continueRequest({ threadId: 1 }));
    const [{ name, line }] = await client.frames();
    stops.push([reason, name, line]);
  }
  const reason = 'function breakpoint';
  expect(stops).toEqual([
    [reason, 'backward: hidden', HIDDEN],
    [reason, 'forward: tanh1', TANH],
    [reason, 'backward: tanh1', TANH],
    [reason, 'backward: hidden', HIDDEN],
    [reason, 'update: tanh1', TANH],
  ]);
});

it('watches the change of what a function breakpoint names', async () => {
  await open();
  const { body } = await client.setFunctionBreakpointsRequest({
    breakpoints: [
      { name: 'loss', condition: 'crosses(0.65)' },
      { name: 'hidden.weight', condition: 'changes_sign()' },
    ],
  });
  // A tensor has no sign.
  expect(body.breakpoints.map(({ verified }) => verified)).toEqual([true, false]);
  const straight = sessionAtCrossing(0.65);
  expect((await client.move(() => client.continueRequest({ threadId: 1 }))).reason).toBe('function breakpoint');
  expect(await client.value('step')).toBe(String(straight.position.step));
});

it('has numbers beside the lines, as far as they are computed', async () => {
  await open([{ line: TANH, mode: 'forward' }, { line: OPTIMIZER }]);
  const beside = async (startLine: number, endLine: number): Promise<InlineValues['values']> =>
    ((await client.customRequest('inlineValues', { startLine, endLine })).body as InlineValues).values;
  expect((await beside(1, 30)).map(({ line }) => line)).toEqual([OPTIMIZER]);
  await client.move(() => client.continueRequest({ threadId: 1 }));
  expect((await beside(1, 30)).map(({ line }) => line)).toEqual([HIDDEN, TANH, OPTIMIZER]);
  expect((await beside(TANH, TANH)).map(({ line }) => line)).toEqual([TANH]);
  await client.move(() => client.continueRequest({ threadId: 1 }));
  expect((await client.frames())[0]).toMatchObject({ name: 'update', line: OPTIMIZER });
  const values = await beside(1, 30);
  expect(values.map(({ line }) => line)).toEqual([HIDDEN, TANH, 11, LOSS, OPTIMIZER]);
  const norm = formatNumber(Number(await client.value('norm(grad(hidden.weight))')));
  expect(values[0].text.endsWith(`‖dL/d weight‖ ${norm}`)).toBe(true);
  expect(values[3].text).toContain(`loss ${formatNumber(Number(await client.value('loss')))}`);
});

describe('an exception filter', () => {
  const setFilters = async (filters: string[], filterOptions: DebugProtocol.ExceptionFilterOptions[] = []) => {
    const { body } = await client.setExceptionBreakpointsRequest({ filters, filterOptions });
    return body!.breakpoints!.map(({ verified, message }) => [verified, (message ?? '').length > 10]);
  };

  it('stops at what its rules find, at the layer', async () => {
    client = await adapter.start();
    const dead = SPEC.replace('"tanh"', '"relu"').replace(
      '"name": "hidden"',
      '"name": "hidden", "bias_init": { "type": "constant", "val": -50 }',
    );
    await client.open(adapter.write('dead.nabla.json', dead));
    expect(await setFilters(['nonFinite', 'deadLayer', 'divergence', 'explodingGradient'])).toEqual(
      Array.from({ length: 4 }, () => [true, false]),
    );
    const { reason, text, hitBreakpointIds } = await client.move(() => client.continueRequest({ threadId: 1 }));
    expect([reason, hitBreakpointIds?.length, (text ?? '').includes('relu1')]).toEqual(['exception', 1, true]);
    expect((await client.frames()).map(({ name, line }) => [name, line])).toEqual([
      ['update: relu1', TANH],
      ['step 1 (epoch 1, batch 1)', 0],
    ]);
    const { exceptionId, description } = (await client.exceptionInfoRequest({ threadId: 1 })).body;
    expect([exceptionId, description]).toEqual(['dead-units', text]);
  });

  it('says why it can never be hit', async () => {
    await open();
    expect(
      await setFilters(['deadLayer', 'gradientCheck', 'nothing'], [{ filterId: 'gradientCheck', condition: 'often' }]),
    ).toEqual(Array.from({ length: 4 }, () => [false, true]));
    expect(await setFilters([], [{ filterId: 'gradientCheck', condition: '5' }])).toEqual([[true, false]]);
    // Its gradients are right.
    expect((await client.move(() => client.continueRequest({ threadId: 1 }))).reason).toBe('pause');
  });
});

it('shows the values of the step, and pages of their entries', async () => {
  await open([{ line: HIDDEN, mode: 'backward' }]);
  await client.move(() => client.continueRequest({ threadId: 1 }));
  const scopes = await client.scopes();
  expect([...scopes.keys()]).toEqual([
    'Inputs',
    'Outputs',
    'Gradients',
    'Parameters',
    'Updates',
    'Optimizer state',
    'Run',
  ]);
  const weight = scopes.get('Parameters')!.find(({ name }) => name === 'weight')!;
  expect(weight).toMatchObject({ evaluateName: 'hidden.weight', indexedVariables: 4 });
  expect(weight.value).toMatch(/^4×2 float32, mean \S+, std \S+, norm \S+, 0 NaN$/);
  expect(scopes.get('Updates')!.map(({ value }) => value)).toEqual(['not computed yet', 'not computed yet']);
  const rows = await client.children(weight.variablesReference, { start: 2, count: 1 });
  expect(rows.map(({ name, evaluateName }) => [name, evaluateName])).toEqual([['2', 'hidden.weight[2]']]);
  const straight = straightSession();
  const { data } = straight.network.parameters[0].value;
  expect(await client.entries(rows[0])).toEqual([String(data[4]), String(data[5])]);
  expect(await client.value('norm(hidden.weight) > 0 and any(isnan(hidden.output))')).toBe('false');
  await expect(client.value('hidden.weight[7]')).rejects.toThrow('out of range');
  const { targets } = (await client.completionsRequest({ text: 'norm(hidden.w', column: 14 })).body;
  expect(targets.map(({ label }) => label)).toEqual(['hidden.weight', 'hidden.weight.momentum']);
});

it('answers queries over the run in the console, and goes to the step that a search finds', async () => {
  await open();
  const straight = straightSession();
  const losses: number[] = [];
  while (straight.position.step < straight.totalSteps) {
    straight.step(true);
    losses.push(straight.loss!);
  }
  const stopped = client.waitForEvent('stopped');
  await client.continueRequest({ threadId: 1 });
  await stopped;
  const limit = [...losses].sort((a, b) => a - b)[7];
  const isBelow = (loss: number): boolean => loss < limit;
  const stepsBelow = losses.flatMap((loss, i) => (isBelow(loss) ? i + 1 : []));
  expect(await client.value(`step, loss where loss < ${limit}`, 'repl')).toContain('7 rows');
  const printed = client.output.filter(({ category }) => category === 'stdout').map(({ output }) => output);
  expect(printed.join('')).toBe(
    ['step\tloss', ...stepsBelow.map((step) => `${step}\t${losses[step - 1]}`), ''].join('\n'),
  );
  // A watch reads other steps, too.
  expect(await client.value('at(7, loss)')).toBe(String(losses[6]));
  expect(await client.value(`last(loss < ${limit})`)).toBe(
    String(stepsBelow.filter((step) => step < losses.length).at(-1)),
  );
  const where = async () => Number(await client.value('step'));
  let before = losses.length;
  for (let i = 0; i < 3; i++) {
    const expected = stepsBelow.filter((step) => step < before).at(-1)!;
    await client.move(() => client.evaluateRequest({ expression: `last loss < ${limit}`, context: 'repl' }));
    expect(await where()).toBe(expected);
    before = expected;
  }
  await client.move(() => client.evaluateRequest({ expression: `first loss < ${limit}`, context: 'repl' }));
  expect(await where()).toBe(stepsBelow[0]);
  await expect(client.value('step, nothing where true', 'repl')).rejects.toThrow('column 7');
});

it('sets weights and the learning rate, which the run then uses', async () => {
  await open();
  await client.value('goto 0', 'repl');
  const stopped = client.waitForEvent('stopped');
  await client.continueRequest({ threadId: 1 });
  await stopped;
  await client.value('goto 5', 'repl');
  const scopes = await client.scopes();
  const parameters = scopes.get('Parameters')!.find(({ name }) => name === 'hidden.weight')!;
  const [row] = await client.children(parameters.variablesReference);
  const set = await client.setVariableRequest({
    variablesReference: row.variablesReference,
    name: '1',
    value: '1 / 3',
  });
  expect(set.body.value).toBe(String(Math.fround(1 / 3)));
  const [{ id }] = await client.frames();
  const run = (await client.scopesRequest({ frameId: id })).body.scopes.find(({ name }) => name === 'Run')!;
  await client.setVariableRequest({ variablesReference: run.variablesReference, name: 'lr', value: '0.05' });
  await expect(
    client.setVariableRequest({ variablesReference: run.variablesReference, name: 'loss', value: '0' }),
  ).rejects.toThrow('parameters');
  await client.move(() => client.nextRequest({ threadId: 1 }));
  const straight = straightSession();
  straight.seek(5);
  straight.setWeights([{ parameter: 'hidden.weight', index: 1, value: 1 / 3 }]);
  straight.setLearningRate(0.05);
  straight.step();
  for (let i = 0; i < 9; i++) await client.move(() => client.nextRequest({ threadId: 1 }));
  expect(await client.value('loss')).toBe(String(straight.loss));
  expect(await client.value('hidden.weight[0, 1]')).toBe(String(straight.network.parameters[0].value.data[1]));
});

it('undoes changes, which then no longer hold, and keeps its breakpoints', async () => {
  await open([{ line: HIDDEN, mode: 'forward', condition: 'step == 7' }]);
  await client.move(() => client.continueRequest({ threadId: 1 }));
  const before = await client.value('hidden.weight[0, 1]');
  const change = async (value: string): Promise<void> => {
    const [{ id }] = await client.frames();
    const { scopes } = (await client.scopesRequest({ frameId: id })).body;
    const parameters = scopes.find(({ name }) => name === 'Parameters')!;
    const weight = (await client.children(parameters.variablesReference)).find(({ name }) => name.endsWith('weight'))!;
    const [row] = await client.children(weight.variablesReference);
    await client.setVariableRequest({ variablesReference: row.variablesReference, name: '1', value });
  };
  await change('1');
  await change('2');
  expect(await client.value('hidden.weight[0, 1]')).toBe('2');
  expect(await client.value('undo', 'repl')).toContain('hidden.weight');
  expect(await client.value('hidden.weight[0, 1]')).toBe('1');
  await client.value('undo', 'repl');
  expect(await client.value('hidden.weight[0, 1]')).toBe(before);
  const nothing = await client.value('undo', 'repl');
  expect([nothing === '', await client.value('hidden.weight[0, 1]')]).toEqual([false, before]);
  await client.value('goto 2', 'repl');
  expect((await client.move(() => client.continueRequest({ threadId: 1 }))).reason).toBe('breakpoint');
  const straight = straightSession();
  straight.seek(6);
  expect(await client.value('hidden.weight[0, 1]')).toBe(String(straight.network.parameters[0].value.data[1]));
});

it('reads tensors as memory', async () => {
  await open([{ line: HIDDEN, mode: 'backward' }]);
  await client.move(() => client.continueRequest({ threadId: 1 }));
  const weight = (await client.scopes()).get('Parameters')!.find(({ name }) => name === 'weight')!;
  const { memoryReference } = weight;
  const { data } = straightSession().network.parameters[0].value;
  const read = async (offset: number, count: number, reference = memoryReference!) =>
    (await client.customRequest('readMemory', { memoryReference: reference, offset, count }))
      .body as Required<DebugProtocol.ReadMemoryResponse>['body'];
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  expect((await read(0, data.byteLength)).data).toBe(bytes.toString('base64'));
  expect(await read(6, 1000)).toEqual({
    address: '0x6',
    data: bytes.subarray(6).toString('base64'),
    unreadableBytes: 1000 - bytes.length + 6,
  });
  // A row, and what is computed in float64.
  expect((await read(0, 8, 'hidden.weight[1]')).data).toBe(bytes.subarray(8, 16).toString('base64'));
  const doubled = Buffer.from(new Float64Array([2 * data[0]]).buffer);
  expect((await read(2, 6, 'hidden.weight * 2')).data).toBe(doubled.subarray(2).toString('base64'));
  await expect(read(0, 8, 'update(hidden.weight)')).rejects.toThrow('no value');
});

it('reports how far a long replay is, and ends it only if the client cancels that', async () => {
  client = await adapter.start();
  await client.initializeRequest({
    adapterID: 'nablascope',
    linesStartAt1: true,
    columnsStartAt1: true,
    pathFormat: 'path',
    supportsProgressReporting: true,
  });
  const events: string[] = [];
  let progressId = '';
  client.on('progressStart', ({ body }: DebugProtocol.ProgressStartEvent) => ({ progressId } = body));
  for (const name of ['progressStart', 'progressUpdate', 'progressEnd'])
    client.on(name, ({ body }: DebugProtocol.ProgressUpdateEvent) => {
      events.push(name);
      if (name === 'progressUpdate') expect(body.percentage).toBeLessThanOrEqual(100);
    });
  const large = SPEC.replace('"out_features": 4', '"out_features": 256')
    .replace('"tanh",', '"tanh", { "type": "linear", "out_features": 256 }, "tanh",')
    .replace('"samples": 50', '"samples": 4000')
    .replace('"batch_size": 8', '"batch_size": 256')
    .replace('"epochs": 4', '"epochs": 1000');
  await client.open(adapter.write('large.nabla.json', large), [], true, true);
  const stopped = client.waitForEvent('stopped');
  await client.continueRequest({ threadId: 1 });
  await untilStep(300);
  await client.pauseRequest({ threadId: 1 });
  await stopped;
  await client.setDataBreakpointsRequest({ breakpoints: [{ dataId: 'loss', condition: 'value < 0' }] });
  // Nothing stops it on the way, so it replays everything, one part after the other.
  const cancelDuringReplay = (cancelled: () => DebugProtocol.CancelArguments) =>
    client.move(async () => {
      const started = client.waitForEvent('progressStart');
      const response = await client.reverseContinueRequest({ threadId: 1 });
      await started;
      await client.customRequest('cancel', cancelled());
      return response;
    });
  // VS Code cancels requests whose answers it no longer needs.
  const ofAnother = await cancelDuringReplay(() => ({ requestId: 1 }));
  expect([ofAnother.reason, await client.value('step')]).toEqual(['entry', '0']);
  expect(events[0]).toBe('progressStart');
  expect(events.at(-1)).toBe('progressEnd');

  await client.move(() => client.evaluateRequest({ expression: 'goto 300', context: 'repl' }));
  expect((await cancelDuringReplay(() => ({ progressId }))).reason).toBe('pause');

  async function untilStep(step: number): Promise<void> {
    while (Number(await client.value('step')) < step);
  }
});

it('shows the values of a straight run, bit for bit, wherever it goes', async () => {
  const straight = recordStraightRun();
  const positions = [...straight.keys()];
  const phases = createSession(JSON.parse(SPEC) as object).model.phases.length;
  await open([
    { line: HIDDEN, condition: 'loss < 0.64' },
    { line: TANH, condition: 'norm(grad(tanh1.output)) > 0.05' },
    { line: 11, mode: 'update', hitCondition: '>= 2' },
  ]);
  const random = new Random(20, 'adapter');
  const thread = { threadId: 1 };
  const moves: readonly (() => Promise<DebugProtocol.Response>)[] = [
    () => client.continueRequest(thread),
    () => client.continueRequest(thread),
    () => client.nextRequest(thread),
    () => client.stepOutRequest(thread),
    () => client.stepBackRequest(thread),
    () => client.reverseContinueRequest(thread),
    () => client.evaluateRequest({ expression: `goto ${random.integerBelow(furthest + 1)}`, context: 'repl' }),
  ];
  let furthest = 0;
  let compared = 0;
  const visited = new Set<string>();
  for (let i = 0; i < 60; i++) {
    await client.move(moves[random.integerBelow(moves.length)]);
    const step = Number(await client.value('step'));
    furthest = Math.max(furthest, step - 1);
    const [{ name }] = await client.frames();
    const candidates = positions.filter((position) => {
      const [s, p] = position.split('.').map(Number);
      return (p > 0 ? s + 1 : s) === step;
    });
    const position = name === 'before step 1' ? '0.0' : candidates[(await phaseIndex(name)) % phases];
    visited.add(position);
    const expected = straight.get(position)!;
    for (const variables of (await client.scopes()).values())
      for (const variable of variables) {
        const key = variable.evaluateName!;
        if (!expected.has(key)) {
          if (/^(grad\()?(hidden|output|tanh1)\.(output|weight|bias)\)?$/.test(key))
            expect(variable.value).toBe('not computed yet');
          continue;
        }
        expect([position, key, (await client.entries(variable)).join()]).toEqual([position, key, expected.get(key)]);
        compared++;
      }
  }
  expect(visited.size).toBeGreaterThan(10);
  expect(compared).toBeGreaterThan(150);

  async function phaseIndex(name: string): Promise<number> {
    const names = [
      ...['zero gradients', 'forward: hidden', 'forward: tanh1', 'forward: output', 'loss', 'backward: loss'],
      ...['backward: output', 'backward: tanh1', 'backward: hidden', 'update'],
    ];
    return Promise.resolve(names.indexOf(name.replace(/^update: .*/, 'update')));
  }
});

it('reverse continue lands where a forward run stopped', async () => {
  await open([{ line: TANH, condition: 'max(abs(grad(tanh1.output))) > 0.06' }]);
  const where = async (): Promise<string> => JSON.stringify((await client.frames()).map(({ name }) => name));
  const forward: string[] = [];
  for (;;) {
    const { reason } = await client.move(() => client.continueRequest({ threadId: 1 }));
    if (reason !== 'breakpoint') break;
    forward.push(await where());
  }
  expect(forward.length).toBeGreaterThan(3);
  const back: string[] = [];
  for (const _ of forward) {
    expect((await client.move(() => client.reverseContinueRequest({ threadId: 1 }))).reason).toBe('breakpoint');
    back.push(await where());
  }
  expect(back.reverse()).toEqual(forward);
  expect((await client.move(() => client.reverseContinueRequest({ threadId: 1 }))).reason).toBe('entry');
});

it('stops at the first NaN, and says where it came from', async () => {
  client = await adapter.start();
  await client.open(adapter.write('nan.nabla.json', SPEC.replace('"lr": 0.2', '"lr": 1e38')));
  const { reason, text } = await client.move(() => client.continueRequest({ threadId: 1 }));
  expect([reason, (text ?? '').length > 10]).toEqual(['exception', true]);
  const { exceptionId, description } = (await client.exceptionInfoRequest({ threadId: 1 })).body;
  expect(exceptionId).toBe('NaN or infinity');
  expect(description).toContain('learning rate');
});

it('pauses, and answers every request when the engine ends', async () => {
  client = await adapter.start();
  await client.open(adapter.write('long.nabla.json', SPEC.replace('"epochs": 4', '"epochs": 1000000')));
  const stopped = client.waitForEvent('stopped');
  await client.continueRequest({ threadId: 1 });
  await client.pauseRequest({ threadId: 1 });
  expect((await stopped).body).toMatchObject({ reason: 'pause' });
  await client.continueRequest({ threadId: 1 });
  const terminated = client.waitForEvent('terminated');
  const threadId = 1;
  const source = { path: client.program };
  const requests = (): Promise<boolean>[] =>
    sent().map((request) =>
      request.then(
        () => true,
        () => false,
      ),
    );
  const sent = (): Promise<unknown>[] => [
    client.value('hidden.weight'),
    client.value('loss'),
    client.value('undo', 'repl'),
    client.value('goto 1', 'repl'),
    client.value('loss where loss < 0', 'repl'),
    client.stackTraceRequest({ threadId }),
    client.scopesRequest({ frameId: 1 }),
    client.variablesRequest({ variablesReference: 1 }),
    client.setBreakpointsRequest({ source, breakpoints: [{ line: HIDDEN, condition: 'loss < 0' }] }),
    client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'hidden.weight' }] }),
    client.setDataBreakpointsRequest({ breakpoints: [{ dataId: 'loss' }] }),
    client.setExceptionBreakpointsRequest({ filters: ['divergence'] }),
    client.dataBreakpointInfoRequest({ name: 'hidden.weight' }),
    client.completionsRequest({ text: 'hid', column: 4 }),
    client.customRequest('readMemory', { memoryReference: 'hidden.weight', count: 8 }),
    client.customRequest('inlineValues', { startLine: 1, endLine: 20 }),
    client.customRequest('backInto'),
    client.customRequest('gotoTargets', { source, line: HIDDEN }),
    client.customRequest('cancel', {}),
    client.setVariableRequest({ variablesReference: 1, name: 'lr', value: '1' }),
    client.nextRequest({ threadId }),
    client.stepInRequest({ threadId }),
    client.stepOutRequest({ threadId }),
    client.stepBackRequest({ threadId }),
    client.reverseContinueRequest({ threadId }),
    client.restartFrameRequest({ frameId: 1 }),
    client.pauseRequest({ threadId }),
    client.continueRequest({ threadId }),
  ];
  // Some are answered, some are in the engine, and some come when it has ended.
  const pending = [...requests(), ...requests()];
  const engine = execFileSync('pgrep', ['-f', resolve(adapter.folder, 'engine-process.js')], { encoding: 'utf8' });
  for (const pid of engine.trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
  pending.push(...requests());
  await terminated;
  pending.push(...requests());
  const answers = await Promise.all(pending);
  expect(answers.length).toBeGreaterThan(100);
  expect(new Set(answers)).toEqual(new Set([true, false]));
  await expect(client.value('loss')).rejects.toThrow('no run');
  await expect(client.nextRequest({ threadId: 1 })).rejects.toThrow('no run');
  expect(client.output.some(({ category }) => category === 'stderr')).toBe(true);
});

describe('inside of a layer', () => {
  const SEQUENCES = `{
  "data": { "type": "adding", "samples": 12, "length": 3 },
  "layers": [
    { "type": "lstm", "hidden_size": 2, "name": "memory" },
    { "type": "linear", "out_features": 1, "name": "output" }
  ],
  "loss": "mse",
  "optimizer": "adam",
  "batch_size": 4,
  "epochs": 2
}`;
  const thread = { threadId: 1 };

  async function openSequences(): Promise<void> {
    client = await adapter.start();
    await client.open(adapter.write('adding.nabla.json', SEQUENCES));
  }

  it('goes through the time steps, forward and backward, with their values', async () => {
    await openSequences();
    const session = new TrainingSession(compileRun(SEQUENCES), SEQUENCES);
    const names = session.model.layers[0].internals.map(({ shortName }) => shortName);
    const bitsOf = (data: ArrayLike<number>, t: number): string[] =>
      // [batch, time, hidden]
      Array.from(data, String).filter((_, i) => Math.floor(i / 2) % 3 === t);
    /** Steps in to the first of three time steps. */
    const stepIn = (): Promise<unknown> => client.move(() => client.stepInRequest(thread));
    await stepIn();
    await stepIn();
    session.stepPhase();
    session.stepPhase();
    for (const t of [0, 1, 2]) {
      const frames = await client.frames();
      expect(frames.map(({ name }) => name).slice(0, 2)).toEqual([`time step ${t + 1} of 3`, 'forward: memory']);
      expect(frames[0].line).toBe(4);
      const [[, values]] = [...(await client.scopes())];
      expect(values.map(({ name }) => name)).toEqual(names);
      for (const value of values)
        expect(await client.entries(value)).toEqual(bitsOf(session.pass.internal(0, value.name)!.data, t));
      await (t === 1 ? client.move(() => client.nextRequest(thread)) : stepIn());
    }
    expect((await client.frames())[0].name).toBe('forward: memory');
    while (session.model.phases[session.position.phase].kind !== 'backward') session.stepPhase();
    // Out of the forward pass, then to the loss, and back through time.
    await client.move(() => client.stepOutRequest(thread));
    for (let i = 0; i < 3; i++) await stepIn();
    session.stepPhase();
    session.stepPhase();
    for (const t of [2, 1, 0]) {
      expect((await client.frames())[0].name).toBe(`time step ${t + 1} of 3`);
      const [[, values]] = [...(await client.scopes())];
      expect(values.map(({ name }) => name)).toEqual(names.map((name) => `grad(${name})`));
      for (const [i, value] of values.entries())
        expect(await client.entries(value)).toEqual(bitsOf(session.pass.internalGradient(0, names[i])!.data, t));
      if (t > 0) await stepIn();
    }
  });

  it('goes back into the phase that is done, and out of it', async () => {
    await openSequences();
    for (let i = 0; i < 2; i++) await client.move(() => client.nextRequest(thread));
    const backInto = (): Promise<unknown> => client.move(() => client.customRequest('backInto'));
    const top = async (): Promise<string> => (await client.frames())[0].name;
    expect(await top()).toBe('forward: memory');
    const seen: string[] = [];
    for (let i = 0; i < 4; i++) {
      await backInto();
      seen.push(await top());
    }
    expect(seen).toEqual(['time step 3 of 3', 'time step 2 of 3', 'time step 1 of 3', 'zero gradients']);
    // A phase with nothing inside is a step back.
    await backInto();
    expect(await top()).toBe('before step 1');
    await client.move(() => client.stepInRequest(thread));
    await client.move(() => client.stepInRequest(thread));
    expect(await top()).toBe('time step 1 of 3');
    const stop = await client.move(() => client.evaluateRequest({ expression: 'fork lr=0.1', context: 'repl' }));
    expect(stop.reason).toBe('pause');
    expect(await top()).toBe('time step 1 of 3');
    await client.move(() => client.stepOutRequest(thread));
    expect(await top()).toBe('forward: memory');
    await client.move(() => client.stepBackRequest(thread));
    expect(await top()).toBe('zero gradients');
  });
});

describe('forks', () => {
  const FORK = { from: 6, lr: 0.05, step: 15 };

  /** The fork as a run of its own. */
  function forked(step = FORK.step): TrainingSession {
    const straight = straightSession();
    straight.seek(FORK.from);
    straight.setLearningRate(FORK.lr);
    straight.seek(step);
    return straight;
  }

  async function openWithFork(): Promise<void> {
    await open();
    await client.move(() => client.continueRequest({ threadId: 1 }));
    await client.move(() => client.evaluateRequest({ expression: 'goto 14', context: 'repl' }));
    await client.move(() =>
      client.evaluateRequest({ expression: `fork from=${FORK.from} lr=${FORK.lr} to=${FORK.step}`, context: 'repl' }),
    );
  }

  const threads = async () => (await client.threadsRequest()).body.threads;
  const lossIn = async (frameId: number): Promise<number> =>
    Number((await client.evaluateRequest({ expression: 'loss', frameId })).body.result);

  it('are threads, each with the stack and the values of its last step, while the run stays where it is', async () => {
    await openWithFork();
    const [run, fork, ...others] = await threads();
    expect([run.id, others]).toEqual([1, []]);
    const stack = async (threadId: number) => (await client.stackTraceRequest({ threadId })).body.stackFrames;
    const [ofRun, ofFork] = [await stack(run.id), await stack(fork.id)];
    expect(ofRun.map(({ name }) => /step (\d+)/.exec(name)?.[1]).filter(Boolean)).toEqual(['14']);
    expect(ofFork.map(({ name }) => /step (\d+)/.exec(name)?.[1]).filter(Boolean)).toEqual([String(FORK.step)]);
    expect(ofFork[0].line).toBe(OPTIMIZER);
    const straight = straightSession();
    straight.seek(14);
    expect(await lossIn(ofRun[0].id)).toBe(straight.loss);
    expect(await lossIn(ofFork[0].id)).toBe(forked().loss);
    const { scopes } = (await client.scopesRequest({ frameId: ofFork[0].id })).body;
    const parameters = scopes.find(({ name }) => name === 'Parameters')!;
    const [weight] = await client.children(parameters.variablesReference);
    const { network } = forked();
    expect((await client.entries(weight)).map(Number)).toEqual([...network.parameters[0].value.data]);
    const updates = scopes.find(({ name }) => name === 'Updates')!;
    expect((await client.children(updates.variablesReference)).every(({ value }) => value.includes('norm'))).toBe(true);
    await expect(
      client.setVariableRequest({ variablesReference: parameters.variablesReference, name: 'lr', value: '1' }),
    ).rejects.toThrow();
  });

  it('become the run when they are moved, which can be undone', async () => {
    await openWithFork();
    const [, fork] = await threads();
    await client.setBreakpoints(program, [{ line: LOSS }]);
    await client.move(() => client.nextRequest({ threadId: fork.id }));
    // Past the breakpoint, and a phase further.
    expect((await client.frames()).at(-1)!.name).toContain(`step ${FORK.step + 1} `);
    expect((await threads()).map(({ id }) => id)).toEqual([1]);
    const { body } = await client.stackTraceRequest({ threadId: 1 });
    expect(body.stackFrames).toHaveLength(2);
    const stop = await client.move(() => client.continueRequest({ threadId: 1 }));
    expect(stop.reason).toBe('breakpoint');
    const straight = forked(FORK.step);
    do straight.stepPhase();
    while (straight.loss === null || straight.position.phase === 0);
    expect(Number(await client.value('loss'))).toBe(straight.loss);
    await client.move(() => client.evaluateRequest({ expression: 'undo', context: 'repl' }));
    expect((await client.frames()).at(-1)!.name).toContain('step 14 ');
  });

  it('begin after the last completed step, also in the middle of a step, and hit nothing again', async () => {
    await open([{ line: LOSS }]);
    expect((await client.move(() => client.continueRequest({ threadId: 1 }))).reason).toBe('breakpoint');
    const [top] = await client.frames();
    expect(top.name).toBe('loss');
    const stop = await client.move(() => client.evaluateRequest({ expression: 'fork lr=0.05', context: 'repl' }));
    expect([stop.reason, stop.hitBreakpointIds ?? []]).toEqual(['pause', []]);
    expect((await client.frames())[0]).toEqual(top);
    const [, fork] = await threads();
    expect(fork.name).toContain('step 0: lr 0.05');
    const { body } = await client.stackTraceRequest({ threadId: fork.id });
    expect(body.stackFrames[1].name).toContain(`step ${straightSession().model.batchesPerEpoch} `);
  });

  it.each([
    ['fork', /seed/],
    ['fork lr=x', /^lr .*\bx\b/],
    ['fork lr=0.1 from=99999', /\bfrom\b.*\b99999\b/],
    ['fork lr=0.1 from=3 to=3', /^to .*\b3\b/],
    ['fork lr=0.1 what=3', /\bwhat\b/],
    ['fork seed=1.5', /^seed .*\b1\.5\b/],
  ])('are refused with the setting that is wrong: %s', async (expression, setting) => {
    await open();
    const error: unknown = await client.evaluateRequest({ expression, context: 'repl' }).catch((each: unknown) => each);
    expect((error as Error).message).toMatch(setting);
    // Not as an expression, whose errors have a column.
    expect((error as Error).message).not.toContain('column');
    expect(await threads()).toHaveLength(1);
  });

  it('are refused after the last step, with its number', async () => {
    await open();
    await client.move(() => client.continueRequest({ threadId: 1 }));
    const { totalSteps } = straightSession();
    await expect(client.evaluateRequest({ expression: 'fork lr=0.05', context: 'repl' })).rejects.toThrow(
      new RegExp(`\\bfrom\\b.*\\b${totalSteps}\\b`),
    );
    expect(await threads()).toHaveLength(1);
  });
});
