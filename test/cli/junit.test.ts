// The result of a check as JUnit XML, read by a strict parser, for any names and messages.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import sax from 'sax';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JUnitSuite, toJUnitXml } from '../../src/cli/junit';
import { buildCli, type BuiltCli } from './built-cli';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Throws if the text is not well-formed. */
function parse(text: string): Element {
  const parser = sax.parser(true);
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name, attributes }) => {
    const element = { name, attributes: attributes as Record<string, string>, children: [], text: '' };
    open[open.length - 1].children.push(element);
    open.push(element);
  };
  parser.onclosetag = () => void open.pop();
  parser.ontext = (piece) => void (open[open.length - 1].text += piece);
  parser.write(text).close();
  return top.children[0];
}

/** Characters that XML does not allow are replaced; everything else is preserved. */
const sanitizeXml = (text: string): string =>
  text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD');

const suiteOf = (file: string, name: string, message: string): JUnitSuite => ({
  file,
  seconds: 0.25,
  cases: [
    { className: name, name, line: 7, outcome: 'failed', message, type: 'wrong-gradient' },
    { className: name, name, outcome: 'error', message, type: 'spec' },
    { className: name, name, outcome: 'skipped', message },
    { className: name, name, outcome: 'passed', message: '' },
  ],
});

describe('JUnit XML', () => {
  it('is well-formed and keeps any text', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            '<',
            '>',
            '&',
            '"',
            "'",
            ']]>',
            '<!--',
            '&#0;',
            '\u0000',
            '\u001b',
            '\ud800',
            '\udc00',
            '\uffff',
            '\n',
            '\r',
            '\t',
            '😀',
            '<?x?>',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (file, name, message) => {
        const {
          name: root,
          attributes,
          children: [suite],
        } = parse(toJUnitXml(suiteOf(file, name, message)));
        expect(root).toBe('testsuites');
        expect(attributes).toMatchObject({ tests: '4', failures: '1', errors: '1', skipped: '1', time: '0.250' });
        expect(suite.attributes).toMatchObject({ name: sanitizeXml(file), file: sanitizeXml(file), tests: '4' });
        const [failed, error, skipped, passed] = suite.children;
        for (const each of suite.children)
          expect(each.attributes).toMatchObject({ classname: sanitizeXml(name), name: sanitizeXml(name) });
        expect(failed.attributes.line).toBe('7');
        expect(failed.children).toMatchObject([
          {
            name: 'failure',
            text: sanitizeXml(message),
            attributes: { message: sanitizeXml(message.split('\n')[0]), type: 'wrong-gradient' },
          },
        ]);
        expect(error.children).toMatchObject([{ name: 'error', text: sanitizeXml(message) }]);
        expect(skipped.children).toMatchObject([
          { name: 'skipped', attributes: { message: sanitizeXml(message.split('\n')[0]) } },
        ]);
        expect(passed.children).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('nablascope check --junit', () => {
  let cli: BuiltCli;
  let folder: string;

  beforeAll(async () => {
    cli = await buildCli();
    folder = mkdtempSync(join(tmpdir(), 'nablascope-junit-'));
  });

  afterAll(() => {
    cli?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function check(
    spec: object | string,
    ...words: string[]
  ): Promise<{ code: number | null; suite: Element; err: string }> {
    writeFileSync(join(folder, 'a<b>.nabla.json'), typeof spec === 'string' ? spec : JSON.stringify(spec, null, 2));
    const { code, err } = await cli.run(['check', 'a<b>.nabla.json', '--junit', 'reports/check.xml', ...words], {
      cwd: folder,
    });
    return { code, err, suite: parse(readFileSync(join(folder, 'reports', 'check.xml'), 'utf8')).children[0] };
  }

  it('writes a case per gradient, at the line of its layer', async () => {
    const { code, suite } = await check({
      data: { type: 'circles', samples: 20 },
      loss: 'cross_entropy',
      batch_size: 4,
      layers: [{ type: 'linear', out_features: 3, name: 'the "first"' }, 'tanh', { type: 'linear', out_features: 2 }],
    });
    expect(code).toBe(0);
    expect(suite.attributes).toMatchObject({
      file: 'a<b>.nabla.json',
      tests: '7',
      failures: '0',
      errors: '0',
      skipped: '0',
    });
    expect(Number(suite.attributes.time)).toBeGreaterThan(0);
    expect(suite.children.map(({ attributes: { classname, name } }) => `${classname} ${name}`)).toEqual([
      'a<b>.the "first" weight',
      'a<b>.the "first" bias',
      'a<b>.tanh1 input',
      'a<b>.linear2 weight',
      'a<b>.linear2 bias',
      'a<b>.linear2 input',
      'a<b>.loss prediction',
    ]);
    expect(suite.children.map(({ attributes }) => attributes.line)).toEqual(['9', '9', '14', '15', '15', '15', '6']);
  });

  it('says what failed and why, consistent with the exit code', async () => {
    const { code, suite } = await check({
      data: { type: 'inline', inputs: [[1]], targets: [[1]] },
      layers: [{ type: 'linear', weight: [[-15]], bias: [-15] }, 'sigmoid'],
      loss: 'bce',
      batch_size: 1,
      precision: 'float64',
    });
    expect(code).toBe(1);
    expect(suite.attributes).toMatchObject({ failures: '3', errors: '0' });
    const [weight] = suite.children;
    expect(weight.children[0]).toMatchObject({ name: 'failure', attributes: { type: 'wrong-gradient' } });
    expect(weight.children[0].text).toMatch(
      /^Backprop is wrong at 1 of 1 entry of linear1\.weight\..*\nWhy: The gradient of the loss bce is 0\.0/,
    );
  });

  it('fails where a custom layer is wrong in isolation alone, with the reason', async () => {
    // The gradients of earlier calls are added: in the first call, all entries of the network agree.
    writeFileSync(
      join(folder, 'sums.mjs'),
      `let total = 0;
export default {
  parameters: () => ({ w: [1] }),
  forward: ({ x, parameters: { w }, ops }) => ops.add(x, w),
  backward({ dy, ops }) {
    total += dy.data.reduce((a, b) => a + b, 0);
    return { dx: ops.tensor(dy.shape, dy.data), parameters: { w: ops.tensor([1], total) } };
  },
};`,
    );
    const { code, suite } = await check(
      {
        data: { type: 'circles', samples: 20 },
        layers: [
          { type: 'custom', name: 'sums', module: './sums.mjs' },
          { type: 'linear', out_features: 2 },
        ],
        loss: 'cross_entropy',
        batch_size: 6,
      },
      '--allow-code',
    );
    expect(code).toBe(1);
    expect(suite.attributes).toMatchObject({ failures: '1', errors: '0' });
    expect(suite.children[0]).toMatchObject({
      attributes: { classname: 'a<b>.sums', name: 'w' },
      children: [{ name: 'failure', attributes: { type: 'wrong-gradient' } }],
    });
    expect(suite.children[0].children[0].text).toContain('Why: The gradient of sums.w grows with every call');
  });

  it('has an error for an inconclusive check, a diverged run, and a spec that cannot run', async () => {
    const flat = {
      data: { type: 'inline', inputs: [[0]], targets: [[1]] },
      layers: [{ type: 'linear', weight: [[1]], bias: false }],
      loss: 'mse',
      batch_size: 1,
      precision: 'float64',
    };
    const errorOf = (suite: Element): Element | undefined =>
      suite.children[suite.children.length - 1].children.find(({ name }) => name === 'error');
    const untold = await check(flat);
    expect(untold.code).toBe(1);
    expect(errorOf(untold.suite)?.text).toContain('That is not a pass.');
    const steep = await check(
      {
        ...flat,
        data: { type: 'inline', inputs: [[1]], targets: [[1]] },
        layers: [{ type: 'linear', weight: [[2]] }],
        optimizer: { type: 'sgd', lr: 1e9 },
        epochs: 100,
      },
      '--step',
      '90',
    );
    expect(steep.code).toBe(1);
    expect(errorOf(steep.suite)?.text).toMatch(/^The run diverged in step \d+/);
    const broken = await check('{ "data": "circles", "layers": ["lineer"], "loss": "mse" }');
    expect(broken.code).toBe(2);
    expect(errorOf(broken.suite)?.text).toContain('a<b>.nabla.json:1:33: error: There is no layer "lineer".');
    expect(broken.err).toContain('lineer');
  });

  it('reports a file that cannot be written', async () => {
    const { code, err } = await cli.run([
      'check',
      join('examples', 'one-neuron.nabla.json'),
      '--junit',
      join('package.json', 'x.xml'),
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/package\.json.x\.xml cannot be written \((ENOTDIR|EEXIST)\)\./);
  });
});
