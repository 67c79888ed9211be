// One run of Test Explorer: checks the requested specs one after the other, and reports the result of each check.
import * as vscode from 'vscode';
import { describeCaseTarget, type CheckCase, buildCheckCases, PENALTY_CASE } from '../presentation/check-cases';
import { formatConclusion } from '../presentation/check-summary';
import type { CustomLayerPermissions } from '../host/custom-layers/custom-layer-permissions';
import { listCustomLayers } from '../model-spec';
import { permissionFolderOf } from '../host/custom-layers/layer-files';
import { analyzeSpec } from '../host/model-spec/analyze-spec';
import { createOpenRequest } from '../host/run/run-engine';
import { escapeUiLines } from '../host/ui/escape-ui';
import { specLocationOf } from '../host/model-spec/spec-documents';
import { dataFolders } from '../host/ui/settings';
import type { OpenRequest } from '../protocol/engine';
import { describeNonFinite } from '../presentation/non-finite';
import { SpecChecker, type CheckOutcome } from './spec-checker';
import { readSpecFile } from './spec-files';
import { isIncluded, leafItemsOf, toVsCodeRange, type SpecTestItems, specItemOf } from './spec-test-items';
import {
  checkId,
  layerId,
  lineRangeOf,
  LOSS_ID,
  PENALTY_ID,
  problemTextOf,
  buildSpecTree,
  type SpecTree,
} from './spec-tree';

export interface GradientTestRunOptions {
  readonly controller: vscode.TestController;
  readonly items: SpecTestItems;
  /** Updates the item of a spec from its text and, if known, its model. */
  readonly updateItem: (item: vscode.TestItem, uri: vscode.Uri, tree: SpecTree) => void;
  readonly permissions: CustomLayerPermissions;
  /** dist/engine-process.js. */
  readonly engineFile: string;
}

type Checked = Extract<CheckOutcome, { kind: 'checked' }>;

export class GradientTestRun {
  readonly #options: GradientTestRunOptions;
  readonly #request: vscode.TestRunRequest;
  readonly #run: vscode.TestRun;
  readonly #checker: SpecChecker;

  constructor(options: GradientTestRunOptions, request: vscode.TestRunRequest) {
    this.#options = options;
    this.#request = request;
    this.#run = options.controller.createTestRun(request);
    this.#checker = new SpecChecker({ engineFile: options.engineFile, onOutput: (text) => this.#appendOutput(text) });
  }

  /** @param specs to check; by default, all that the request includes */
  async execute(token: vscode.CancellationToken, specs = this.#specs()): Promise<void> {
    const stop = (): void => void this.#checker.dispose();
    const subscriptions = [token.onCancellationRequested(stop), this.#run.token.onCancellationRequested(stop)];
    if (token.isCancellationRequested) stop();
    try {
      for (const item of specs) this.#includedLeaves(item).forEach((leaf) => this.#run.enqueued(leaf));
      for (const item of specs) await this.#checkSpec(item);
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
      await this.#checker.dispose();
      this.#run.end();
    }
  }

  #specs(): vscode.TestItem[] {
    const { include } = this.#request;
    return include ? [...new Set(include.map(specItemOf))] : this.#options.items.all;
  }

