// Texts with the range of the expected problem marked in them: «…».
import type { Problem } from '../../src/protocol/problem';
import { expect } from 'vitest';

export interface MarkedText {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function parseMarkedText(source: string): MarkedText {
  const start = source.indexOf('«');
  const end = source.indexOf('»') - 1;
  if (start < 0 || end < start) throw new Error(`no «range» is marked in ${source}`);
  return { text: source.replace('«', '').replace('»', ''), start, end };
}

export interface ExpectedProblem {
  readonly code: string;
  /** Names and numbers that the message must contain. */
  readonly mentions?: readonly string[];
  /** Names and numbers that the remedy must contain. */
  readonly remedyMentions?: readonly string[];
  /** The replacement that is offered; by default, none. */
  readonly replacement?: string;
}

/** A spec whose parts may be replaced; each is JSON text, so that a range can be marked in it. */
export function specText(parts: Readonly<Record<string, string>> = {}): string {
  const all: Record<string, string> = {
    data: '"circles"',
    layers: '[{ "type": "linear", "out_features": 4 }, "tanh", { "type": "linear", "out_features": 2 }]',
    loss: '"cross_entropy"',
    ...parts,
  };
  return `{\n${Object.entries(all)
    .map(([key, value]) => `  "${key}": ${value}`)
    .join(',\n')}\n}\n`;
}

/** Checks for names and numbers, independently of the wording. */
export function expectMentions(sentence: string, mentions: readonly string[] = []): void {
  for (const mention of mentions) expect(sentence).toContain(mention);
}

/** Exactly one problem, as expected, at the marked range. */
export function expectSingleProblem(
  problems: readonly Problem[],
  { start, end }: MarkedText,
  { code, mentions, remedyMentions, replacement }: ExpectedProblem,
): void {
  expect(problems.map((found) => found.code)).toEqual([code]);
  const [problem] = problems;
  expect({ start: problem.start, end: problem.end }).toEqual({ start, end });
  expect(problem.replacement).toBe(replacement);
  expectMentions(problem.message, mentions);
  expectMentions(problem.remedy, remedyMentions);
}
