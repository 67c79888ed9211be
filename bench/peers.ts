// The libraries to compare with, each in a separate process: PyTorch, jax-js and TensorFlow.js. Those that are not
// installed are skipped. PyTorch uses Debian's OpenMP build of OpenBLAS if installed; with the pthread build, two
// threads are slower than one.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Workload } from './workloads';

export interface PeerRequest extends Workload {
  /** Number of steps to measure. */
  readonly calls: number;
  /** For PyTorch. */
  readonly threads?: number;
}

function findOpenBlas(): string | undefined {
  const libraries = '/usr/lib';
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries)
    .map((name) => join(libraries, name, 'openblas-openmp'))
    .find((folder) => existsSync(folder));
}

export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  version = '';

  private constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env });
    this.#child.stderr.pipe(process.stderr);
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  static async start(command: string, args: readonly string[], env = process.env): Promise<Peer> {
    const peer = new Peer(command, args, env);
    peer.version = (await peer.readResult<{ version: string }>()).version;
    return peer;
  }

  /** @returns null if no Python has PyTorch; set PYTHON to one that does */
  static async startTorch(script = join(process.cwd(), 'bench', 'peer-torch.py')): Promise<Peer | null> {
    const blas = findOpenBlas();
    const env = { ...process.env, ...(blas && { LD_LIBRARY_PATH: blas }) };
    const candidates = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);
    const python = candidates.find((name) => spawnSync(name, ['-c', 'import torch'], { env }).status === 0);
    if (!python) return null;
    const torch = await Peer.start(python, [script], env);
    torch.version = `PyTorch ${torch.version}${blas ? ', OpenBLAS (OpenMP)' : ''}`;
    return torch;
  }

  /** A peer from bench/package.json. @returns null if it is not installed; `npm ci --prefix bench` installs it */
  static async startJavaScript(name: 'jax' | 'tfjs'): Promise<Peer | null> {
    const bundle = join(__dirname, `peer-${name}.mjs`);
    return existsSync(bundle) ? Peer.start(process.execPath, [bundle]) : null;
  }

  /** Microseconds per step. */
  async measure(request: PeerRequest): Promise<number> {
    return this.request(request);
  }

  /** The answer to a request of any kind. */
  async request(request: object): Promise<number> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.readResult();
  }

  /** Seconds of PyTorch's gradcheck over this many weights of the first of two layers, in float64. */
  async gradcheck(sizes: readonly number[], batch: number, entries: number, threads: number): Promise<number> {
    return this.request({ sizes, batch, gradcheck: entries, threads });
  }

  /** The next line of output. */
  async readResult<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('a peer ended');
    return JSON.parse(value) as T;
  }

  close(): void {
    this.#reader.close();
    this.#child.kill();
  }
}
