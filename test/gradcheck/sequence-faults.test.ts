// Mistakes in going back through time, planted in recurrent layers: all are caught, and named.
import { describe, expect, it } from 'vitest';
import type { LayerKind } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { type Context, withBackwardOverrides } from './faults/fault';
import { GRAPH_FAULTS } from './faults/graph-faults';
import { checkNet, layerOf, linear, makeNet } from './nets';

type Keep = (t: number, time: number) => boolean;

/** The numbers of [samples, time, …] at some time steps, 0 elsewhere. */
function keepSteps({ shape, data }: Context['gradOutput'], keep: Keep): Float64Array {
  const [samples, time] = shape;
  const size = data.length / samples / time;
  return Float64Array.from(data, (value, i) => (keep(Math.floor(i / size) % time, time) ? value : 0));
}

const upstreamOf =
  (tensor: string, keep: Keep) =>
  (inner: LayerDefinition): LayerDefinition =>
    withBackwardOverrides(inner, tensor, ({ gradOutput }) => ({ gradOutput: keepSteps(gradOutput, keep) }));

function report(kind: LayerKind, returned: 'last' | 'all', fault: (inner: LayerDefinition) => LayerDefinition) {
  return checkNet(
    makeNet({
      inputs: [4, 3],
      batch: 3,
      loss: 'mse',
      layers: [
        { kind: 'layer_norm' },
        { kind, options: { hidden_size: 3, return: returned }, definition: fault(layerOf(kind)) },
        { kind: 'flatten' },
        linear(2),
      ],
    }),
  );
}

describe.each(['rnn', 'gru', 'lstm'] as const)('%s', (kind) => {
  const faults: readonly [string, string, Keep][] = [
    // The hidden gradient of later time steps overwrites that of the output, except at the last one.
    ['the gradient of the output is overwritten', 'weight_hh_l0', (t, time) => t === time - 1],
    ['the last time step is left out', 'weight_ih_l0', (t, time) => t < time - 1],
    ['the first time step is left out', 'bias_hh_l0', (t) => t > 0],
    ['the gradient of the output is overwritten', 'input', (t, time) => t === time - 1],
  ];

  it.each(faults)('%s, in %s', (_what, tensor, keep) => {
    const { counts, diagnosis } = report(kind, 'all', upstreamOf(tensor, keep));
    expect(counts.wrong).toBeGreaterThan(0);
    expect(diagnosis).toMatchObject({ layer: `${kind}1`, tensor, cause: 'time_step_missing' });
  });

  it('an input gradient that leaves the first time step out', () => {
    const { diagnosis } = report(kind, 'last', (inner) => ({
      ...inner,
      backward(context) {
        inner.backward(context);
        context.gradInput?.data.set(keepSteps(context.gradInput, (t) => t > 0));
      },
    }));
    expect(diagnosis).toMatchObject({ layer: `${kind}1`, tensor: 'input', cause: 'time_step_missing' });
  });

  it('nothing, if the backward pass is right', () => {
    const { counts, diagnosis } = report(kind, 'all', (inner) => inner);
    expect(counts.wrong).toBe(0);
    expect(diagnosis).toBeNull();
  });
});

describe('attention', () => {
  const faults = GRAPH_FAULTS.filter(({ kind }) => kind.startsWith('attention:'));

  it.each(faults)('$kind', ({ plant }) => {
    const outcomes = [1, 2, 3].flatMap((seed) => plant(seed) ?? []);
    expect(outcomes.length).toBeGreaterThan(0);
    for (const { detected, identified, place, report } of outcomes)
      expect([place, detected, identified, report.diagnosis?.cause]).toEqual([place, true, true, expect.any(String)]);
  });
});
