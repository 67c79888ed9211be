// The real debug adapter, bundled as it ships, driven over its standard streams by the client of the adapter protocol's
// test support.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { build } from 'esbuild';
import { nodeOptions, writeLaunchers } from '../../scripts/node-bundles.mjs';

const root = resolve(__dirname, '..', '..');

/** Waiting ends a test that hangs, not one that is slow. */
const TIMEOUT_MS = 120_000;

export interface BuiltAdapter {
  readonly folder: string;
  /** Writes a spec, and returns its path. */
  write(name: string, text: string): string;
  start(): Promise<Client>;
  remove(): void;
}

export async function buildAdapter(): Promise<BuiltAdapter> {
  const parent = join(root, 'out');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'adapter-test-'));
  const entries = ['cli', 'engine-process', 'engine-worker', 'engine-thread'];
  await build(nodeOptions(folder, entries));
  writeLaunchers(folder, entries);
  // The client passes no arguments.
  const adapter = join(folder, 'adapter.js');
  writeFileSync(adapter, "process.argv.push('debug-adapter');\nrequire('./cli.js');\n");
  return {
    folder,
    write: (name, text) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    start: async () => {
      const client = new Client(process.execPath, adapter, 'nablascope', { cwd: folder });
      client.defaultTimeout = TIMEOUT_MS;
      await client.start();
      return client;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export class Client extends DebugClient {
  /** Everything that the adapter printed. */
  readonly output: DebugProtocol.OutputEvent['body'][] = [];

  /** Ends the adapter, unless a test has ended it. */
  async close(): Promise<void> {
    if (!this.isDisconnected) await this.stop();
  }

  isDisconnected = false;
  /** The spec that was launched. */
  program = '';

  /** Launches a spec with breakpoints, and waits for the first stop. */
  async open(
    program: string,
    breakpoints: readonly DebugProtocol.SourceBreakpoint[] = [],
    stopOnEntry = true,
    isInitialized = false,
  ): Promise<DebugProtocol.Breakpoint[]> {
    this.on('output', ({ body }: DebugProtocol.OutputEvent) => this.output.push(body));
    const stopped = this.waitForEvent('stopped');
    const configured = this.waitForEvent('initialized').then(async () => {
      const { body } = await this.setBreakpoints(program, breakpoints);
      await this.configurationDoneRequest();
      return body.breakpoints;
    });
    this.program = program;
    const request = { program, stopOnEntry } as DebugProtocol.LaunchRequestArguments;
    await Promise.all([isInitialized ? this.launchRequest(request) : this.launch(request), configured]);
    await stopped;
    return configured;
  }

  setBreakpoints(program: string, breakpoints: readonly DebugProtocol.SourceBreakpoint[]) {
    return this.setBreakpointsRequest({ source: { path: program }, breakpoints: [...breakpoints] });
  }

  /** Sends a request that moves the run, and waits for the stop. */
  async move(request: () => Promise<DebugProtocol.Response>): Promise<DebugProtocol.StoppedEvent['body']> {
    const stopped = this.waitForEvent('stopped');
    await request();
    return (await stopped).body as DebugProtocol.StoppedEvent['body'];
  }

  async frames(): Promise<DebugProtocol.StackFrame[]> {
    return (await this.stackTraceRequest({ threadId: 1 })).body.stackFrames;
  }

  /** The variables of each scope of the top frame, by the title of the scope. */
  async scopes(): Promise<ReadonlyMap<string, DebugProtocol.Variable[]>> {
    const [{ id }] = await this.frames();
    const { scopes } = (await this.scopesRequest({ frameId: id })).body;
    const listed = scopes.map(
      async ({ name, variablesReference }) => [name, await this.children(variablesReference)] as const,
    );
    return new Map(await Promise.all(listed));
  }

  async children(variablesReference: number, page: { start?: number; count?: number } = {}) {
    return (await this.variablesRequest({ variablesReference, ...page })).body.variables;
  }

  /** All entries of a variable, in order. */
  async entries(variable: DebugProtocol.Variable): Promise<string[]> {
    if (variable.variablesReference === 0) return [variable.value];
    const rows = await this.children(variable.variablesReference);
    return (await Promise.all(rows.map((row) => this.entries(row)))).flat();
  }

  async value(expression: string, context = 'watch'): Promise<string> {
    return (await this.evaluateRequest({ expression, context })).body.result;
  }
}
