// Faults of one term, over flat arrays and with `ops`: right layers pass, and the mistake of wrong ones is named. The
// benchmark `custom-faults` checks all of them with other seeds (`SET=terms`).
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { TERM_TEMPLATES } from './term-templates';

const PLAIN = { renames: false, hidesOperations: false, rounds: false };

const templateOf = (name: string) => {
  const template = TERM_TEMPLATES.find((each) => each.name === `terms: ${name}`);
  if (!template) throw new Error(name);
  return template;
};

describe('faults of one term', () => {
  it.each(TERM_TEMPLATES.map((template) => [template.name, template] as const))('right %s passes', (_, template) => {
    const { report } = checkTemplate(template, null, 41, PLAIN);
    expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
  });

  it.each([
    ['dilated causal convolution', 'dilation missing in dx'],
    ['recurrent, flat', 'time runs forward in backward'],
    ['recurrent, flat', 'carried without the derivative'],
    ['mean of valid tokens', 'also subtracted from padding'],
    ['prototypes', 'support: divided by all'],
    ['spectral norm', 'norm taken as constant'],
    ['local response', 'exponent not lowered'],
    ['group norm', 'offset of the group missing in dgain'],
    ['group norm', 'unbiased in backward'],
    ['dropout and noise', 'draws in another order'],
    ['one kernel, two distances', 'first distance for both in dk'],
    ['transposed convolution', 'stride missing in dx'],
    ['radial basis', 'distance not squared in dgamma'],
    ['radial basis', 'center of the next unit in dx'],
    ['cosine similarity', 'projection on the row'],
    ['repeated rows', 'rows of the output mixed'],
    ['ops: log-probabilities', 'log-probabilities for probabilities'],
    ['ops: log-probabilities', 'sum over the wrong axis'],
    ['ops: mean of valid places', 'mask of the other places'],
  ])('of wrong %s (%s) the mistake is named', (name, mistake) => {
    const { isCaught, isNamed, report } = checkTemplate(templateOf(name), mistake, 42, { ...PLAIN, renames: true });
    expect({ isCaught, isNamed, cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor }).toMatchObject({
      isCaught: true,
      isNamed: true,
    });
  });
});
