// Loads the files of a spec's custom layers. The caller must have checked that they may run.
import type { SourceLocation } from '../protocol/problem';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createCustomLayer } from '../engine/custom/custom-layer';
import type { LayerCallObserver } from '../engine/custom/layer-module';
import { createCustomLoss } from '../engine/custom/custom-loss';
import { createCustomPenalty, type CustomPenaltyDefinition } from '../engine/custom/custom-penalty';
import { CustomLayerError } from '../engine/custom/custom-layer-error';
import { describeValue, firstLine, readThrownError } from '../engine/custom/foreign-value';
import { DataError } from '../engine/datasets/data-error';
import type { LayerDefinition } from '../engine/layers/layer';
import type { LossDefinition } from '../engine/losses/loss';
import { withDataFiles } from '../data-files/data-files';
import {
  type CustomLayerProvider,
  type CustomLayerReference,
  type CustomRole,
  listCustomLayers,
  type Spec,
} from '../model-spec';
import { BuiltinGuard } from './builtin-guard';
import { registerEsmHook } from './esm-hook';
import { SourceLocator, stripTypes } from './source-locator';

/** An empty module. */
const EMPTY_MODULE: string = 'data:text/javascript,';
/** Under a debugger, files run under the paths that the editor knows. */
const PRESERVE_SYMLINKS = process.execArgv.includes('--preserve-symlinks');
/** Milliseconds before loading a file that waits for something is given up. */
const LOAD_TIMEOUT_MS = 3000;

export interface LayerFolders {
  /** The folder that relative paths start from; empty for an unsaved spec. */
  readonly folder: string;
  /** Only files inside it may run; null for no limit. */
  readonly root: string | null;
}

type Definition = LayerDefinition | LossDefinition | CustomPenaltyDefinition;
type LoadResult = { readonly definition: Definition } | { readonly error: unknown };

/** Preloads the parts of Node that parse modules and remove types. */
export async function preloadTypeScriptSupport(): Promise<void> {
  registerEsmHook();
  await import(EMPTY_MODULE);
  stripTypes('');
}

/** Never throws: an error in a file is thrown when its layer is requested. */
export async function importCustomLayers(
  spec: Spec,
  folders: LayerFolders,
  observer: LayerCallObserver,
): Promise<CustomLayerProvider> {
  registerEsmHook();
  const results = new Map<number | CustomRole, LoadResult>();
  for (const reference of listCustomLayers(spec)) {
    const { role, index } = reference;
    results.set(role === 'layer' ? index : role, await importCustomLayer(reference, folders, observer));
  }
  const get = (key: number | CustomRole): Definition => {
    const found = results.get(key);
    if (!found)
      throw new RangeError(typeof key === 'number' ? `layer ${key} is not custom` : `the ${key} is not custom`);
    if ('error' in found) throw found.error;
    return found.definition;
  };
  return {
    getDefinition: (layer) => get(layer) as LayerDefinition,
    getLoss: () => get('loss') as LossDefinition,
    getPenalty: () => get('penalty') as CustomPenaltyDefinition,
  };
}

async function importCustomLayer(
  { role, name, index, module }: CustomLayerReference,
  { folder, root }: LayerFolders,
  observer: LayerCallObserver,
): Promise<LoadResult> {
  let file: string;
  try {
    file = resolveModule(folder, root, module);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const place = { file: path.resolve(folder, module), line: null, column: null };
    const remedy = error.message.includes('outside')
      ? 'Copy the file next to the spec, or open the folder that holds both.'
      : error.remedy;
    return {
      error: new CustomLayerError({ layer: name, call: 'load', message: error.message, remedy, place, stack: null }),
    };
  }
  const locator = new SourceLocator(file, displayPathResolver([root, folder]));
  builtins ??= new BuiltinGuard();
  observer.enter(index, 'load');
  try {
    const exported = (await withTimeout(import(pathToFileURL(file).href))) as { readonly default?: unknown };
    const changes = builtins.findChanges();
    if (changes.length > 0) return { error: builtinChangeError(name, file, locator, changes) };
    const identity = { name, index };
    const loaded = { defaultExport: exported.default, locate: (what: unknown) => locator.locate(what) };
    switch (role) {
      case 'layer':
        return { definition: createCustomLayer(identity, loaded, observer) as LayerDefinition };
      case 'loss':
        return { definition: createCustomLoss(path.basename(file), identity, loaded, observer) as LossDefinition };
      case 'penalty':
        return { definition: createCustomPenalty(path.basename(file), identity, loaded, observer) };
    }
  } catch (error) {
    return { error: error instanceof CustomLayerError ? error : loadError(name, file, locator, error) };
  } finally {
    observer.leave();
  }
}

