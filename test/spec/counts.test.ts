// Of one thing sentences speak as of one.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRun, parseSpec } from '../../src/spec';
import { noFiles } from '../support/files';

const line = { type: 'inline', inputs: [[1], [2]], targets: [[1], [2]] };
const spec = (change: object): object => ({ data: line, layers: [{ type: 'linear', out_features: 1 }], loss: 'mse', optimizer: { type: 'sgd', lr: 0.1 }, ...change });
const messages = (of: object): string[] => {
  const text = JSON.stringify(of);
  const { problems } = loadRun(text, noFiles);
  return (problems.length > 0 ? problems : parseSpec(text).problems).map(({ message }) => message);
};

it.each([
  [spec({ data: { ...line, split: { validation: 0.4, test: 0.4 } } }), 'Of 2 samples, 1 is held out for validation and 1 for the test: none is left to train on.'],
  [spec({ data: { ...line, inputs: [[1]], targets: [[1]], split: { validation: 0.5 } } }), 'Of 1 sample, 1 is held out for validation and 0 for the test: none is left to train on.'],
  [spec({ layers: [{ type: 'linear', out_features: 2, weight: [[1]] }] }), 'There is 1 row of weights for 2 units.'],
  [spec({ layers: [{ type: 'linear', out_features: 1, weight: [[1], [2]] }] }), 'There are 2 rows of weights for 1 unit.'],
  [spec({ layers: [{ type: 'linear', out_features: 2, in_features: 2, weight: [[1], [2]] }] }), 'Each row of weights has 1 number for 2 inputs.'],
  [spec({ layers: [{ type: 'linear', out_features: 2, bias: [1] }] }), 'There is 1 bias for 2 units.'],
])('%j', (of, message) => {
  expect(messages(of)).toContain(message);
});

/** A number ahead of what it counts. */
const COUNTED = /\$\{[^{}]*\} (?:[a-z]+ )?(?:samples|steps|entries|epochs|runs|units|layers|parameters|rows|bytes|batches|numbers|terms|weights|inputs|features|lines|characters|cells|points|biases)\b/g;
/** What is never one of them: limits, what is more than a limit, what a condition keeps from one, names and shapes. */
const NEVER_ONE = [
  'MOST_', 'MAX_', '.join(', 'formatShape(', 'precision}', 'kind}', 'expected}', 'size.width}', 'length > ', 'total.toLocaleString', 'runs.toLocaleString', 'samples.toLocaleString', 'bytes} bytes', 'kept.void', 'done} runs', 'totalSteps} steps', 'report.checked} entries',
  'text.length} characters', 'text.length / 1e6', 'all.length} lines', 'measured.length} lines', 'analytic.length} entries', 'rows.length)} rows', 'steps.length)} rows', 'stride} steps', 'columnStride} entries', 'weights.length} weights', 'known} entries', 'samples.train} training', 'answer.name} is',
  'mostFeatures} features', 'entries.length} parameters', 'length} bytes', 'index.length} cells', 'sizeOf(last)} hidden', 'last.parameters} parameters', 'given} numbers', 'counted(',
];

describe('texts', () => {
  it('count with `counted` where there may be one', () => {
    const root = resolve(__dirname, '../..');
    const found: string[] = [];
    for (const folder of ['src', 'webview']) {
      for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
        const file = join(entry.parentPath, entry.name);
        readFileSync(file, 'utf8').split('\n').forEach((text) => {
          for (const [phrase] of text.matchAll(COUNTED)) if (!NEVER_ONE.some((part) => phrase.includes(part))) found.push(`${entry.name}: ${phrase}`);
        });
      }
    }
    expect(found).toEqual([]);
  });
});
