// Links the layers of a panel to their lines in the spec: the cursor in the spec selects a row, a selected row
// highlights its line, and clicking a problem goes to its line. Only the last of these takes the focus.
import * as vscode from 'vscode';
import type { EditorRequest, OpenRun, RunManager } from '../run/run-manager';
import { nodeOfTerm } from '../../presentation/terms';
import { rangeOfNode } from '../model-spec/term-ranges';
import { isSpec, type SpecDocuments } from '../model-spec/spec-documents';
import { showInSpec } from './show-in-spec';

export class SelectionSync implements vscode.Disposable {
  readonly #documents: SpecDocuments;
  readonly #runs: RunManager;
  readonly #layerHighlight = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.rangeHighlightForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
  /** The term that is explained, like the point of a laser. */
  readonly #termHighlight = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor('editor.findMatchHighlightBackground'),
    border: '2px solid',
    borderColor: new vscode.ThemeColor('charts.red'),
    overviewRulerColor: new vscode.ThemeColor('charts.red'),
    overviewRulerLane: vscode.OverviewRulerLane.Full,
  });
  /** Specs whose selection was made in the panel since the cursor last moved. */
  readonly #selectedInPanel = new Set<string>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(documents: SpecDocuments, runs: RunManager, onError: (error: unknown) => void) {
    this.#documents = documents;
    this.#runs = runs;
    this.#subscriptions = [
      this.#layerHighlight,
      this.#termHighlight,
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.#handleCursorMove(textEditor)),
      documents.onDidAnalyze(({ document }) => this.#syncFromCursor(document.uri)),
      runs.onDidLoadPage((run) => this.#syncFromCursor(run.uri)),
      runs.onDidReceiveEditorRequest((request) => {
        this.#handleEditorRequest(request).then(undefined, onError);
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** The cursor determines the selection until the user selects a row, and again when the cursor moves. */
  #syncFromCursor(uri: vscode.Uri): void {
    if (this.#selectedInPanel.has(uri.toString())) return;
    const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    if (editor) this.#handleCursorMove(editor);
  }

  #handleCursorMove(editor: vscode.TextEditor): void {
    const { document, selection } = editor;
    if (!isSpec(document)) return;
    const run = this.#runs.get(document.uri);
    if (!run) return;
    this.#selectedInPanel.delete(document.uri.toString());
    editor.setDecorations(this.#layerHighlight, []);
    const offset = document.offsetAt(selection.active);
    const layers = this.#documents.cachedAnalysisOf(document)?.spec?.layers;
    // Just edited: the spec will be analyzed shortly.
    if (!layers) return;
    const layer = layers.findIndex(({ range }) => range.start <= offset && offset <= range.end);
    run.panel.postUpdate({ type: 'select', layer: layer < 0 ? null : layer });
  }

  async #handleEditorRequest({ run, target }: EditorRequest): Promise<void> {
    if (target === 'diagnosis') await this.#revealDiagnosis(run);
    else if ('term' in target) this.#highlightTerm(run, target.term);
    else if ('layer' in target) this.#highlightLayer(run, target.layer);
    else await this.#revealProblem(run, target.problem);
  }

  async #revealDiagnosis({ uri, panel, controller }: OpenRun): Promise<void> {
    const diagnosis = controller.view.checkReport?.diagnosis;
    if (!diagnosis) return;
    const { place, line } = diagnosis;
    const at = new vscode.Position((place?.line ?? line ?? 1) - 1, (place?.column ?? 1) - 1);
    await showInSpec(place ? vscode.Uri.file(place.file) : uri, panel.viewColumn, new vscode.Range(at, at));
  }

  #highlightLayer({ uri }: OpenRun, layer: number): void {
    this.#selectedInPanel.add(uri.toString());
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (document.uri.toString() !== uri.toString()) continue;
      const range = this.#documents.analysisOf(document).spec?.layers[layer]?.range;
      if (!range) continue;
      const lines = new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
      editor.setDecorations(this.#layerHighlight, [lines]);
      editor.revealRange(lines, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  /** Where the spec says what the term is: the option that gives it, or the layer, the loss or the data. */
  #highlightTerm({ uri, controller }: OpenRun, term: string | null): void {
    const { model } = controller.view;
    const node = term !== null && model ? nodeOfTerm(model, term) : null;
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (document.uri.toString() !== uri.toString()) continue;
      const spec = node && this.#documents.analysisOf(document).spec;
      const range = spec ? rangeOfNode(spec, node) : null;
      const at = range && new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
      editor.setDecorations(this.#termHighlight, at ? [at] : []);
      if (at) editor.revealRange(at, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  async #revealProblem({ uri, panel, controller }: OpenRun, problem: number): Promise<void> {
    const position = controller.view.problems[problem];
    if (!position) return;
    const at = new vscode.Position(position.line - 1, position.column - 1);
    await showInSpec(uri, panel.viewColumn, new vscode.Range(at, at));
  }
}
