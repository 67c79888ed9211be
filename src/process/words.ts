// Why an engine process, or a worker in it, ended: in sentences for people.
import { describeCall, describePlace, type Fault } from '../engine/custom/fault';
import type { Phase } from '../session/frame';
import type { Activity } from './activity';
import type { NamedCode } from './black-box';

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

/** What is wrong with a layer, where, and what to do. */
export const describeFault = ({ message, place, remedy }: Fault): string => `${message} (${describePlace(place)}) ${remedy}`;

/** Why something ended, and which layer of the user's own is to blame. */
export interface Ending {
  readonly reason: string;
  readonly fault: Fault | null;
}

/** An end in code of the user's own. @param what it did, after the name of the place: "did not come back within 2 s". */
export function endInCode({ layer, call, file }: NamedCode, what: string, remedy: string): Ending {
  const where = describeCall(call, layer);
  const message = `${where.replace(/^./, (first) => first.toUpperCase())} ${what}.`;
  const place = { file, line: null, column: null };
  return {
    reason: `${message} (${file.split(/[/\\]/).pop()})`,
    fault: { layer, call, message, remedy, place, stack: null },
  };
}

/**
 * @param phases descriptions of the phases of a step, in order.
 * @param code of the user's own, if that hangs.
 */
export function describeHang(activity: Activity, milliseconds: number, phases: readonly string[], code: NamedCode | null): Ending {
  if (code) {
    const seconds = (milliseconds / 1000).toFixed(1);
    return endInCode(code, `did not come back within ${seconds} s, so the engine was ended`, 'Look for a loop that does not end, or for a call that waits.');
  }
  const phase = phases[activity.phase];
  const place = {
    rest: 'while it had nothing to do',
    load: 'while it loaded the spec and its data',
    train: phase === undefined ? 'while it trained' : `in ${phase}`,
    check: 'while it checked gradients',
  }[activity.doing];
  return { reason: `The engine did not answer for ${Math.round(milliseconds / 1000)} s ${place}, so it was ended.`, fault: null };
}

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
  /** What the supervisor said before the end. */
  readonly notice: Ending | null;
  /** Code of the user's own that ran when the process died. */
  readonly running: NamedCode | null;
  /** The last that the process wrote to stderr. */
  readonly stderr: string;
  /** Why it could not even be started. */
  readonly startError: string | null;
}

export function describeExit({ code, signal, notice, running, stderr, startError }: ExitFacts): Ending {
  const plain = (reason: string): Ending => ({ reason, fault: null });
  if (startError !== null) return plain(`The engine could not be started: ${startError}.`);
  if (notice !== null) return notice;
  const noMemory = /out of memory|allocation failed|invalid (table|array) (size|length)/i.test(stderr);
  if (running) {
    if (noMemory) return outOfMemory(running);
    const how = signal !== null ? `ended the engine by the signal ${signal}` : `ended the engine with exit code ${code}`;
    return endInCode(running, how, 'Look for what ends a process, or takes more memory than there is.');
  }
  if (noMemory) return outOfMemory(null);
  if (signal === 'SIGKILL') return plain('The engine was killed from outside. The system does that when memory runs out.');
  if (signal !== null) return plain(`The engine was ended from outside (${signal}).`);
  return plain(`The engine ended by itself with exit code ${code}.`);
}

export const OUT_OF_MEMORY = 'The engine ran out of memory. A smaller model or smaller data needs less.';

export function outOfMemory(code: NamedCode | null): Ending {
  if (!code) return { reason: OUT_OF_MEMORY, fault: null };
  return endInCode(code, 'took more memory than there is', 'Look for what it keeps, or for a size that grows.');
}
