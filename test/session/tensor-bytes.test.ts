// Tensors as bytes, in pieces, and their summaries against the same numbers computed one by one.
import { describe, expect, it } from 'vitest';
import type { Evaluated, TensorBytes } from '../../src/protocol/queries';
import { runQuery } from '../../src/session/queries';
import { createSession } from '../support/session-fixtures';

describe.each(['float32', 'float64'] as const)('a large tensor in %s', (precision) => {
  const session = createSession({
    data: { type: 'circles', samples: 20 },
    layers: [
      { type: 'linear', out_features: 600 },
      { type: 'linear', out_features: 700 },
      'tanh',
      { type: 'linear', out_features: 1 },
    ],
    loss: 'mse',
    optimizer: 'sgd',
    batch_size: 10,
    precision,
  });
  session.step(true);
  const { value } = session.network.parameters.find(({ name }) => name === 'linear2.weight')!;
  const bytesOf = (expression: string, from: number, count: number): TensorBytes | null =>
    runQuery(session, { type: 'tensor_bytes', expression, from, count }).value;

  it('is read in pieces of a megabyte, whole', () => {
    const { buffer, byteOffset, byteLength } = value.data;
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (;;) {
      const { bytes, total } = bytesOf('linear2.weight', from, Infinity)!;
      expect(total).toBe(byteLength);
      expect(bytes.length).toBeLessThanOrEqual(2 ** 20);
      if (bytes.length === 0) break;
      pieces.push(bytes);
      from += bytes.length;
    }
    expect(Buffer.concat(pieces).equals(Buffer.from(buffer, byteOffset, byteLength))).toBe(true);
    expect(bytesOf('linear2.weight', -5, 3)).toMatchObject({ bytes: { length: 3 } });
    expect(bytesOf('nothing', 0, 8)).toBeNull();
  });

  it('is summarized like any computed one', () => {
    const [stored, computed] = runQuery(session, {
      type: 'evaluate',
      expressions: [{ text: 'linear2.weight' }, { text: 'linear2.weight * 1' }],
    }).value as (Evaluated & { kind: 'value' })[];
    expect(stored.precision).toBe(precision);
    expect(stored.summary).toEqual(computed.summary);
    let sum = 0;
    for (const x of value.data) sum += x;
    expect(stored.summary!.mean).toBeCloseTo(sum / value.data.length, 12);
  });
});
