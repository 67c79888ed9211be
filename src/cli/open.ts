// Opens a spec for a command: a session, or its problems where it cannot run.
import fs from 'node:fs';
import path from 'node:path';
import { FolderFiles, type ReadableFolders } from '../files/data-files';
import { openSpec as loadSpec } from '../session/load';
import { TrainingSession } from '../session/session';
import type { CompiledRun, LoadedRun } from '../spec';
import { CallError } from './arguments';
import { placeProblems, type PlacedProblem, problemText } from './problems';
import type { Terminal } from './terminal';

/** The spec has errors: they are the answer. */
export class SpecError extends Error {
  override name = 'SpecError';

  constructor(readonly problems: readonly PlacedProblem[]) {
    super(problems.map(problemText).join('\n'));
  }
}

export interface Opened {
  readonly session: TrainingSession;
  readonly warnings: readonly PlacedProblem[];
}

/**
 * Throws CallError where there is no such file, SpecError where it cannot run. Warnings are printed unless the
 * answer is JSON, which holds them.
 * @param adapt changes the run before its session is made, such as how long it trains.
 */
export function openSpec(
  terminal: Terminal,
  { file, json, dataFolders }: { readonly file: string; readonly json: boolean; readonly dataFolders: readonly string[] },
  adapt: (run: CompiledRun) => CompiledRun = (run) => run,
): Opened {
  const target = path.resolve(terminal.cwd, file);
  const text = readSpec(target, file);
  const allowed = dataFolders.map((folder) => path.resolve(terminal.cwd, folder));
  const { run, problems } = load(text, { folder: path.dirname(target), root: rootOf(target, terminal.cwd), allowed });
  const placed = placeProblems(file, text, problems);
  if (!run) throw new SpecError(placed);
  if (!json) for (const warning of placed) terminal.err.write(`${problemText(warning)}\n`);
  return { session: new TrainingSession(adapt(run), text), warnings: placed };
}

function load(text: string, folders: ReadableFolders): LoadedRun {
  const files = new FolderFiles(folders);
  try {
    return loadSpec(text, files);
  } finally {
    files.close();
  }
}

/** Data files must lie below this folder: the current one where the spec lies in it, else the spec's own. */
function rootOf(target: string, cwd: string): string {
  const relative = path.relative(cwd, target);
  const inside = !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..';
  return inside ? cwd : path.dirname(target);
}

function readSpec(target: string, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(fs.readFileSync(target));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new CallError(`There is no file ${file}.`, 'Check the path; it starts at the current folder.');
    if (code === 'EISDIR') throw new CallError(`${file} is a folder.`, 'Give the *.nabla.json file in it.');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new CallError(`${file} is not UTF-8 text.`, 'Save it as UTF-8.');
    throw new CallError(`${file} cannot be read (${String(code)}).`, 'Check the path and the permissions.');
  }
}
