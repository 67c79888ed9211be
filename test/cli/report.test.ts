// `nablascope report`: the file contains what other commands print for the same step, and the exit code reflects the
// result.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildCli, type BuiltCli } from './built-cli';

let cli: BuiltCli;
let folder: string;
beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), 'nablascope-report-'));
});
afterAll(() => {
  cli?.remove();
  rmSync(folder, { recursive: true, force: true });
});

it('writes the same step as another command prints', async () => {
  const file = join(folder, 'new folder', 'report.html');
  const { code, out, err } = await cli.run([
    'report',
    'examples/circles.nabla.json',
    '--step',
    '6',
    '--check',
    '--out',
    file,
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(`Wrote ${file}: the run after 6 steps. Backprop agrees`);
  const page = readFileSync(file, 'utf8');
  const trace = JSON.parse((await cli.run(['trace', 'examples/circles.nabla.json', '--step', '6', '--json'])).out) as {
    loss: number;
  };
  expect(page).toContain(`<data value="${trace.loss}"`);
  const train = JSON.parse((await cli.run(['train', 'examples/circles.nabla.json', '--steps', '6', '--json'])).out) as {
    evaluation: Record<string, { loss: number }>;
  };
  for (const { loss } of Object.values(train.evaluation)) expect(page).toContain(`<data value="${loss}"`);
  expect(page).toContain('Backprop agrees with numeric derivatives');
  expect(page.match(/<figure>/g)?.length).toBe(4);
  expect(page).not.toMatch(/<script|https?:/i);
});

it('shows a wrong gradient in the report and in the exit code', async () => {
  const file = join(folder, 'wrong.html');
  const { code } = await cli.run([
    'report',
    'examples/wrong-loss-scale.nabla.json',
    '--allow-code',
    '--step',
    '1',
    '--check',
    '--out',
    file,
  ]);
  expect(code).toBe(1);
  expect(readFileSync(file, 'utf8')).toContain('<strong>Why:</strong>');
});
