// What a sweep tries: options of the spec by their path, such as `optimizer.lr`, each with a list of values. A variant is
// the spec with one value of each put in; it is judged as any spec is.
import { jsonSchema, ownProperty } from './json-schema';
import { suggestion } from './names';
import type { Problem } from './problem';
import type { SpecInput } from './schema';
import { type Path, problem, quote, type Source } from './source';

export interface SweepOption {
  /** `optimizer.lr`, `layers.0.out_features`. */
  readonly path: string;
  /** As they stand in the text, without repetition. */
  readonly values: readonly unknown[];
}

/** More runs than this are a mistake. */
export const MAX_RUNS = 10_000;

/** Where the keys of a path lead, or why they lead nowhere. */
class PathError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (layer: unknown): string => String(isObject(layer) ? layer.type : layer);

/** The layers' names, given or running; see parse.ts. */
function layerNames(layers: readonly unknown[]): string[] {
  const running = new Map<string, number>();
  const number = (type: string, times = 1): number => {
    running.set(type, (running.get(type) ?? 0) + times);
    return running.get(type) ?? 0;
  };
  /** What a block holds has running numbers, too. */
  const inside = (block: unknown, copies = 1): void => {
    if (!isObject(block) || !Array.isArray(block.layers)) return;
    for (const layer of block.layers) {
      if (isObject(layer) && Array.isArray(layer.layers)) inside(layer, copies * Number(block.times));
      else number(typeOf(layer), copies * Number(block.times));
    }
  };
  return layers.map((layer) => {
    const type = typeOf(layer);
    inside(layer);
    const own = `${type}${number(type)}`;
    return isObject(layer) && typeof layer.name === 'string' ? layer.name : own;
  });
}

function indexIn(list: readonly unknown[], key: string, owner: string | undefined): number {
  const names = owner === 'layers' ? layerNames(list) : [];
  const index = names.includes(key) ? names.indexOf(key) : /^\d+$/.test(key) ? Number(key) : -1;
  if (index >= 0 && index < list.length) return index;
  if (owner !== 'layers') throw new PathError(`There is no entry ${quote(key)} in the list.`, 'Count entries from 0.');
  throw new PathError(`There is no layer ${quote(key)}.`, `${suggestion(key, names)} Or count layers from 0.`);
}

/** What stands where the spec says nothing and takes a default. */
function fallback(keys: readonly string[]): unknown {
  const value = keys.length === 1 ? ownProperty(jsonSchema().properties, keys[0])?.default : undefined;
  if (isObject(value)) return 'type' in value ? { type: value.type } : {};
  return value ?? {};
}

/** No option lies deeper. */
const MAX_KEYS = 16;

function put(value: unknown, keys: readonly string[], chosen: unknown, done: readonly string[] = []): unknown {
  if (keys.length === 0) return chosen;
  const [key, ...rest] = keys;
  const here = value === undefined ? fallback(done) : value;
  if (Array.isArray(here)) {
    const at = indexIn(here, key, done[done.length - 1]);
    return (here as unknown[]).map((entry, i) => (i === at ? put(entry, rest, chosen, [...done, key]) : entry));
  }
  // A unit that is written as its name.
  const owner = typeof here === 'string' ? { type: here } : here;
  if (!isObject(owner)) throw new PathError(`${quote(done.join('.'))} is a single value, which has no ${quote(key)}.`, 'Shorten the path.');
  const inner = Object.hasOwn(owner, key) ? owner[key] : undefined;
  return { ...owner, [key]: put(inner, rest, chosen, [...done, key]) };
}

/** The spec without its sweep, and with a value in place of what stands at `path`. Throws where the path leads nowhere. */
export function withValue(spec: unknown, path: string, value: unknown): unknown {
  const keys = path.split('.');
  if (keys.length > MAX_KEYS) throw new PathError(`${quote(path)} is no option of a spec.`, 'Name one such as "optimizer.lr".');
  return put(spec, keys, value);
}

/** A spec's value without its sweep: what a run of it alone would be. */
export function withoutSweep(spec: unknown): unknown {
  if (!isObject(spec)) return spec;
  const { sweep: _, ...rest } = spec;
  return rest;
}

/** What is wrong with an option of a sweep; `value` counts from 0, null where its path is to blame. */
export interface SweepFault {
  readonly option: number;
  readonly value: number | null;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const SPEC_ONLY = ['sweep', '$schema', 'name'];

/** @param judge what is wrong with a variant, the first problem. */
export function sweepFaults(spec: unknown, options: readonly SweepOption[], judge: (variant: unknown) => Problem | undefined): SweepFault[] {
  const base = withoutSweep(spec);
  const found = options.flatMap(({ path, values }, option): SweepFault[] => {
    const fault = (value: number | null, code: string, message: string, remedy: string): SweepFault => ({ option, value, code, message, remedy });
    if (SPEC_ONLY.includes(path.split('.')[0])) return [fault(null, 'invalid-sweep', `${quote(path)} changes nothing that could be compared.`, 'Name an option of the training, such as "optimizer.lr".')];
    const faults: SweepFault[] = [];
    for (const [i, value] of values.entries()) {
      const text = JSON.stringify(value);
      if (values.findIndex((other) => JSON.stringify(other) === text) < i) {
        faults.push(fault(i, 'duplicate-value', `${quote(text)} is given twice for ${quote(path)}.`, 'Keep one of the two.'));
        continue;
      }
      try {
        const wrong = judge(withValue(base, path, value));
        if (wrong?.code === 'unknown-key') return [fault(null, wrong.code, wrong.message, wrong.remedy)];
        if (wrong) faults.push(fault(i, wrong.code, wrong.message, wrong.remedy));
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        return [fault(null, 'invalid-sweep', error.message, error.remedy)];
      }
    }
    return faults;
  });
  const runs = options.reduce((product, { values }) => product * values.length, 1);
  if (runs <= MAX_RUNS) return found;
  const message = `The lists of this sweep make ${runs.toLocaleString('en-US')} runs; at most ${MAX_RUNS.toLocaleString('en-US')} are done.`;
  return [...found, { option: options.length - 1, value: null, code: 'too-many-runs', message, remedy: 'Shorten a list.' }];
}

export const optionsOf = (sweep: SpecInput['sweep']): SweepOption[] =>
  Object.entries(sweep).map(([path, values]) => ({ path, values }));

/** Problems of a spec's own sweep, each at the path or the value that is wrong. */
export function sweepProblems(source: Source, options: readonly SweepOption[], judge: (variant: unknown) => Problem | undefined): Problem[] {
  return sweepFaults(source.value, options, judge).map(({ option, value, code, message, remedy }) => {
    const key: Path = ['sweep', options[option].path];
    const range = value === null ? source.locateKey(key) : source.locate([...key, value]);
    return problem(code, range, message, remedy);
  });
}
