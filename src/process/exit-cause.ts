// Why an engine process, or a worker in it, ended, as sentences for people.
import type { Phase } from '../protocol/position';
import type { CustomLayerErrorDetails } from '../protocol/problem';
import { describeCall, formatLocation } from '../engine/custom/custom-layer-error';
import { describeThrown } from '../engine/custom/foreign-value';
import type { Activity } from './activity';
import type { NamedLayerCall } from './crash-breadcrumb';

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
export const describeFault = ({ message, place, remedy }: CustomLayerErrorDetails): string =>
  `${message} (${formatLocation(place)}) ${remedy}`;

/** Why something ended, and the custom layer at fault. */
export interface ExitCause {
  readonly reason: string;
  readonly fault: CustomLayerErrorDetails | null;
}

const CUSTOM_LAYER_HINT = ' The custom layers of the spec may have caused this.';

/**
 * Describes an error that nothing caught.
 * @param hasCustomLayers whether code of the user was loaded, which may have caused it
 */
export function describeFailure(
  thrown: unknown,
  hasCustomLayers: boolean,
  subject: 'The engine' | 'The run' = 'The engine',
): ExitCause {
  const what = describeThrown(thrown).replace(/^threw (Error: )?/, '');
  return { reason: `${subject} failed: ${what}.${hasCustomLayers ? CUSTOM_LAYER_HINT : ''}`, fault: null };
}

/**
 * Describes an end caused by a custom layer.
 * @param what it did; continues the name of the place: "did not return within 2 s"
 */
export function layerExitCause({ layer, call, file }: NamedLayerCall, what: string, remedy: string): ExitCause {
  const where = describeCall(call, layer);
  const message = `${where.replace(/^./, (first) => first.toUpperCase())} ${what}.`;
  const place = { file, line: null, column: null };
  return {
    reason: `${message} (${file.split(/[/\\]/).pop()})`,
    fault: { layer, call, message, remedy, place, stack: null },
  };
}

/**
 * @param phases descriptions of the phases of a step, in order
 * @param layerCall the custom layer's call, if that hangs
 */
export function describeHang(
  activity: Activity,
  milliseconds: number,
  phases: readonly string[],
  layerCall: NamedLayerCall | null,
): ExitCause {
  if (layerCall) {
    const seconds = (milliseconds / 1000).toFixed(1);
    return layerExitCause(
      layerCall,
      `did not return within ${seconds} s, so the engine was stopped`,
      'Look for an infinite loop, or for a call that waits.',
    );
  }
  const phase = phases[activity.phase];
  const place = {
    idle: 'while it was idle',
    load: 'while it loaded the spec and its data',
    train: phase === undefined ? 'while it trained' : `in ${phase}`,
    check: 'while it checked gradients',
  }[activity.kind];
  return {
    reason: `The engine did not answer for ${Math.round(milliseconds / 1000)} s ${place}, so it was stopped.`,
    fault: null,
  };
}

const KILL_REASONS = {
  malformed: {
    what: 'wrote something to the channel between engine and editor that is no message',
    remedy: 'Write only to files that the layer opens itself, and to the console.',
  },
  unresponsive: {
    what: 'stopped the engine process from answering',
    remedy: 'Look for code that stops or blocks the process.',
  },
} as const;
const CRASH_SIGNALS: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

export interface ExitInfo {
  readonly code: number | null;
  readonly signal: string | null;
  /** What the supervisor reported before the end. */
  readonly notice: ExitCause | null;
  /** Why the host killed it: it sent something that is no message, or it no longer answered. */
  readonly killedFor?: 'malformed' | 'unresponsive' | null;
  /** The custom layer's call that was running when the process died. */
  readonly layerCall: NamedLayerCall | null;
  /** Whether custom layers had run in it. */
  readonly hasCustomLayers?: boolean;
  /** The last output of the process to stderr. */
  readonly stderr: string;
  /** Why the process could not be started. */
  readonly startError: string | null;
}

export function describeExit(info: ExitInfo): ExitCause {
  const { code, signal, notice, killedFor, layerCall, hasCustomLayers = false, stderr, startError } = info;
  const hint = hasCustomLayers ? CUSTOM_LAYER_HINT : '';
  const withoutFault = (reason: string): ExitCause => ({ reason, fault: null });
  if (startError !== null) return withoutFault(`The engine could not be started: ${startError}.`);
  if (notice !== null) return notice;
  if (killedFor) {
    const { what, remedy } = KILL_REASONS[killedFor];
    return layerCall
      ? layerExitCause(layerCall, what, remedy)
      : withoutFault(`The engine ${what}, so it was stopped.${hint}`);
  }
  const isOutOfMemory = /out of memory|allocation failed|invalid (table|array) (size|length)/i.test(stderr);
  if (layerCall) {
    if (isOutOfMemory) return outOfMemoryCause(layerCall);
    const how =
      signal !== null ? `ended the engine with the signal ${signal}` : `ended the engine with exit code ${code}`;
    return layerExitCause(layerCall, how, 'Look for code that ends the process, or uses too much memory.');
  }
  if (isOutOfMemory) return outOfMemoryCause(null);
  if (signal === 'SIGKILL')
    return withoutFault('The engine was killed from outside. The system does that when memory runs out.');
  if (signal !== null && CRASH_SIGNALS.has(signal)) return withoutFault(`The engine crashed (${signal}).${hint}`);
  if (signal !== null) return withoutFault(`The engine was stopped from outside (${signal}).`);
  return withoutFault(`The engine exited with code ${code}.${hint}`);
}

export const OUT_OF_MEMORY_MESSAGE = 'The engine ran out of memory. Use a smaller model or less data.';

export function outOfMemoryCause(layerCall: NamedLayerCall | null): ExitCause {
  if (!layerCall) return { reason: OUT_OF_MEMORY_MESSAGE, fault: null };
  return layerExitCause(layerCall, 'used too much memory', 'Look for objects that it keeps, or for a size that grows.');
}
