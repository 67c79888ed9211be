// Where a spec writes the names of its layers, and renaming one with all that refer to it.
import { INPUT_NAME } from './blocks/block';
import { editSpec, type TextEdit } from './edit-spec';
import { parseSpec } from './parse';
import type { Spec } from './spec';
import { type Path, quote, type Range } from './spec-source';

/** A place in the text that names a layer: the layer itself, or one that refers to it. */
export interface LayerMention {
  /** The range of the name, without quotes, and without the number of a copy or the parameter behind it. */
  readonly range: Range;
  /** The path of the layer. */
  readonly layer: Path;
  /** What follows a new name here: the number of a copy that had a generated name. */
  readonly suffix: string;
}

const samePath = (a: Path, b: Path): boolean => a.length === b.length && a.every((key, i) => key === b[i]);

const commonLength = (a: Path, b: Path): number => {
  const different = a.findIndex((key, i) => key !== b[i]);
  return different < 0 ? a.length : different;
};

const valueAt = (spec: Spec, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined),
    spec.source.value,
  );

/** The name that the spec gives a layer; undefined if it is generated. */
function writtenName(spec: Spec, path: Path): string | undefined {
  const name = valueAt(spec, [...path, 'name']);
  return typeof name === 'string' ? name : undefined;
}

/** A named input of the data is renamed there. */
const isInData = (path: Path): boolean => path[0] === 'data';

/**
 * The layer that a name stands for where `from` uses it.
 * @returns its path, and how many characters are its own name
 */
function lookUp(spec: Spec, name: string, from: Path): (Omit<LayerMention, 'range'> & { length: number }) | undefined {
  const byWritten = spec.layers.filter(({ path }) => writtenName(spec, path) === name);
  // Within a block that repeats, a name is that of the same copy: the nearest one counts.
  const [nearest] = [...byWritten].sort((a, b) => commonLength(b.path, from) - commonLength(a.path, from));
  if (nearest && (nearest.name === name || commonLength(nearest.path, from) > 2))
    return { layer: nearest.path, suffix: '', length: name.length };
  const layer = spec.layers.find((each) => each.name === name);
  if (!layer || isInData(layer.path)) return undefined;
  const written = writtenName(spec, layer.path);
  if (written !== undefined) return { layer: layer.path, suffix: '', length: written.length };
  const copies = spec.layers.filter(({ path }) => samePath(path, layer.path));
  return {
    layer: layer.path,
    suffix: copies.length > 1 ? String(copies.indexOf(layer) + 1) : '',
    length: name.length,
  };
}

/** Every mention of a layer's name, in the order of the layers. */
export function listLayerMentions(spec: Spec): LayerMention[] {
  const { source } = spec;
  const mentions: LayerMention[] = [];
  /** @param range of the text in quotes. @param prefix characters before the name in it */
  const add = (range: Range, text: string, name: string, from: Path, prefix = 0): boolean => {
    const found = lookUp(spec, name, from);
    // A name with an escape is longer in the text.
    if (!found || source.text.slice(range.start + 1, range.end - 1) !== text) return false;
    const start = range.start + 1 + prefix;
    mentions.push({ range: { start, end: start + found.length }, layer: found.layer, suffix: found.suffix });
    return true;
  };
  const paths = spec.layers
    .map(({ path }) => path)
    .filter((path, i, all) => all.findIndex((other) => samePath(other, path)) === i);
  for (const path of paths) {
    const name = writtenName(spec, path);
    if (name !== undefined) add(source.locate([...path, 'name']), name, name, path);
    const inputs = valueAt(spec, [...path, 'inputs']);
    for (const [i, input] of (Array.isArray(inputs) ? (inputs as unknown[]) : []).entries())
      if (typeof input === 'string') add(source.locate([...path, 'inputs', i]), input, input, path);
    const share = valueAt(spec, [...path, 'share']);
    if (typeof share !== 'string') continue;
    const range = source.locate([...path, 'share']);
    if (!add(range, share, share, path)) add(range, share, share.slice(0, Math.max(0, share.lastIndexOf('.'))), path);
  }
  for (const { path } of spec.sweep) {
    const [, name = ''] = /^layers\.([^.]+)\./.exec(path) ?? [];
    if (/^\d+$/.test(name)) continue;
    add(source.locateKey(['sweep', path]), path, name, ['layers'], 'layers.'.length);
  }
  return mentions;
}

/** The text of a layer that stands for its missing name: its type. */
export function typeRange(spec: Spec, layer: Path): Range {
  const value = valueAt(spec, layer);
  return spec.source.locate(typeof value === 'string' ? layer : [...layer, 'type']);
}

/** The layer that is named, or that has a generated name and whose type is written, at an offset. */
export function renamableAt(spec: Spec, offset: number): { readonly range: Range; readonly layer: Path } | undefined {
  const contains = ({ start, end }: Range): boolean => start <= offset && offset <= end;
  const mention = listLayerMentions(spec).find(({ range }) => contains(range));
  if (mention) return mention;
  const unnamed = spec.layers.find(
    ({ path }) => !isInData(path) && writtenName(spec, path) === undefined && contains(typeRange(spec, path)),
  );
  if (!unnamed) return undefined;
  const { start, end } = typeRange(spec, unnamed.path);
  return { range: { start: start + 1, end: end - 1 }, layer: unnamed.path };
}

/** @returns the edits, which do not overlap, or a sentence that says why the name is not possible */
export function renameLayer(spec: Spec, layer: Path, name: string): readonly TextEdit[] | string {
  if (name === INPUT_NAME) return `${quote(name)} is the data. Choose another name.`;
  if (isInData(layer)) return 'A named input is no layer of its own. Rename it in "data".';
  const { text } = spec.source;
  const own = JSON.stringify(name).slice(1, -1);
  const edits = listLayerMentions(spec)
    .filter((mention) => samePath(mention.layer, layer))
    .map(({ range, suffix }): TextEdit => ({ ...range, text: own + suffix }));
  if (writtenName(spec, layer) === undefined) {
    const value = valueAt(spec, layer);
    edits.push(
      editSpec(text, [
        typeof value === 'string'
          ? { path: layer, value: { type: value, name } }
          : { path: [...layer, 'name'], value: name },
      ]),
    );
  }
  const renamed = parseSpec(applyAll(text, edits));
  const [error] = renamed.problems.filter(({ severity }) => severity === 'error');
  if (!renamed.spec || error) return error ? `${error.message} ${error.remedy}` : 'The name is not possible.';
  return connectionsOf(renamed.spec) === connectionsOf(spec)
    ? edits
    : `With the name ${quote(name)} a reference would lead to another layer. Choose another name.`;
}

const applyAll = (text: string, edits: readonly TextEdit[]): string =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: inserted }) => result.slice(0, start) + inserted + result.slice(end), text);

/** All but the names. */
const connectionsOf = ({ layers, sweep }: Spec): string =>
  JSON.stringify([
    layers.map(({ type, options, inputs, share, freeze }) => [type, options, inputs, share, freeze]),
    sweep.length,
  ]);
