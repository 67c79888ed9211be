// A diagnosis that throws ends neither the check nor a verdict, and every output says that it failed.
import { describe, expect, it, vi } from 'vitest';
import { buildCheckCases } from '../../src/presentation/check-cases';
import { checkSection } from '../../src/report/tables';
import { checkTemplate } from './custom/check-template';
import { TEMPLATES } from './custom/layer-templates';

vi.mock('../../src/gradcheck/diagnosis/explain', () => ({
  explain: () => {
    throw new RangeError('planted');
  },
  explainByFactor: () => {
    throw new RangeError('planted');
  },
  isKnownFactor: () => false,
}));

const PLAIN = { renames: false, hidesOperations: true, rounds: false };
const linear = TEMPLATES.find(({ name }) => name === 'linear')!;

describe('a diagnosis that throws', () => {
  const { report } = checkTemplate(linear, 'weight sign', 3, PLAIN);

  it('leaves all verdicts', () => {
    expect(report).toMatchObject({ complete: true, passed: false });
    expect(report.counts.wrong).toBeGreaterThan(0);
    expect(
      report.layers.find(({ name }) => name === 'mine')!.tensors.map(({ name, verdict }) => [name, verdict]),
    ).toContainEqual(['w', 'wrong']);
  });

  it('names layer and tensor, and says that it failed', () => {
    expect(report.diagnosis).toMatchObject({ layer: 'mine', tensor: 'w', cause: 'diagnosis_failed' });
    expect(report.diagnosis!.sentence).toContain('planted');
  });

  it('is part of the cases of JUnit and the Test Explorer, and of the report', () => {
    const { sentence } = report.diagnosis!;
    const parameters = [{ name: 'mine.w', shortName: 'w' }];
    const none = { parameters: [] };
    const cases = buildCheckCases(report, [
      { name: 'linear1', kind: 'linear', inputs: [-1], ...none },
      { name: 'mine', kind: 'custom', inputs: [0], parameters },
      { name: 'tanh1', kind: 'tanh', inputs: [1], ...none },
    ]);
    const ofWeight = cases.find(({ parameter }) => parameter === 'mine.w');
    expect(ofWeight).toMatchObject({ outcome: 'failed' });
    expect(ofWeight!.message).toContain(sentence);
    expect(checkSection(report).text).toContain('planted');
  });

  it('says nothing of a right layer', () => {
    const right = checkTemplate(linear, null, 3, PLAIN).report;
    expect(right).toMatchObject({ passed: true, diagnosis: null });
  });
});
