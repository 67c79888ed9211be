// Why an engine process ended, in sentences for people.
import type { Phase } from '../session/frame';
import type { Activity } from './activity';

/** `the forward pass of hidden1`. */
export function describePhase(phase: Phase, layerNames: readonly string[]): string {
  switch (phase.kind) {
    case 'zero_grad':
      return 'loading the batch and zeroing the gradients';
    case 'forward':
      return `the forward pass of ${layerNames[phase.layer]}`;
    case 'loss':
      return 'the loss';
    case 'loss_backward':
      return 'the backward pass of the loss';
    case 'backward':
      return `the backward pass of ${layerNames[phase.layer]}`;
    case 'update':
      return 'the update of the parameters';
    default:
      return phase satisfies never;
  }
}

/** @param phases descriptions of the phases of a step, in order. */
export function describeHang(activity: Activity, milliseconds: number, phases: readonly string[]): string {
  const seconds = Math.round(milliseconds / 1000);
  const phase = phases[activity.phase];
  const place = {
    rest: 'while it had nothing to do',
    load: 'while it loaded the spec and its data',
    train: phase === undefined ? 'while it trained' : `in ${phase}`,
    check: 'while it checked gradients',
  }[activity.doing];
  return `The engine did not answer for ${seconds} s ${place}, so it was ended.`;
}

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
  /** What the supervisor said before the end. */
  readonly notice: string | null;
  /** The last that the process wrote to stderr. */
  readonly stderr: string;
  /** Why it could not even be started. */
  readonly startError: string | null;
}

export function describeExit({ code, signal, notice, stderr, startError }: ExitFacts): string {
  if (startError !== null) return `The engine could not be started: ${startError}.`;
  if (notice !== null) return notice;
  if (/out of memory|allocation failed/i.test(stderr)) return OUT_OF_MEMORY;
  if (signal === 'SIGKILL') return 'The engine was killed from outside. The system does that when memory runs out.';
  if (signal !== null) return `The engine was ended from outside (${signal}).`;
  return `The engine ended by itself with exit code ${code}.`;
}

export const OUT_OF_MEMORY = 'The engine ran out of memory. A smaller model or smaller data needs less.';
