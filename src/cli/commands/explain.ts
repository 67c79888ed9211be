// `nablascope explain`: the terms that a value of a step is computed from, largest first.
import { ExpressionError, parseExpression } from '../../expressions';
import { formatInteger, formatNumber, pluralize } from '../../presentation/plain-numbers';
import { formatIndex, unravelIndex } from '../../presentation/tensor-index';
import type { Attribution, ElementRef, Factor } from '../../protocol/queries';
import { parametersUsedBy } from '../../engine/network-model';
import { runQuery } from '../../session/queries';
import { findElement, type NamedElement } from '../../session/named-element';
import type { TrainingSession } from '../../session/session';
import { type CommandArgs, defineCommand, stepOption } from '../command';
import { printJson } from '../json';
import { openSpec } from '../open-spec';
import { EXIT, type ExitCode, type Line, paint, printLines, type Terminal } from '../terminal';
import { describeDivergence, reachStep, requireStep, stoppedEarly } from '../train-to';
import { UsageError } from '../usage-error';

const options = { step: stepOption(1, 'The step, counted from 1 (default 1)') };

type ExplainArgs = CommandArgs<typeof options>;

export const explainCommand = defineCommand({
  description: [
    'Prints where one number of a step comes from: an entry of an output, a gradient, or a parameter after the ' +
      'update, such as "grad(hidden.weight)[0, 1]". Each term of a sum is a product of factors. Other values are ' +
      'functions of entries, each with the slope with respect to it. The first index of an output is the row of the ' +
      'batch; entries of terms are named the same way, so that they can be explained in turn.',
  ],
  argument: { placeholder: 'ENTRY', example: 'grad(hidden.weight)[0, 1]' },
  options,
  run: explain,
});

async function explain(terminal: Terminal, args: ExplainArgs): Promise<ExitCode> {
  const { session, warnings } = await openSpec(terminal, args);
  const step = args.step ?? 1;
  requireStep(session, step);
  const element = find(session, args.argument);
  const reached = await reachStep(terminal, session, step - 1);
  if (reached.kind === 'interrupted') return stoppedEarly(terminal, args, 'explain', session, step, warnings);
  if (reached.kind === 'diverged') {
    if (args.json) printJson(terminal, { command: 'explain', file: args.file, diverged: reached.nonFinite });
    else printLines(terminal, terminal.err, [describeDivergence(reached.nonFinite)]);
    return EXIT.failed;
  }
  session.step(true);
  const sample = sampleOf(session, element);
  const { value } = runQuery(session, { type: 'attribution', node: element.node, index: element.index, sample });
  if (!value)
    throw new UsageError(
      'no-explanation',
      `${args.argument} has no explanation at step ${step}.`,
      'Choose another entry.',
    );
  const { sample: followed } = value;
  const terms = value.terms.map(({ value: product, factors }) => ({
    value: product,
    factors: factors.map((factor) => ({
      value: factor.value,
      name: nameOf(session, factor, factor.sample ?? followed),
      ...(factor.sample !== undefined && { sample: factor.sample }),
    })),
  }));
  const { kind, termCount, remainder } = value;
  if (args.json)
    printJson(terminal, {
      command: 'explain',
      file: args.file,
      name: session.run.name,
      problems: warnings,
      entry: args.argument,
      step,
      sample: element.row === null ? null : followed,
      value: value.value,
      kind,
      terms,
      termCount,
      remainder,
    });
  else printLines(terminal, terminal.out, toLines(args.argument, step, value, terms, element));
  return EXIT.success;
}

function find(session: TrainingSession, text: string): NamedElement {
  try {
    return findElement(session, parseExpression(text));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new UsageError('invalid-entry', error.message, 'Name one entry, such as "grad(hidden.weight)[0, 1]".');
  }
}

