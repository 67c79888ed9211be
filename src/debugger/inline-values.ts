// What stands beside the lines of a spec while the run is stopped: a few numbers of each layer, of the loss and of the
// optimizer, as far as the step has computed them.
import { formatNumber } from '../presentation/plain-numbers';
import { layerExpression } from '../presentation/tensor-expressions';
import type { ModelInfo } from '../protocol/model-info';
import type { Evaluated } from '../protocol/queries';
import type { Part, SpecLines } from './spec-lines';

/** The answer of the request `inlineValues`. Lines count from 1. */
export interface InlineValues {
  readonly values: readonly { readonly line: number; readonly text: string }[];
}

interface InlineNumber {
  readonly label: string;
  readonly expression: string;
}

function numbersOf(model: ModelInfo, part: Part): InlineNumber[] {
  if (part === 'loss')
    return [
      { label: 'loss', expression: 'loss' },
      ...(model.classes ? [{ label: 'accuracy', expression: 'accuracy' }] : []),
    ];
  if (part === 'optimizer') return [{ label: 'lr', expression: 'lr' }];
  const layer = model.layers[part]!;
  const name = layerExpression(layer.name);
  const weight = layer.parameters[0];
  return [
    { label: '‖output‖', expression: `norm(${name}.output)` },
    { label: '‖dL/d output‖', expression: `norm(grad(${name}.output))` },
    ...(weight ? [{ label: `‖dL/d ${weight.shortName}‖`, expression: `norm(grad(${name}.${weight.shortName}))` }] : []),
  ];
}

/**
 * @param first and `last`: lines, from 1
 * @param stopped the layer that the run is at; of the copies of a block that repeats, it is shown
 */
export async function inlineValues(
  model: ModelInfo,
  lines: SpecLines,
  { first, last, stopped }: { readonly first: number; readonly last: number; readonly stopped: number | null },
  evaluate: (expressions: readonly { readonly text: string }[]) => Promise<readonly Evaluated[]>,
): Promise<InlineValues> {
  const shown = lines.linesBetween(first, last).flatMap((line) => {
    const parts = lines.placesAt(line).map(({ part }) => part);
    const part = stopped !== null && parts.includes(stopped) ? stopped : parts[0];
    return part === undefined ? [] : [{ line, numbers: numbersOf(model, part) }];
  });
  const found = await evaluate(shown.flatMap(({ numbers }) => numbers.map(({ expression }) => ({ text: expression }))));
  let next = 0;
  const values = shown.flatMap(({ line, numbers }) => {
    const texts = numbers.flatMap(({ label }) => {
      const value = found[next++];
      return value?.kind === 'value' ? `${label} ${formatNumber(value.entries[0] ?? NaN)}` : [];
    });
    return texts.length > 0 ? [{ line, text: texts.join(' · ') }] : [];
  });
  return { values };
}
