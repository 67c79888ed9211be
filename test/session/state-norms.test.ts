// The gradient of recurrent layers by time step: norms of what the session holds, and nothing before it is computed.
import { describe, expect, it } from 'vitest';
import type { StateNorms } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';

const text = JSON.stringify({
  data: { type: 'adding', samples: 40, length: 6 },
  layers: [
    { type: 'lstm', hidden_size: 3 },
    { type: 'linear', out_features: 1 },
  ],
  loss: 'mse',
  batch_size: 8,
  precision: 'float64',
});

const open = (): TrainingSession => new TrainingSession(compileRun(text), text);
const normsOf = (session: TrainingSession, state: string, layer = 0): StateNorms | null =>
  runQuery(session, { type: 'state_norms', layer, state }).value;

describe('norms of the states of a recurrent layer', () => {
  it.each(['hidden_state', 'cell_state'])('%s: one for each time step, of all samples and units', (state) => {
    const session = open();
    session.step();
    const norms = normsOf(session, state);
    const { shape, data } = session.pass.internalGradient(0, state)!;
    expect(shape).toEqual([8, 6, 3]);
    const values = session.pass.internal(0, state)!.data;
    for (let t = 0; t < 6; t++) {
      const entries = Array.from({ length: 24 }, (_, i) => (Math.floor(i / 3) * 6 + t) * 3 + (i % 3));
      expect(norms?.gradient?.[t]).toBeCloseTo(Math.hypot(...entries.map((i) => data[i])), 14);
      expect(norms?.state[t]).toBeCloseTo(Math.hypot(...entries.map((i) => values[i])), 14);
    }
  });

  it('last hidden state: its gradient is that of the output', () => {
    const session = open();
    session.step();
    const output = session.pass.outputGradients[0].data;
    expect(normsOf(session, 'hidden_state')?.gradient?.[5]).toBeCloseTo(Math.hypot(...output), 14);
  });

  it('are there as far as the step has come', () => {
    const session = open();
    const forward = session.model.phases.findIndex(({ kind }) => kind === 'forward');
    session.seek(0, forward);
    expect(normsOf(session, 'hidden_state')).toBeNull();
    session.stepPhase();
    expect(normsOf(session, 'hidden_state')?.state).toHaveLength(6);
    expect(normsOf(session, 'hidden_state')?.gradient).toBeNull();
  });

  it('exist for states alone', () => {
    const session = open();
    session.step();
    expect(normsOf(session, 'input_gate')).toBeNull();
    expect(normsOf(session, 'hidden_state', 1)).toBeNull();
    expect(normsOf(session, 'hidden_state', 7)).toBeNull();
  });
});
