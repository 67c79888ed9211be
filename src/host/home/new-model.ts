// Three questions that lead to a spec that trains: which data, what to predict from it, which network. Each can be
// taken back, and nothing is written before the last answer.
import * as vscode from 'vscode';
import { FolderFiles } from '../../data-files/data-files';
import {
  builtInData,
  type BuiltInData,
  type FileChoice,
  lookAtFile,
  type ModelData,
  type NetworkKind,
  networksFor,
  type Target,
  writeSpec,
} from '../../new-model';
import { openUnsavedSpec } from '../model-spec/new-spec';
import { isBlankSpec } from '../model-spec/spec-documents';
import { runInSlices } from '../model-spec/run-in-slices';
import type { OpenRun, RunManager } from '../run/run-manager';
import { escapeUiText } from '../ui/escape-ui';
import { type DataFile, findDataFiles } from './find-data-files';

type DataAnswer = { readonly builtIn: BuiltInData } | { readonly file: DataFile };

interface Item<Value> extends vscode.QuickPickItem {
  /** Absent for a separator. */
  readonly value?: Value;
}

interface Question<Value> {
  readonly step: number;
  readonly totalSteps: number;
  readonly placeholder: string;
  readonly items: readonly Item<Value>[];
}

/**
 * @param blank an empty spec that receives the text; by default a new one
 * @returns the run of the new spec; undefined if the questions were dismissed, which leaves nothing
 */
export async function newModel(runs: RunManager, blank?: vscode.TextDocument): Promise<OpenRun | undefined> {
  const files = await findDataFiles(blank?.uri);
  for (;;) {
    const data = await ask(dataQuestion(files));
    if (data === undefined || data === 'back') return undefined;
    const targets = 'file' in data ? await readTargets(data.file) : [{ column: '', model: builtInData[data.builtIn] }];
    if (targets === undefined) return undefined;
    const spec = await askForSpec(targets);
    if (spec === undefined) return undefined;
    if (spec === 'back') continue;
    const text = writeSpec(spec.model, spec.network);
    if (blank) return (await fillBlank(blank, text)) ? runs.open(blank) : undefined;
    const folder = 'file' in data ? data.file.base : vscode.workspace.workspaceFolders?.[0]?.uri;
    const document = await openUnsavedSpec(folder, fileNameOf(spec.model.name), text);
    // An unsaved spec of the same name may have been discarded; its run must not come back.
    await runs.deleteStored(document.uri);
    return runs.open(document);
  }
}

/** Unless something was typed since the first question. */
async function fillBlank(document: vscode.TextDocument, text: string): Promise<boolean> {
  if (!isBlankSpec(document)) return false;
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  return vscode.workspace.applyEdit(edit);
}

interface SpecAnswer {
  readonly model: ModelData;
  readonly network: NetworkKind;
}

/** Asks what to predict, if there is a choice, and for the network. `back` leads to the data. */
async function askForSpec(targets: readonly Target[]): Promise<SpecAnswer | 'back' | undefined> {
  const hasChoice = targets.length > 1;
  const [only] = targets;
  if (!only) return 'back';
  const totalSteps = hasChoice ? 3 : 2;
  for (;;) {
    const model = hasChoice ? await ask(targetQuestion(targets)) : only.model;
    if (model === undefined || model === 'back') return model;
    const network = await ask({ ...networkQuestion(model), step: totalSteps, totalSteps });
    if (network === undefined || (network === 'back' && !hasChoice)) return network;
    if (network !== 'back') return { model, network };
  }
}

/** @returns the value of the item, `back` for the button, and undefined if the question is dismissed */
function ask<Value>({ step, totalSteps, placeholder, items }: Question<Value>): Promise<Value | 'back' | undefined> {
  const pick = vscode.window.createQuickPick<Item<Value>>();
  Object.assign(pick, { title: title(), step, totalSteps, placeholder, items, matchOnDescription: true });
  if (step > 1) pick.buttons = [vscode.QuickInputButtons.Back];
  return new Promise<Value | 'back' | undefined>((resolve) => {
    pick.onDidAccept(() => {
      const [selected] = pick.selectedItems;
      if (selected) resolve(selected.value);
    });
    pick.onDidTriggerButton(() => resolve('back'));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  }).finally(() => pick.dispose());
}

const title = (): string => vscode.l10n.t('New model');

/** @returns none if the file has nothing to predict, which a message says; undefined if dismissed */
async function readTargets({ base, workspace, choice }: DataFile): Promise<readonly Target[] | undefined> {
  const name = escapeUiText(choice.path);
  const pick = vscode.window.createQuickPick();
  let isDismissed = false;
  pick.onDidHide(() => (isDismissed = true));
  Object.assign(pick, { title: title(), busy: true, enabled: false, placeholder: vscode.l10n.t('Reading {0}…', name) });
  pick.show();
  const files = new FolderFiles({ folder: base.fsPath, root: workspace.uri.fsPath });
  try {
    const targets = await runInSlices(lookAtFile(choice, files), () => isDismissed);
    if (targets?.length === 0)
      void vscode.window.showWarningMessage(
        vscode.l10n.t('{0} has nothing to predict. A table needs two columns, and one of numbers.', name),
      );
    return targets;
  } catch (error) {
    const { message, remedy } = error as { readonly message: string; readonly remedy?: string };
    void vscode.window.showWarningMessage(escapeUiText([message, remedy].filter(Boolean).join(' ')));
    return [];
  } finally {
    files.close();
    pick.dispose();
  }
}

