import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import { golden, goldenLayers, type GoldenLayer } from '../../support/golden';
import { flat } from '../../support/nested-lists';
import { layerContext, layerOf } from '../../support/network-fixtures';

const cases = goldenLayers();

/** Runs the forward and backward pass of a case. */
function run(kernels: Kernels, testCase: GoldenLayer) {
  const definition = layerOf(testCase.kind);
  const context = layerContext(kernels, testCase);
  definition.forward(context);
  definition.backward(context);
  // Not before: running statistics do not affect the gradient of a step.
  definition.updateBuffers?.(context);
  return context;
}

describe.each(BACKENDS)('layers agree with PyTorch within 1e-12 relative in float64 on %s', (backend) => {
  const kernels = createBackend(backend, 'float64');

  it.each(cases)('$name', (testCase) => {
    const { output, gradInput, gradOtherInputs, gradParameters, buffers } = run(kernels, testCase);
    for (const [name, after] of Object.entries(testCase.tracked ?? {})) expect(buffers[name]).toBeAllclose(after);
    expect(output).toBeAllclose(testCase.output);
    const { atol = 0 } = testCase;
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(testCase.gradInput, { atol });
    gradOtherInputs.forEach((gradient, i) =>
      expect(gradient as NonNullable<typeof gradient>).toBeAllclose(testCase.gradOtherInputs?.[i] ?? [], { atol }),
    );
    expect(Object.keys(gradParameters)).toEqual(Object.keys(testCase.gradParameters));
    for (const [name, gradient] of Object.entries(gradParameters)) {
      expect(gradient).toBeAllclose(testCase.gradParameters[name], { atol });
    }
  });
});

/**
 * float32 rounds inputs (relative 6e-8) and every stored result. The tolerance is 1e-5 relative plus 1e-5 of the
 * largest magnitude, since sums may cancel; below 1e-38 float32 has no numbers.
 */
const float32Tolerance = (expected: readonly number[]) => ({
  rtol: 1e-5,
  atol: Math.max(1e-37, 1e-5 * Math.max(...expected.map(Math.abs))),
});

describe.each(BACKENDS)('layers agree with PyTorch within 1e-5 in float32 on %s', (backend) => {
  const kernels = createBackend(backend, 'float32');
  // At ±1e-300 float32 underflows, and at logits of 1e4 it rounds; both are right but not comparable.
  const comparable = cases.filter(({ name }) => !name.includes('extremes') && !name.includes('1e4'));

  it.each(comparable)('$name', (testCase) => {
    const { output, gradInput, gradOtherInputs, gradParameters } = run(kernels, testCase);
    expect(output).toBeAllclose(testCase.output, float32Tolerance(flat(testCase.output)));
    gradOtherInputs.forEach((gradient, i) => {
      const expected = testCase.gradOtherInputs?.[i] ?? [];
      expect(gradient as NonNullable<typeof gradient>).toBeAllclose(expected, float32Tolerance(flat(expected)));
    });
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(
      testCase.gradInput,
      float32Tolerance([...flat(testCase.gradInput), ...flat(testCase.gradOutput)]),
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

describe.each(BACKENDS)('derivatives of saturated units agree within four roundings of 1 on %s', (backend) => {
  const kernels = createBackend(backend, 'float64');

  it.each(golden('layers-saturated.json'))('$name', (testCase) => {
    const { output, gradInput } = run(kernels, testCase);
    expect(output).toBeAllclose(testCase.output);
    const atol = flat(testCase.gradOutput).map((dy) => 4 * 2 ** -53 * Math.abs(dy));
    expect(gradInput as NonNullable<typeof gradInput>).toBeAllclose(testCase.gradInput, { rtol: 0, atol });
  });
});
