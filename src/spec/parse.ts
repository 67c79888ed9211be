// From a text to a spec, or to what is wrong with it. Never throws, whatever the text.
import { schedules } from '../engine/schedules';
import type { ScheduleDefinition } from '../engine/schedules/schedule';
import { explain } from './explain';
import type { Problem } from './problem';
import { expanded, expandedCount, MAX_LAYERS, nameAt, tooMany } from './repeat';
import { type SpecInput, specSchema, type WrittenLayer } from './schema';
import { problem, quote, readSource, type Source } from './source';
import type { Spec, SpecLayer, SpecUnit } from './spec';
import { optionsOf, sweepProblems } from './sweep';

export interface ParseResult {
  /** Undefined where a problem is an error. */
  readonly spec?: Spec;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
}

const inOrder = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => a.start - b.start || a.end - b.end);

interface NamedLayers {
  readonly layers: readonly SpecLayer[];
  readonly problems: readonly Problem[];
}

/** `swish` of `./layers/swish.layer.ts`. */
const ofFile = (module: string): string => /([^/\\]*?)(\.layer)?(\.[^./\\]*)?$/.exec(module)?.[1].slice(0, 80) || 'custom';

/** `linear1`, `tanh1`, `linear2`, … where no name is given. */
function nameLayers(source: Source, written: SpecInput['layers']): NamedLayers {
  const total = expandedCount(written);
  if (total > MAX_LAYERS) {
    const block = written.findLastIndex(({ type }) => type === 'repeat');
    return { layers: [], problems: [problem('out-of-range', source.locate(['layers', block, 'times']), ...tooMany(total))] };
  }
  const running = new Map<string, number>();
  const layers = expanded(written as Parameters<typeof expanded<WrittenLayer>>[0]);
  const named = layers.map(({ layer: { type, name, freeze, ...options }, path, time }): SpecLayer => {
    const own = type === 'custom' ? ofFile(String(options.module)) : type;
    const number = (running.get(own) ?? 0) + 1;
    running.set(own, number);
    return { type, name: name === undefined ? `${own}${number}` : nameAt(name, time), freeze, options, path, range: source.locate(path) };
  });
  const first = new Map<string, number>();
  const problems: Problem[] = [];
  named.forEach(({ name }, i) => {
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, i);
      return;
    }
    // Of a given and a running name, the given one can be changed.
    const given = layers[i].layer.name !== undefined ? i : before;
    problems.push(
      problem(
        'duplicate-name',
        source.locate([...named[given].path, 'name']),
        `Layers ${before + 1} and ${i + 1} are both named ${quote(name)}.`,
        'Give every layer a name of its own.',
      ),
    );
  });
  return { layers: named, problems };
}

/** The units of a list, each with its place. */
const unitsOf = <Kind extends string>(source: Source, key: string, units: readonly { readonly type: Kind }[]): SpecUnit<Kind>[] =>
  units.map(({ type, ...options }, i) => ({ type, options, range: source.locate([key, i]) }));

export function parseSpec(text: string): ParseResult {
  const source = readSource(text);
  if (source.value === undefined) return { problems: source.problems };
  const parsed = specSchema.safeParse(source.value, { reportInput: false });
  if (!parsed.success) {
    return { problems: inOrder([...source.problems, ...explain(source, parsed.error.issues)]) };
  }
  const input = parsed.data;
  const { layers, problems } = nameLayers(source, input.layers);
  const all = inOrder([...source.problems, ...problems]);
  if (all.length > 0) return { problems: all };

  const { type: dataset, split, ...dataOptions } = input.data;
  const { type: loss, ...lossOptions } = input.loss;
  const { type: optimizer, ...optimizerOptions } = input.optimizer;
  const { type: schedule, per, warmup, ...scheduleOptions } = input.schedule;
  const { spansRun } = schedules[schedule] as ScheduleDefinition;
  const spec: Spec = {
    name: input.name,
    data: { type: dataset, split, options: dataOptions, range: source.locate(['data']) },
    transforms: unitsOf(source, 'transforms', input.transforms),
    augment: unitsOf(source, 'augment', input.augment),
    layers,
    loss: { type: loss, options: lossOptions, range: source.locate(['loss']) },
    optimizer: { type: optimizer, options: optimizerOptions, range: source.locate(['optimizer']) },
    schedule: {
      type: schedule, per, warmup, options: scheduleOptions, range: source.locate(['schedule']),
      spansRun: spansRun?.(scheduleOptions) ?? false,
    },
    clip: input.clip,
    penalty: input.penalty,
    batchSize: input.batch_size,
    shuffle: input.shuffle,
    epochs: input.epochs,
    seed: input.seed,
    precision: input.precision,
    deterministic: input.deterministic,
    gradientCheck: input.gradient_check,
    sweep: optionsOf(input.sweep),
    source,
  };
  const faults = inOrder(sweepProblems(source, spec.sweep, judgeVariant));
  return faults.length > 0 ? { problems: faults } : { spec, problems: [] };
}

/** The first that is wrong with a variant of a sweep. */
export function judgeVariant(variant: unknown): Problem | undefined {
  if (specSchema.safeParse(variant, { reportInput: false }).success) return undefined;
  return parseSpec(JSON.stringify(variant)).problems[0];
}
