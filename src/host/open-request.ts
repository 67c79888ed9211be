// What an engine is told to open a spec.
import type { OpenRequest } from '../protocol/engine';
import { codeFolder } from './layer-files';
import type { RunOptions, RunPlace } from './run-options';

type Settings = Pick<RunOptions, 'dataFolders' | 'permission'> & Partial<Pick<RunOptions, 'checkpointBudget' | 'wideVectors'>>;

export function openRequest(text: string, place: RunPlace, settings: Settings): OpenRequest {
  const { folder, root } = place;
  return {
    text,
    folder,
    root,
    allowed: settings.dataFolders(),
    code: settings.permission(codeFolder(place)) === 'allowed',
    checkpointBudget: settings.checkpointBudget?.(),
    wideVectors: settings.wideVectors?.(),
  };
}
