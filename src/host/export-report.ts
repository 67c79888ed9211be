// A report of the run in front: asks the engine for all that can be measured where it stands, and saves the page.
import type * as vscode from 'vscode';
import { reportHtml } from '../report/report';
import type { OpenRun } from './runs';
import { NOT_NOW } from './run-words';
import { saveAs } from './save';

export async function exportReport(run: OpenRun, version: string): Promise<vscode.Uri | undefined> {
  const { controller } = run;
  const { view } = controller;
  const asked = await controller.ask({ about: 'readings' });
  // The text may have been edited since: the run is of the one that it began with.
  const text = (await controller.record().catch(() => null))?.text ?? controller.text;
  // Read after the answers; nothing is waited for from here until the page is made.
  const { model, frame } = view;
  if (!model || !frame) {
    const { kind } = view.state;
    view.notice('warning', kind === 'run' ? 'There is nothing to report yet: the run has no step to show.' : typeof asked === 'string' ? asked : NOT_NOW[kind]);
    return undefined;
  }
  // Of another step where the run goes on meanwhile: then what the frame itself holds is the truth.
  const same = typeof asked !== 'string' && asked.position.step === frame.position.step && asked.position.phase === frame.position.phase;
  const readings = same && Array.isArray(asked.answer) ? (asked.answer as typeof frame.layers) : frame.layers;
  const page = reportHtml({
    file: controller.place.file, text, version, model, frame, readings,
    history: view.history.data(), check: view.check, findings: view.problems,
  });
  return saveAs(run, 'html', `step ${frame.position.step}`, Buffer.from(page, 'utf8'));
}
