// Opens a spec for a command: a session, or its problems where it cannot run.
import fs from 'node:fs';
import path from 'node:path';
import { type CodeFolder, loadLayers } from '../code/load-layers';
import { type ReadableFolders, withFiles } from '../files/data-files';
import type { FittedTransform } from '../engine/transforms/apply';
import { specRules } from '../health/rules';
import { TrainingSession } from '../session/session';
import { startTeam } from '../machine/start-team';
import { wideVectorsIfWanted } from '../machine/wide-vectors';
import { checkSpec, type CompiledRun, type LayerCode, loadRun, notAllowed, parseSpec, type Problem, type Resolved } from '../spec';
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

/** A call that names a spec. */
interface Named {
  readonly file: string;
  readonly json: boolean;
  readonly allowCode: boolean;
  /** Data files may lie there too. */
  readonly dataFolders: readonly string[];
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
export async function openSpec(
  terminal: Terminal,
  call: Named,
  adapt: (run: CompiledRun) => CompiledRun = (run) => run,
): Promise<Opened> {
  const { text, folders } = readSpec(terminal, call);
  const code = await codeOf(text, folders, call);
  const { run, problems } = withFiles(folders, (files) => loadRun(text, files, { rules: specRules, code }));
  const warnings = place(terminal, call, text, problems, run !== undefined);
  if (!run) throw new SpecError(warnings);
  return { session: new TrainingSession(adapt(run), text, { team: startTeam(), wideVectors: wideVectorsIfWanted() }), warnings };
}

export interface ResolvedSpec {
  readonly resolved: Resolved;
  /** What the transforms of the data learned of the training part. */
  readonly fitted: readonly FittedTransform[];
  readonly warnings: readonly PlacedProblem[];
}

/** The shapes of a spec, and what its transforms learn, without making data that is not needed to tell. Throws as `openSpec` does. */
export async function resolveSpec(terminal: Terminal, call: Named): Promise<ResolvedSpec> {
  const { text, folders } = readSpec(terminal, call);
  const code = await codeOf(text, folders, call);
  const learns = (parseSpec(text).spec?.transforms.length ?? 0) > 0;
  const { resolved, fitted, problems } = withFiles(folders, (files) => {
    const options = { rules: specRules, code };
    if (learns) {
      const { run, ...loaded } = loadRun(text, files, options);
      return { ...loaded, fitted: run?.transforms ?? [] };
    }
    const checked = checkSpec(text, files, options);
    const { spec } = checked;
    return { ...checked, fitted: [], ...(spec && !checked.resolved && !code && { problems: [...checked.problems, ...notAllowed(spec)] }) };
  });
  const warnings = place(terminal, call, text, problems, resolved !== undefined);
  if (!resolved) throw new SpecError(warnings);
  return { resolved, fitted, warnings };
}

/** In a terminal nobody looks after the user's code: what hangs hangs, and Ctrl-C ends it. */
const UNWATCHED = { enter: () => undefined, leave: () => undefined };

/** The spec's own layers, where they may run. */
async function codeOf(text: string, where: CodeFolder, { allowCode }: Named): Promise<LayerCode | undefined> {
  const { spec } = parseSpec(text);
  return spec && allowCode ? await loadLayers(spec, where, UNWATCHED) : undefined;
}

/** @param good whether they are warnings, to be printed at once. */
export function place(terminal: Terminal, { file, json }: Named, text: string, problems: readonly Problem[], good: boolean): PlacedProblem[] {
  const placed = placeProblems(file, text, problems);
  if (good && !json) for (const warning of placed) terminal.err.write(`${problemText(warning)}\n`);
  return placed;
}

/** Data files must lie below this folder: the current one where the spec lies in it, else the spec's own. */
function rootOf(target: string, cwd: string): string {
  const relative = path.relative(cwd, target);
  const inside = !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..';
  return inside ? cwd : path.dirname(target);
}

/** A spec's text, and the files that it may name. */
export interface SpecFile {
  readonly text: string;
  /** Its place. */
  readonly target: string;
  readonly folders: ReadableFolders;
}

export function readSpec({ cwd }: Terminal, { file, dataFolders }: Omit<Named, 'json' | 'allowCode'>): SpecFile {
  const target = path.resolve(cwd, file);
  const allowed = dataFolders.map((folder) => path.resolve(cwd, folder));
  return { text: readText(target, file), target, folders: { folder: path.dirname(target), root: rootOf(target, cwd), allowed } };
}

function readText(target: string, file: string): string {
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

/** Writes a result beside what is printed, making the folders that it needs. Throws CallError where that cannot be. */
export function writeFile({ cwd }: Terminal, file: string, text: string): void {
  const target = path.resolve(cwd, file);
  try {
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new CallError(`${file} cannot be written (${code}).`, 'Give another file, or change the permissions.');
  }
}
