// The tools for agents through the server, as an agent calls them: lines of JSON-RPC over standard streams.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { languageModelTools } from '../../src/agent-tools';
import { buildCli, type BuiltCli } from '../cli/built-cli';
import { createSession } from '../support/session-fixtures';

const SPEC = {
  name: 'Circles',
  data: { type: 'circles', samples: 50 },
  layers: [{ type: 'linear', out_features: 4, name: 'hidden' }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 },
  batch_size: 8,
  epochs: 6,
};
const CUSTOM = {
  ...SPEC,
  layers: [
    { type: 'linear', out_features: 4 },
    { type: 'custom', module: './wrong.layer.js' },
    ...SPEC.layers.slice(2),
  ],
};
/** The derivative of the square is twice the input. */
const WRONG_LAYER = `export default {
  forward: ({ x, ops }) => ops.multiply(x, x),
  backward: ({ x, dy, ops }) => ({ dx: ops.multiply(dy, x) }),
};`;

interface Answer {
  readonly id: number | null;
  readonly result?: {
    readonly isError?: boolean;
    readonly content?: readonly { readonly text: string }[];
    readonly tools?: readonly { readonly name: string; readonly inputSchema: { readonly required: string[] } }[];
    readonly protocolVersion?: string;
  };
  readonly error?: { readonly code: number; readonly message: string };
}

