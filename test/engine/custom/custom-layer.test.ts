// What a custom layer returns is validated: the message says what is wrong and what to do.
import { describe, expect, it } from 'vitest';
import { createCustomLayer } from '../../../src/engine/custom/custom-layer';
import { CustomLayerError } from '../../../src/engine/custom/custom-layer-error';
import type { Layer, Shape, Tensor } from '../../../src/engine/custom/contract';
import type { CustomLayerErrorDetails } from '../../../src/protocol/problem';
import type { BackwardContext } from '../../../src/engine/layers/layer';
import type { CustomOptions } from '../../../src/engine/custom/custom-layer-spec';

const unwatched = { enter: () => undefined, leave: () => undefined };
const zeros = (...shape: number[]): Tensor => ({
  shape,
  data: new Float64Array(shape.reduce((product, size) => product * size, 1)),
});

/** The error of a backward pass on 8 samples of 5 features that returns this; `w` is [5, 3] and `b` is [3]. */
function errorOf(returned: unknown): CustomLayerErrorDetails {
  const layer: Layer = {
    parameters: () => ({ w: [5, 3], b: [3] }),
    outputShape: () => [3],
    forward: ({ x, parameters: { w, b }, ops }) => ops.add(ops.matmul(x, w), b),
    backward: () => returned as never,
  };
  const { backward } = createCustomLayer(
    { name: 'mine', index: 0 },
    { defaultExport: layer, locate: () => ({ file: 'mine.ts', line: null, column: null }) },
    unwatched,
  );
  const parameters = { w: zeros(5, 3), b: zeros(3) };
  try {
    backward({
      options: { module: 'mine.ts', options: {} },
      input: zeros(8, 5),
      otherInputs: [],
      output: zeros(8, 3),
      gradOutput: zeros(8, 3),
      gradInput: zeros(8, 5),
      gradOtherInputs: [],
      parameters,
      gradParameters: { w: zeros(5, 3), b: zeros(3) },
    } as unknown as BackwardContext<CustomOptions>);
  } catch (error) {
    if (error instanceof CustomLayerError) return error.details;
    throw error;
  }
  throw new Error('accepted');
}

const withGradients = (gradients: Record<string, unknown>): unknown => ({ dx: zeros(8, 5), parameters: gradients });

describe('gradients of a custom layer', () => {
  it.each([
    ['misnamed', withGradients({ W: zeros(5, 3), b: zeros(3) }), ['"W"', '"w"'], ['parameters: { w, b }']],
    ['missing', withGradients({ w: zeros(5, 3) }), ['"b"'], ['parameters: { w, b }']],
    ['undefined', withGradients({ w: zeros(5, 3), b: undefined }), ['"b"'], []],
    ['of nothing', withGradients({ w: zeros(5, 3), b: zeros(3), other: zeros(1) }), ['"other"'], []],
    ['beside dx', { dx: zeros(8, 5), w: zeros(5, 3), b: zeros(3) }, ['"w"', '"dx"'], ['"parameters"']],
    ['without dx', { x: zeros(8, 5) }, ['"dx"', '"x"'], []],
    ['not returned', undefined, ['undefined'], ['"return"']],
  ])('%s are reported by name', (_, returned, inMessage, inRemedy) => {
    const { message, remedy, call } = errorOf(returned);
    expect(call).toBe('backward');
    for (const text of inMessage) expect(message).toContain(text);
    for (const text of inRemedy) expect(remedy).toContain(text);
  });

  it.each<[string, Shape, Shape, string]>([
    ['not summed over the batch', [5, 3], [8, 3], 'ops.sum(gradient, 0)'],
    ['not summed over batch and places', [5, 3], [8, 3, 4, 4], 'ops.sum(gradient, [0, 2, 3])'],
    ['not summed over batch and time', [5, 3], [8, 6, 3], 'ops.sum(gradient, [0, 1])'],
    ['transposed', [3, 5], [3], 'ops.transpose(gradient)'],
    ['with the summed axis kept', [5, 3], [1, 3], 'ops.reshape(gradient, [3])'],
  ])('%s are reported with the operation that is missing', (_, w, b, operation) => {
    const { message, remedy } = errorOf(withGradients({ w: zeros(...w), b: zeros(...b) }));
    expect(message).toContain(w[0] === 5 ? '"b"' : '"w"');
    expect(remedy).toContain(operation);
  });
});
