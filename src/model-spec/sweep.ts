// The options that a sweep varies: paths such as `optimizer.lr`, each with a list of values. A variant is the spec with
// one value for each path; it is checked like any spec.
import { formatInteger } from '../engine/format-count';
import { getJsonSchema, getOwnProperty } from './json-schema';
import { blocks, isBlockKind } from './blocks';
import { didYouMean, plainNames } from './name-suggestions';
import type { Problem } from '../protocol/problem';
import type { ParsedSpec } from './schema';
import { type Path, createProblem, quote, type Source } from './spec-source';

export interface SweepOption {
  /** `optimizer.lr`, `layers.0.out_features`. */
  readonly path: string;
  /** The values written in the spec, without repetition. */
  readonly values: readonly unknown[];
}

/** A sweep with more runs is a mistake. */
export const MAX_RUNS = 10_000;

/** Why a path leads to no option. */
class SweepPathError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const layerTypeOf = (layer: unknown): string => String(isObject(layer) ? layer.type : layer);

/** The layers' names, given or generated; see parse.ts. */
function layerNames(layers: readonly unknown[]): string[] {
  const counters = new Map<string, number>();
  const nextNumber = (type: string, times = 1): number => {
    counters.set(type, (counters.get(type) ?? 0) + times);
    return counters.get(type) ?? 0;
  };
  /** Layers inside a block are numbered too, and before the layer that joins its branches. */
  const countBlockLayers = (block: unknown, copies = 1): void => {
    if (!isObject(block)) return;
    const { times = 1, layers: inner, shortcut, branches } = block;
    const lists = [inner, shortcut, ...(Array.isArray(branches) ? (branches as unknown[]) : [])];
    for (const layer of lists.filter(Array.isArray).flat() as unknown[]) {
      const type = layerTypeOf(layer);
      countBlockLayers(layer, copies * Number(times));
      // A block has a layer of its own if it joins branches.
      if (!isBlockKind(type) || blocks[type].joins) nextNumber(type, copies * Number(times));
    }
  };
  return layers.map((layer) => {
    const type = layerTypeOf(layer);
    countBlockLayers(layer);
    const generatedName = `${type}${nextNumber(type)}`;
    return isObject(layer) && typeof layer.name === 'string' ? layer.name : generatedName;
  });
}

function resolveIndex(list: readonly unknown[], key: string, owner: string | undefined): number {
  const names = owner === 'layers' ? layerNames(list) : [];
  const index = names.includes(key) ? names.indexOf(key) : /^\d+$/.test(key) ? Number(key) : -1;
  if (index >= 0 && index < list.length) return index;
  if (owner !== 'layers')
    throw new SweepPathError(`There is no entry ${quote(key)} in the list.`, 'Count entries from 0.');
  throw new SweepPathError(
    `There is no layer ${quote(key)}.`,
    `${didYouMean(key, plainNames(names))} Or count layers from 0.`,
  );
}

/** The default of an option that the spec omits. */
function defaultValueAt(keys: readonly string[]): unknown {
  const value = keys.length === 1 ? getOwnProperty(getJsonSchema().properties, keys[0]!)?.default : undefined;
  if (isObject(value)) return 'type' in value ? { type: value.type } : {};
  return value ?? {};
}

/** No option lies deeper. */
const MAX_PATH_LENGTH = 16;

function setAtPath(
  value: unknown,
  keys: readonly string[],
  newValue: unknown,
  parentKeys: readonly string[] = [],
): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return newValue;
  const current = value === undefined ? defaultValueAt(parentKeys) : value;
  if (Array.isArray(current)) {
    const index = resolveIndex(current, key, parentKeys[parentKeys.length - 1]);
    return (current as unknown[]).map((entry, i) =>
      i === index ? setAtPath(entry, rest, newValue, [...parentKeys, key]) : entry,
    );
  }
  // A component written as its name.
  const target = typeof current === 'string' ? { type: current } : current;
  if (!isObject(target))
    throw new SweepPathError(
      `${quote(parentKeys.join('.'))} is a single value, which has no ${quote(key)}.`,
      'Shorten the path.',
    );
  const inner = Object.hasOwn(target, key) ? target[key] : undefined;
  return Object.assign(Object.create(null) as object, target, {
    [key]: setAtPath(inner, rest, newValue, [...parentKeys, key]),
  });
}

