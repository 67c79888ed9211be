// The right backward pass of another output gradient: some of its positions left out, or all in another order.
import type { Cause } from '../../../protocol/check-report';
import type { GradientComparison, LayerExperiment } from '../gradient-comparison';
import type { Hypotheses } from './hypothesis';

/** Positions into which a sample's output is divided at most. */
const MAX_POSITIONS = 16;

type Rearrangement = readonly [
  cause: Cause,
  description: string,
  /** The position whose output gradient is used at another one; -1 for none. */
  source: (position: number) => number,
];

function rearrangements(count: number): readonly Rearrangement[] {
  const keep = (chosen: (position: number) => boolean) => (position: number) => (chosen(position) ? position : -1);
  const of = `of ${count} positions of the output`;
  return [
    ['share_missing', `uses the output gradient of the last ${of} alone`, keep((k) => k === count - 1)],
    ['share_missing', `uses the output gradient of the first ${of} alone`, keep((k) => k === 0)],
    ...(count === 2
      ? ([
          ['swapped', "uses the two halves of the output gradient in each other's place", (k: number) => 1 - k],
        ] as const)
      : ([
          ['share_missing', `leaves out the output gradient of the last ${of}`, keep((k) => k < count - 1)],
          ['share_missing', `leaves out the output gradient of the first ${of}`, keep((k) => k > 0)],
          [
            'reversed',
            `uses the output gradient in reverse order along the ${count} positions`,
            (k: number) => count - 1 - k,
          ],
          ['shifted', `uses the output gradient of the next ${of}`, (k: number) => (k + 1 < count ? k + 1 : -1)],
          ['shifted', `uses the output gradient of the previous ${of}`, (k: number) => k - 1],
        ] as const)),
  ];
}

/** A parameter that scales the output is left out in the backward pass, or is applied twice. */
function* parameterFactors(layer: LayerExperiment): Hypotheses {
  const { upstream, samples, parameters } = layer;
  const width = upstream.length / samples;
  for (const [name, values] of parameters) {
    const count = values.length;
    if (count < 2 || width % count !== 0) continue;
    for (const isInner of count < width ? [true, false] : [true]) {
      const factorAt = (i: number): number => values[isInner ? i % count : Math.floor(((i % width) * count) / width)]!;
      for (const [description, factor] of [
        [`lacks ${name} as a factor`, (i: number) => 1 / factorAt(i)],
        [`contains ${name} as a factor once too often`, factorAt],
      ] as const) {
        const changed = yield* layer.numericGradientWith({ upstream: upstream.map((value, i) => value * factor(i)) });
        yield changed ? { cause: 'scale_missing', description, values: changed } : undefined;
      }
    }
  }
}

export function* outputGradientHypotheses({ layer, subject }: GradientComparison): Hypotheses {
  if (!layer?.isCustom || subject === 'other_input') return;
  const { upstream, samples } = layer;
  const width = upstream.length / samples;
  yield* parameterFactors(layer);
  for (let count = 2; count <= width; count++) {
    if (width % count !== 0 || (count > MAX_POSITIONS && count < width)) continue;
    if (count > 4 * MAX_POSITIONS) return;
    const size = width / count;
    for (const isInner of size > 1 ? [false, true] : [false])
      for (const [cause, description, source] of rearrangements(count)) {
        const changed = upstream.map((_, i) => {
          const [sample, at] = [Math.floor(i / width), i % width];
          const from = source(isInner ? at % count : Math.floor(at / size));
          if (from < 0) return 0;
          return upstream[sample * width + (isInner ? at - (at % count) + from : from * size + (at % size))]!;
        });
        const values = yield* layer.numericGradientWith({ upstream: changed });
        yield values ? { cause, description, values } : undefined;
      }
  }
}
