// Questions that a command asks, each with what the run makes of an answer.
import * as vscode from 'vscode';
import type { OpenRun } from './runs';

interface Question {
  readonly prompt: string;
  readonly value: string;
  readonly judge: (value: number) => string | undefined;
}

async function ask({ prompt, value, judge }: Question): Promise<number | undefined> {
  const read = (text: string): number => (text.trim() === '' ? NaN : Number(text));
  const answer = await vscode.window.showInputBox({
    prompt,
    value,
    // Looking something up in the panel, or a page that takes the focus late, must not end the question.
    ignoreFocusOut: true,
    validateInput: (text) => judge(read(text)),
  });
  return answer === undefined ? undefined : read(answer);
}

const wholeBetween = (low: number, high: number) => (value: number): string | undefined =>
  Number.isInteger(value) && value >= low && value <= high ? undefined : `A whole number from ${low} to ${high}.`;

export async function askStep({ controller }: OpenRun): Promise<number | undefined> {
  const { model, frame } = controller.view;
  if (!model) return undefined;
  const now = frame?.position.step ?? 0;
  const judge = wholeBetween(now + 1, model.totalSteps);
  return ask({ prompt: `Run to which step? The run ends at ${model.totalSteps}.`, value: `${Math.min(now + 100, model.totalSteps)}`, judge });
}

export async function askEpoch({ controller }: OpenRun): Promise<number | undefined> {
  const { model, frame } = controller.view;
  if (!model) return undefined;
  const next = Math.floor((frame?.position.step ?? 0) / model.batchesPerEpoch) + 1;
  const judge = wholeBetween(next, model.epochs);
  return ask({ prompt: 'Run to the end of which epoch?', value: `${Math.min(next, model.epochs)}`, judge });
}

export async function askReachedStep({ controller }: OpenRun): Promise<number | undefined> {
  const { frame } = controller.view;
  if (!frame) return undefined;
  const judge = wholeBetween(0, frame.frontier);
  return ask({ prompt: `Go to which step? Reached so far: ${frame.frontier}.`, value: `${frame.position.step}`, judge });
}

export async function askLearningRate({ controller }: OpenRun): Promise<number | undefined> {
  const { frame } = controller.view;
  if (!frame) return undefined;
  const judge = (lr: number): string | undefined => (Number.isFinite(lr) && lr >= 0 ? undefined : 'A number, 0 or larger.');
  return ask({ prompt: 'Learning rate from the next step on?', value: `${frame.lr}`, judge });
}
