// Compares the figures that answers quote with what the examples measure.
import { describe, expect, it } from 'vitest';
import { courses } from './questions';

export type Measured = Readonly<Record<string, number>>;

/** The number that a figure prints, and how far the measured one may be from it: one unit of its last digit. */
export function readFigure(text: string): { readonly value: number; readonly tolerance: number } {
  const plain = text.replaceAll(',', '');
  const [, digits, exponent = '0', percent] = /^(-?[\d.]+)(?:e([-+]?\d+))?( %)?$/.exec(plain) ?? [];
  if (digits === undefined) throw new Error(`"${text}" is not a figure`);
  const scale = 10 ** Number(exponent) / (percent ? 100 : 1);
  const decimals = digits.split('.')[1]?.length ?? 0;
  // A count is exact.
  const isCount = decimals === 0 && scale === 1;
  return { value: Number(digits) * scale, tolerance: isCount ? 0.5 : 10 ** -decimals * scale };
}

/** Declares a test for each question of a course that quotes figures. @param measures by question id */
export function holdFigures(course: string, measures: Readonly<Record<string, () => Measured>>): void {
  const { questions } = courses.find((each) => each.course === course)!;
  const quoting = questions.filter(({ figures }) => figures);
  describe(`figures of course ${course}`, () => {
    it('are measured, all of them', () => {
      expect(Object.keys(measures).sort()).toEqual(quoting.map(({ id }) => id).sort());
    });

    it.each(quoting.map(({ id, figures }) => [id, figures!] as const))('%s', (id, figures) => {
      const measured = measures[id]?.() ?? {};
      expect(Object.keys(measured).sort()).toEqual(Object.keys(figures).sort());
      const wrong = Object.entries(figures).filter(([name, text]) => {
        const { value, tolerance } = readFigure(text);
        return !(Math.abs(measured[name]! - value) <= tolerance * (1 + 1e-9));
      });
      expect(wrong.map(([name, text]) => `${name}: ${text} is quoted, ${measured[name]} measured`)).toEqual([]);
    });
  });
}
