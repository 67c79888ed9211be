// The real engine process, bundled as in the release, for tests that start it.
import type { CustomLayerErrorDetails } from '../../src/protocol/problem';
import type { CheckReport } from '../../src/protocol/check-report';
import type { Frame } from '../../src/protocol/frame';
import type { RunRecord } from '../../src/protocol/run-record';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { nodeOptions, writeLaunchers } from '../../scripts/node-bundles.mjs';
import { ENGINE_RESPONSE_TIMEOUT_MS, ProcessClient } from '../../src/process/process-client';
import type { EngineEvents } from '../../src/protocol/engine';
import { createAssembler } from '../../src/chunking/chunks';

export interface BuiltEngine {
  /** engine-process.js, next to its worker. */
  readonly file: string;
  remove(): Promise<void>;
}

export async function buildEngine(): Promise<BuiltEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'nablascope-engine-'));
  const entries = ['engine-process', 'engine-worker', 'engine-thread'];
  await build(nodeOptions(folder, entries));
  writeLaunchers(folder, entries);
  return {
    file: join(folder, 'engine-process.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** An engine process that records all its messages. */
export class TestEngine {
  readonly client: ProcessClient;
  readonly frames: Frame[] = [];
  readonly records: RunRecord[] = [];
  readonly reports: CheckReport[] = [];
  readonly progress: number[] = [];
  readonly faults: CustomLayerErrorDetails[] = [];
  /** Lines that layers logged, prefixed with the layer. */
  readonly logLines: string[] = [];
  /** The fault that ended the process, if a layer is at fault. */
  exitFault: CustomLayerErrorDetails | null = null;
  readonly loading: string[] = [];
  /** Of the streams of the process. */
  outputChars = 0;
  readonly exits: string[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(file: string, ...args: string[]) {
    const events: EngineEvents = {
      frame: createAssembler(async (frame: Frame) => {
        this.frames.push(frame);
        this.#wake();
      }),
      stateChanged: () => undefined,
      logpoints: () => undefined,
      simd256Enabled: () => undefined,
      checkpoint: (record) => {
        this.records.push(record);
        this.#wake();
      },
      loading: (message) => {
        this.loading.push(message);
        this.#wake();
      },
      checkFinished: (report) => {
        this.reports.push(report);
        this.#wake();
      },
      fault: (fault) => {
        this.faults.push(fault);
        this.#wake();
      },
      log: (level, text, source) => {
        this.logLines.push(`${level} ${source}: ${text}`);
        this.#wake();
      },
      checkProgress: ({ checked }) => {
        this.progress.push(checked);
        this.#wake();
      },
    };
    const onExit = (reason: string, fault: CustomLayerErrorDetails | null): void => {
      this.exits.push(reason);
      this.exitFault = fault;
      this.#wake();
    };
    this.client = new ProcessClient({
      file,
      arguments: args,
      events,
      onExit,
      responseTimeout: ENGINE_RESPONSE_TIMEOUT_MS,
      onOutput: (text) => {
        this.outputChars += text.length;
      },
    });
  }

  get last(): Frame | undefined {
    return this.frames[this.frames.length - 1];
  }

  /** Resolves when the predicate returns true; evaluated after every message of the process. */
  async until(predicate: () => boolean): Promise<void> {
    while (!predicate()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async open(text: string, record?: RunRecord): Promise<void> {
    const result = await this.client.calls.open({ text, folder: '', root: null, record });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    await this.until(() => this.frames.length > 0);
  }

  #wake(): void {
    const waiting = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiting) wake();
  }
}
