// Opens a spec for a command: as a session, or as its problems if it cannot run.
import type { Problem } from '../protocol/problem';
import fs from 'node:fs';
import path from 'node:path';
import type { LayerFolders } from '../custom-layers/import-custom-layers';
import { FolderFiles, type ReadableFolders, withDataFiles } from '../data-files/data-files';
import { replaceFile, requireReplaceable } from '../data-files/replace-file';
import type { DataError } from '../engine/datasets/data-error';
import type { FittedTransform } from '../engine/transforms/apply-transforms';
import { specRules } from '../diagnostics';
import { TrainingSession } from '../session/session';
import { startThreadPool } from '../platform/start-thread-pool';
import { simd256CompilerIfEnabled } from '../platform/simd256';
import { setYoungGeneration } from '../platform/young-generation';
import {
  checkSpec,
  type CompiledRun,
  type CustomLayerProvider,
  type LoadedRun,
  loadRun,
  codeNotAllowedProblems,
  dataErrorToProblem,
  type ParseResult,
  parseSpec,
  type Resolved,
  type Spec,
} from '../model-spec';
import type { CommonArgs } from './command';
import { locateProblems, type LocatedProblem, formatProblem } from './problems';
import { SpecError } from './spec-error';
import { type LayerWatch, printLines, type Terminal } from './terminal';
import { UsageError } from './usage-error';

export interface OpenedSpec {
  readonly session: TrainingSession;
  readonly warnings: readonly LocatedProblem[];
}

/**
 * Throws UsageError if the file cannot be read, SpecError if the spec cannot run. Prints warnings, except with --json,
 * where the result contains them.
 * @param adapt changes the run before its session is created, such as its number of epochs
 */
export async function openSpec(
  terminal: Terminal,
  args: CommonArgs,
  adapt: (run: CompiledRun) => CompiledRun = (run) => run,
): Promise<OpenedSpec> {
  const { text, parsed, folders } = readSpec(terminal, args);
  const { run, problems } = await loadParsed(terminal, args, parsed, folders);
  const warnings = locateAndPrintWarnings(terminal, args, text, problems, run !== undefined);
  if (!run) throw new SpecError(warnings);
  return {
    session: new TrainingSession(adapt(run), text, {
      threadPool: startThreadPool(),
      simd256: simd256CompilerIfEnabled(),
    }),
    warnings,
  };
}

/** Loads the spec of the call, or a variant of it, with its data files and custom layers. */
export async function loadParsed(
  terminal: Terminal,
  args: CommonArgs,
  parsed: ParseResult,
  folders: ReadableFolders,
): Promise<LoadedRun> {
  const customLayers = await loadCustomLayers(terminal, parsed, folders, args);
  return readingDataFiles(folders, (files) => loadRun(parsed, files, { rules: specRules, customLayers }));
}

function readingDataFiles<Result>(folders: ReadableFolders, use: (files: FolderFiles) => Result): Result {
  setYoungGeneration({ canGrow: false });
  try {
    return withDataFiles(folders, use);
  } finally {
    setYoungGeneration({ canGrow: true });
  }
}

export interface ResolvedSpec {
  readonly resolved: Resolved;
  /** What the transforms of the data learned from the train split. */
  readonly fitted: readonly FittedTransform[];
  readonly problems: readonly LocatedProblem[];
  /** The run would exceed the memory limit, and that is its only error. */
  readonly isTooLarge: boolean;
}

/**
 * The shapes of a spec and what its transforms learn. Generates data only if a transform needs it. Throws like
 * `openSpec`.
 */
export async function resolveSpec(terminal: Terminal, args: CommonArgs): Promise<ResolvedSpec> {
  const { text, parsed, folders } = readSpec(terminal, args);
  const customLayers = await loadCustomLayers(terminal, parsed, folders, args);
  const hasTransforms = (parsed.spec?.transforms.length ?? 0) > 0;
  const { resolved, fitted, problems } = readingDataFiles(folders, (files) => {
    const options = { rules: specRules, customLayers };
    if (hasTransforms) {
      const { run, ...loaded } = loadRun(parsed, files, options);
      return { ...loaded, fitted: run?.transforms ?? [] };
    }
    const checked = checkSpec(parsed, files, options);
    const { spec } = checked;
    return {
      ...checked,
      fitted: [],
      ...(spec &&
        !checked.resolved &&
        !customLayers && { problems: [...checked.problems, ...codeNotAllowedProblems(spec)] }),
    };
  });
  const refused = resolved ? undefined : resolveTooLarge(parsed, folders, customLayers, problems);
  const canPrint = resolved !== undefined || refused !== undefined;
  const located = locateAndPrintWarnings(terminal, args, text, problems, canPrint);
  if (resolved) return { resolved, fitted, problems: located, isTooLarge: false };
  if (refused) return { resolved: refused, fitted: [], problems: located, isTooLarge: true };
  throw new SpecError(located);
}

export interface OpenedData {
  readonly spec: Spec;
  /** Undefined if the spec has errors. */
  readonly run: CompiledRun | undefined;
  readonly problems: readonly LocatedProblem[];
  /** To be closed. Files must still be those of the run. */
  readonly files: FolderFiles;
  /** The problem that data cannot be read again. */
  locateDataError(error: DataError): LocatedProblem;
}

