// Layers in many styles of code: right ones pass, and the mistake of wrong ones is named. The benchmark `custom-faults`
// checks all of them with other seeds (`SET=styles`).
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { SECOND_STYLE_TEMPLATES, STYLE_TEMPLATES } from './style-templates';

const PLAIN = { renames: false, hidesOperations: false, rounds: false };

const templateOf = (name: string) => {
  const template = [...STYLE_TEMPLATES, ...SECOND_STYLE_TEMPLATES].find(
    (each) => each.name.replace(/^styles( 2)?: /, '') === name,
  );
  if (!template) throw new Error(name);
  return template;
};

describe('layers in many styles', () => {
  const all = [...STYLE_TEMPLATES, ...SECOND_STYLE_TEMPLATES];
  it.each(all.map((template) => [template.name, template] as const))('right %s passes', (_, template) => {
    const { report } = checkTemplate(template, null, 41, PLAIN);
    expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
  });

  it.each([
    ['layer norm, flat loops', 'eps outside of the root in backward'],
    ['layer norm, flat loops', 'eps missing in backward'],
    ['RMS norm, map and reduce', 'eps inside of the root in backward'],
    ['norm of tokens, lists', 'means along the other axis'],
    ['grouped convolution', 'offset of the group missing in dx'],
    ['grouped linear, map', 'offset of the group missing in dw'],
    ['LSTM, typed arrays', 'gradients of input and forget gate swapped'],
    ['LSTM, typed arrays', 'carried by the input gate'],
    ['GRU, local variables', 'update gate swapped'],
    ['GRU, local variables', 'state not carried'],
    ['recursive filter, local variables', 'state not carried'],
    ['recursive filter, local variables', 'new state in da'],
    ['repeated indices', 'table: overwritten in a sample'],
    ['weight norm', 'norm of rows taken as constant'],
    ['one kernel, two dilations', 'second use missing in dk'],
    ['GRU, local variables', 'gradients of update and reset gate swapped'],
    ['grouped strided row convolution', 'stride ignored in dk'],
    ['grouped strided row convolution', 'stride ignored in dx'],
    ['grouped strided row convolution', 'offset of the group missing in dk'],
    ['minimal gated unit, closures', 'gate swapped with its complement'],
    ['bag of rows, rounding', 'counted once'],
  ])('of wrong %s (%s) the mistake is named', (name, mistake) => {
    const { isCaught, isNamed, report } = checkTemplate(templateOf(name), mistake, 42, { ...PLAIN, renames: true });
    expect({ isCaught, isNamed, cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor }).toMatchObject({
      isCaught: true,
      isNamed: true,
    });
  });

  it('gives a single number no factor that not all outputs show', () => {
    const lags = templateOf('filters, local variables');
    const { report } = checkTemplate(lags, 'last: decay lacks the earlier steps', 42, PLAIN);
    expect(report.diagnosis).toMatchObject({ tensor: 'a', cause: 'unexplained' });
  });

  it('says that an error is unexplained rather than naming a derivative of a layer that mixes its inputs', () => {
    const both = 'both uses with the same dilation';
    const { report } = checkTemplate(templateOf('one kernel, two dilations'), both, 42, PLAIN);
    expect(report.diagnosis?.cause).not.toBe('wrong_derivative');
  });
});
