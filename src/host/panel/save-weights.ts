// Saves the weights of a run as a .safetensors file, which another spec can begin with.
import { l10n } from 'vscode';
import type * as vscode from 'vscode';
import type { OpenRun } from '../run/run-manager';
import { saveWithDialog } from './save-file';

export async function saveWeights({ uri, controller }: OpenRun): Promise<vscode.Uri | undefined> {
  const { view } = controller;
  const result = await controller.query({ type: 'weight_file' });
  if (typeof result === 'string') {
    view.notify('warning', result);
    return undefined;
  }
  if (!(result.value instanceof Uint8Array)) {
    view.notify('warning', l10n.t('The network is too large for one file of weights.'));
    return undefined;
  }
  const title = `step ${result.position.step}`;
  return saveWithDialog(uri, view, { kind: 'safetensors', title, content: result.value });
}
