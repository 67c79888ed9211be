// JUnit XML, read back by a strict parser: every case there, every character kept or replaced.
import * as fc from 'fast-check';
import sax from 'sax';
import { describe, expect, it } from 'vitest';
import { junitOf, junitOfProblems } from '../../src/cli/junit';
import type { CheckReport, ParameterCheck } from '../../src/gradcheck';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Throws where it is not well-formed. */
function parse(xml: string): Element {
  const parser = sax.parser(true);
  const open: Element[] = [{ name: '', attributes: {}, children: [], text: '' }];
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, children: [], text: '' };
    open[open.length - 1].children.push(element);
    open.push(element);
  };
  parser.ontext = (text) => (open[open.length - 1].text += text);
  parser.onclosetag = () => void open.pop();
  parser.write(xml).close();
  return open[0].children[0];
}

const none = { pass: 0, wrong: 0, kink: 0, below_noise: 0 };
const parameter = (name: string, counts: Partial<typeof none>): ParameterCheck => {
  const worst = counts.wrong ? { index: [0, 1], analytic: 2, numeric: 1, relativeError: 0.5, verdict: 'wrong' as const } : null;
  return { name, shape: [2, 2], entries: 4, checked: 4, counts: { ...none, ...counts }, worst, verdict: counts.wrong ? 'wrong' : 'pass' };
};
const report = (parameters: readonly ParameterCheck[], sentence = ''): CheckReport =>
  ({ parameters, loss: 1, diagnosis: sentence ? { sentence } : null }) as unknown as CheckReport;

describe('JUnit XML', () => {
  it('has a case a parameter, with what was expected, what came, and why', () => {
    const xml = junitOf('a.nabla.json', report([
      parameter('one.weight', { pass: 4 }), parameter('one.bias', { wrong: 1, pass: 3 }), parameter('two.weight', { below_noise: 3, kink: 1 }),
    ], 'The sign is wrong.'), 1.5);
    const [suite] = parse(xml).children;
    expect(suite.attributes).toEqual({ name: 'a.nabla.json', tests: '3', failures: '1', errors: '0', skipped: '1', time: '1.500' });
    expect(suite.children.map(({ attributes }) => attributes.name)).toEqual(['one.weight', 'one.bias', 'two.weight']);
    expect(suite.children[0].children).toEqual([]);
    const [failure] = suite.children[1].children;
    expect(failure.name).toBe('failure');
    expect(failure.attributes.message).toContain('The sign is wrong.');
    expect(failure.text).toBe(
      'expected: d loss / d one.bias[0, 1] = 1 (numeric derivative)\nactual: d loss / d one.bias[0, 1] = 2 (backprop), relative error 0.5',
    );
    expect(suite.children[2].children[0]).toMatchObject({ name: 'skipped', attributes: { message: 'No entry could be told: of 4, 3 smaller than round-off can resolve, 1 on a kink.' } });
  });

  it('is well-formed whatever a name holds, and keeps what XML can hold', () => {
    const hostile = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom('<', '&', '"', "'", ']]>', '\u0000', '\u202e', '\ud800', '\n', '\u001b')) });
    fc.assert(fc.property(hostile, hostile, (name, sentence) => {
      const [suite] = parse(junitOf(name, report([parameter(name, { wrong: 1 })], `x${sentence}`), 0)).children;
      // eslint-disable-next-line no-control-regex
      const kept = name.replace(/\p{Cs}/gu, '\ufffd').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
      expect(suite.children[0].attributes.name).toBe(kept);
      expect(parse(junitOfProblems(name, sentence)).children[0].children[0].children[0].name).toBe('error');
    }));
  });
});
