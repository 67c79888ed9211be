// Requirements for every command: its descriptor is complete, help and parsing follow from it, and with --json its
// result is one JSON object, also on failure.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadCommands, optionsOf } from '../../src/cli/command';
import { commands as entries } from '../../src/cli/commands';
import { helpText, markdownSections, usageLine } from '../../src/cli/help';
import { optionName } from '../../src/cli/options';
import { parseCall } from '../../src/cli/parse-args';
import { runCli } from '../../src/cli/run-cli';
import type { Stream, Terminal } from '../../src/cli/terminal';
import { TrainingSession } from '../../src/session/session';

const root = resolve(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'nablascope-commands-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fakeTerminal(debug = false): { terminal: Terminal; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (lines: string[]): Stream => ({ write: (text) => void lines.push(text), isTTY: false, columns: 80 });
  const terminal: Terminal = {
    out: stream(out),
    err: stream(err),
    color: false,
    cwd: root,
    bundleFolder: root,
    debug,
    now: () => performance.now(),
    pause: () => Promise.resolve(),
    interrupted: () => false,
  };
  return { terminal, out, err };
}

const commands = await loadCommands(entries);

const circles = join('examples', 'circles.nabla.json');

describe.each(commands)('$name', ({ name, summary, description, options, exclusive = [] }) => {
  const command = commands.find((each) => each.name === name)!;
  const all = optionsOf(command);
  const spec = [
    ...(command.takesSpec === false ? [] : ['a.nabla.json']),
    ...(command.argument ? [command.argument.example] : []),
  ];
  /** The required options of the command. */
  const required = Object.entries(options).flatMap(([key, option]) =>
    option.required ? [optionName(key), option.example ?? ''] : [],
  );

  it('has a description', () => {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
    expect(description.every((paragraph) => paragraph.endsWith('.'))).toBe(true);
    for (const { help } of Object.values(all)) expect(help).toMatch(/^[A-Z].*[^.]$/);
  });

  it('has help that names every option, on lines of at most 100 characters', () => {
    const help = helpText(commands, command);
    for (const [key, { help: text }] of Object.entries(all)) {
      expect(help).toContain(optionName(key));
      expect(help.replace(/\s+/g, ' ')).toContain(text.replace(/\s+/g, ' '));
    }
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(markdownSections(commands).get(name)).toContain(usageLine(command));
  });

  it('parses each of its options, and its example', async () => {
    for (const [key, option] of Object.entries(options)) {
      const words = option.placeholder === undefined ? [optionName(key)] : [optionName(key), option.example!];
      const call = await parseCall([name, ...spec, ...(option.required ? [] : required), ...words], entries);
      expect(call.kind).toBe('run');
      if (call.kind === 'run') expect([null, false, undefined]).not.toContain(call.args[key as never]);
    }
  });

  it('rejects options that exclude each other', async () => {
    for (const group of exclusive) {
      const words = group.flatMap((key) =>
        all[key].placeholder === undefined ? [optionName(key)] : [optionName(key), all[key].example!],
      );
      await expect(parseCall([name, ...spec, ...required, ...words], entries)).rejects.toThrow(
        expect.objectContaining({ code: 'conflicting-options' }),
      );
    }
  });
});

it('reports an internal error as one JSON object, with the stack only for debugging', async () => {
  const crash = vi.spyOn(TrainingSession.prototype, 'stateHash').mockImplementation(() => {
    throw new TypeError('boom');
  });
  const words = ['train', circles, '--steps', '1', '--json'];
  try {
    for (const debug of [false, true]) {
      const { terminal, out, err } = fakeTerminal(debug);
      expect(await runCli(terminal, words, '')).toBe(1);
      expect(err).toEqual([]);
      const { error } = JSON.parse(out.join('')) as { error: { code: string; message: string; stack?: string[] } };
      expect(error).toMatchObject({ code: 'internal', message: 'TypeError: boom' });
      expect(error.stack !== undefined).toBe(debug);
    }
  } finally {
    crash.mockRestore();
  }
});

