// A second session of the same run, which computes another step or a fork without disturbing the first. It works in
// short slices, so that clients can show progress and stop.
import type { Backend } from '../engine/kernels/create-kernels';
import { type CompiledRun, formatBytes } from '../model-spec';
import type { RunRecord } from '../protocol/run-record';
import { CommandError } from './preconditions';
import { TrainingSession } from './session';
import { estimateStepMacs } from './fused-step';

/** Multiply-adds per slice, and the most steps: some 20 milliseconds. */
const SLICE_MACS = 2e7;
const MAX_SLICE_STEPS = 1000;

/** Networks with more bytes are not copied. */
export const MAX_COPY_BYTES = 512 * 2 ** 20;

/** Why a network of that size is not copied. */
export const copyMessage = (bytes: number): string =>
  `Showing another step needs a second copy of the network. This one takes ${formatBytes(bytes)}, and the limit is ${formatBytes(MAX_COPY_BYTES)}.`;

/** Takes no checkpoints of its own. */
const NEVER = 2 ** 40;

/** Opens a session at or before `step`, ready to be trained up to it. */
export function openScratchSession(session: TrainingSession, step: number): TrainingSession {
  const { memoryBytes } = session.network;
  if (memoryBytes > MAX_COPY_BYTES) {
    throw new CommandError(copyMessage(memoryBytes));
  }
  const record = { ...session.record({ step, phase: 0 }), position: { step: 0, phase: 0 }, frontier: 0 };
  const { backend, simd256 } = session.kernelOptions;
  const scratch = TrainingSession.resume(session.run, record, {
    backend,
    simd256,
    checkpointBudget: 0,
    checkpointInterval: NEVER,
  });
  scratch.rewind(step);
  return scratch;
}

/**
 * Opens a session in another thread that replays steps from the checkpoint of a record.
 * @throws if the backend is not available there
 */
export const openReplayThreadSession = (run: CompiledRun, record: RunRecord, backend: Backend): TrainingSession =>
  TrainingSession.resume(run, record, { backend, checkpointBudget: 0, checkpointInterval: NEVER });

/** Opens a session that can go to any step that the run has reached, from the checkpoints of the run. */
export function openReplaySession(session: TrainingSession): TrainingSession {
  const replay = openScratchSession(session, session.earliestStep + 1);
  replay.shareCheckpoints(session);
  return replay;
}

/** Steps that fit into a slice; at least one. */
export const stepsPerSlice = ({ model, network }: TrainingSession): number =>
  Math.max(1, Math.min(MAX_SLICE_STEPS, Math.floor(SLICE_MACS / estimateStepMacs(model, network))));

/** Trains toward `step` for one slice. @returns whether it has arrived */
export function advanceToward(scratch: TrainingSession, step: number): boolean {
  for (let left = stepsPerSlice(scratch); left > 0 && scratch.position.step < step; left--) scratch.step();
  return scratch.position.step >= step;
}
