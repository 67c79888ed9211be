// The layers of a document with what its text, or else its run, says about them.
import type * as vscode from 'vscode';
import type { Frame } from '../../protocol/frame';
import type { OpenRun, RunManager } from '../run/run-manager';
import { layerFacts, type LayerFacts } from './layer-facts';
import type { SpecDocuments } from './spec-documents';

/** The run of the very spec that a document holds now. */
export function currentRunOf(
  document: vscode.TextDocument,
  documents: SpecDocuments,
  runs: RunManager,
): OpenRun | undefined {
  const run = runs.get(document.uri);
  const { spec } = documents.analysisOf(document);
  return run && spec && run.controller.isRunOf(spec) ? run : undefined;
}

export function factsOf(
  document: vscode.TextDocument,
  documents: SpecDocuments,
  runs: RunManager,
): readonly LayerFacts[] {
  const analysis = documents.analysisOf(document);
  const model = analysis.resolved ? null : (currentRunOf(document, documents, runs)?.controller.view.model ?? null);
  return layerFacts(analysis, model);
}

/** The statistics that a run shows of itself; null while it shows none. */
export const frameOf = (run: OpenRun | undefined): Frame | null =>
  run?.controller.view.state.kind === 'run' ? run.controller.view.frame : null;
