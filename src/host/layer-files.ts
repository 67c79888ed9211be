// The files that layers of the user's own consist of: those that the spec names, and what they import.
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Fault } from '../engine/custom/fault';
import type { Problem, Spec } from '../spec';
import type { RunPlace } from './run-options';

/** Enough for any layer; a bound for what only looks like imports. */
const MOST = 200;
/** Node wants the ending written, so the text says which file it is. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g;

/** The layers of a spec that are the user's own. */
export const ownLayers = (spec: Spec): { readonly name: string; readonly index: number; readonly module: string }[] =>
  spec.layers.flatMap(({ type, name, options }, index) =>
    type === 'custom' ? [{ name, index, module: (options as { readonly module: string }).module }] : [],
  );

/** Those of a run, with their files by full path. */
export const ownFiles = ({ spec, place }: { readonly spec: Spec | undefined; readonly place: RunPlace }) =>
  spec ? ownLayers(spec).map((own) => ({ ...own, file: path.resolve(place.folder, own.module) })) : [];

/** The folder that a yes to code of the user's own is for: the workspace's, or that of a lone file. */
export const codeFolder = ({ root, folder }: RunPlace): string => root ?? folder;

/** What the files of a run's layers held when they were loaded last. */
export class LayerFiles {
  #loaded: ReadonlyMap<string, string> = new Map();

  /** They are about to be loaded. */
  async read(spec: Spec, { folder }: RunPlace): Promise<void> {
    this.#loaded = await filesOf(spec, folder);
  }

  /** Whether what a file holds now is other code of these layers; it is taken as loaded then. */
  async changed(file: string, spec: Spec, { folder }: RunPlace): Promise<boolean> {
    const own = ownLayers(spec);
    if (own.length === 0) return false;
    const files = await filesOf(spec, folder);
    // Of the same change the editor and the file system tell, one while the other is still looked into.
    const before = this.#loaded;
    // One that is gone was among them before, or is what the spec names.
    const concerned = files.has(file) || before.has(file) || own.some(({ module }) => path.resolve(folder, module) === file);
    if (!concerned || same(before, files)) return false;
    this.#loaded = files;
    return true;
  }
}

const same = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([file, text]) => b.get(file) === text);

/** Every file by its full path, with its text; without those that cannot be read. */
async function filesOf(spec: Spec, folder: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const seen = new Set<string>();
  let next = ownLayers(spec).map(({ module }) => path.resolve(folder, module));
  while (next.length > 0) {
    const files = [...new Set(next)].filter((file) => !seen.has(file)).slice(0, MOST - seen.size);
    next = [];
    for (const file of files) {
      seen.add(file);
      const text = await fs.readFile(file, 'utf8').catch(() => null);
      if (text === null) continue;
      texts.set(file, text);
      for (const [, , to] of text.matchAll(IMPORT)) next.push(path.resolve(path.dirname(file), to));
    }
  }
  return texts;
}

/** A fault of a layer as a problem: at its line in the spec, with its place in the file. */
export function faultProblems(spec: Spec | undefined, fault: Fault | null): Problem[] {
  const layer = spec && fault ? ownLayers(spec).find(({ name }) => name === fault.layer) : undefined;
  if (!spec || !fault || !layer) return [];
  const { message, remedy, place } = fault;
  return [{ code: 'custom-layer', severity: 'error', ...spec.layers[layer.index].range, message, remedy, place }];
}
