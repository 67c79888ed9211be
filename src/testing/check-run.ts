// One request of Test Explorer: checks the specs that it is about, one after the other, and says of each check what
// came of it.
import * as vscode from 'vscode';
import { caseName, type CheckCase, casesOf } from '../gradcheck/cases';
import { conclusion } from '../gradcheck/conclusion';
import type { CodeConsent } from '../host/code-consent';
import { openRequest } from '../host/open-request';
import { plainLines } from '../host/plain';
import { placeOf } from '../host/run-place';
import { dataFolders } from '../host/settings';
import type { OpenRequest } from '../protocol/engine';
import { describeNonFinite } from '../session/non-finite';
import { CheckEngine, type CheckOutcome } from './check-engine';
import { readSpecFile } from './spec-files';
import { isWanted, leavesOf, rangeOf, type SpecItems, specOf } from './spec-items';
import { checkId, layerId, placeIn, sentenceOf, treeOf } from './spec-tree';

export interface CheckRunOptions {
  readonly controller: vscode.TestController;
  readonly items: SpecItems;
  readonly consent: CodeConsent;
  /** dist/engine-process.js. */
  readonly engineFile: string;
}

type Checked = Extract<CheckOutcome, { kind: 'checked' }>;

export class CheckRun {
  readonly #options: CheckRunOptions;
  readonly #request: vscode.TestRunRequest;
  readonly #run: vscode.TestRun;
  readonly #engine: CheckEngine;

  constructor(options: CheckRunOptions, request: vscode.TestRunRequest) {
    this.#options = options;
    this.#request = request;
    this.#run = options.controller.createTestRun(request);
    this.#engine = new CheckEngine({ file: options.engineFile, onOutput: (text) => this.#say(text) });
  }

  /** @param specs to check; unless given all that the request is about. */
  async go(token: vscode.CancellationToken, specs = this.#specs()): Promise<void> {
    const stop = (): void => void this.#engine.dispose();
    const subscriptions = [token.onCancellationRequested(stop), this.#run.token.onCancellationRequested(stop)];
    if (token.isCancellationRequested) stop();
    try {
      for (const item of specs) this.#of(item).forEach((leaf) => this.#run.enqueued(leaf));
      for (const item of specs) await this.#check(item);
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
      await this.#engine.dispose();
      this.#run.end();
    }
  }

  #specs(): vscode.TestItem[] {
    const { include } = this.#request;
    return include ? [...new Set(include.map(specOf))] : this.#options.items.all;
  }

