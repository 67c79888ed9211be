// Where the text of a course is wrong, an example uses its formula, and the gradient check finds it.
import { describe, expect, it } from 'vitest';
import { advanceToUpdate, example, gradient, gradientCheckReport } from '../support/examples';
import { norm } from '../support/trained';

describe('wrong formulas of the courses', () => {
  it('left-over-sums: the sum over the outputs cancels, and only the output layer is wrong', () => {
    const session = advanceToUpdate(example('wrong-left-over-sum'));
    expect(norm(gradient(session, 'output.weight'))).toBeLessThan(1e-6);
    expect(norm(gradient(advanceToUpdate(example('circles')), 'output.weight'))).toBeGreaterThan(0.05);
    const { diagnosis, parameters } = gradientCheckReport(session);
    expect(parameters.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)).toEqual([
      'output.weight',
      'output.bias',
    ]);
    expect(diagnosis).toMatchObject({ layer: 'output', tensor: 'weight' });
  });

  it('output-minus-target: the gradient of the logits, used for the probabilities, is wrong at the loss', () => {
    const { diagnosis, counts } = gradientCheckReport(example('wrong-probability-gradient'));
    expect(counts).toMatchObject({ pass: 0, wrong: 8 });
    expect(diagnosis).toMatchObject({ layer: null, tensor: 'prediction' });
  });

  it('bce-factor: every gradient is too large by the number of outputs', () => {
    const { diagnosis, counts } = gradientCheckReport(example('wrong-bce-factor'));
    expect(counts).toMatchObject({ pass: 0, wrong: 17 });
    expect(diagnosis).toMatchObject({ layer: null, cause: 'factor', factor: 2, dimension: { size: 2 } });
  });

  it('distance-without-square: the gradient of the square does not belong to the distance', () => {
    const { diagnosis, counts } = gradientCheckReport(example('wrong-distance'));
    expect(counts).toMatchObject({ pass: 0, wrong: 17 });
    expect(diagnosis).toMatchObject({ layer: null, tensor: 'prediction' });
  });

  it('step-function and argmax: the gradient is exactly 0, and no entry is wrong', () => {
    for (const [name, parameter] of [
      ['step-function', 'hidden.weight'],
      ['argmax', 'output.weight'],
    ] as const) {
      const session = advanceToUpdate(example(name));
      expect(norm(gradient(session, parameter))).toBe(0);
      expect(gradientCheckReport(session).counts.wrong).toBe(0);
    }
  });
});
