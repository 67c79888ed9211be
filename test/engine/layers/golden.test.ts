import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import { golden, type GoldenLayer } from '../../support/golden';
import { flat } from '../../support/nested';
import { layerContext, layerOf } from '../../support/units';

const cases = [...golden('layers.json'), ...golden('layers-images.json'), ...golden('layers-normal.json'), ...golden('layers-kernel.json')];

/** Runs both passes of a case. */
function run(kernels: Kernels, testCase: GoldenLayer) {
  const definition = layerOf(testCase.kind);
  const context = layerContext(kernels, testCase);
  definition.forward(context);
  definition.backward(context);
  // Not before: in the gradient of a step its running figures have no part.
  definition.track?.(context);
  return context;
}

describe.each(BACKENDS)('layers agree with PyTorch within 1e-12 relative in float64 on %s', (backend) => {
  const kernels = kernelsOf(backend, 'float64');

  it.each(cases)('$name', (testCase) => {
    const { output, gradInput, gradParameters, buffers } = run(kernels, testCase);
    for (const [name, after] of Object.entries(testCase.tracked ?? {})) expect(buffers[name]).toBeAllclose(after);
    expect(output).toBeAllclose(testCase.output);
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(testCase.gradInput);
    expect(Object.keys(gradParameters)).toEqual(Object.keys(testCase.gradParameters));
    for (const [name, gradient] of Object.entries(gradParameters)) {
      expect(gradient).toBeAllclose(testCase.gradParameters[name]);
    }
  });
});

/**
 * Float32 rounds inputs (relative 6e-8) and every stored result. Values are held to 1e-5 relative plus 1e-5 of
 * the largest magnitude beside them, for what cancels in a sum; below 1e-38 float32 has no numbers.
 */
const float32Tolerance = (expected: readonly number[]) => ({
  rtol: 1e-5,
  atol: Math.max(1e-37, 1e-5 * Math.max(...expected.map(Math.abs))),
});

describe.each(BACKENDS)('layers agree with PyTorch within 1e-5 in float32 on %s', (backend) => {
  const kernels = kernelsOf(backend, 'float32');
  // At ±1e-300 float32 underflows, at logits of 1e4 it rounds; both are right, but nothing to compare.
  const comparable = cases.filter(({ name }) => !name.includes('extremes') && !name.includes('1e4'));

  it.each(comparable)('$name', (testCase) => {
    const { output, gradInput, gradParameters } = run(kernels, testCase);
    expect(output).toBeAllclose(testCase.output, float32Tolerance(flat(testCase.output)));
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(
      testCase.gradInput, float32Tolerance([...flat(testCase.gradInput), ...flat(testCase.gradOutput)]),
    );
    for (const [name, gradient] of Object.entries(gradParameters)) {
      const expected = testCase.gradParameters[name];
      expect(gradient).toBeAllclose(expected, float32Tolerance(flat(expected)));
    }
  });

  it.each(cases.filter(({ name }) => name.includes('extremes')))('$name stay finite', (testCase) => {
    const { output, gradInput } = run(kernels, testCase);
    expect([...output.data, ...(gradInput?.data ?? [NaN])].every(Number.isFinite)).toBe(true);
  });
});

describe.each(BACKENDS)('saturated slopes agree within four roundings of 1 on %s', (backend) => {
  const kernels = kernelsOf(backend, 'float64');

  it.each(golden('layers-saturated.json'))('$name', (testCase) => {
    const { output, gradInput } = run(kernels, testCase);
    expect(output).toBeAllclose(testCase.output);
    const atol = flat(testCase.gradOutput).map((dy) => 4 * 2 ** -53 * Math.abs(dy));
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(testCase.gradInput, { rtol: 0, atol });
  });
});
