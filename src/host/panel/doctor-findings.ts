// Findings of a diagnosis in the spec: the place of one, and its fix as an edit that can be undone.
import * as vscode from 'vscode';
import type { DoctorController } from '../run/doctor-controller';
import { applyQuickFix, type SpecWithRun } from './apply-quick-fix';
import { showInSpec } from './show-in-spec';

interface DiagnosedSpec extends SpecWithRun {
  readonly doctor: DoctorController;
}

export async function revealFinding({ uri, panel, doctor: { view } }: DiagnosedSpec, finding: number): Promise<void> {
  const line = view.kind === 'done' ? view.lines[finding] : null;
  if (typeof line !== 'number') return;
  const at = new vscode.Position(line - 1, 0);
  await showInSpec(uri, panel.viewColumn, new vscode.Range(at, at));
}

export async function applyFix(spec: DiagnosedSpec, finding: number): Promise<void> {
  const { uri, controller, doctor } = spec;
  const document = await vscode.workspace.openTextDocument(uri);
  // The last edit may not have been analyzed yet; its paths may lead elsewhere.
  const isCurrent = doctor.view.kind === 'done' && !doctor.view.isOutdated;
  const fix = doctor.view.kind === 'done' ? doctor.view.report.findings[finding]?.fix : null;
  if (!isCurrent || !fix || document.getText() !== controller.analysis.text) {
    controller.view.notify('warning', vscode.l10n.t('The spec has changed since the diagnosis. Diagnose it again.'));
    return;
  }
  await applyQuickFix(spec, fix);
}