  /** The checks of a spec that the request is about; the spec itself where they are not known yet. */
  #of(spec: vscode.TestItem): vscode.TestItem[] {
    return leavesOf(spec).filter((leaf) => leaf === spec || isWanted(this.#request, leaf));
  }

  async #check(item: vscode.TestItem): Promise<void> {
    const run = this.#run;
    const { uri } = item;
    if (!uri) return;
    const text = await readSpecFile(uri);
    if (text === undefined) {
      run.errored(item, new vscode.TestMessage('There is no such file any more, or it is not UTF-8 text.'));
      return;
    }
    this.#options.items.show(item, treeOf(text));
    for (const leaf of this.#of(item)) run.started(leaf);
    const began = Date.now();
    const outcome = await this.#ask(item, uri, text);
    const milliseconds = Date.now() - began;
    const leaves = (): vscode.TestItem[] => this.#of(item).filter((leaf) => leaf !== item);
    switch (outcome.kind) {
      case 'stopped':
        for (const leaf of this.#of(item)) run.skipped(leaf);
        return;
      case 'failed':
        for (const leaf of leaves()) run.skipped(leaf);
        run.errored(item, new vscode.TestMessage(plainLines(outcome.reason)), milliseconds);
        return;
      case 'problems': {
        for (const leaf of leaves()) run.skipped(leaf);
        const errors = outcome.problems.filter(({ severity }) => severity === 'error');
        run.errored(item, errors.map((problem) => this.#at(item, rangeOf(placeIn(text, problem)), sentenceOf(problem))), milliseconds);
        return;
      }
      case 'checked':
        this.#options.items.show(item, treeOf(text, outcome.model));
        this.#report(item, outcome, milliseconds);
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Shows how far it is in place, behind the spec's name. */
  async #ask(item: vscode.TestItem, uri: vscode.Uri, text: string): Promise<CheckOutcome> {
    this.#say(`Checking the gradients of ${item.label}\n`);
    try {
      return await this.#engine.check(requestOf(uri, text, this.#options.consent), (share) => {
        item.description = `${Math.floor(100 * share)} % checked`;
      });
    } finally {
      item.description = undefined;
    }
  }

  #report(item: vscode.TestItem, { model, problems, reports, diverged }: Checked, milliseconds: number): void {
    const run = this.#run;
    for (const problem of problems) this.#say(`  ${problem.severity}: ${plainLines(sentenceOf(problem))}\n`);
    for (const report of reports) this.#say(`  ${afterSteps(report.step)}: ${plainLines(conclusion(report))}\n`);
    const checks = reports.map((report) => ({ step: report.step, cases: casesOf(report, model.layers) }));
    checks[0].cases.forEach((place, i) => {
      const parent = item.children.get(place.layer === null ? 'loss' : layerId(model.layers[place.layer].name));
      const leaf = parent?.children.get(checkId(place.tensor, place.parameter));
      if (!leaf || !isWanted(this.#request, leaf)) return;
      const all = checks.map(({ step, cases }) => ({ step, found: cases[i] }));
      const failed = all.filter(({ found }) => found.outcome === 'failed');
      if (failed.length > 0) run.failed(leaf, failed.map(({ step, found }) => this.#message(leaf, step, found)));
      else if (all.some(({ found }) => found.outcome === 'passed')) run.passed(leaf);
      else {
        run.skipped(leaf);
        this.#say(`  Skipped: ${plainLines(`${caseName(place, model.layers)}. ${place.message}`)}\n`, leaf);
      }
    });
    const [first] = reports;
    if (diverged) {
      const where = `Training diverged in step ${diverged.step}, before the gradients could be checked there: ${describeNonFinite(diverged)} was the first to become ${diverged.value}. ${diverged.remedy}`;
      run.errored(item, this.#at(item, item.range, where), milliseconds);
    } else if (first.complete && !first.passed && first.counts.wrong === 0) {
      run.errored(item, this.#at(item, item.range, conclusion(first)), milliseconds);
    }
  }

  #message(leaf: vscode.TestItem, step: number, { message, worst }: CheckCase): vscode.TestMessage {
    const text = plainLines(step === 0 ? message : `${afterSteps(step)}: ${message}`);
    const told = worst ? vscode.TestMessage.diff(text, String(worst.numeric), String(worst.analytic)) : new vscode.TestMessage(text);
    if (leaf.uri && leaf.range) told.location = new vscode.Location(leaf.uri, leaf.range);
    return told;
  }

  #at({ uri }: vscode.TestItem, range: vscode.Range | undefined, text: string): vscode.TestMessage {
    const message = new vscode.TestMessage(plainLines(text));
    if (uri && range) message.location = new vscode.Location(uri, range);
    return message;
  }

  /** In the terminal of the run, which wants its lines ended both ways. */
  #say(text: string, test?: vscode.TestItem): void {
    this.#run.appendOutput(text.replace(/\r?\n/g, '\r\n'), undefined, test);
  }
}

/** For an engine that trains a spec as its file stands. */
export const requestOf = (uri: vscode.Uri, text: string, consent: CodeConsent): OpenRequest =>
  openRequest(text, placeOf({ uri }), { dataFolders, permission: (folder) => consent.permission(folder) });

const afterSteps = (step: number): string => (step === 0 ? 'At the start' : `After ${step} ${step === 1 ? 'step' : 'steps'}`);