let cli: BuiltCli;
let folder: string;
beforeAll(async () => {
  cli = await buildCli();
  folder = fs.mkdtempSync(join(tmpdir(), 'nablascope-mcp-'));
  fs.writeFileSync(join(folder, 'circles.nabla.json'), JSON.stringify(SPEC));
  fs.writeFileSync(join(folder, 'long.nabla.json'), JSON.stringify({ ...SPEC, epochs: 1e6 }));
});
afterAll(() => {
  cli?.remove();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A server, and its answers in the order in which they arrive. */
class Server {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly exited: Promise<number | null>;
  #count = 0;

  constructor(...flags: string[]) {
    this.#child = spawn(process.execPath, [cli.file, 'mcp', ...flags], { cwd: folder });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.exited = new Promise((resolve) => this.#child.on('exit', resolve));
  }

  send(line: string | object): void {
    this.#child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  async next(): Promise<Answer> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the server has ended');
    return JSON.parse(value) as Answer;
  }

  request(method: string, params: object = {}): Promise<Answer> {
    this.send({ jsonrpc: '2.0', id: ++this.#count, method, params });
    return this.next();
  }

  async call(name: string, input: object): Promise<{ isError: boolean; text: string; json: () => never }> {
    const { result, error } = await this.request('tools/call', { name, arguments: input });
    if (!result) throw new Error(error?.message);
    const { text } = result.content![0];
    return { isError: result.isError === true, text, json: () => JSON.parse(text) as never };
  }

  async close(): Promise<number | null> {
    this.#child.stdin.end();
    return this.exited;
  }
}

describe('nablascope mcp', () => {
  it('speaks the protocol', async () => {
    const server = new Server();
    const hello = await server.request('initialize', { protocolVersion: '2025-03-26', capabilities: {} });
    expect(hello.result).toMatchObject({ protocolVersion: '2025-03-26', serverInfo: { name: 'nablascope' } });
    expect((await server.request('initialize', { protocolVersion: '1.0' })).result?.protocolVersion).toBe('2025-06-18');
    server.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect((await server.request('ping')).result).toEqual({});
    const { tools } = (await server.request('tools/list')).result!;
    for (const { name, inputSchema } of tools!) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(inputSchema.required).toContain('spec');
    }
    expect(languageModelTools().map(({ toolReferenceName }) => toolReferenceName)).toEqual(
      tools!.map(({ name }) => name),
    );
    expect((await server.request('tools/none')).error?.code).toBe(-32601);
    expect((await server.request('tools/call', { name: 'drop_table' })).error?.code).toBe(-32602);
    for (const [line, code] of [
      ['{', -32700],
      ['[]', -32600],
      ['null', -32600],
      ['{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
      ['{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
    ] as const) {
      server.send(line);
      expect((await server.next()).error?.code).toBe(code);
    }
    expect(await server.close()).toBe(0);
  });

  it('answers with the numbers of the engine', async () => {
    const server = new Server();
    const spec = 'circles.nabla.json';
    const session = createSession(SPEC);
    const losses: number[] = [];
    while (session.position.step < session.totalSteps) {
      session.step(true);
      losses.push(session.loss!);
    }
    expect((await server.call('check_gradients', { spec })).json()).toMatchObject({ passed: true, notPassed: [] });
    const query = (await server.call('query_run', { spec, query: 'step, loss', max_rows: 3 })).json();
    expect(query).toMatchObject({
      columns: ['step', 'loss'],
      rowsFound: losses.length,
      rows: losses.slice(0, 3).map((loss, i) => [i + 1, loss]),
    });
    const explained: { value: number; terms: { value: number; factors: { value: number }[] }[] } = (
      await server.call('explain_value', { spec, entry: 'grad(hidden.bias)[2]', step: 5 })
    ).json();
    const straight = createSession(SPEC);
    straight.seek(5);
    expect(explained.value).toBe(
      straight.network.parameters.find(({ name }) => name === 'hidden.bias')!.gradient.data[2],
    );
    expect(explained.terms.reduce((sum, term) => sum + term.value, 0)).toBeCloseTo(explained.value, 6);
    for (const { value, factors } of explained.terms)
      expect(factors.reduce((product, factor) => product * factor.value, 1)).toBeCloseTo(value, 6);
    const before = fs.readdirSync(folder);
    const variant = (
      await server.call('train_variant', { spec, changes: { 'optimizer.lr': 0.05, 'layers.1': 'relu' } })
    ).json();
    const expected = createSession({
      ...SPEC,
      layers: [SPEC.layers[0], 'relu', SPEC.layers[2]],
      optimizer: { ...SPEC.optimizer, lr: 0.05 },
    });
    expected.seek(expected.totalSteps);
    expect(variant).toMatchObject({
      groups: [{ finished: 1, final: { train: { loss: expected.evaluate().train!.loss } } }],
    });
    expect((await server.call('train_variant', { spec })).json()).toMatchObject({
      evaluation: { train: { loss: session.evaluate().train!.loss } },
    });
    expect(fs.readdirSync(folder)).toEqual(before);
    await server.close();
  });

  it.each<[string, object, string]>([
    ['query_run', { spec: 'circles.nabla.json' }, 'query is missing'],
    ['query_run', { spec: 'circles.nabla.json', query: 'loss', to: 1.5 }, 'to must be'],
    ['query_run', { spec: 'circles.nabla.json', query: 'loss', seconds: 1e9 }, 'at most 600'],
    ['query_run', { spec: 'circles.nabla.json', query: 'loss', allow_code: true }, 'no allow_code'],
    ['query_run', { spec: 'circles.nabla.json', query: 'los' }, 'Did you mean loss?'],
    ['query_run', { spec: 'circles.nabla.json', query: '--allow-code' }, 'column'],
    ['query_run', { spec: '../circles.nabla.json', query: 'loss' }, 'below'],
    ['query_run', { spec: '/etc/passwd', query: 'loss' }, 'below'],
    ['check_gradients', { spec: 'nowhere.nabla.json' }, 'There is no file'],
    ['check_gradients', { spec: '..runs/nowhere.nabla.json' }, 'There is no file'],
    ['explain_value', { spec: 'circles.nabla.json', entry: 'hidden.weight' }, 'index'],
    ['train_variant', { spec: 'circles.nabla.json', changes: { 'optimizer.nothing': 1 } }, 'nothing'],
    ['query_run', { spec: 'long.nabla.json', query: 'loss where false', seconds: 0.5 }, 'longer than 0.5 seconds'],
  ])('%s %j says what to do', async (name, input, words) => {
    const server = new Server();
    const { isError, text } = await server.call(name, input);
    expect(isError).toBe(true);
    expect(text).toContain(words);
    await server.close();
  });

  it('reads data files only below the current folder and those that are given', async () => {
    const elsewhere = fs.mkdtempSync(join(tmpdir(), 'nablascope-mcp-data-'));
    fs.writeFileSync(join(elsewhere, 'd.csv'), `a,b,kind\n${'1,2,u\n3,4,v\n'.repeat(20)}`);
    const data = { type: 'csv', path: join(elsewhere, 'd.csv'), target: 'kind' };
    fs.writeFileSync(join(folder, 'outside.nabla.json'), JSON.stringify({ ...SPEC, data }));
    const query = { spec: 'outside.nabla.json', query: 'loss' };
    const [closed, open] = [new Server(), new Server('--data-folder', elsewhere)];
    expect(await closed.call('query_run', query)).toMatchObject({ isError: true });
    expect(await open.call('query_run', query)).toMatchObject({ isError: false });
    await Promise.all([closed.close(), open.close()]);
    fs.rmSync(elsewhere, { recursive: true });
  });

  it('ends a call that is canceled, and all of them with the client', async () => {
    const server = new Server();
    const params = {
      name: 'query_run',
      arguments: { spec: 'long.nabla.json', query: 'loss where false', seconds: 600 },
    };
    server.send({ jsonrpc: '2.0', id: 'a', method: 'tools/call', params });
    server.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'a' } });
    expect((await server.next()).result).toMatchObject({ isError: true, content: [{ text: 'Canceled.' }] });
    server.send({ jsonrpc: '2.0', id: 'b', method: 'tools/call', params });
    expect(await server.close()).toBe(0);
  });

  it('runs custom layers only with permission, which a call cannot give', async () => {
    fs.writeFileSync(join(folder, 'custom.nabla.json'), JSON.stringify(CUSTOM));
    fs.writeFileSync(join(folder, 'wrong.layer.js'), WRONG_LAYER);
    const refusing = new Server();
    const refused = await refusing.call('explain_gradient_error', { spec: 'custom.nabla.json' });
    expect(refused).toMatchObject({ isError: true });
    expect(refused.text).toContain('--allow-code');
    const tricked = await refusing.call('query_run', { spec: 'custom.nabla.json', query: '--allow-code' });
    expect([tricked.isError, tricked.text]).toEqual([true, refused.text]);
    await refusing.close();
    const server = new Server('--allow-code');
    const answer = await server.call('explain_gradient_error', { spec: 'custom.nabla.json' });
    expect(answer.isError ? answer.text : answer.json()).toMatchObject({
      passed: false,
      diagnosis: { tensor: 'input' },
    });
    await server.close();
  });
});
