// The formulas of a recurrent layer, from those of its cell.
import type { FormulaContext, LayerFormulas } from '../formulas/definition';
import { indexGradientFormulas } from './padding';
import type { RecurrentOptions } from './recurrent';
import { passesOf, type RecurrentPass } from './recurrent-passes';

interface RecurrentFormulas {
  /** `d(a)` of the sums of the input, and the same of those of the hidden state where they differ. */
  readonly gradientOfSums: string;
  readonly gradientOfHiddenSums?: string;
  /** The hidden state of a time step. */
  readonly hidden: string;
  /** What it is computed from, each followed by a semicolon. */
  readonly forward: string;
  /** The gradients of the sums. */
  readonly backward: string;
  /** What else the gradient of the hidden state gets from the next time step. */
  readonly carried: string;
}

/** How the formulas of a cell leave out padding. */
export interface PaddingFormulas {
  /** A last factor that is 0 at padding. */
  real(t: string): string;
  /** The state of a time step: a new value, or at padding that of the time step before. */
  state(name: string, value: string): string;
  /** What the gradient of a state gets from the next time step if that is padding; `skips` defines it. */
  skipped(name: string): string;
  skips(name: string): string;
}

function paddingFormulas({ options: { padding_idx }, inputs }: FormulaContext<RecurrentOptions>): PaddingFormulas {
  if (padding_idx === undefined) {
    const nothing = (): string => '';
    return { real: nothing, state: (_name, value) => value, skipped: nothing, skips: nothing };
  }
  const isPadding = (t: string): string => `when(${inputs.at(-1)!}[${t}] == ${padding_idx})`;
  const real = (t: string): string => ` * (1 - ${isPadding(t)})`;
  return {
    real,
    state: (name, value) => `(${value})${real('t')} + ${isPadding('t')} * ${name}[t - 1]`,
    skipped: (name) => ` + skip_${name}[t + 1]`,
    skips: (name) => `; skip_${name}[t] = ${isPadding('t')} * d(${name})[t]`,
  };
}

/** What a stacked layer takes at each time step. */
const inputName = (layer: number): string => (layer === 0 ? 'x' : `x_l${layer}`);

/** The names of a cell's formulas as those of one pass, whose time may run backward. */
function inPass(text: string, { internalSuffix, reverse }: RecurrentPass): string {
  const named = text.replaceAll(/\b(skip_[ch]|[acfghimnorz])(?=[)[])/g, `$1${internalSuffix}`);
  return reverse ? named.replaceAll(/\bt ([+-]) 1\b/g, (_, sign) => `t ${sign === '+' ? '-' : '+'} 1`) : named;
}

/** Formulas of more passes would be too long to read. */
const MAX_PASSES = 8;

