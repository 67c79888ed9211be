import type { Problem } from '../../../src/protocol/problem';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintSpec } from '../../../src/model-spec/fingerprint';
import { findFunctionBody } from '../../../src/host/custom-layers/function-body';
import { newSpecSnippet, newSpecTemplate } from '../../../src/host/templates';
import { shiftProblems } from '../../../src/host/model-spec/text-positions';
import { analyzeSpec } from '../../../src/host/model-spec/analyze-spec';
import { positionsAt } from '../../../src/host/model-spec/text-positions';

describe('a new spec', () => {
  it('has no problem', () => {
    expect(analyzeSpec(newSpecTemplate).problems).toEqual([]);
  });

  it('is the same as a snippet, with tab stops in their order', () => {
    const stops = [...newSpecSnippet.matchAll(/\$\{(\d)[:|]([^},|]*)[^}]*\}/g)];
    expect(stops.map(([, stop]) => stop)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(newSpecSnippet.replace(/\$\{\d[:|]([^},|]*)[^}]*\}/g, '$1')).toBe(newSpecTemplate);
  });
});

describe('analyzing a spec without running it', () => {
  it('checks shapes if the data is known, and leaves files to the engine', () => {
    const layers = '"layers": [{ "type": "linear", "in_features": 3, "out_features": 2 }], "loss": "cross_entropy"';
    expect(analyzeSpec(`{ "data": "circles", ${layers} }`).problems.map(({ code }) => code)).toEqual([
      'shape-mismatch',
    ]);
    const csv = analyzeSpec(`{ "data": { "type": "csv", "path": "none.csv", "target": "y" }, ${layers} }`);
    expect(csv.problems).toEqual([]);
    expect(csv.spec).toBeDefined();
  });

  it('skips texts that would block the editor', () => {
    const { spec, problems } = analyzeSpec(`${newSpecTemplate}${' '.repeat(1_000_000)}`);
    expect(spec).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(['too-long']);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void analyzeSpec(text)));
  });
});

describe('positions in a text', () => {
  it('count lines and columns from 1, for offsets in any order', () => {
    const text = 'ab\n\ncd';
    expect(positionsAt(text, [5, 0, 2, 3, 4, 6])).toEqual([
      { line: 3, column: 2 },
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 3, column: 3 },
    ]);
  });
});

describe('the fingerprint of a spec', () => {
  const meaning = (text: string): ReturnType<typeof fingerprintSpec> => {
    const { spec, problems } = analyzeSpec(text);
    if (!spec) throw new Error(JSON.stringify(problems));
    return fingerprintSpec(spec);
  };
  const first = meaning(newSpecTemplate);

  it('ignores white space, comments, and written-out defaults', () => {
    expect(meaning(newSpecTemplate.replaceAll('\n', '\r\n  ').replace('{', '/* x */ {'))).toEqual(first);
    expect(meaning(newSpecTemplate.replace('"data": "circles"', '"data": { "type": "circles" }'))).toEqual(first);
  });

  it.each([
    ['"out_features": 16', '"out_features": 15'],
    ['"tanh"', '"relu"'],
    ['0.9', '0.8'],
    ['"batch_size": 16', '"batch_size": 8'],
  ])('is another, and another run, with %s -> %s', (from, to) => {
    const other = meaning(newSpecTemplate.replace(from, to));
    expect(other.full).not.toBe(first.full);
    expect(other.trajectory).not.toBe(first.trajectory);
  });

  it.each([
    ['"epochs": 100', '"epochs": 101'],
    ['"name": "circles"', '"name": "rings"'],
  ])('is another, but the same steps, with %s -> %s', (from, to) => {
    const other = meaning(newSpecTemplate.replace(from, to));
    expect(other.full).not.toBe(first.full);
    expect(other.trajectory).toBe(first.trajectory);
  });
});

describe('problems while the text around them is edited', () => {
  const problem = (start: number, end: number): Problem => ({
    code: 'x',
    severity: 'error',
    start,
    end,
    message: '',
    remedy: '',
  });
  const marked = (text: string, { start, end }: Problem): string => text.slice(start, end);

  it('move with their text', () => {
    const text = 'aaa BAD ccc';
    const bad = problem(4, 7);
    fc.assert(
      fc.property(fc.nat(11), fc.nat(11), fc.string({ maxLength: 5 }), (a, b, put) => {
        const [offset, end] = [Math.min(a, b), Math.max(a, b)];
        const edited = text.slice(0, offset) + put + text.slice(end);
        const shifted = shiftProblems([bad], [{ offset, length: end - offset, text: put }]);
        const touched = offset < bad.end && end > bad.start;
        if (touched) expect(shifted).toEqual([]);
        else expect(shifted.map((moved) => marked(edited, moved))).toEqual(['BAD']);
      }),
    );
  });

  it('follow consecutive edits', () => {
    const edits = [
      { offset: 8, length: 1, text: '' },
      { offset: 0, length: 0, text: 'xy' },
    ];
    expect(shiftProblems([problem(4, 7)], edits)).toEqual([problem(6, 9)]);
  });
});

describe("the body of a layer's function", () => {
  it.each([
    ['export default { forward: ({ x, ops }) => |ops.tanh(x) };'],
    ['export default {\n  forward({ x, ops }) {\n    // forward(x) {\n    |return ops.tanh(x);\n  },\n};'],
    [
      'export default {\n  backward: (call) => g(call),\n  forward: function named({ x }: { x: Tensor }): Tensor {\n    |const y = x;\n  } };',
    ],
    ['export default { text: "forward(", forward: (call = f(1, (2))) => { |return call; } };'],
    ['/* forward( */ export default { forward ( { x } ) : Tensor {|x;} }'],
  ])('begins where it does something: %s', (marked) => {
    expect(findFunctionBody(marked.replace('|', ''), 'forward')).toBe(marked.indexOf('|'));
  });

  it.each([
    '',
    'export default {};',
    'import forward from "./a.ts"; export default { forward };',
    'export default { forward(',
  ])('is not guessed: %s', (text) => {
    expect(findFunctionBody(text, 'forward')).toBeNull();
  });
});
