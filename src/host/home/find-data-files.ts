// The files of the workspace that a new model can learn from.
import path from 'node:path';
import * as vscode from 'vscode';
import type { FileChoice } from '../../new-model';
import { fileExists } from '../model-spec/new-spec';

const MAX_FILES = 200;
/** Texts that are about a project rather than data. */
const NO_DATA = /^(readme|licen[sc]e|copying|changelog|notice|authors|requirements[\w.-]*|constraints|cmakelists)\b/i;

export interface DataFile {
  /** Of the new spec; the file's path starts from it. */
  readonly base: vscode.Uri;
  readonly workspace: vscode.WorkspaceFolder;
  readonly choice: FileChoice;
}

/**
 * By path. Data is read from disk, so files of other file systems are left out.
 * @param spec that names the file; by default, one in the folder of the workspace that has the file
 */
export async function findDataFiles(spec?: vscode.Uri): Promise<readonly DataFile[]> {
  const found = await vscode.workspace.findFiles(
    '**/*{.csv,.tsv,.txt,images*idx*}',
    '**/{node_modules,.venv,venv,site-packages}/**',
    MAX_FILES,
  );
  const files = await Promise.all(found.filter(({ scheme }) => scheme === 'file').map((uri) => toDataFile(uri, spec)));
  return files.filter((file) => file !== undefined).sort((a, b) => (a.choice.path < b.choice.path ? -1 : 1));
}

async function toDataFile(uri: vscode.Uri, spec: vscode.Uri | undefined): Promise<DataFile | undefined> {
  const workspace = vscode.workspace.getWorkspaceFolder(uri);
  // A spec reads only the files of its own folder of the workspace.
  if (!workspace || (spec && vscode.workspace.getWorkspaceFolder(spec) !== workspace)) return undefined;
  const base = spec ? vscode.Uri.joinPath(spec, '..') : workspace.uri;
  const choice = await toChoice(uri, path.posix.relative(base.path, uri.path));
  return choice && { base, workspace, choice };
}

async function toChoice(uri: vscode.Uri, relative: string): Promise<FileChoice | undefined> {
  const name = path.posix.basename(uri.path);
  if (/\.(csv|tsv)$/i.test(name)) return { kind: 'table', path: relative };
  if (/\.txt$/i.test(name)) return NO_DATA.test(name) ? undefined : { kind: 'text', path: relative };
  // Beside the images, and named like them, as MNIST comes.
  const labels = name.replace('images', 'labels').replace('idx3', 'idx1');
  if (!(await fileExists(vscode.Uri.joinPath(uri, '..', labels)))) return undefined;
  return { kind: 'images', path: relative, labels: path.posix.join(path.posix.dirname(relative), labels) };
}