/** The index in the data of the row that the entry names; of the first one for a parameter. */
function sampleOf({ batch: { order, from, size } }: TrainingSession, { row }: NamedElement): number | null {
  if (row === null) return null;
  if (row < size) return order[from + row]!;
  throw new UsageError(
    'invalid-entry',
    `The batch of this step has ${pluralize(size, 'sample')}, so there is no row ${row}.`,
    `Choose a first index from 0 to ${size - 1}.`,
  );
}

const MEANING: Record<Attribution['kind'], string> = {
  sum: 'the sum of these terms',
  function: 'a function of these values, each with its local derivative',
  rule: 'computed from these values by the rule of the loss',
  given: 'given by the data, or by initialization and earlier steps',
};

interface NamedFactor {
  readonly value: number;
  readonly name: string;
  readonly sample?: number;
}

interface NamedTerm {
  readonly value: number;
  readonly factors: readonly NamedFactor[];
}

const withValue = ({ name, value, sample }: NamedFactor): string =>
  `${name}${sample === undefined ? '' : ` of sample ${sample}`} (${formatNumber(value)})`;

const describeTerm: Record<Attribution['kind'], (term: NamedTerm) => string> = {
  sum: ({ value, factors }) => `${formatNumber(value)} = ${factors.map(withValue).join(' · ')}`,
  function: ({ value, factors }) => `slope ${formatNumber(value)} with respect to ${withValue(factors.at(-1)!)}`,
  rule: ({ factors }) => factors.map(withValue).join(' · '),
  given: ({ factors }) => factors.map(withValue).join(' · '),
};

function toLines(
  entry: string,
  step: number,
  { value, kind, termCount, remainder, sample }: Attribution,
  terms: readonly NamedTerm[],
  { row, node }: NamedElement,
): Line[] {
  const rest = termCount - terms.length;
  const meaning = node.of === 'update' ? 'computed by the optimizer from the gradient' : MEANING[kind];
  const ofSample = row === null ? '' : `, sample ${formatInteger(sample)}`;
  return [
    [paint('bold', entry), ` = ${value} at step ${formatInteger(step)}${ofSample}: ${meaning}.`],
    ...terms.map((term) => `  ${describeTerm[kind](term)}`),
    ...(rest === 0
      ? []
      : [
          kind === 'sum'
            ? `  ${formatNumber(remainder)} from ${pluralize(rest, 'smaller term')}`
            : `  and ${formatInteger(rest)} more`,
        ]),
  ];
}

/** @param sample that the factor belongs to, by its index in the data */
const nameOf = (session: TrainingSession, { source, name }: Factor, sample: number): string =>
  source ? nameOfElement(session, source, sample) : (name ?? 'factor');

/** As an expression of this command, where the step has one for it. */
function nameOfElement(session: TrainingSession, { node, index }: ElementRef, sample: number): string {
  const { network, batch } = session;
  const { layers, inputShape } = network.model;
  if ('parameter' in node) {
    const parameter = parametersUsedBy(network, node.layer).find(({ shortName }) => shortName === node.parameter);
    const entry = formatIndex(unravelIndex(index, parameter?.value.shape ?? [index + 1]));
    const full = `${layers[node.layer]!.name}.${node.parameter}`;
    return {
      parameter: `${full}${entry} before the update`,
      updated: `${full}${entry}`,
      parameter_gradient: `grad(${full})${entry}`,
      update: `update(${full})${entry}`,
    }[node.of];
  }
  if (node.of === 'loss' || node.of === 'loss_gradient') return node.of === 'loss' ? 'loss' : 'grad(loss)';
  const [name, shape] =
    'layer' in node
      ? [`${layers[node.layer]!.name}.output`, layers[node.layer]!.outputShape]
      : node.of.startsWith('input')
        ? ['input', inputShape]
        : ['target', session.pass.target.shape.slice(1)];
  const row = batch.order.subarray(batch.from, batch.from + batch.size).indexOf(sample);
  const indices = [...(row < 0 ? [] : [row]), ...(shape.length > 0 ? unravelIndex(index, shape) : [])];
  return `${node.of.endsWith('_gradient') ? `grad(${name})` : name}${formatIndex(indices)}`;
}
