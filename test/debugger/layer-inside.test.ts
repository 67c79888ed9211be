// Where the debugger stops inside of a layer: in the order in which its values are computed.
import { describe, expect, it } from 'vitest';
import { insideOf } from '../../src/debugger/layer-inside';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';

const placesOf = (layer: object, kind: 'forward' | 'backward') => {
  const text = JSON.stringify({
    data: { type: 'adding', samples: 12, length: 3 },
    layers: [
      { hidden_size: 2, name: 'memory', ...layer },
      { type: 'linear', out_features: 1 },
    ],
    loss: 'mse',
    batch_size: 4,
  });
  return insideOf(new TrainingSession(compileRun(text), text).model, { kind, layer: 0 });
};

describe('the places inside of a recurrent layer', () => {
  it('are its time steps', () => {
    const labels = placesOf({ type: 'rnn' }, 'forward').map(({ label }) => label);
    expect(labels).toEqual([1, 2, 3].map((t) => `time step ${t} of 3`));
  });

  it('go layer by layer and direction by direction, the second from the end of the sequence', () => {
    const places = placesOf({ type: 'gru', num_layers: 2, bidirectional: true }, 'forward');
    const expected = ['l0', 'l0_reverse', 'l1', 'l1_reverse'].flatMap((pass) =>
      (pass.endsWith('reverse') ? [3, 2, 1] : [1, 2, 3]).map((t) => `${pass}, time step ${t} of 3`),
    );
    expect(places.map(({ label }) => label)).toEqual(expected);
    expect(places[3]?.values.map(({ expression }) => expression)).toEqual(
      ['reset_gate', 'update_gate', 'hidden_sum', 'new_gate', 'hidden_state'].map(
        (name) => `memory.${name}_l0_reverse[:, 2]`,
      ),
    );
    const backward = placesOf({ type: 'gru', num_layers: 2, bidirectional: true }, 'backward');
    expect(backward.map(({ label }) => label)).toEqual(expected.toReversed());
  });
});