/** The data of a spec, including one that cannot run. Throws UsageError, and SpecError if the text is not a spec. */
export async function openData(terminal: Terminal, args: CommonArgs): Promise<OpenedData> {
  const { text, parsed, folders } = readSpec(terminal, args);
  const customLayers = await loadCustomLayers(terminal, parsed, folders, args);
  const { run, problems, versions } = readingDataFiles(folders, (files) => ({
    ...loadRun(parsed, files, { rules: specRules, customLayers }),
    versions: files.versions,
  }));
  const { spec } = parsed;
  const located = locateProblems(args.file, text, problems);
  if (!spec) throw new SpecError(located);
  return {
    spec,
    run,
    problems: located,
    files: new FolderFiles(folders, undefined, versions),
    locateDataError: (error) => locateProblems(args.file, text, [dataErrorToProblem(spec, error)])[0]!,
  };
}

/** The shapes of a spec that is rejected only because of its size. */
function resolveTooLarge(
  parsed: ParseResult,
  folders: ReadableFolders,
  customLayers: CustomLayerProvider | undefined,
  problems: readonly Problem[],
): Resolved | undefined {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 || errors.some(({ code }) => code !== 'too-large')) return undefined;
  return readingDataFiles(folders, (files) => checkSpec(parsed, files, { customLayers, memoryLimit: Infinity }))
    .resolved;
}

/** Used if no thread could stop a layer, as in tests. */
const NO_LAYER_WATCH: LayerWatch = { registerLayers: () => undefined, enter: () => undefined, leave: () => undefined };

/** The custom layers of the spec, if they may run. */
async function loadCustomLayers(
  { layerWatch = NO_LAYER_WATCH }: Terminal,
  { spec }: ParseResult,
  folders: LayerFolders,
  { allowCode }: CommonArgs,
): Promise<CustomLayerProvider | undefined> {
  if (!spec || !allowCode) return undefined;
  const { importCustomLayers } = await import('../custom-layers/import-custom-layers');
  layerWatch.registerLayers(spec, folders);
  return importCustomLayers(spec, folders, layerWatch);
}

/** @param printWarnings whether the spec can run, so that its problems are warnings */
export function locateAndPrintWarnings(
  terminal: Terminal,
  { file, json }: CommonArgs,
  text: string,
  problems: readonly Problem[],
  printWarnings: boolean,
): LocatedProblem[] {
  const placed = locateProblems(file, text, problems);
  if (printWarnings && !json) printLines(terminal, terminal.err, placed.map(formatProblem));
  return placed;
}

/** Data files must be below this folder: the current one if it contains the spec, otherwise the folder of the spec. */
function dataRoot(target: string, cwd: string): string {
  const relative = path.relative(cwd, target);
  const inside = !path.isAbsolute(relative) && relative.split(path.sep)[0] !== '..';
  return inside ? cwd : path.dirname(target);
}

export interface SpecFile {
  readonly text: string;
  readonly parsed: ParseResult;
  /** Absolute. */
  readonly path: string;
  /** Where its data files may be. */
  readonly folders: ReadableFolders;
}

export function readSpec({ cwd }: Terminal, { file, dataFolder }: CommonArgs): SpecFile {
  const target = path.resolve(cwd, file);
  const allowed = dataFolder.map((folder) => path.resolve(cwd, folder));
  const text = readSpecText(target, file);
  return {
    text,
    parsed: parseSpec(text),
    path: target,
    folders: { folder: path.dirname(target), root: dataRoot(target, cwd), allowed },
  };
}

function readSpecText(target: string, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(fs.readFileSync(target));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT')
      throw new UsageError(
        'file-not-found',
        `There is no file ${file}.`,
        'Check the path: it is relative to the current folder.',
      );
    if (code === 'EISDIR')
      throw new UsageError('file-is-a-folder', `${file} is a folder.`, 'Name the *.nabla.json file in it.');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new UsageError('file-not-utf8', `${file} is not UTF-8 text.`, 'Save it as UTF-8.');
    throw new UsageError(
      'file-not-readable',
      `${file} cannot be read (${String(code)}).`,
      'Check the path and the permissions.',
    );
  }
}

/** Writes a file completely or not at all, and creates its folders. Rejects with UsageError if that fails. */
export const writeFile = (terminal: Terminal, file: string, content: string | Uint8Array): Promise<void> =>
  useFile(terminal, file, (target) => replaceFile(target, content));

/** Rejects with UsageError if a file could not be written. Leaves it as it is. */
export const requireWritable = (terminal: Terminal, file: string): Promise<void> =>
  useFile(terminal, file, requireReplaceable);

/** No space, a limit of the user, a limit of the process. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

async function useFile({ cwd }: Terminal, file: string, use: (target: string) => Promise<void>): Promise<void> {
  const target = path.resolve(cwd, file);
  try {
    await fs.promises.mkdir(path.dirname(target), { recursive: true });
    await use(target);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(
      'file-not-writable',
      `${file} cannot be written (${code}).`,
      FULL.has(code)
        ? 'Free some space, or choose a file on another disk.'
        : 'Choose another file, or change the permissions.',
    );
  }
}