const fileIcons: Readonly<Record<FileChoice['kind'], string>> = {
  table: '$(table)',
  text: '$(book)',
  images: '$(file-media)',
};

function dataQuestion(files: readonly DataFile[]): Question<DataAnswer> {
  const separator = (label: string): Item<DataAnswer> => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const builtIn = (value: BuiltInData, label: string, description: string): Item<DataAnswer> => ({
    label,
    description,
    value: { builtIn: value },
  });
  return {
    step: 1,
    totalSteps: 3,
    placeholder: vscode.l10n.t('Which data? A CSV, text or IDX file of the workspace, or data that needs no file'),
    items: [
      ...(files.length > 0 ? [separator(vscode.l10n.t('Files of the workspace'))] : []),
      ...files.map((file): Item<DataAnswer> => ({
        label: `${fileIcons[file.choice.kind]} ${escapeUiText(file.choice.path)}`,
        value: { file },
      })),
      separator(vscode.l10n.t('Built in')),
      builtIn('circles', vscode.l10n.t('Points'), vscode.l10n.t('Two rings: a class from two numbers')),
      builtIn('sine', vscode.l10n.t('Curve'), vscode.l10n.t('A noisy sine: a number from a number')),
      builtIn('images', vscode.l10n.t('Images'), vscode.l10n.t('Four shapes of 16 × 16 pixels: a class')),
      builtIn('sequences', vscode.l10n.t('Sequences'), vscode.l10n.t('The sum of two marked numbers')),
      builtIn('text', vscode.l10n.t('Text'), vscode.l10n.t('A nursery rhyme: the next character')),
    ],
  };
}

function targetQuestion(targets: readonly Target[]): Question<ModelData> {
  return {
    step: 2,
    totalSteps: 3,
    placeholder: vscode.l10n.t('What should the network predict?'),
    items: targets.map(({ column, model }) => {
      const goal = goalText(model);
      return column === ''
        ? { label: goal, value: model }
        : { label: escapeUiText(column), description: goal, value: model };
    }),
  };
}

function goalText({ goal }: ModelData): string {
  switch (goal.kind) {
    case 'class':
      return vscode.l10n.t('one of {0} classes', goal.classes);
    case 'number':
      return vscode.l10n.t('a number');
    case 'next':
      return goal.unit === 'characters'
        ? vscode.l10n.t('the next character, of {0}', goal.vocabulary)
        : vscode.l10n.t('the next word, of {0}', goal.vocabulary);
  }
}

function networkQuestion(model: ModelData): Question<NetworkKind> {
  const usual = vscode.l10n.t('Usual');
  const texts: Readonly<Record<NetworkKind, readonly [label: string, description: string]>> = {
    'one-hidden': [vscode.l10n.t('Small'), vscode.l10n.t('One hidden layer of 16 units, tanh')],
    'two-hidden': [usual, vscode.l10n.t('Two hidden layers of 32 units, ReLU')],
    residual: [vscode.l10n.t('Deep'), vscode.l10n.t('Three residual blocks of 32 units')],
    'image-dense': [vscode.l10n.t('Small'), vscode.l10n.t('One hidden layer on all pixels')],
    convolution: [usual, vscode.l10n.t('Two convolutions with pooling')],
    'deep-convolution': [vscode.l10n.t('Deep'), vscode.l10n.t('Convolutions in residual blocks, with batch norm')],
    gru: [vscode.l10n.t('Small'), vscode.l10n.t('A recurrent layer: GRU of 16 units')],
    lstm: [usual, vscode.l10n.t('A recurrent layer: LSTM of 32 units')],
    'two-lstm': [vscode.l10n.t('Deep'), vscode.l10n.t('Two LSTM layers of 32 units')],
    'token-gru': [vscode.l10n.t('Small'), vscode.l10n.t('Embedding and GRU of 32 units')],
    'token-lstm': [usual, vscode.l10n.t('Embedding and LSTM of 64 units')],
    attention: [vscode.l10n.t('Deep'), vscode.l10n.t('Transformer: two blocks with attention')],
  };
  const kinds = networksFor(model);
  // The usual one is selected first.
  const [small, middle, deep] = kinds;
  return {
    step: 3,
    totalSteps: 3,
    placeholder: vscode.l10n.t('Which network?'),
    items: [middle, small, deep]
      .filter((kind) => kind !== undefined)
      .map((value) => {
        const [label, description] = texts[value];
        return { label, description, value };
      }),
  };
}

/** Of letters, digits and dashes. */
const fileNameOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60) || 'model';