/** A spec with another value at `path`. @throws SweepPathError if the path leads to no option */
export function withValue(spec: unknown, path: string, value: unknown): unknown {
  const keys = path.split('.');
  if (keys.length > MAX_PATH_LENGTH)
    throw new SweepPathError(`${quote(path)} is not an option of a spec.`, 'Use a path such as "optimizer.lr".');
  return setAtPath(spec, keys, value);
}

/** A spec's value without its sweep. */
export function withoutSweep(spec: unknown): unknown {
  if (!isObject(spec)) return spec;
  const rest = Object.assign(Object.create(null) as Record<string, unknown>, spec);
  delete rest.sweep;
  return rest;
}

/** A problem with an option of a sweep; `value` is the index of the value at fault, null for the path. */
export interface SweepIssue {
  readonly option: number;
  readonly value: number | null;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

const NOT_SWEEPABLE = ['sweep', '$schema', 'name'];

/** @param validate returns the first problem of a variant */
export function findSweepIssues(
  spec: unknown,
  options: readonly SweepOption[],
  validate: (variant: unknown) => Problem | undefined,
): SweepIssue[] {
  const base = withoutSweep(spec);
  // Validating the samples of inline data again for each value would take long.
  const smallBase = isObject(base) ? withValue(base, 'data', 'xor') : base;
  const optionIssues = options.flatMap(({ path, values }, option): SweepIssue[] => {
    const createIssue = (value: number | null, code: string, message: string, remedy: string): SweepIssue => ({
      option,
      value,
      code,
      message,
      remedy,
    });
    if (NOT_SWEEPABLE.includes(path.split('.')[0]!))
      return [
        createIssue(
          null,
          'invalid-sweep',
          `${quote(path)} does not change a run's results.`,
          'Use an option that affects training, such as "optimizer.lr".',
        ),
      ];
    const issues: SweepIssue[] = [];
    const seen = new Set<string>();
    for (const [i, value] of values.entries()) {
      const text = JSON.stringify(value);
      if (seen.has(text)) {
        issues.push(
          createIssue(
            i,
            'duplicate-value',
            `${quote(text)} is given twice for ${quote(path)}.`,
            'Keep one of the two.',
          ),
        );
        continue;
      }
      seen.add(text);
      try {
        const variantProblem = validate(withValue(path.startsWith('data') ? base : smallBase, path, value));
        if (variantProblem?.code === 'unknown-key')
          return [createIssue(null, variantProblem.code, variantProblem.message, variantProblem.remedy)];
        if (variantProblem)
          issues.push(createIssue(i, variantProblem.code, variantProblem.message, variantProblem.remedy));
      } catch (error) {
        if (!(error instanceof SweepPathError)) throw error;
        return [createIssue(null, 'invalid-sweep', error.message, error.remedy)];
      }
    }
    return issues;
  });
  const runs = options.reduce((product, { values }) => product * values.length, 1);
  if (runs <= MAX_RUNS) return optionIssues;
  const message = `This sweep has ${formatInteger(runs)} runs. The limit is ${formatInteger(MAX_RUNS)}.`;
  return [
    ...optionIssues,
    { option: options.length - 1, value: null, code: 'too-many-runs', message, remedy: 'Shorten a list.' },
  ];
}

export const toSweepOptions = (sweep: ParsedSpec['sweep']): SweepOption[] =>
  Object.entries(sweep).map(([path, values]) => ({ path, values }));

/** Problems of a spec's own sweep, each at the path or the value at fault. */
export function sweepProblems(
  source: Source,
  options: readonly SweepOption[],
  validate: (variant: unknown) => Problem | undefined,
): Problem[] {
  return findSweepIssues(source.value, options, validate).map(({ option, value, code, message, remedy }) => {
    const key: Path = ['sweep', options[option]!.path];
    const range = value === null ? source.locateKey(key) : source.locate([...key, value]);
    return createProblem(code, range, message, remedy);
  });
}
