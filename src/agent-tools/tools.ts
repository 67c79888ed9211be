// The tools for agents: each is a call of the `nablascope` command with validated inputs, whose result is shortened to
// what answers the question. A new tool is one entry here; `npm run generate` writes it into package.json.
import * as z from 'zod/mini';

/** The answer of a call with --json. */
export type CliAnswer = Readonly<Record<string, unknown>>;

export interface AgentTool<Input = unknown> {
  /** `verb_noun`. */
  readonly name: string;
  readonly title: string;
  /** For the model: what it does, when to use it, what it returns. */
  readonly description: string;
  readonly input: z.ZodMiniType<Input>;
  /** The words after `nablascope`, without --json. `scratchFile` does not exist and is removed afterwards. */
  readonly words: (input: Input, scratchFile: string) => readonly string[];
  /** What the agent reads of the answer. */
  readonly summarize: (answer: CliAnswer, input: Input) => unknown;
}

const define = <Input>(tool: AgentTool<Input>): AgentTool => tool as unknown as AgentTool;

const describe = <Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema =>
  schema.check(z.meta({ description }));

/** Of a list in an answer. */
const MAX_ITEMS = 50;

const spec = describe(
  z.string().check(z.minLength(1), z.maxLength(1000)),
  'Path of the *.nabla.json file, relative to the folder of the server.',
);
const seconds = describe(
  z.optional(z.number().check(z.positive(), z.maximum(600))),
  'Time limit in seconds; 60 by default, at most 600.',
);
const step = (meaning: string) => describe(z.optional(z.int().check(z.minimum(0), z.maximum(1e9))), meaning);

type Json = Record<string, unknown>;
const asList = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const pick = (from: unknown, ...keys: readonly string[]): Json =>
  Object.fromEntries(
    keys.flatMap((key) => {
      const value = (from as Json | null | undefined)?.[key];
      return value === undefined || value === null ? [] : [[key, value]];
    }),
  );

/** The gradients that were checked, without those that are right. */
function wrongGradients({ layers }: CliAnswer): readonly Json[] {
  return asList(layers)
    .flatMap((layer) => asList(layer.tensors).map((tensor) => ({ layer: layer.name, ...tensor })))
    .filter(({ verdict }: Json) => verdict !== 'pass')
    .map((tensor) => pick(tensor, 'layer', 'name', 'verdict', 'counts', 'worst'));
}

