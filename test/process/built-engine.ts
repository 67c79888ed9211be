// The real engine process, bundled as it ships, for tests that start it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { EngineClient } from '../../src/process/client';
import type { Fault } from '../../src/engine/custom/fault';
import type { HostCalls } from '../../src/protocol/engine';
import type { CheckReport } from '../../src/gradcheck/report';
import { joining } from '../../src/parts/parts';
import type { Frame } from '../../src/session/frame';
import type { RunRecord } from '../../src/session/record';

const source = resolve(__dirname, '..', '..', 'src', 'process');

export interface BuiltEngine {
  /** engine-process.js, its worker beside it. */
  readonly file: string;
  remove(): Promise<void>;
}

export async function buildEngine(): Promise<BuiltEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'nablascope-engine-'));
  await build({
    entryPoints: { 'engine-process': join(source, 'entry.ts'), 'engine-worker': join(source, 'worker.ts'), 'engine-thread': join(source, '..', 'machine', 'thread.ts') },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  return {
    file: join(folder, 'engine-process.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** An engine process and everything that it said. */
export class WatchedEngine {
  readonly client: EngineClient;
  readonly frames: Frame[] = [];
  readonly records: RunRecord[] = [];
  readonly reports: CheckReport[] = [];
  readonly progress: number[] = [];
  readonly faults: Fault[] = [];
  /** Lines that layers wrote, with the layer in front. */
  readonly lines: string[] = [];
  /** Of the end, where a layer is to blame. */
  blamed: Fault | null = null;
  readonly loading: string[] = [];
  readonly exits: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(file: string, ...args: string[]) {
    const host: HostCalls = {
      frame: joining(async (frame: Frame) => {
        this.frames.push(frame);
        this.#wake();
      }),
      triesWideVectors: () => undefined,
      checkpoint: (record) => {
        this.records.push(record);
        this.#wake();
      },
      loading: (words) => {
        this.loading.push(words);
        this.#wake();
      },
      checked: (report) => {
        this.reports.push(report);
        this.#wake();
      },
      fault: (fault) => {
        this.faults.push(fault);
        this.#wake();
      },
      log: (level, text, source) => {
        this.lines.push(`${level} ${source}: ${text}`);
        this.#wake();
      },
      checkProgress: ({ checked }) => {
        this.progress.push(checked);
        this.#wake();
      },
    };
    const onExit = (reason: string, fault: Fault | null): void => {
      this.exits.push(reason);
      this.blamed = fault;
      this.#wake();
    };
    this.client = new EngineClient({ file, arguments: args, host, onExit });
  }

  get last(): Frame | undefined {
    return this.frames[this.frames.length - 1];
  }

  /** Settles as soon as `question` answers yes; it is asked whenever the process said something. */
  async until(question: () => boolean): Promise<void> {
    while (!question()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async open(text: string, record?: RunRecord): Promise<void> {
    const result = await this.client.calls.open({ text, folder: '', root: null, record });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    await this.until(() => this.frames.length > 0);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
