// The files that custom layers consist of: those that the spec names, and what they import.
import path from 'node:path';
import { readTextFile } from '../../data-files/text-file';
import { listCustomLayers, type Spec } from '../../model-spec';
import type { CustomLayerErrorDetails, Problem } from '../../protocol/problem';
import type { SpecAnalysis, SpecLocation } from '../run/run-options';

/** More than any layer needs; bounds what only looks like imports. */
const MAX_FILES = 200;
const MAX_FILE_BYTES = 2 ** 20;
/** Node requires the extension, so the text names the file. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g;

/** The custom layers of a run, with the absolute paths of their files. */
export const customLayerFilesOf = ({
  analysis: { spec },
  location,
}: {
  readonly analysis: SpecAnalysis;
  readonly location: SpecLocation;
}) =>
  spec ? listCustomLayers(spec).map((layer) => ({ ...layer, file: path.resolve(location.folder, layer.module) })) : [];

/** The folder that a permission to run custom layers covers: the workspace's, or that of a file outside of it. */
export const permissionFolderOf = ({ root, folder }: SpecLocation): string => root ?? folder;

/**
 * The contents of the files of a run's layers when they were last loaded. Reads files, so it may be used only once the
 * user has allowed these layers to run.
 */
export class LayerFileSnapshot {
  #contents: ReadonlyMap<string, string> = new Map();
  #pendingUpdate: Promise<unknown> = Promise.resolve();

  /** To be called right before the engine loads the layers. */
  async capture(spec: Spec, location: SpecLocation): Promise<void> {
    this.#contents = await readModuleGraph(spec, location);
  }

  /** Whether a file now holds other code of these layers; if so, the new contents count as loaded. */
  updateIfChanged(file: string, spec: Spec, location: SpecLocation): Promise<boolean> {
    // The editor and the file watcher both report a change. In sequence, so that no comparison uses an older state.
    const hasChanged = this.#pendingUpdate.then(() => this.#compareAndUpdate(file, spec, location));
    this.#pendingUpdate = hasChanged.catch(() => undefined);
    return hasChanged;
  }

  async #compareAndUpdate(file: string, spec: Spec, location: SpecLocation): Promise<boolean> {
    const layers = listCustomLayers(spec);
    if (layers.length === 0) return false;
    const files = await readModuleGraph(spec, location);
    const previous = this.#contents;
    // A deleted file was among them before, or is one that the spec names.
    const isRelevant =
      files.has(file) ||
      previous.has(file) ||
      layers.some(({ module }) => path.resolve(location.folder, module) === file);
    if (!isRelevant || haveSameContents(previous, files)) return false;
    this.#contents = files;
    return true;
  }
}

const haveSameContents = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([file, text]) => b.get(file) === text);

/** The text of each file by its absolute path, without files that cannot be read or lie outside the workspace. */
async function readModuleGraph(spec: Spec, { folder, root }: SpecLocation): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const visited = new Set<string>();
  let next = listCustomLayers(spec).map(({ module }) => path.resolve(folder, module));
  while (next.length > 0) {
    const files = [...new Set(next)].filter((file) => !visited.has(file)).slice(0, MAX_FILES - visited.size);
    next = [];
    for (const file of files) {
      visited.add(file);
      const read = await readTextFile(file, { folders: [root ?? folder], maxBytes: MAX_FILE_BYTES });
      if (read.kind !== 'text') continue;
      texts.set(file, read.text);
      for (const [, , specifier] of read.text.matchAll(RELATIVE_IMPORT))
        next.push(path.resolve(path.dirname(file), specifier!));
    }
  }
  return texts;
}

/** Converts the fault of a layer to problems: at its line in the spec, and at its position in the layer's file. */
export function problemsOfFault(spec: Spec | undefined, fault: CustomLayerErrorDetails | null): Problem[] {
  const layer = spec && fault ? listCustomLayers(spec).find(({ name }) => name === fault.layer) : undefined;
  if (!spec || !fault || !layer) return [];
  const { message, remedy, place } = fault;
  return [{ code: 'custom-layer', severity: 'error', ...layer.range, message, remedy, place }];
}
