// `nablascope report`: the file holds what other commands say of the same step, and the exit code what came of it.
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

it('writes the step that another command tells of', async () => {
  const file = join(folder, 'new folder', 'report.html');
  const { code, out, err } = await cli.run(['report', 'examples/circles.nabla.json', '--step', '6', '--check', '--out', file]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`${file}: after 6 steps.\n`);
  const page = readFileSync(file, 'utf8');
  const trace = JSON.parse((await cli.run(['trace', 'examples/circles.nabla.json', '--step', '6', '--json'])).out) as { loss: number };
  expect(page).toContain(`<data value="${trace.loss}"`);
  const train = JSON.parse((await cli.run(['train', 'examples/circles.nabla.json', '--steps', '6', '--json'])).out) as { evaluation: Record<string, { loss: number }> };
  for (const { loss } of Object.values(train.evaluation)) expect(page).toContain(`<data value="${loss}"`);
  expect(page).toContain('Backprop agrees with numeric derivatives');
  expect(page.match(/<figure>/g)?.length).toBe(4);
  expect(page).not.toMatch(/<script|https?:/i);
});

it('says what is missing in a call', async () => {
  const { code, err } = await cli.run(['report', 'examples/circles.nabla.json']);
  expect(code).toBe(2);
  expect(err).toContain('"report" needs a file to write.');
});

it('a wrong gradient is in the report and in the exit code', async () => {
  const file = join(folder, 'wrong.html');
  const { code } = await cli.run(['report', 'examples/wrong-loss-scale.nabla.json', '--allow-code', '--step', '1', '--check', '--out', file]);
  expect(code).toBe(1);
  expect(readFileSync(file, 'utf8')).toContain('<strong>Why:</strong>');
});
