// Ties the layers of a panel to their lines in the spec: the cursor in the spec selects a row, a selected
// row marks its line, and a problem of the list is gone to. Only the last one takes the focus.
import * as vscode from 'vscode';
import type { EditorRequest, OpenRun, Runs } from './runs';
import { isSpec, type SpecDocuments } from './spec-documents';

export class SelectionSync implements vscode.Disposable {
  readonly #documents: SpecDocuments;
  readonly #runs: Runs;
  readonly #mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.rangeHighlightForeground'),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
  /** Specs whose row was chosen in the panel since the cursor moved. */
  readonly #chosen = new Set<string>();
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(documents: SpecDocuments, runs: Runs, fail: (error: unknown) => void) {
    this.#documents = documents;
    this.#runs = runs;
    this.#subscriptions = [
      this.#mark,
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.#cursorMoved(textEditor)),
      documents.onRead(({ document }) => this.#followCursor(document.uri)),
      runs.onPageReady((run) => this.#followCursor(run.uri)),
      runs.onEditorRequest((request) => {
        this.#carryOut(request).then(undefined, fail);
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** The cursor counts until a row is chosen in the panel, and again when it moves. */
  #followCursor(uri: vscode.Uri): void {
    if (this.#chosen.has(uri.toString())) return;
    const editor = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    if (editor) this.#cursorMoved(editor);
  }

  #cursorMoved(editor: vscode.TextEditor): void {
    const { document, selection } = editor;
    if (!isSpec(document)) return;
    const run = this.#runs.of(document.uri);
    if (!run) return;
    this.#chosen.delete(document.uri.toString());
    editor.setDecorations(this.#mark, []);
    const offset = document.offsetAt(selection.active);
    const layers = this.#documents.knownSourceOf(document)?.spec?.layers;
    // Just edited: the spec is read again in a moment.
    if (!layers) return;
    const layer = layers.findIndex(({ range }) => range.start <= offset && offset <= range.end);
    run.panel.send({ type: 'select', layer: layer < 0 ? null : layer });
  }

  async #carryOut({ run, message }: EditorRequest): Promise<void> {
    if (message.type === 'select') this.#markLayer(run, message.layer);
    else await this.#goTo(run, message.problem);
  }

  #markLayer({ uri }: OpenRun, layer: number): void {
    this.#chosen.add(uri.toString());
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (document.uri.toString() !== uri.toString()) continue;
      const range = this.#documents.sourceOf(document).spec?.layers[layer]?.range;
      if (!range) continue;
      const lines = new vscode.Range(document.positionAt(range.start), document.positionAt(range.end));
      editor.setDecorations(this.#mark, [lines]);
      editor.revealRange(lines, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  async #goTo({ uri, panel, controller }: OpenRun, problem: number): Promise<void> {
    const place = controller.view.problems[problem];
    if (!place) return;
    const visible = vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
    const at = new vscode.Position(place.line - 1, place.column - 1);
    await vscode.window.showTextDocument(uri, {
      viewColumn: visible?.viewColumn ?? besides(panel.column),
      selection: new vscode.Range(at, at),
    });
  }
}

/** Not over the panel itself. */
const besides = (column: vscode.ViewColumn | undefined): vscode.ViewColumn =>
  column === vscode.ViewColumn.One ? vscode.ViewColumn.Two : vscode.ViewColumn.One;
