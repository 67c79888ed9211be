// What a runner is given: a session, a clock and an event loop, and whom to tell.
import type { Fault } from '../engine/custom/fault';
import type { CheckProgress, CheckReport } from '../gradcheck/report';
import type { Frame } from './frame';
import type { RunRecord } from './record';
import type { TrainingSession } from './session';

export interface RunnerOptions {
  readonly session: TrainingSession;
  /** Hands out a frame; the next one waits until this settles. */
  readonly emit: (frame: Frame) => Promise<void>;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  /** Lets the event loop turn, and waits at least so long. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Called between slices: proof of life for a watchdog. */
  readonly beat?: (busy: boolean) => void;
  /** Something went wrong that is nobody's input: a defect. */
  readonly fail: (error: unknown) => void;
  /** A layer of the user's own failed; the run rests in the phase in which it did. */
  readonly onFault?: (fault: Fault) => void;
  readonly onRecord?: (record: RunRecord) => void;
  readonly onCheckProgress?: (progress: CheckProgress) => void;
  /** A check that ran by itself. */
  readonly onChecked?: (report: CheckReport) => void;
}
