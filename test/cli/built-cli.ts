// The real command, bundled as it ships, run as a child process.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { nodeOptions, writeLaunchers } from '../../scripts/node-bundles.mjs';

export const root = resolve(__dirname, '..', '..');

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends Ctrl-C after the first output. */
  readonly interrupt?: boolean;
  /** A stream that nobody reads, from before the first output. */
  readonly closed?: 'stdout' | 'stderr';
  /** Largest file that it can write, in blocks of 512 bytes; not on Windows. */
  readonly maxFileBlocks?: number;
}

export interface BuiltCli {
  readonly file: string;
  run(argv: readonly string[], options?: CallOptions): Promise<CliResult>;
  remove(): void;
}

export async function buildCli(): Promise<BuiltCli> {
  const parent = join(root, 'out');
  mkdirSync(parent, { recursive: true });
  // Inside the package, so that the version is found.
  const folder = mkdtempSync(join(parent, 'cli-test-'));
  const file = join(folder, 'cli.js');
  const entries = ['cli', 'sweep-worker', 'engine-thread'];
  await build(nodeOptions(folder, entries));
  writeLaunchers(folder, entries);
  return {
    file,
    run: (words, options) => spawnCli(file, words, options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function spawnCli(
  file: string,
  argv: readonly string[],
  { cwd = root, env = {}, interrupt = false, closed, maxFileBlocks }: CallOptions = {},
): Promise<CliResult> {
  return new Promise((settle, fail) => {
    const command = [process.execPath, file, ...argv];
    const limited = ['sh', '-c', 'ulimit -f "$0"; exec "$@"', String(maxFileBlocks), ...command];
    const [program, ...words] = maxFileBlocks === undefined ? command : limited;
    const child = spawn(program!, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (closed) child[closed].destroy();
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (interrupt && out === '') child.kill('SIGINT');
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', fail);
    child.on('close', (code) => settle({ code, out, err }));
  });
}
