// Input boxes for the numbers that commands take, each with the range that the run allows.
import * as vscode from 'vscode';
import type { CommandContext } from './command-table';

interface NumberPrompt {
  readonly prompt: string;
  readonly value: string;
  readonly validate: (value: number) => string | undefined;
}

async function promptForNumber({ prompt, value, validate }: NumberPrompt): Promise<number | undefined> {
  const parse = (text: string): number => (text.trim() === '' ? NaN : Number(text));
  const answer = await vscode.window.showInputBox({
    prompt,
    value,
    // Looking something up in the panel, or a page that takes the focus late, must not close the box.
    ignoreFocusOut: true,
    validateInput: (text) => validate(parse(text)),
  });
  return answer === undefined ? undefined : parse(answer);
}

const integerBetween =
  (low: number, high: number) =>
  (value: number): string | undefined =>
    Number.isInteger(value) && value >= low && value <= high
      ? undefined
      : vscode.l10n.t('Enter an integer from {0} to {1}.', low, high);

export const prompts: CommandContext['prompts'] = {
  async step({ controller }) {
    const { model, frame } = controller.view;
    if (!model) return undefined;
    const current = frame?.position.step ?? 0;
    return promptForNumber({
      prompt: vscode.l10n.t('Run to which step? The run ends at step {0}.', model.totalSteps),
      value: `${Math.min(current + 100, model.totalSteps)}`,
      validate: integerBetween(current + 1, model.totalSteps),
    });
  },

  async epoch({ controller }) {
    const { model, frame } = controller.view;
    if (!model) return undefined;
    const next = Math.floor((frame?.position.step ?? 0) / model.batchesPerEpoch) + 1;
    return promptForNumber({
      prompt: vscode.l10n.t('Run to the end of which epoch? The run has {0}.', model.epochs),
      value: `${Math.min(next, model.epochs)}`,
      validate: integerBetween(next, model.epochs),
    });
  },

  async reachedStep({ controller }) {
    const { frame } = controller.view;
    if (!frame) return undefined;
    return promptForNumber({
      prompt: vscode.l10n.t('Go to which step? The run has reached step {0}.', frame.furthestStep),
      value: `${frame.position.step}`,
      validate: integerBetween(0, frame.furthestStep),
    });
  },

  async learningRate({ controller }) {
    const { frame } = controller.view;
    if (!frame) return undefined;
    return promptForNumber({
      prompt: vscode.l10n.t('Enter the learning rate. It applies from the next step on.'),
      value: `${frame.lr}`,
      validate: (lr) =>
        Number.isFinite(lr) && lr >= 0 ? undefined : vscode.l10n.t('Enter a number that is 0 or larger.'),
    });
  },
};
