// Layers of several parts that are written as loops: right ones pass, and the mistake of wrong ones is named. The
// benchmark `custom-faults` checks all mistakes with other seeds.
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { LOOP_TEMPLATES } from './loop-templates';

const PLAIN = { renames: false, hidesOperations: false, rounds: false };

describe('custom layers written as loops', () => {
  it.each(LOOP_TEMPLATES.map((template) => [template.name, template] as const))('right %s passes', (_, template) => {
    for (const options of [PLAIN, { ...PLAIN, rounds: true }]) {
      const { report } = checkTemplate(template, null, 31, options);
      expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
    }
  });

  it('a right layer in single precision passes, also with large made-up inputs that leave few digits', () => {
    const template = LOOP_TEMPLATES.find(({ name }) => name === 'loops: gated recurrent cell');
    if (!template) throw new Error('no template');
    const { report } = checkTemplate(template, null, 1_051_031, {
      renames: true,
      hidesOperations: false,
      rounds: true,
    });
    expect(report).toMatchObject({ passed: true, diagnosis: null });
  });

  it.each([
    ['layer norm and tanh', 'mean term missing'],
    ['layer norm and tanh', 'scale missing in dx'],
    ['batch norm', 'variance term twice'],
    ['attention', 'sum term of softmax missing'],
    ['attention', 'keys missing in dx'],
    ['attention', 'values not transposed in dx'],
    ['recurrent cell', 'state of the same step'],
    ['recurrent cell', 'wx overwritten'],
    ['recurrent cell', 'derivative missing'],
    ['gated recurrent cell', 'carry without the gate'],
    ['gated recurrent cell', 'value of the gate for its derivative'],
    ['convolution and pooling', 'bias averaged over places'],
    ['embedding and mean', 'repeated words overwritten'],
    ['tied weights', 'encoder missing'],
    ['highway', 'gate counts the carry with the wrong sign'],
    ['highway', 'w and v swapped'],
  ])('of wrong %s (%s) the mistake is named', (name, mistake) => {
    const template = LOOP_TEMPLATES.find((each) => each.name === `loops: ${name}`);
    if (!template) throw new Error(name);
    const { isCaught, isNamed, report } = checkTemplate(template, mistake, 32, { ...PLAIN, renames: true });
    expect({ isCaught, isNamed, cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor }).toMatchObject({
      isCaught: true,
      isNamed: true,
    });
  });
});
