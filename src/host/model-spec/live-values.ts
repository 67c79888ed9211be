// Behind each layer of a spec while it runs: the norm of its gradient, and how far its weights move in a step.
import * as vscode from 'vscode';
import { formatNumber } from '../../presentation/numbers';
import { maxUpdateRatio } from '../../presentation/weight-stats';
import type { ProbeId } from '../../protocol/layer-stats';
import type { OpenRun, RunManager } from '../run/run-manager';
import { RefreshThrottle } from '../ui/refresh-throttle';
import { showsLiveValues } from '../ui/settings';
import { isSpec, type SpecDocuments } from './spec-documents';
import { currentRunOf, frameOf } from './spec-facts';

/** Five times a second, as fast as numbers can be read. */
const REFRESH_INTERVAL_MS = 200;
const PROBES: readonly ProbeId[] = ['gradients', 'updates'];

export class LiveValues implements vscode.Disposable {
  readonly #documents: SpecDocuments;
  readonly #runs: RunManager;
  readonly #decoration = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  readonly #subscriptions: readonly vscode.Disposable[];
  readonly #throttle = new RefreshThrottle(REFRESH_INTERVAL_MS, () => this.#refresh());

  constructor(documents: SpecDocuments, runs: RunManager) {
    this.#documents = documents;
    this.#runs = runs;
    const schedule = (): void => this.#throttle.schedule();
    this.#subscriptions = [
      this.#throttle,
      this.#decoration,
      runs.onDidChange(schedule),
      documents.onDidAnalyze(schedule),
      vscode.window.onDidChangeVisibleTextEditors(schedule),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('nablascope.liveValues')) schedule();
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refresh(): void {
    const isOn = showsLiveValues();
    const editors = vscode.window.visibleTextEditors.filter(({ document }) => isSpec(document));
    for (const run of this.#runs.all) {
      const isVisible = editors.some(({ document }) => document.uri.toString() === run.uri.toString());
      // Without a subscriber nothing is measured.
      run.controller.setEditorProbes(isOn && isVisible ? PROBES : []);
    }
    for (const editor of editors) editor.setDecorations(this.#decoration, isOn ? this.#decorationsOf(editor) : []);
  }

  #decorationsOf({ document }: vscode.TextEditor): vscode.DecorationOptions[] {
    // Just edited: the values are of another spec until it is analyzed.
    const layers = this.#documents.cachedAnalysisOf(document)?.spec?.layers;
    const open = this.#runs.get(document.uri);
    // The debugger shows its own numbers there.
    if (!layers || !open || open.controller.debugClient) return [];
    const run = currentRunOf(document, this.#documents, this.#runs);
    // At the end of the line, behind all layers on it.
    const texts = new Map<number, string[]>();
    for (const [i, { range }] of layers.entries()) {
      const text = liveText(run, i);
      const { line } = document.positionAt(range.end);
      if (text) texts.set(line, [...(texts.get(line) ?? []), text]);
    }
    return [...texts].map(([line, parts]) => ({
      range: document.lineAt(line).range,
      renderOptions: {
        after: {
          contentText: parts.join('   '),
          color: new vscode.ThemeColor('editorCodeLens.foreground'),
          // An inlay hint at the end of the line comes after it.
          margin: '0 1em 0 2em',
        },
      },
    }));
  }
}

/** `‖∇‖ 0.0312 · Δw/w 1.2e−3` */
function liveText(run: OpenRun | undefined, layer: number): string | null {
  const stats = frameOf(run)?.layers[layer];
  const info = run?.controller.view.model?.layers[layer];
  if (!stats || !info) return null;
  const ratio = maxUpdateRatio(info, stats);
  const parts = [
    ...(stats.outputGradient ? [`‖∇‖ ${formatNumber(stats.outputGradient.norm)}`] : []),
    ...(ratio === null ? [] : [`Δw/w ${formatNumber(ratio)}`]),
  ];
  return parts.length > 0 ? parts.join(' · ') : null;
}
