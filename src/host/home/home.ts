// The extension's part of the side bar: open runs, models of the workspace, examples.
import * as vscode from 'vscode';
import type { RunManager } from '../run/run-manager';
import type { ExampleFiles } from './example-files';
import { ExamplesView } from './examples-view';
import { ModelsView } from './models-view';
import { RunsView } from './runs-view';

/** @param memory of the workspace, for the last results */
export function registerHome(runs: RunManager, examples: ExampleFiles, memory: vscode.Memento): vscode.Disposable {
  const openRuns = new RunsView(runs);
  const models = new ModelsView(runs, memory);
  return vscode.Disposable.from(
    openRuns,
    models,
    vscode.window.registerTreeDataProvider('nablascope.runs', openRuns),
    vscode.window.registerTreeDataProvider('nablascope.models', models),
    vscode.window.registerTreeDataProvider('nablascope.examples', new ExamplesView(examples)),
  );
}