/** Converts a real path to the path that the user knows, since folders may be links. */
function displayPathResolver(folders: readonly (string | null)[]): (file: string) => string {
  const real = folders.flatMap((folder) => (folder ? [{ folder, real: fs.realpathSync(folder) + path.sep }] : []));
  return (file) => {
    const found = real.find((each) => file.startsWith(each.real));
    return found ? path.join(found.folder, file.slice(found.real.length)) : file;
  };
}

/** The file's real path, subject to the rules for data files. */
function resolveModule(folder: string, root: string | null, module: string): string {
  withDataFiles({ folder, root }, (files) => files.open(module, []));
  const file = path.resolve(folder, module);
  return PRESERVE_SYMLINKS ? file : fs.realpathSync(file);
}

/** Locates errors in a file of the user. @param file as the user knows it */
export function createSourceLocator({ folder, root }: LayerFolders, file: string): SourceLocator {
  try {
    return new SourceLocator(PRESERVE_SYMLINKS ? file : fs.realpathSync(file), displayPathResolver([root, folder]));
  } catch {
    return new SourceLocator(file);
  }
}

/** This thread's built-in objects, before the first file was loaded. */
let builtins: BuiltinGuard | undefined;

const MAX_NAMED_CHANGES = 3;

function builtinChangeError(
  layer: string,
  file: string,
  locator: SourceLocator,
  changes: readonly string[],
): CustomLayerError {
  const named = changes.slice(0, MAX_NAMED_CHANGES).join(', ');
  const more = changes.length > MAX_NAMED_CHANGES ? ` and ${changes.length - MAX_NAMED_CHANGES} more` : '';
  return new CustomLayerError({
    layer,
    call: 'load',
    message: `${path.basename(file)} changes built-in objects that the engine uses too: ${named}${more}.`,
    remedy: 'Write a function of its own instead, also in the files that it imports.',
    place: locator.locate(undefined),
    stack: null,
  });
}

class LoadTimeoutError extends Error {}

/** Rejects if the top level of a module waits for too long. */
function withTimeout<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new LoadTimeoutError()), LOAD_TIMEOUT_MS)),
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function loadError(layer: string, file: string, locator: SourceLocator, error: unknown): CustomLayerError {
  const found = locator.locate(error);
  const thrown = readThrownError(error);
  const fault = (message: string, remedy: string, place: SourceLocation = found): CustomLayerError =>
    new CustomLayerError({
      layer,
      call: 'load',
      message,
      remedy,
      place,
      stack: thrown?.stack ?? null,
    });
  const name = path.basename(file);
  if (error instanceof LoadTimeoutError)
    return fault(
      `${name} did not finish loading within ${LOAD_TIMEOUT_MS / 1000} s.`,
      'Remove what it waits for at its top level.',
    );
  if (!thrown)
    return fault(
      `${name} threw ${describeValue(error)} while it was loaded.`,
      'Throw an Error, which records where it was thrown.',
    );
  const { code } = thrown;
  const message = firstLine(thrown.message);
  switch (code ?? '') {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return fault(
        `${message.replace(' in strip-only mode', '')}: Nablascope only removes types from a layer's file.`,
        syntaxRemedy(message),
      );
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return fault(
        `This version of Node (${process.version}) cannot load TypeScript.`,
        `Write the layer in JavaScript (${name.replace(/\.[cm]?ts$/, '.mjs')}), or use Node 22.18 or later, or a version of VS Code that includes it.`,
        { file, line: null, column: null },
      );
    case 'ERR_MODULE_NOT_FOUND':
      return fault(
        `${message.replace(/ imported from .*/, '')}.`,
        'Check the path, and include the file extension, such as "./helper.ts".',
      );
  }
  if (/Unexpected token 'export'|Cannot use import statement/.test(message)) {
    const other = name.replace(/\.(ts|js)$/, '.m$1');
    return fault(
      `${name} is read as CommonJS, because the package.json above it says so, but it is an ES module.`,
      `Rename it to ${other}.`,
    );
  }
  if (thrown.name === 'SyntaxError') return fault(`${name} cannot be read: ${message}.`, 'Fix it there.');
  return fault(
    `${name} threw ${thrown.name} while it was loaded${message === '' ? '' : `: ${message}`}.`,
    'Fix it there.',
  );
}

/** What to write instead of TypeScript syntax that is more than types. */
function syntaxRemedy(message: string): string {
  if (message.includes('enum')) return 'Use an object: const Kind = { A: 0, B: 1 } as const.';
  if (message.includes('parameter property')) return 'Declare the field, and assign it in the constructor.';
  if (message.includes('namespace')) return 'Use a separate module, or an object.';
  return 'Write it in JavaScript syntax.';
}
