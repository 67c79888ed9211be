// Talks to PyTorch in a Python process beside the benchmark, where there is one. With OpenBLAS in Debian's OpenMP
// build if that is installed: with its pthread build two threads are slower than one.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

export interface TorchRequest {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly convolutions?: readonly number[];
  readonly activation: string;
  readonly batch: number;
  readonly loss: string;
  readonly calls: number;
  readonly threads: number;
}

function openBlas(): string | undefined {
  const libraries = '/usr/lib';
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries).map((name) => join(libraries, name, 'openblas-openmp')).find((folder) => existsSync(folder));
}

export class Torch {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  version = '';

  private constructor(python: string, script: string, environment: NodeJS.ProcessEnv) {
    this.#child = spawn(python, [script], { env: environment });
    this.#child.stderr.pipe(process.stderr);
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @returns null where no Python has PyTorch; set PYTHON to name one. */
  static async start(script: string): Promise<Torch | null> {
    const blas = openBlas();
    const environment = { ...process.env, ...(blas && { LD_LIBRARY_PATH: blas }) };
    const candidates = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((name) => name !== undefined);
    const python = candidates.find((name) => spawnSync(name, ['-c', 'import torch'], { env: environment }).status === 0);
    if (!python) return null;
    const torch = new Torch(python, script, environment);
    torch.version = `PyTorch ${((await torch.#answer()) as { version: string }).version}${blas ? ', OpenBLAS (OpenMP)' : ''}`;
    return torch;
  }

  /** Microseconds a step. */
  async measure(request: TorchRequest): Promise<number> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return (await this.#answer()) as number;
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('PyTorch ended');
    return JSON.parse(value);
  }

  end(): void {
    this.#reader.close();
    this.#child.kill();
  }
}