describe('text from a file', () => {
  const ESC = '\u001b';
  const hostile = `a${ESC}[31m${ESC}]0;x\u0007\u202Eb\u009Bc`;
  const spec = join(folder, 'hostile.nabla.json');
  writeFileSync(
    spec,
    JSON.stringify({
      name: hostile,
      data: { type: 'inline', inputs: [[1], [2]], targets: [[1], [3]] },
      layers: [{ type: 'linear', name: `l${ESC}[2J`, weight: [[1]], bias: [0] }],
      loss: 'mse',
      batch_size: 1,
      epochs: 1,
      sweep: { seed: [1] },
    }),
  );
  const csv = join(folder, 'hostile.csv');
  writeFileSync(csv, `a${ESC}[31m,b\n1,2\nx${ESC}[5m,4\n`);
  const csvSpec = join(folder, 'csv.nabla.json');
  writeFileSync(
    csvSpec,
    JSON.stringify({
      data: { type: 'csv', path: 'hostile.csv', target: 'b' },
      transforms: ['standardize'],
      layers: [{ type: 'linear', out_features: 1 }],
      loss: 'mse',
    }),
  );

  /** Characters that a terminal would interpret. */
  const CONTROLS = /[^\P{Cc}\n]|[\u202A-\u202E]/u;

  it.each([
    ['check', spec],
    ['train', spec],
    ['trace', spec],
    ['summary', spec],
    ['cost', spec],
    ['check', csvSpec],
    ['summary', csvSpec],
    ['check', `${ESC}[31mnowhere.nabla.json`],
    [`${ESC}[31mcheck`, spec],
  ])('%j %s prints no control character, as text and as JSON', async (name, file) => {
    for (const more of [[], ['--json']]) {
      const { terminal, out, err } = fakeTerminal();
      await runCli(terminal, [name, file, ...more], '');
      expect(out.join('') + err.join('')).not.toMatch(CONTROLS);
      expect((out.join('') + err.join('')).length).toBeGreaterThan(20);
    }
  });

  it('is unchanged in JSON', async () => {
    const { terminal, out } = fakeTerminal();
    await runCli(terminal, ['summary', spec, '--json'], '');
    expect((JSON.parse(out.join('')) as { name: string }).name).toBe(hostile);
  });
});

it('train --steps 0 prints the losses of the initial parameters', async () => {
  const { terminal, out } = fakeTerminal();
  expect(await runCli(terminal, ['train', circles, '--steps', '0', '--json'], '')).toBe(0);
  const answer = JSON.parse(out.join('')) as {
    steps: number;
    outcome: string;
    evaluation: { train: { loss: number } };
    series: Record<string, { low: number[] }>;
  };
  expect(answer).toMatchObject({ steps: 0, epochs: 0, outcome: 'finished' });
  const later = fakeTerminal();
  await runCli(later.terminal, ['train', circles, '--steps', '3', '--json'], '');
  const { series } = JSON.parse(later.out.join('')) as typeof answer;
  expect(answer.evaluation.train.loss).toBe(series['loss/train'].low[0]);
});

it('doctor prints at Ctrl-C the results that it has, and exits with 130', async () => {
  for (const format of [[], ['--json']]) {
    const { terminal, out, err } = fakeTerminal();
    let looks = 0;
    const stopped: Terminal = { ...terminal, interrupted: () => ++looks > 3 };
    expect(await runCli(stopped, ['doctor', circles, ...format], '')).toBe(130);
    const text = out.join('');
    if (format.length === 0) {
      expect(text).toMatch(/^Data .*\nFirst loss /m);
      expect(text).not.toMatch(/^Training|^Findings|^No findings/m);
      expect(err.join('')).not.toBe('');
    } else {
      const { complete, ...results } = JSON.parse(text) as Record<string, unknown>;
      expect(complete).toBe(false);
      const keys = Object.keys(results);
      const checks = ['data', 'initialLoss', 'gradients', 'overfit', 'rangeTest'];
      expect(keys).toEqual(['command', 'file', 'name', 'problems', ...checks].slice(0, keys.length));
      expect(keys).toContain('initialLoss');
    }
  }
});
