// A gradient check as JUnit XML, the form that build servers read: a suite a spec, a case a parameter.
import { type CheckReport, outcomeOf } from '../gradcheck';
import { type PlacedProblem, problemText } from './problems';

/** XML 1.0 has no place for control characters and lone surrogates, not even escaped. */
const clean = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');

const escaped = (text: string): string =>
  clean(text).replace(/[&<>"'\n\r\t]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' })[one] ?? `&#${one.charCodeAt(0)};`);

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

function document(file: string, seconds: number, cases: readonly string[], { tests, failures, errors, skipped }: Counts): string {
  const counts = `tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="nablascope check" ${counts}>`,
    `  <testsuite name="${escaped(file)}" ${counts}>`,
    ...cases.map((each) => `    ${each}`),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** @param seconds that the check took as a whole */
export function junitOf(file: string, report: CheckReport, seconds: number): string {
  let [failures, skipped] = [0, 0];
  const cases = report.parameters.map((parameter) => {
    const outcome = outcomeOf(parameter, report);
    const head = `<testcase classname="${escaped(file)}" name="${escaped(parameter.name)}"`;
    if (outcome.kind === 'passed') return `${head} />`;
    if (outcome.kind === 'skipped') {
      skipped++;
      return `${head}><skipped message="${escaped(outcome.why)}" /></testcase>`;
    }
    failures++;
    return `${head}><failure type="wrong gradient" message="${escaped(outcome.message)}">expected: ${escaped(outcome.expected)}&#10;actual: ${escaped(outcome.actual)}</failure></testcase>`;
  });
  return document(file, seconds, cases, { tests: cases.length, failures, errors: 0, skipped });
}

/** A spec that could not be checked: one case, in error. */
export function junitOfProblems(file: string, problems: readonly PlacedProblem[] | string): string {
  const text = typeof problems === 'string' ? problems : problems.map(problemText).join('\n');
  const one = `<testcase classname="${escaped(file)}" name="spec"><error type="spec" message="${escaped(text.split('\n')[0])}">${escaped(text)}</error></testcase>`;
  return document(file, 0, [one], { tests: 1, failures: 0, errors: 1, skipped: 0 });
}
