// What a runner is at.

/** Where training goes by itself. */
export interface Drive {
  readonly target: number;
  readonly status: 'running' | 'seeking';
  /** Phases of the step after the target, when seeking. */
  readonly phase?: number;
  /** Whether the speed that was set holds; somewhere in particular one wants to get at once. */
  readonly paced?: boolean;
}

/** Work that a later command may cut short. */
export interface Job {
  cancelled: boolean;
  readonly done: Promise<void>;
}
