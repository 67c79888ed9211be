// What other extensions, and the tests, may ask of this one. Kept small: everything here must stay.
import type * as vscode from 'vscode';
import type { PanelState } from '../protocol/panel';
import type { CheckReport } from '../gradcheck/report';
import type { Frame, ModelInfo } from '../session/frame';
import type { RunRecord } from '../session/record';
import type { OpenRun, Runs } from './runs';

/** A run as it stands; read its properties again after `onDidChange`. */
export interface ObservedRun {
  readonly state: PanelState;
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly check: CheckReport | null;
  /** Of the process that computes, for a profiler; undefined while there is none. */
  readonly engineProcessId: number | undefined;
  /** Where the run stands, bit for bit; null where none is. */
  record(): Promise<RunRecord | null>;
}

export interface NablascopeApi {
  /** Rises when something is changed that was here. */
  readonly version: 1;
  /** The run of a spec that has a panel. */
  run(spec: vscode.Uri): ObservedRun | undefined;
  /** A run was opened or closed, or anything about it changed; the address is the spec's. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
}

export function createApi(runs: Runs): NablascopeApi {
  return {
    version: 1,
    run: (spec) => {
      const run = runs.of(spec);
      return run && observe(run);
    },
    onDidChange: (listener, self, disposables) => runs.onChanged(({ uri }) => listener.call(self, uri), undefined, disposables),
  };
}

function observe({ controller }: OpenRun): ObservedRun {
  const { view } = controller;
  return {
    get state() {
      return view.state;
    },
    get model() {
      return view.model;
    },
    get frame() {
      return view.frame;
    },
    get check() {
      return view.check;
    },
    get engineProcessId() {
      return controller.engineProcessId;
    },
    record: () => controller.record(),
  };
}
