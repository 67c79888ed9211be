// A sweep as whoever shows it sees it: its runs, how far each is, and what came of those that are done.
import type { Settings } from './plan';
import type { SweepReport } from './report';

export interface RunState {
  readonly settings: Settings;
  readonly state: 'waiting' | 'running' | 'finished' | 'diverged' | 'failed';
  /** Of the steps that it takes; 0 where that is not known yet. */
  readonly step: number;
  readonly total: number;
  /** Why it diverged or failed. */
  readonly message: string | null;
}

export interface SweepState {
  readonly running: boolean;
  /** Runs side by side; 0 at rest. */
  readonly workers: number;
  readonly runs: readonly RunState[];
  readonly report: SweepReport;
  /** Name of the file that keeps the results. */
  readonly file: string;
  /** Sentences about what was kept and what was not. */
  readonly notes: readonly string[];
}

export const isDone = ({ state }: RunState): boolean => state !== 'waiting' && state !== 'running';
