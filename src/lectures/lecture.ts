// From the text of a lecture file to a lecture or its problems, and to a place in a run.
import type { ResolvedStop } from '../protocol/lecture';
import type { ModelInfo } from '../protocol/model-info';
import type { Problem } from '../protocol/problem';
import type { Position } from '../protocol/position';
import type { ViewId } from '../protocol/views';
import {
  createProblem,
  didYouMean,
  explainIssues,
  parseSource,
  plainNames,
  type Source,
  toJsonSchema,
} from '../model-spec';
import { namePosition, phaseNames, positionOf } from '../presentation/phase-names';
import { nodeOfTerm, termNames } from '../presentation/terms';
import { lectureSchema, type WrittenStop } from './lecture-schema';

export interface LectureStop {
  /** Empty for none. */
  readonly title: string;
  /** Markdown. */
  readonly text: string;
  readonly step: number;
  /** Null for the end of the step. */
  readonly phase: string | null;
  readonly view: ViewId;
  readonly layer: string | null;
  readonly sample: number | null;
  readonly highlight: string | null;
}

export interface Lecture {
  readonly title: string;
  /** Relative to the file of the lecture. */
  readonly spec: string;
  readonly stops: readonly LectureStop[];
  readonly source: Source;
}

export interface ParsedLecture {
  /** Undefined if a problem is an error. */
  readonly lecture?: Lecture;
  readonly problems: readonly Problem[];
}

/** What is known of the run of a lecture's spec. */
export interface RunFacts {
  /** The names of its layers. */
  readonly layers: readonly string[];
  /** Undefined until the spec has a run. */
  readonly model?: Pick<ModelInfo, 'layers' | 'totalSteps' | 'samples'>;
}

const EMPTY_LECTURE = '{ "spec": "circles.nabla.json", "stops": [] }';

/** The schema before defaults are filled in. */
export const lectureJsonSchema = toJsonSchema(lectureSchema);

/** Never throws for any text. */
export function parseLecture(text: string): ParsedLecture {
  const source = parseSource(text);
  if (source.problems.length > 0 || source.value === undefined) {
    const problems = source.problems.map((problem) =>
      problem.code === 'empty'
        ? { ...problem, message: 'This file has no lecture yet.', remedy: `Start with ${EMPTY_LECTURE}.` }
        : problem,
    );
    return { problems };
  }
  const parsed = lectureSchema.safeParse(source.value, { reportInput: false, jitless: true });
  if (!parsed.success) {
    const issues = explainIssues(source, parsed.error.issues, { schema: lectureJsonSchema(), noun: 'lecture' });
    return { problems: issues.map(({ problem }) => problem) };
  }
  const { title, spec, stops } = parsed.data;
  return { lecture: { title, spec, stops: stops.map(toStop), source }, problems: [] };
}

const toStop = ({ title, text, step, phase, view, layer, sample, highlight }: WrittenStop): LectureStop => ({
  title,
  text: typeof text === 'string' ? text : text.join('\n'),
  step,
  phase: phase ?? null,
  view,
  layer: layer ?? null,
  sample: sample ?? null,
  highlight: highlight ?? null,
});

/** Samples of all splits. */
const sampleCount = ({ samples }: Pick<ModelInfo, 'samples'>): number =>
  Object.values(samples).reduce((a, b) => a + b, 0);

/** What of a lecture does not exist in its run, in the order of the text. */
export const lectureProblems = ({ stops, source }: Lecture, run: RunFacts): Problem[] =>
  stops.flatMap((stop, i) => stopProblems(stop, run, (key) => source.locate(['stops', i, key])));

function stopProblems(
  { step, phase, layer, sample, highlight }: LectureStop,
  { layers, model }: RunFacts,
  locate: (key: string) => { readonly start: number; readonly end: number },
): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, code: string, message: string, remedy: string): void => {
    problems.push(createProblem(code, locate(key), message, remedy));
  };
  if (model && step > model.totalSteps)
    add(
      'step',
      'step-beyond-run',
      `The run has no step ${step}: it ends at step ${model.totalSteps}.`,
      `Write a step from 0 to ${model.totalSteps}, or raise "epochs" in the spec.`,
    );
  if (phase !== null && !phaseNames(layers).includes(phase))
    add(
      'phase',
      'unknown-phase',
      `A step has no phase ${JSON.stringify(phase)}.`,
      didYouMean(phase, plainNames(phaseNames(layers))),
    );
  else if (phase !== null && step < 1)
    add('phase', 'no-step', 'Before step 1 there are no phases.', 'Write step 1 or more, or remove "phase".');
  if (layer !== null && !layers.includes(layer))
    add(
      'layer',
      'unknown-layer',
      `The spec has no layer named ${JSON.stringify(layer)}.`,
      didYouMean(layer, plainNames(layers)),
    );
  const samples = model && sampleCount(model);
  if (samples !== undefined && sample !== null && sample >= samples)
    add('sample', 'unknown-sample', `The data has no sample ${sample}.`, `Write an index from 0 to ${samples - 1}.`);
  if (model && highlight !== null && !nodeOfTerm(model, highlight))
    add(
      'highlight',
      'unknown-term',
      `A step has no term ${JSON.stringify(highlight)}.`,
      didYouMean(highlight, plainNames(termNames(model))),
    );
  return problems;
}

/** Where a stop is in a run. What does not exist there is left out; null if its position does not exist. */
export function resolveStop(
  { step, phase, view, layer, sample, highlight }: LectureStop,
  model: Pick<ModelInfo, 'layers' | 'totalSteps' | 'samples'>,
): ResolvedStop | null {
  const names = model.layers.map(({ name }) => name);
  const position = positionOf(names, { step, phase });
  if (!position || step > model.totalSteps) return null;
  const index = layer === null ? -1 : names.indexOf(layer);
  return {
    position,
    view,
    layer: index < 0 ? null : index,
    sample: sample !== null && sample < sampleCount(model) ? sample : null,
    highlight: highlight !== null && nodeOfTerm(model, highlight) ? highlight : null,
  };
}

/** The stop as it is written to the file: no key for what is not selected. */
export function writeStop(
  model: Pick<ModelInfo, 'layers'>,
  position: Position,
  { view, layer, sample, highlight }: Omit<ResolvedStop, 'position'>,
  text: string,
): Readonly<Record<string, unknown>> {
  const names = model.layers.map(({ name }) => name);
  const { step, phase } = namePosition(names, position);
  return {
    text,
    step,
    ...(phase !== null && { phase }),
    view,
    ...(layer !== null && names[layer] !== undefined && { layer: names[layer] }),
    ...(sample !== null && { sample }),
    ...(highlight !== null && { highlight }),
  };
}

/** The text of a lecture without stops. */
export const emptyLecture = (title: string, spec: string): string =>
  `${JSON.stringify({ title, spec, stops: [] }, null, 2).replace('[]', '[\n  ]')}\n`;
