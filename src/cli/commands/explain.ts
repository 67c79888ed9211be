// `nablascope explain`: the terms that a value of a step is computed from, largest first.
import { ExpressionError, parseExpression } from '../../expressions';
import { formatInteger, formatNumber, pluralize } from '../../presentation/plain-numbers';
import { formatIndex, unravelIndex } from '../../presentation/tensor-index';
import type { Attribution, ElementRef, Factor } from '../../protocol/queries';
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
      'update, such as "grad(hidden.weight)[0, 1]". Each term is a product of factors, and names the entries that ' +
      'they come from. The first index of an output is the row of the batch.',
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
  const terms = value.terms.map(({ value: product, factors }) => ({
    value: product,
    factors: factors.map((factor) => ({ value: factor.value, name: nameOf(session, factor) })),
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
      sample: value.sample,
      value: value.value,
      kind,
      terms,
      termCount,
      remainder,
    });
  else printLines(terminal, terminal.out, toLines(args.argument, step, value, terms));
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
  given: 'given by the data, or by initialization and training',
};

function toLines(
  entry: string,
  step: number,
  { value, kind, termCount, remainder, sample }: Attribution,
  terms: readonly { readonly value: number; readonly factors: readonly { value: number; name: string }[] }[],
): Line[] {
  const rest = termCount - terms.length;
  return [
    [
      paint('bold', entry),
      ` = ${value} at step ${formatInteger(step)}, sample ${formatInteger(sample)}: ${MEANING[kind]}.`,
    ],
    ...terms.map(
      (term) =>
        `  ${formatNumber(term.value)} = ${term.factors.map((factor) => `${factor.name} (${formatNumber(factor.value)})`).join(' · ')}`,
    ),
    ...(rest > 0 ? [`  ${formatNumber(remainder)} from ${pluralize(rest, 'smaller term')}`] : []),
  ];
}

function nameOf(session: TrainingSession, { source, name, sample }: Factor): string {
  const text = source ? nameOfElement(session, source) : (name ?? 'factor');
  return sample === undefined ? text : `${text} of sample ${sample}`;
}

/** As in expressions, but without the row of the batch. */
function nameOfElement(session: TrainingSession, { node, index }: ElementRef): string {
  const { layers } = session.network.model;
  if (!('layer' in node)) return `${node.of}[${index}]`;
  const { name, outputShape } = layers[node.layer]!;
  if (!('parameter' in node)) {
    const output = `${name}.output`;
    return `${node.of === 'output' ? output : `grad(${output})`}${formatIndex(unravelIndex(index, outputShape))}`;
  }
  const parameter = session.network.parameters.find(
    ({ layer, shortName }) => layer === node.layer && shortName === node.parameter,
  );
  const full = `${name}.${node.parameter}`;
  const wrapped = { parameter: full, updated: full, parameter_gradient: `grad(${full})`, update: `update(${full})` }[
    node.of
  ];
  return `${wrapped}${formatIndex(unravelIndex(index, parameter?.value.shape ?? [index + 1]))}`;
}
