// What the two threads of the engine process say to each other beside the calls that they pass on.

/** What the supervisor gives its worker at birth. */
export interface WorkerData {
  /** See ActivityCell. */
  readonly activity: SharedArrayBuffer;
  /** Milliseconds that loading a spec may take beyond the usual limit. */
  readonly loading: number;
}

/** From the worker: what the phases of a step of the new run are called, for a watchdog to name. */
export interface PhasesMessage {
  readonly type: 'phases';
  readonly phases: readonly string[];
}

export function isPhasesMessage(message: unknown): message is PhasesMessage {
  return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'phases';
}
