// Networks with custom layers: right ones pass, and the mistake of wrong ones is named, whatever the names of their
// parameters. `npm run bench -- custom-faults` checks many more.
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { TEMPLATES } from './layer-templates';

const PLAIN = { renames: false, hidesOperations: false, rounds: false };

describe('custom layers', () => {
  it.each(TEMPLATES.map((template) => [template.name, template] as const))('a right %s passes', (_, template) => {
    for (const options of [PLAIN, { ...PLAIN, hidesOperations: true }, { ...PLAIN, rounds: true }]) {
      const { report } = checkTemplate(template, null, 77, options);
      expect(report.diagnosis).toBeNull();
      expect(report).toMatchObject({ passed: true, counts: { wrong: 0 } });
      if (!options.rounds) expect(report.layers.every(({ precision }) => precision === undefined)).toBe(true);
    }
  });

  it.each([
    ['layer norm', 'mean term twice'],
    ['layer norm', 'scale and shift swapped'],
    ['attention', 'scale missing'],
    ['recurrent', 'hidden state of the same step'],
    ['tied weights', 'first use missing'],
    ['convolution', 'stride ignored'],
    ['embedding', 'repeated rows overwritten'],
    ['linear', 'weight gradient accumulated'],
  ])('of a wrong %s (%s) the mistake is named, under other names too', (name, mistake) => {
    const template = TEMPLATES.find((each) => each.name === name);
    if (!template) throw new Error(name);
    for (const renames of [false, true])
      expect(checkTemplate(template, mistake, 78, { ...PLAIN, renames })).toMatchObject({
        isCaught: true,
        isNamed: true,
      });
  });
});
