// The forks of a run as threads: each stands at the end of its last step, with its own values, until it is moved. Then
// the run goes on as this fork.
import type { DebugProtocol } from '@vscode/debugprotocol';
import { formatCompact } from '../presentation/numbers';
import type { ForkRequest, TrainedFork } from '../protocol/queries';

/** The run's own thread. */
export const RUN_THREAD = 1;
/** Ids of a fork's frames, by its thread. */
const FRAMES_PER_THREAD = 10;

/** Equal for the same fork. */
export const keyOf = ({ from, lr, seed, to }: ForkRequest): string => JSON.stringify([from, lr, seed, to]);

export type ForkFrame = 'phase' | 'step';

export class ForkThreads {
  /** By what they are, so that a fork keeps its thread. */
  readonly #ids = new Map<string, number>();
  #forks: ReadonlyMap<number, TrainedFork> = new Map();

  /** Replaces the forks. @returns whether there are new ones, and the threads of those that are gone */
  set(forks: readonly TrainedFork[]): { readonly hasNew: boolean; readonly gone: readonly number[] } {
    const before = this.#forks;
    this.#forks = new Map(forks.map((fork) => [this.#idOf(fork), fork]));
    return {
      hasNew: [...this.#forks.keys()].some((id) => !before.has(id)),
      gone: [...before.keys()].filter((id) => !this.#forks.has(id)),
    };
  }

  get threads(): DebugProtocol.Thread[] {
    return [...this.#forks]
      .sort(([a], [b]) => a - b)
      .map(([id, { from, lr, seed }]) => {
        const settings = [
          ...(lr === null ? [] : [`lr ${formatCompact(lr)}`]),
          ...(seed === null ? [] : [`seed ${seed}`]),
        ];
        return { id, name: `fork at step ${from}: ${settings.join(', ')}` };
      });
  }

  get(thread: number): TrainedFork | undefined {
    return this.#forks.get(thread);
  }

  frameId(thread: number, frame: ForkFrame): number {
    return thread * FRAMES_PER_THREAD + (frame === 'phase' ? 1 : 2);
  }

  /** The fork of a frame; undefined for a frame of the run. */
  ofFrame(frameId: number | undefined): TrainedFork | undefined {
    return frameId === undefined ? undefined : this.get(Math.floor(frameId / FRAMES_PER_THREAD));
  }

  isPhaseFrame = (frameId: number): boolean => frameId % FRAMES_PER_THREAD === 1;

  #idOf(fork: ForkRequest): number {
    const key = keyOf(fork);
    const id = this.#ids.get(key) ?? RUN_THREAD + 1 + this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }
}

/**
 * Reads `fork lr=0.1 seed=3 from=100 to=200` of the console.
 * @param step the completed steps, after which a fork begins by default; it ends an epoch later
 * @returns null if the text is no such command, or why it is wrong
 */
export function parseFork(
  text: string,
  { step, batchesPerEpoch, totalSteps }: { step: number; batchesPerEpoch: number; totalSteps: number },
): ForkRequest | string | null {
  const [word, ...settings] = text.trim().split(/\s+/);
  if (word !== 'fork' || settings.some((each) => !each.includes('='))) return null;
  const values = new Map<string, number>();
  for (const setting of settings) {
    const [name = '', value = ''] = setting.split('=');
    if (!['lr', 'seed', 'from', 'to'].includes(name)) return `A fork has lr, seed, from and to, but no ${name}.`;
    const number = value === '' ? NaN : Number(value);
    if (!Number.isFinite(number) || (name !== 'lr' && !Number.isSafeInteger(number)))
      return `${name} must be ${name === 'lr' ? 'a number' : 'an integer'}, not ${value || 'empty'}.`;
    values.set(name, number);
  }
  const lr = values.get('lr') ?? null;
  const seed = values.get('seed') ?? null;
  if (lr === null && seed === null) return 'Give the fork another learning rate or another seed: fork lr=0.01.';
  const from = values.get('from') ?? step;
  if (from >= totalSteps)
    return `The run has ${totalSteps} steps, so from must be less than ${totalSteps}, not ${from}.`;
  const to = values.get('to') ?? Math.min(totalSteps, from + batchesPerEpoch);
  if (to <= from) return `to must be greater than from (${from}), not ${to}.`;
  return { from, lr, seed, to };
}
