// The run that a debug adapter drives: an engine process of its own, or the one of a panel.
import type { LogpointMessage, RunState } from '../protocol/breakpoints';
import type { EngineCalls } from '../protocol/engine';
import type { ModelInfo } from '../protocol/model-info';

/** The attributes of a launch configuration. */
export interface LaunchConfiguration {
  /** Path of the spec. */
  readonly program: string;
  /** Whether to stop before the first step; true by default. */
  readonly stopOnEntry?: boolean;
}

export interface DebuggedRun {
  /** Path of the spec, absolute. */
  readonly file: string;
  /** Its text, to which lines refer. */
  readonly text: string;
  readonly model: ModelInfo;
  readonly calls: Pick<EngineCalls, 'command' | 'query' | 'setBreakpoints'>;
  /** Undoes the last manual change. @returns what it was, such as `change of hidden.weight`; null if there is none */
  undo(): Promise<string | null>;
  /**
   * Debugs the code of a layer with another debugger, in the phase that comes next, which does not happen in the run.
   * Absent where there is no other debugger.
   * @param layer its name
   * @param signal ends that debugger
   * @returns when that debugger has ended; false if the layer has no code of its own for this phase
   */
  debugCode?(layer: string, phase: 'forward' | 'backward', signal: AbortSignal): Promise<boolean>;
  /** Ends the process, or leaves the run to its panel. */
  dispose(): Promise<void>;
}

/** What a run reports to its debug adapter. */
export interface DebuggedRunEvents {
  onState(state: RunState): void;
  /** A replay has reached a step on its way to another. */
  onReplay?(step: number, target: number): void;
  onLogpoints(messages: readonly LogpointMessage[]): void;
  /** A fork of the run was trained elsewhere. */
  onForks?(): void;
  onOutput(text: string): void;
  /** The process has ended. @param reason sentences for people */
  onExit(reason: string): void;
}

/** Opens the run of a configuration. Rejects with a message for people if there is none. */
export type LaunchRun = (configuration: LaunchConfiguration, events: DebuggedRunEvents) => Promise<DebuggedRun>;