  /** The checks of a spec that the request includes; the spec itself if its checks are not known yet. */
  #includedLeaves(spec: vscode.TestItem): vscode.TestItem[] {
    return leafItemsOf(spec).filter((leaf) => leaf === spec || isIncluded(this.#request, leaf));
  }

  async #checkSpec(item: vscode.TestItem): Promise<void> {
    const run = this.#run;
    const { uri } = item;
    if (!uri) return;
    const text = await readSpecFile(uri);
    if (text === undefined) {
      run.errored(item, new vscode.TestMessage(vscode.l10n.t('The file was deleted, or it is not UTF-8 text.')));
      return;
    }
    const tree = buildSpecTree(text);
    this.#options.updateItem(item, uri, tree);
    const reason = await this.#permissionDenied(uri, tree.customLayers);
    if (reason !== null) {
      for (const leaf of this.#includedLeaves(item)) run.skipped(leaf);
      this.#appendOutput(`${vscode.l10n.t('Skipped {0}: {1}', item.label, reason)}\n`);
      return;
    }
    for (const leaf of this.#includedLeaves(item)) run.started(leaf);
    const startTime = Date.now();
    const outcome = await this.#runChecker(item, uri, text);
    const milliseconds = Date.now() - startTime;
    const leaves = (): vscode.TestItem[] => this.#includedLeaves(item).filter((leaf) => leaf !== item);
    switch (outcome.kind) {
      case 'stopped':
        for (const leaf of this.#includedLeaves(item)) run.skipped(leaf);
        return;
      case 'failed':
        for (const leaf of leaves()) run.skipped(leaf);
        run.errored(item, new vscode.TestMessage(escapeUiLines(outcome.reason)), milliseconds);
        return;
      case 'problems': {
        for (const leaf of leaves()) run.skipped(leaf);
        const errors = outcome.problems.filter(({ severity }) => severity === 'error');
        run.errored(
          item,
          errors.map((problem) =>
            this.#messageAt(item, toVsCodeRange(lineRangeOf(text, problem)), problemTextOf(problem)),
          ),
          milliseconds,
        );
        return;
      }
      case 'checked':
        this.#options.updateItem(item, uri, buildSpecTree(text, outcome.model));
        this.#report(item, outcome, milliseconds);
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Asks for permission to run custom layers if needed. @returns why they may not run; null if they may. */
  async #permissionDenied(uri: vscode.Uri, customLayers: readonly string[]): Promise<string | null> {
    if (customLayers.length === 0) return null;
    const { permissions } = this.#options;
    const folder = permissionFolderOf(specLocationOf({ uri }));
    const permission = permissions.permission(folder);
    if (permission === 'allowed') return null;
    if (permission === 'untrusted')
      return vscode.l10n.t('its custom layers do not run because the workspace is not trusted.');
    // A run on save must not open a dialog.
    if (!this.#request.continuous && (await permissions.promptAndAllow({ folder, layers: customLayers }))) return null;
    return vscode.l10n.t('its custom layers need permission to run. Use "Allow Custom Layers to Run…" on the spec.');
  }

  /** Shows the progress next to the spec's name. */
  async #runChecker(item: vscode.TestItem, uri: vscode.Uri, text: string): Promise<CheckOutcome> {
    this.#appendOutput(`${vscode.l10n.t('Checking the gradients of {0}', item.label)}\n`);
    try {
      return await this.#checker.check(createCheckRequest(uri, text, this.#options.permissions), (share) => {
        item.description = vscode.l10n.t('{0} % checked', Math.floor(100 * share));
      });
    } finally {
      item.description = '';
    }
  }

  #report(item: vscode.TestItem, { model, problems, reports, diverged }: Checked, milliseconds: number): void {
    const run = this.#run;
    for (const problem of problems)
      this.#appendOutput(`  ${problem.severity}: ${escapeUiLines(problemTextOf(problem))}\n`);
    for (const report of reports)
      this.#appendOutput(`  ${stepLabelOf(report.step)}: ${escapeUiLines(formatConclusion(report))}\n`);
    const checks = reports.map((report) => ({
      step: report.step,
      cases: buildCheckCases(report, model.layers, model.penalty?.file !== undefined),
    }));
    checks[0]!.cases.forEach((place, i) => {
      const parent = item.children.get(
        place.layer !== null
          ? layerId(model.layers[place.layer]!.name)
          : place.tensor === PENALTY_CASE
            ? PENALTY_ID
            : LOSS_ID,
      );
      const leaf = parent?.children.get(checkId(place.tensor, place.parameter));
      if (!leaf || !isIncluded(this.#request, leaf)) return;
      const all = checks.map(({ step, cases }) => ({ step, found: cases[i]! }));
      const failed = all.filter(({ found }) => found.outcome === 'failed');
      if (failed.length > 0)
        run.failed(
          leaf,
          failed.map(({ step, found }) => this.#failureMessage(leaf, step, found)),
        );
      else if (all.some(({ found }) => found.outcome === 'passed')) run.passed(leaf);
      else {
        run.skipped(leaf);
        this.#appendOutput(
          `  ${vscode.l10n.t('Skipped: {0}', escapeUiLines(`${describeCaseTarget(place, model.layers)}. ${place.message}`))}\n`,
          leaf,
        );
      }
    });
    const first = reports[0]!;
    if (diverged) {
      const where = `${vscode.l10n.t('Training diverged in step {0}, before the scheduled check.', diverged.step)} ${describeNonFinite(diverged)}`;
      run.errored(item, this.#messageAt(item, item.range, where), milliseconds);
    } else if (first.complete && !first.passed && checks[0]!.cases.every(({ outcome }) => outcome !== 'failed')) {
      run.errored(item, this.#messageAt(item, item.range, formatConclusion(first)), milliseconds);
    }
  }

  #failureMessage(leaf: vscode.TestItem, step: number, { message, worst }: CheckCase): vscode.TestMessage {
    const text = escapeUiLines(step === 0 ? message : `${stepLabelOf(step)}: ${message}`);
    const testMessage = worst
      ? vscode.TestMessage.diff(text, String(worst.numeric), String(worst.analytic))
      : new vscode.TestMessage(text);
    if (leaf.uri && leaf.range) testMessage.location = new vscode.Location(leaf.uri, leaf.range);
    return testMessage;
  }

  #messageAt({ uri }: vscode.TestItem, range: vscode.Range | undefined, text: string): vscode.TestMessage {
    const message = new vscode.TestMessage(escapeUiLines(text));
    if (uri && range) message.location = new vscode.Location(uri, range);
    return message;
  }

  /** Writes to the terminal of the run, which needs CRLF. */
  #appendOutput(text: string, test?: vscode.TestItem): void {
    this.#run.appendOutput(text.replace(/\r?\n/g, '\r\n'), undefined, test);
  }
}

/** Opens a spec as it is saved. */
export const createCheckRequest = (uri: vscode.Uri, text: string, permissions: CustomLayerPermissions): OpenRequest => {
  const request = createOpenRequest(text, specLocationOf({ uri }), {
    dataFolders,
    permissionOf: (folder) => permissions.permission(folder),
  });
  const { spec } = analyzeSpec(text);
  return {
    ...request,
    allowCustomLayers: request.allowCustomLayers === true && spec !== undefined && listCustomLayers(spec).length > 0,
  };
};

const stepLabelOf = (step: number): string =>
  step === 0
    ? vscode.l10n.t('Before training')
    : step === 1
      ? vscode.l10n.t('After one step')
      : vscode.l10n.t('After {0} steps', step);
