// Commands between the debugger and the panel: a variable is shown in the panel, and a number of the panel is watched.
import * as vscode from 'vscode';
import { tensorOfExpression } from '../../presentation/tensor-expressions';
import type { OpenRun, RunManager } from '../run/run-manager';
import { DEBUG_TYPE } from './debug-type';

/** The run that is being debugged, else the one in front. */
const debuggedRun = (runs: RunManager): OpenRun | undefined =>
  runs.all.find(({ controller }) => controller.debugClient !== null) ?? runs.active;

/** @param argument of the menu of variables */
export function showVariable(runs: RunManager, argument: unknown): void {
  const run = debuggedRun(runs);
  const { variable } = (argument ?? {}) as { variable?: { readonly evaluateName?: string } };
  const expression = variable?.evaluateName;
  const model = run?.controller.view.model;
  if (!run || !model || expression === undefined) return;
  const tensor = tensorOfExpression(model, expression);
  run.panel.reveal();
  // A number of the run is one of the curves.
  run.panel.postUpdate(tensor ? { type: 'showTensor', tensor } : { type: 'showView', view: 'learn' });
}

/** @param argument of the panel's menu: `expression` names the number */
export async function breakOnSignChange(runs: RunManager, argument: unknown): Promise<void> {
  const run = runs.active ?? debuggedRun(runs);
  const { expression } = (argument ?? {}) as { readonly expression?: unknown };
  if (!run || typeof expression !== 'string') return;
  const condition = 'changes_sign()';
  const isSet = vscode.debug.breakpoints.some(
    (each) =>
      each instanceof vscode.FunctionBreakpoint &&
      each.functionName === expression &&
      each.condition === condition &&
      each.enabled,
  );
  if (!isSet) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(expression, true, condition)]);
  if (run.controller.debugClient !== null) return;
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(run.uri), {
    type: DEBUG_TYPE,
    request: 'launch',
    name: vscode.l10n.t('Debug spec'),
    program: run.uri.fsPath,
  });
}

/** @param argument of the panel's menu: `since` asks when its value began */
export function whenDidThisStart(runs: RunManager, argument: unknown): void {
  const run = runs.active ?? debuggedRun(runs);
  const { since } = (argument ?? {}) as { readonly since?: { readonly query: string; readonly to: number | null } };
  if (run && typeof since?.query === 'string')
    run.panel.postUpdate({ type: 'askQuery', text: since.query, to: since.to });
}

/** Back into the phase that is done. */
export async function backInto(): Promise<void> {
  const session = vscode.debug.activeDebugSession;
  const threadId = vscode.debug.activeStackItem?.threadId;
  if (session?.type === DEBUG_TYPE) await session.customRequest('backInto', { threadId });
}
