// Faults of single paths, in layers that keep their numbers in lists: right layers pass, and the mistake of wrong ones
// is named. The benchmark `custom-faults` checks all of them with other seeds (`SET=paths`).
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { PATH_TEMPLATES } from './path-templates';

const PLAIN = { renames: false, hidesOperations: false, rounds: false };

const templateOf = (name: string) => {
  const template = PATH_TEMPLATES.find((each) => each.name === `paths: ${name}`);
  if (!template) throw new Error(name);
  return template;
};

describe('faults of single paths', () => {
  it.each(PATH_TEMPLATES.map((template) => [template.name, template] as const))('right %s passes', (_, template) => {
    for (const options of [PLAIN, { ...PLAIN, rounds: true }]) {
      const { report } = checkTemplate(template, null, 41, options);
      expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
    }
  });

  it.each([
    ['GRU', 'reset gate path missing'],
    ['GRU', 'update gate path to the state missing'],
    ['GRU', 'direct path to the state missing'],
    ['GRU', 'state gradient not carried'],
    ['GRU', 'carried gradient replaces that of the output'],
    ['LSTM', 'cell gradient not carried'],
    ['LSTM', 'forget gate missing'],
    ['LSTM', 'output gate path to the state missing'],
    ['state space', 'A applied the wrong way'],
    ['state space', 'direct path missing in dx'],
    ['tied weights', 'transposed use missing'],
    ['tied weights', 'transposed use not transposed'],
    ['products', 'right half of the quadratic form missing'],
    ['eps', 'gain applied twice'],
    ['causal attention', 'softmax over the wrong axis in backward'],
    ['causal attention', 'scale applied twice'],
    ['masked pooling', 'temperature not applied'],
    ['quotient', 'square without its two'],
  ])('of wrong %s (%s) the mistake is named', (name, mistake) => {
    const { isCaught, isNamed, report } = checkTemplate(templateOf(name), mistake, 42, { ...PLAIN, renames: true });
    expect({ isCaught, isNamed, cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor }).toMatchObject({
      isCaught: true,
      isNamed: true,
    });
  });
});