export const agentTools: readonly AgentTool[] = [
  define({
    name: 'check_gradients',
    title: 'Check Gradients',
    description:
      'Compares every gradient entry of a network with a numeric derivative of the loss, in float64. Use it first when ' +
      'backprop is in doubt, for example after writing a custom layer. Returns whether all agree, and the gradients ' +
      'that do not, each with its worst entry.',
    input: z.strictObject({
      spec,
      step: describe(
        z.optional(z.int().check(z.minimum(0), z.maximum(1e9))),
        'Train this many steps before the check; 0 by default.',
      ),
      seconds,
    }),
    words: (input) => ['check', input.spec, ...(input.step === undefined ? [] : ['--step', String(input.step)])],
    summarize: (answer) => ({
      ...pick(answer, 'name', 'step', 'samples', 'loss', 'passed', 'complete', 'conclusion', 'problems'),
      notPassed: wrongGradients(answer).slice(0, MAX_ITEMS),
    }),
  }),
  define({
    name: 'explain_gradient_error',
    title: 'Explain a Gradient Error',
    description:
      'Says why a gradient is wrong: the layer at fault, the line of its backward pass, the likely mistake, and the ' +
      'gradients that are wrong only because of it. Use it after check_gradients found a wrong gradient.',
    input: z.strictObject({ spec, seconds }),
    words: (input) => ['check', input.spec],
    summarize: (answer) => ({
      ...pick(answer, 'name', 'passed', 'problems'),
      diagnosis:
        answer.diagnosis === null || answer.diagnosis === undefined
          ? 'There is no gradient error to explain.'
          : pick(
              answer.diagnosis,
              'layer',
              'kind',
              'line',
              'tensor',
              'index',
              'analytic',
              'numeric',
              'cause',
              'misled',
              'sentence',
              'place',
            ),
    }),
  }),
  define({
    name: 'diagnose_network',
    title: 'Diagnose a Network',
    description:
      'Finds out why a network does not learn: looks at the data, the first loss, one small batch, the gradients and ' +
      'ten learning rates, trains it, and tries the fixes. Returns the findings, what matters most first, each with ' +
      'the fix as a change of the spec and what the fix changed in a trial.',
    input: z.strictObject({ spec, seconds }),
    words: (input) => ['doctor', input.spec],
    summarize: (answer) => ({
      ...pick(answer, 'name', 'problems', 'initialLoss', 'gradients'),
      ...(answer.trial
        ? { trial: pick(answer.trial, 'steps', 'diverged', 'evaluation', 'skill', 'validationSkill') }
        : {}),
      ...(answer.rangeTest ? { learningRate: pick(answer.rangeTest, 'lr', 'suggested') } : {}),
      findings: asList(answer.findings)
        .slice(0, MAX_ITEMS)
        .map((finding) => pick(finding, 'code', 'message', 'remedy', 'fix', 'since', 'effect')),
    }),
  }),
  define({
    name: 'query_run',
    title: 'Query a Run',
    description:
      'Trains the run and reads values at the end of every step: "step, loss, norm(grad(hidden.weight)) where loss > 2". ' +
      'Names are LAYER.output, LAYER.weight, LAYER.bias, loss, lr, step, epoch, accuracy; grad(x) is the gradient, ' +
      'update(x) the last update. Functions: norm, mean, std, sum, min, max, argmax, quantile, abs, any, all, frac, ' +
      'isnan, isfinite; at(step - 1, x), last(condition), changes(x), changes_sign(x), crosses(x, limit). ' +
      '"first CONDITION", "last CONDITION" and "bisect CONDITION" find one step.',
    input: z.strictObject({
      spec,
      query: describe(z.string().check(z.minLength(1), z.maxLength(1000)), 'The query.'),
      from: step('The first step to read; 1 by default.'),
      to: step('The last step to read; the end of the run by default.'),
      max_rows: describe(
        z.optional(z.int().check(z.minimum(1), z.maximum(500))),
        'Rows to return, of those found: the first ones. 50 by default.',
      ),
      seconds,
    }),
    words: ({ spec: file, query, from, to }) => [
      'query',
      file,
      ...(from === undefined ? [] : ['--from', String(Math.max(1, from))]),
      ...(to === undefined ? [] : ['--to', String(to)]),
      '--',
      query,
    ],
    summarize: (answer, { max_rows = MAX_ITEMS }) => {
      const rows = Array.isArray(answer.rows) ? (answer.rows as unknown[]) : [];
      return {
        ...pick(answer, 'name', 'problems', 'from', 'to', 'end'),
        columns: asList(answer.columns).map(({ label }) => label),
        rowsFound: rows.length,
        rows: rows.slice(0, max_rows),
      };
    },
  }),
  define({
    name: 'explain_value',
    title: 'Explain a Value',
    description:
      'Says where one number of a training step comes from: the terms that it is computed from, largest first, with ' +
      'the entries that each factor is. An entry is LAYER.output[row, unit], grad(LAYER.output)[row, unit], ' +
      'LAYER.weight[unit, input] after the update, or grad(LAYER.weight)[unit, input].',
    input: z.strictObject({
      spec,
      entry: describe(z.string().check(z.minLength(1), z.maxLength(200)), 'Such as grad(hidden.weight)[0, 1].'),
      step: step('The step, counted from 1; 1 by default.'),
      seconds,
    }),
    words: (input) => [
      'explain',
      input.spec,
      ...(input.step === undefined ? [] : ['--step', String(Math.max(1, input.step))]),
      '--',
      input.entry,
    ],
    summarize: (answer) => ({
      ...pick(
        answer,
        'name',
        'problems',
        'entry',
        'step',
        'sample',
        'value',
        'kind',
        'termCount',
        'remainder',
        'diverged',
      ),
      terms: asList(answer.terms).slice(0, MAX_ITEMS),
    }),
  }),
  define({
    name: 'train_variant',
    title: 'Train a Variant',
    description:
      'Trains the network with some values of its spec changed, and without changing the file: {"optimizer.lr": 0.01, ' +
      '"layers.1": "relu"}. Returns the final loss and accuracy of each split. Without changes, it trains the spec itself.',
    input: z.strictObject({
      spec,
      changes: describe(
        z.optional(z.record(z.string().check(z.minLength(1), z.maxLength(200)), z.json())),
        'New values by path. A path is keys and indices with dots between them.',
      ),
      seconds,
    }),
    words: ({ spec: file, changes = {} }, scratchFile) => {
      const settings = Object.entries(changes);
      if (settings.length === 0) return ['train', file];
      return [
        'sweep',
        file,
        '--results',
        scratchFile,
        ...settings.flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify([value])}`]),
      ];
    },
    summarize: (answer) => ({
      ...pick(answer, 'name', 'problems', 'outcome', 'steps', 'diverged', 'evaluation', 'final', 'findings'),
      ...(answer.groups
        ? {
            groups: asList(answer.groups).map((group) => ({
              ...pick(group, 'settings', 'finished', 'diverged', 'failed'),
              final: finalOf(group.final),
            })),
          }
        : {}),
    }),
  }),
];

/** Of one run: its numbers instead of their statistics. */
function finalOf(splits: unknown): Json {
  const values = Object.entries((splits ?? {}) as Record<string, Record<string, Json> | null>);
  return Object.fromEntries(
    values.map(([split, figures]) => [
      split,
      Object.fromEntries(Object.entries(figures ?? {}).map(([name, figure]) => [name, figure?.mean ?? null])),
    ]),
  );
}
