// A check as JUnit XML, the form that build servers read. A suite is a spec; a case is a gradient of it.
// https://github.com/testmoapp/junitxml gathers what the readers have in common.
import type { CheckCase } from '../gradcheck/cases';

export interface JUnitCase {
  readonly className: string;
  readonly name: string;
  /** Of the layer in the spec, from 1. */
  readonly line?: number;
  readonly outcome: CheckCase['outcome'] | 'error';
  /** What is wrong; its first line is the headline. */
  readonly message: string;
  /** What kind of error or failure. */
  readonly type?: string;
}

export interface JUnitSuite {
  /** The spec as it was named. */
  readonly file: string;
  readonly seconds: number;
  readonly cases: readonly JUnitCase[];
}

const ELEMENTS = { failed: 'failure', error: 'error', skipped: 'skipped' } as const;

/** Well-formed whatever the names and messages hold. */
export function junitText({ file, seconds, cases }: JUnitSuite): string {
  const count = (outcome: JUnitCase['outcome']): number => cases.filter((each) => each.outcome === outcome).length;
  const totals = { tests: cases.length, failures: count('failed'), errors: count('error'), skipped: count('skipped'), time: seconds.toFixed(3) };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'nablascope check', ...totals })}>`,
    `  <testsuite${attributes({ name: file, file, ...totals })}>`,
    ...cases.map((each) => caseText(file, each)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseText(file: string, { className, name, line, outcome, message, type }: JUnitCase): string {
  const start = `    <testcase${attributes({ classname: className, name, file, line })}`;
  if (outcome === 'passed') return `${start}/>`;
  const element = ELEMENTS[outcome];
  const [headline] = message.split('\n');
  const what = attributes({ message: headline, type: outcome === 'skipped' ? undefined : type });
  const body = outcome === 'skipped' ? '/>' : `>${escaped(message)}</${element}>`;
  return `${start}>\n      <${element}${what}${body}\n    </testcase>`;
}

const attributes = (values: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escaped(String(value))}"`))
    .join('');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' };

/** What XML 1.0 cannot hold at all, such as most control characters and half a surrogate pair, becomes U+FFFD. */
export const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"\t\n\r]/g, (character) => ENTITIES[character]);