/** The formulas of a recurrent layer, from those of its cell; null for one of many passes. */
export function recurrentFormulas(
  context: FormulaContext<RecurrentOptions>,
  formulasOf: (padding: PaddingFormulas) => RecurrentFormulas,
): LayerFormulas | null {
  const { options, inputs: names, shapes } = context;
  const { bias, return: returned, hidden_size: size, num_layers: layers } = options;
  const padding = paddingFormulas(context);
  const { gradientOfSums, gradientOfHiddenSums = gradientOfSums, ...cell } = formulasOf(padding);
  const passes = passesOf(options);
  if (passes.length > MAX_PASSES) return null;
  const of = (layer: number): readonly RecurrentPass[] => passes.filter((pass) => pass.layer === layer);
  const lastStep = ({ reverse }: RecurrentPass): number => (reverse ? 0 : shapes[0]![0]! - 1);
  /** The part of what a layer passes on that comes from one direction. */
  const part = ({ direction }: RecurrentPass): string =>
    options.bidirectional ? `[${direction * size}:${(direction + 1) * size}]` : '';
  const joined = (parts: readonly string[]): string => (parts.length > 1 ? `concat(${parts.join(', ')})` : parts[0]!);
  const dropped = (layer: number): string => (options.dropout > 0 ? ` .* m[${layer - 1}, t]` : '');

  const forward = (pass: RecurrentPass): string => {
    const { suffix, layer } = pass;
    const inputs = `weight_ih${suffix} @ ${inputName(layer)}[t]${bias ? ` + bias_ih${suffix}` : ''}`;
    const state = `weight_hh${suffix} @ h[t - 1]${bias ? ` + bias_hh${suffix}` : ''}`;
    const sums =
      gradientOfHiddenSums === gradientOfSums ? `a[t] = ${inputs} + ${state}` : `a[t] = ${inputs}; m[t] = ${state}`;
    return inPass(`h[t] = ${padding.state('h', cell.hidden)}; ${cell.forward}${sums}`, pass);
  };
  const taken = (layer: number): string =>
    `${inputName(layer)}[t] = ${joined(of(layer - 1).map((pass) => inPass('h[t]', pass)))}${dropped(layer)}`;
  const allForward = Array.from({ length: layers }, (_, i) => layers - 1 - i)
    .flatMap((layer) => [...of(layer).map(forward), ...(layer > 0 ? [taken(layer)] : [])])
    .join('; ');

  const inputGradient = (layer: number): string =>
    of(layer)
      .map((pass) => `T(weight_ih${pass.suffix}) @ ${inPass(gradientOfSums, pass)}[t]`)
      .join(' + ');
  const backward = (pass: RecurrentPass): string => {
    const isTop = pass.layer === layers - 1;
    const above = isTop ? `dy[t]${part(pass)}${padding.real('t')}` : `d(${inputName(pass.layer + 1)})[t]${part(pass)}`;
    const upstream = isTop && returned === 'last' ? `when(t == ${lastStep(pass)}) * dy${part(pass)}` : above;
    const later = `T(weight_hh${pass.suffix}) @ ${gradientOfHiddenSums}[t + 1]`;
    return inPass(
      `${cell.backward}; d(h)[t] = ${upstream}${cell.carried}${padding.skipped('h')} + ${later}${padding.skips('h')}`,
      pass,
    );
  };
  /** The backward passes of the layers from `layer` on. */
  const backwardFrom = (layer: number): readonly string[] =>
    layer >= layers
      ? []
      : [
          ...(layer > 0
            ? [
                `d(${inputName(layer)})[t] = ${options.dropout > 0 ? `(${inputGradient(layer)})${dropped(layer)}` : inputGradient(layer)}`,
              ]
            : []),
          ...of(layer).map(backward),
          ...backwardFrom(layer + 1),
        ];
  const where = (...definitions: readonly string[]): string => `where ${[...definitions, allForward].join('; ')}`;
  const top = of(layers - 1);
  return {
    equations: [
      returned === 'all'
        ? `y[t] = ${joined(top.map((pass) => inPass('h[t]', pass)))}${padding.real('t')} ${where()}`
        : `y = ${joined(top.map((pass) => inPass(`h[${lastStep(pass)}]`, pass)))} ${where()}`,
      `dx[t] = ${inputGradient(0)} ${where(...of(0).map(backward), ...backwardFrom(1))}`,
      ...indexGradientFormulas(options, names),
      ...passes.flatMap((pass) => {
        const { suffix, layer } = pass;
        const [sums, hiddenSums] = [inPass(gradientOfSums, pass), inPass(gradientOfHiddenSums, pass)];
        const from = where(backward(pass), ...backwardFrom(layer + 1));
        return [
          `d(weight_ih${suffix}) = sum(samples, t: outer(${sums}[t], ${inputName(layer)}[t])) ${from}`,
          `d(weight_hh${suffix}) = sum(samples, t: outer(${hiddenSums}[t], ${inPass('h[t - 1]', pass)})) ${from}`,
          `d(bias_ih${suffix}) = sum(samples, t: ${sums}[t]) ${from}`,
          `d(bias_hh${suffix}) = sum(samples, t: ${hiddenSums}[t]) ${from}`,
        ];
      }),
    ],
    ...(options.dropout > 0 && {
      symbols: {
        m: `drawn in each step: 0 with probability ${options.dropout}, else ${Number((1 / (1 - options.dropout)).toPrecision(4))}`,
      },
    }),
  };
}
