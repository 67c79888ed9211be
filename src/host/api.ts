// The API for other extensions and for tests. Kept small, because it must stay compatible.
import type { CheckReport } from '../protocol/check-report';
import type { Frame } from '../protocol/frame';
import type { ModelInfo } from '../protocol/model-info';
import type { RunRecord } from '../protocol/run-record';
import type * as vscode from 'vscode';
import type { PanelState } from '../protocol/panel';
import type { OpenRun, RunManager } from './run/run-manager';

/** The state of a run; read its properties again after `onDidChange`. */
export interface ObservedRun {
  readonly state: PanelState;
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly check: CheckReport | null;
  /** The engine process, for a profiler; undefined if it is not running. */
  readonly engineProcessId: number | undefined;
  /** The exact state of the run; null if there is none. */
  record(): Promise<RunRecord | null>;
}

export interface NablascopeApi {
  /** Increases when an existing part of the API changes. */
  readonly version: 1;
  /** The run of a spec that has a panel. */
  run(spec: vscode.Uri): ObservedRun | undefined;
  /** A run was opened, closed or changed; the event is the URI of its spec. */
  readonly onDidChange: vscode.Event<vscode.Uri>;
}

export function createApi(runs: RunManager): NablascopeApi {
  return {
    version: 1,
    run: (spec) => {
      const run = runs.get(spec);
      return run && observe(run);
    },
    onDidChange: (listener, self, disposables) =>
      runs.onDidChange(({ uri }) => listener.call(self, uri) as unknown, undefined, disposables),
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
      return view.checkReport;
    },
    get engineProcessId() {
      return controller.engineProcessId;
    },
    record: () => controller.captureRecord(),
  };
}
