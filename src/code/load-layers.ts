// Loads the files of a spec's custom layers. Whoever calls this has asked whether they may run.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { customLayer, type LayerWatch } from '../engine/custom/custom-layer';
import { type CodePlace, LayerFault } from '../engine/custom/fault';
import { DataError } from '../engine/datasets/dataset';
import type { CustomOptions } from '../engine/custom/unit';
import type { LayerDefinition } from '../engine/layers/layer';
import { withFiles } from '../files/data-files';
import type { LayerCode, Spec } from '../spec';
import { loadAsModules } from './as-modules';
import { Places, removeTypes } from './place';

/** A module. */
const NOTHING: string = 'data:text/javascript,';
/** Under a debugger files run by the paths that the editor knows. */
const KEEPS_LINKS = process.execArgv.includes('--preserve-symlinks');
/** Milliseconds until a file that waits for something is given up. */
const PATIENCE = 3000;

export interface CodeFolder {
  /** Where paths in the spec start; empty for a spec that was never saved. */
  readonly folder: string;
  /** Nothing outside of it runs; null for no bound. */
  readonly root: string | null;
}

type Made = { readonly definition: LayerDefinition } | { readonly error: unknown };

/** The custom layers of a spec: name, index and the module as the spec writes it. */
export const customLayers = ({ layers }: Spec) =>
  layers.flatMap(({ type, name, options }, index) => (type === 'custom' ? [{ name, index, module: (options as CustomOptions).module }] : []));

/** Starts what reads modules and removes types, where Node can. */
export async function readTypeScript(): Promise<void> {
  loadAsModules();
  await import(NOTHING);
  removeTypes('');
}

/** Never throws: what is wrong with a file is thrown when its layer is asked for. */
export async function loadLayers(spec: Spec, where: CodeFolder, watch: LayerWatch): Promise<LayerCode> {
  loadAsModules();
  const made = new Map<number, Made>();
  for (const layer of customLayers(spec)) made.set(layer.index, await load(layer, where, watch));
  return {
    definition(layer) {
      const found = made.get(layer);
      if (!found) throw new RangeError(`layer ${layer} is not a custom one`);
      if ('error' in found) throw found.error;
      return found.definition;
    },
  };
}

async function load(
  { name, index, module }: ReturnType<typeof customLayers>[number], { folder, root }: CodeFolder, watch: LayerWatch,
): Promise<Made> {
  let file: string;
  try {
    file = found(folder, root, module);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const place = { file: path.resolve(folder, module), line: null, column: null };
    const remedy = error.message.includes('outside') ? 'Copy the file next to the spec, or open the folder that holds both.' : error.remedy;
    return { error: new LayerFault({ layer: name, call: 'load', message: error.message, remedy, place, stack: null }) };
  }
  const places = new Places(file, namedFrom([root, folder]));
  watch.enter(index, 'load');
  try {
    const exported = (await inTime(import(pathToFileURL(file).href))) as { readonly default?: unknown };
    return { definition: customLayer({ name, index }, { exported: exported.default, placeOf: (what) => places.of(what) }, watch) as LayerDefinition };
  } catch (error) {
    return { error: error instanceof LayerFault ? error : notLoaded(name, file, places, error) };
  } finally {
    watch.leave();
  }
}

/** What the user calls a file by its real path: links lead to folders. */
function namedFrom(folders: readonly (string | null)[]): (file: string) => string {
  const real = folders.flatMap((folder) => (folder ? [{ folder, real: fs.realpathSync(folder) + path.sep }] : []));
  return (file) => {
    const found = real.find((each) => file.startsWith(each.real));
    return found ? path.join(found.folder, file.slice(found.real.length)) : file;
  };
}

/** The file's real path, under the rules for data files. */
function found(folder: string, root: string | null, module: string): string {
  withFiles({ folder, root }, (files) => files.open(module, []));
  const file = path.resolve(folder, module);
  return KEEPS_LINKS ? file : fs.realpathSync(file);
}

class TooLate extends Error {}

/** A module that waits at its top for what never comes. */
function inTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new TooLate()), PATIENCE)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function notLoaded(layer: string, file: string, places: Places, error: unknown): LayerFault {
  const found = places.of(error);
  const fault = (message: string, remedy: string, place: CodePlace = found): LayerFault =>
    new LayerFault({ layer, call: 'load', message, remedy, place, stack: error instanceof Error ? (error.stack ?? null) : null });
  const name = path.basename(file);
  if (error instanceof TooLate) return fault(`${name} did not finish loading within ${PATIENCE / 1000} s.`, 'Remove what it waits for at its top level.');
  if (!(error instanceof Error)) return fault(`${name} threw ${String(error)} while it was loaded.`, 'Throw an Error, which says where it arose.');
  const code = String((error as NodeJS.ErrnoException).code);
  const message = error.message.split('\n', 1)[0].trim().replace(/\.$/, '');
  switch (code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return fault(`${message.replace(' in strip-only mode', '')}: types are removed from a layer's file, nothing else is done to it.`, instead(message));
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return fault(
        `This version of Node (${process.version}) does not read TypeScript.`,
        `Write the layer in JavaScript (${name.replace(/\.[cm]?ts$/, '.mjs')}), or use Node 22.18 or later, in VS Code a version that brings it.`,
        { file, line: null, column: null },
      );
    case 'ERR_MODULE_NOT_FOUND':
      return fault(`${message.replace(/ imported from .*/, '')}.`, 'Check the path, and write it with its ending, such as "./helper.ts".');
  }
  if (/Unexpected token 'export'|Cannot use import statement/.test(message)) {
    const other = name.replace(/\.(ts|js)$/, '.m$1');
    return fault(`${name} is read as CommonJS, because the package.json above it says so, but it is an ES module.`, `Rename it to ${other}.`);
  }
  if (error instanceof SyntaxError) return fault(`${name} cannot be read: ${message}.`, 'Correct it there.');
  return fault(`${name} threw ${error.name} while it was loaded: ${message}.`, 'Correct it there.');
}

/** What to write in place of syntax that is more than types. */
function instead(message: string): string {
  if (message.includes('enum')) return 'Use an object: const Kind = { A: 0, B: 1 } as const.';
  if (message.includes('parameter property')) return 'Declare the field, and assign it in the constructor.';
  if (message.includes('namespace')) return 'Use a module of its own, or an object.';
  return 'Write it in JavaScript syntax.';
}
