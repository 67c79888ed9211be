// From a text to a run, or to what is wrong with it: parse, data, shapes, compile. Never throws on what people
// write, in a spec or in a data file.
import { datasets } from '../engine/datasets';
import {
  DataError,
  type Dataset,
  type DatasetDefinition,
  type DataShape,
  type GenerateContext,
} from '../engine/datasets/dataset';
import { Random } from '../engine/random';
import { compileRun } from './compile';
import type { CompiledRun } from './compiled';
import { notAllowed } from './layer-code';
import { parseSpec } from './parse';
import type { Problem } from './problem';
import { resolve, type Resolved, type ResolveOptions, type SpecRule } from './resolve';
import { problem } from './source';
import type { Spec } from './spec';

export interface LoadOptions extends ResolveOptions {
  /** Rules that warn of what could run but will hardly do what was meant. */
  readonly rules?: readonly SpecRule[];
}

export type ReadText = GenerateContext<unknown>['readText'];

export interface CheckedSpec {
  readonly spec?: Spec;
  /** Set when there is no error: it can run. Not set where custom layers are not loaded: then that is still to be seen. */
  readonly resolved?: Resolved;
  /** The data, where it had to be read to know its shape. */
  readonly dataset?: Dataset;
  readonly problems: readonly Problem[];
}

export interface LoadedRun {
  readonly run?: CompiledRun;
  readonly spec?: Spec;
  readonly problems: readonly Problem[];
}

const generate = (spec: Spec, readText: ReadText): Dataset =>
  (datasets[spec.data.type] as DatasetDefinition).generate({
    options: spec.data.options,
    random: new Random(spec.seed, 'data'),
    readText,
  });

const shapeOf = ({ inputShape, targetSize, classes, samples }: Dataset): DataShape => ({
  inputShape, targetSize, samples, ...(classes && { classes: classes.length }),
});

function dataProblem(spec: Spec, error: unknown): Problem {
  if (!(error instanceof DataError)) throw error;
  return problem('data', spec.source.locate(['data', ...error.path]), error.message, error.remedy);
}

/** What is wrong with a spec, without making data that is not needed to tell. */
export function checkSpec(text: string, readText: ReadText, { rules = [], ...options }: LoadOptions = {}): CheckedSpec {
  const { spec, problems } = parseSpec(text);
  if (!spec) return { problems };
  let data: DataShape | undefined;
  let dataset: Dataset | undefined;
  try {
    data = (datasets[spec.data.type] as DatasetDefinition).shape(spec.data.options);
    if (!data) {
      dataset = generate(spec, readText);
      data = shapeOf(dataset);
    }
  } catch (error) {
    return { spec, problems: [...problems, dataProblem(spec, error)] };
  }
  const { resolved, problems: shapes } = resolve(spec, data, options);
  const warnings = resolved ? rules.flatMap(({ rule }) => rule(resolved)) : [];
  const all = [...problems, ...shapes, ...warnings].sort((a, b) => a.start - b.start || a.end - b.end);
  return { spec, resolved, dataset, problems: all };
}

/** @returns `run` unless a problem is an error; custom layers that are not loaded are one */
export function loadRun(text: string, readText: ReadText, options: LoadOptions = {}): LoadedRun {
  const { spec, resolved, dataset, problems } = checkSpec(text, readText, options);
  if (!spec || !resolved) return { spec, problems: spec && !options.code ? [...problems, ...notAllowed(spec)] : problems };
  try {
    return { run: compileRun(resolved, dataset ?? generate(spec, readText)), spec, problems };
  } catch (error) {
    return { spec, problems: [...problems, dataProblem(spec, error)] };
  }
}
