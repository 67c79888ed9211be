// Exports a report of the active run: queries the engine for everything it can measure at the current step, and saves
// the page.
import { l10n } from 'vscode';
import type * as vscode from 'vscode';
import { reportHtml } from '../../report/report-html';
import type { OpenRun } from '../run/run-manager';
import { UNAVAILABLE_REASON } from '../run/run-messages';
import { saveWithDialog } from './save-file';

export async function exportReport(run: OpenRun, version: string): Promise<vscode.Uri | undefined> {
  const { controller } = run;
  const { view } = controller;
  const result = await controller.query({ type: 'layer_stats' });
  // The text may have been edited since; the run belongs to the text that it began with.
  const text = (await controller.captureRecord().catch(() => null))?.text ?? controller.analysis.text;
  // Read after the answers. Nothing is awaited from here until the page is built.
  const { model, frame } = view;
  if (!model || !frame) {
    const { kind } = view.state;
    view.notify(
      'warning',
      kind === 'run'
        ? l10n.t('There is nothing to report yet: the run has no step to show.')
        : typeof result === 'string'
          ? result
          : UNAVAILABLE_REASON[kind],
    );
    return undefined;
  }
  // If the run has moved to another step in the meantime, only the frame's own data is consistent.
  const isSamePosition =
    typeof result !== 'string' &&
    result.position.step === frame.position.step &&
    result.position.phase === frame.position.phase;
  const layerStats =
    isSamePosition && Array.isArray(result.value) ? (result.value as typeof frame.layers) : frame.layers;
  const page = reportHtml({
    file: controller.location.file,
    text,
    version,
    model,
    frame,
    layerStats,
    history: view.history.data(),
    check: view.checkReport,
    findings: view.problems,
  });
  return saveWithDialog(run.uri, view, {
    kind: 'html',
    title: `step ${frame.position.step}`,
    content: Buffer.from(page, 'utf8'),
  });
}
