// Texts with the range of the expected problem marked in them: «…».
import { expect } from 'vitest';
import type { Problem } from '../../src/spec/problem';

export interface Marked {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function marked(source: string): Marked {
  const start = source.indexOf('«');
  const end = source.indexOf('»') - 1;
  if (start < 0 || end < start) throw new Error(`no «range» is marked in ${source}`);
  return { text: source.replace('«', '').replace('»', ''), start, end };
}

export interface Expected {
  readonly code: string;
  readonly message: string | RegExp;
  readonly remedy: string | RegExp;
}

/** A spec whose parts may be replaced; each is JSON text, so that a range can be marked in it. */
export function specText(parts: Readonly<Record<string, string>> = {}): string {
  const all: Record<string, string> = {
    data: '"circles"',
    layers: '[{ "type": "linear", "out_features": 4 }, "tanh", { "type": "linear", "out_features": 2 }]',
    loss: '"cross_entropy"',
    ...parts,
  };
  return `{\n${Object.entries(all).map(([key, value]) => `  "${key}": ${value}`).join(',\n')}\n}\n`;
}

/** Exactly one problem, as expected, at the marked range. */
export function expectOnly(problems: readonly Problem[], { start, end }: Marked, { code, message, remedy }: Expected): void {
  expect(problems.map((found) => found.code)).toEqual([code]);
  const [problem] = problems;
  expect({ start: problem.start, end: problem.end }).toEqual({ start, end });
  expect(problem.message).toMatch(message);
  expect(problem.remedy).toMatch(remedy);
}
