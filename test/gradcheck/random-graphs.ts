// Networks with branches, joins and shared parameters, drawn at random.
import fc from 'fast-check';
import type { LayerKind } from '../../src/engine/layers';
import type { LossKind } from '../../src/engine/losses';
import { NETWORK_INPUT } from '../../src/engine/network-graph';
import { linear, type LayerRecipe, type NetRecipe } from './nets';

/** What to do with some of the outputs so far; the numbers choose among them. */
type Draw =
  | { readonly do: 'linear'; readonly from: number; readonly units: number }
  | { readonly do: 'activation'; readonly kind: LayerKind; readonly from: number }
  | { readonly do: 'join'; readonly kind: LayerKind; readonly from: readonly [number, number] }
  | { readonly do: 'share'; readonly owner: number; readonly from: number; readonly bias: boolean };

const draw: fc.Arbitrary<Draw> = fc.oneof(
  fc.record({ do: fc.constant('linear' as const), from: fc.nat(), units: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constant('activation' as const),
    kind: fc.constantFrom<LayerKind>('tanh', 'relu', 'sigmoid', 'softmax', 'layer_norm', 'identity'),
    from: fc.nat(),
  }),
  fc.record({
    do: fc.constant('join' as const),
    kind: fc.constantFrom<LayerKind>('add', 'subtract', 'multiply', 'concat'),
    from: fc.tuple(fc.nat(), fc.nat()),
  }),
  fc.record({ do: fc.constant('share' as const), owner: fc.nat(), from: fc.nat(), bias: fc.boolean() }),
);

/** The layers that the draws make, those that cannot be made left out; every output is used in the end. */
function build(inputs: number, draws: readonly Draw[], outputs: number): LayerRecipe[] {
  const layers: LayerRecipe[] = [];
  const widths: number[] = [];
  const used = new Set<number>();
  const sources = (): number[] => [NETWORK_INPUT, ...layers.keys()];
  const widthOf = (source: number): number => (source === NETWORK_INPUT ? inputs : widths[source]);
  const pick = (from: number, among = sources()): number => among[from % among.length];
  const push = (recipe: LayerRecipe, from: readonly number[], width: number): void => {
    from.forEach((source) => used.add(source));
    layers.push({ ...recipe, inputs: from });
    widths.push(width);
  };
  for (const each of draws) {
    if (each.do === 'linear') push(linear(each.units), [pick(each.from)], each.units);
    if (each.do === 'activation') push({ kind: each.kind }, [pick(each.from)], widthOf(pick(each.from)));
    if (each.do === 'join') {
      const first = pick(each.from[0]);
      const fitting = sources().filter((source) => each.kind === 'concat' || widthOf(source) === widthOf(first));
      const second = pick(each.from[1], fitting);
      push({ kind: each.kind }, [first, second], widthOf(first) + (each.kind === 'concat' ? widthOf(second) : 0));
    }
    if (each.do === 'share') {
      const owners = [...layers.keys()].filter((i) => layers[i].kind === 'linear' && !layers[i].shared);
      if (owners.length === 0) continue;
      const owner = pick(each.owner, owners);
      const width = widthOf(layers[owner].inputs?.[0] ?? NETWORK_INPUT);
      const fitting = sources().filter((source) => widthOf(source) === width);
      push(
        { ...linear(widths[owner]), shared: { weight: owner, ...(each.bias && { bias: owner }) } },
        [pick(each.from, fitting)],
        widths[owner],
      );
    }
  }
  const unused = sources().filter((source) => !used.has(source));
  if (unused.length === 0) unused.push(layers.length - 1);
  if (unused.length === 1) push(linear(outputs), unused, outputs);
  else {
    push(
      { kind: 'concat' },
      unused,
      unused.reduce((sum, source) => sum + widthOf(source), 0),
    );
    push(linear(outputs), [layers.length - 1], outputs);
  }
  return layers;
}

/** Every network has at least one layer with parameters. */
export const randomGraphs: fc.Arbitrary<NetRecipe> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 4 }),
    draws: fc.array(draw, { minLength: 2, maxLength: 8 }),
    loss: fc.constantFrom<LossKind>('mse', 'cross_entropy', 'bce_with_logits', 'huber'),
    batch: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
    penalty: fc.option(fc.record({ l1: fc.constantFrom(0, 0.01), l2: fc.constantFrom(0, 0.1), biases: fc.boolean() }), {
      nil: undefined,
      freq: 4,
    }),
  })
  .map(({ inputs, draws, ...rest }) => ({ ...rest, inputs, layers: build(inputs, draws, 2) }));
