// A check as JUnit XML, for build servers. A suite is a spec; a case is one of its gradients.
// https://github.com/testmoapp/junitxml describes what readers support.
import type { CheckCase } from '../presentation/check-cases';

export interface JUnitCase {
  readonly className: string;
  readonly name: string;
  /** Line of the layer in the spec, from 1. */
  readonly line?: number | undefined;
  readonly outcome: CheckCase['outcome'] | 'error';
  /** What is wrong; its first line is the headline. */
  readonly message: string;
  /** What kind of error or failure. */
  readonly type?: string;
}

export interface JUnitSuite {
  /** The path of the spec as typed. */
  readonly file: string;
  readonly seconds: number;
  readonly cases: readonly JUnitCase[];
}

const ELEMENT_NAMES = { failed: 'failure', error: 'error', skipped: 'skipped' } as const;

/** Well-formed for any names and messages. */
export function toJUnitXml({ file, seconds, cases }: JUnitSuite): string {
  const count = (outcome: JUnitCase['outcome']): number => cases.filter((each) => each.outcome === outcome).length;
  const totals = {
    tests: cases.length,
    failures: count('failed'),
    errors: count('error'),
    skipped: count('skipped'),
    time: seconds.toFixed(3),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${formatAttributes({ name: 'nablascope check', ...totals })}>`,
    `  <testsuite${formatAttributes({ name: file, file, ...totals })}>`,
    ...cases.map((each) => toTestCaseXml(file, each)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function toTestCaseXml(file: string, { className, name, line, outcome, message, type }: JUnitCase): string {
  const start = `    <testcase${formatAttributes({ classname: className, name, file, line })}`;
  if (outcome === 'passed') return `${start}/>`;
  const element = ELEMENT_NAMES[outcome];
  const [headline] = message.split('\n');
  const what = formatAttributes({ message: headline, type: outcome === 'skipped' ? undefined : type });
  const body = outcome === 'skipped' ? '/>' : `>${escapeXml(message)}</${element}>`;
  return `${start}>\n      <${element}${what}${body}\n    </testcase>`;
}

const formatAttributes = (values: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeXml(String(value))}"`))
    .join('');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Characters that XML 1.0 does not allow, such as most control characters and unpaired surrogates, become U+FFFD. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"\t\n\r]/g, (character) => ENTITIES[character]!);
