// What a terminal shows in addition to results: progress, colors, Ctrl-C. Uses a terminal made of arrays.
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run-cli';
import type { Stream, Terminal } from '../../src/cli/terminal';

const root = resolve(__dirname, '..', '..');
const circles = join('examples', 'circles.nabla.json');
const digits = join('examples', 'digits-learning-rates.nabla.json');

interface FakeTerminal {
  readonly terminal: Terminal;
  readonly out: string[];
  readonly err: string[];
}

/** @param pauses number of event loop turns before Ctrl-C is pressed */
function fakeTerminal({ isTTY = true, color = true, columns = 80, pauses: maxPauses = Infinity } = {}): FakeTerminal {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (lines: string[]): Stream => ({ write: (text) => void lines.push(text), isTTY, columns });
  let time = 0;
  let turns = 0;
  return {
    out,
    err,
    terminal: {
      out: stream(out),
      err: stream(err),
      color: isTTY && color,
      cwd: root,
      bundleFolder: root,
      // Each reading of the clock is 50 ms later: a slice ends after one step or chunk.
      now: () => (time += 50),
      pause: () => {
        turns++;
        return Promise.resolve();
      },
      interrupted: () => turns > maxPauses,
    },
  };
}

// eslint-disable-next-line no-control-regex
const stripAnsi = (text: string): string => text.replace(/\u001b\[[0-9;]*[mK]/g, '');

describe('on a terminal', () => {
  it('shows a bar, the loss and its course in one line, which is cleared at the end', async () => {
    const { terminal, out, err } = fakeTerminal();
    expect(await runCli(terminal, ['train', circles], '')).toBe(0);
    const drawn = err.filter((text) => text.includes('█'));
    expect(drawn.length).toBeGreaterThan(10);
    for (const text of err) {
      expect(text.startsWith('\r\u001b[K')).toBe(true);
      expect(text).not.toContain('\n');
      expect(stripAnsi(text).length).toBeLessThanOrEqual(80);
    }
    expect(stripAnsi(drawn[drawn.length - 1])).toMatch(/█+░* +\d+ % epoch \d+ {2}loss 0\.\d+ {2}[▁▂▃▄▅▆▇█]+$/);
    expect(err.at(-1)).toBe('\r\u001b[K');
    expect(out.join('')).toMatch(/^loss [▁▂▃▄▅▆▇█]{40,60}$/m);
  });

  it('fits the line to a narrow terminal', async () => {
    const { terminal, err } = fakeTerminal({ columns: 34 });
    await runCli(terminal, ['train', circles, '--epochs', '5'], '');
    expect(err.length).toBeGreaterThan(1);
    for (const text of err) expect(stripAnsi(text).replace('\r', '').length).toBeLessThan(34);
  });

  it('shows how many gradients a check has done', async () => {
    const { terminal, err } = fakeTerminal();
    await runCli(terminal, ['check', circles, '--step', '20'], '');
    expect(err.map(stripAnsi).join('')).toMatch(/step \d+ of 20/);
    expect(err.map(stripAnsi).join('')).toMatch(/\d+ of 22 gradients checked/);
  });

  it('colors verdicts, unless colors are off', async () => {
    const colored = fakeTerminal();
    await runCli(colored.terminal, ['check', circles], '');
    expect(colored.out.join('')).toContain('\u001b[32mpass\u001b[0m');
    const bare = fakeTerminal({ color: false });
    await runCli(bare.terminal, ['check', circles], '');
    expect(bare.out.join('')).not.toContain('\u001b');
    expect(bare.out.join('')).toBe(stripAnsi(colored.out.join('')));
  });

  it('leaves JSON unchanged', async () => {
    const { terminal, out } = fakeTerminal();
    await runCli(terminal, ['train', circles, '--steps', '5', '--json'], '');
    expect(JSON.parse(out.join(''))).toMatchObject({ command: 'train', steps: 5 });
  });
});

describe('without a terminal', () => {
  it('nothing but the result is written', async () => {
    const { terminal, out, err } = fakeTerminal({ isTTY: false });
    await runCli(terminal, ['train', circles], '');
    await runCli(terminal, ['check', circles, '--step', '9'], '');
    expect(err).toEqual([]);
    expect(out.join('')).toBe(stripAnsi(out.join('')));
    expect(out.join('')).not.toMatch(/[▁█]/);
  });
});

describe('Ctrl-C', () => {
  it('ends a check with what was checked, and exits with 130', async () => {
    const { terminal, out } = fakeTerminal({ isTTY: false, pauses: 0 });
    expect(await runCli(terminal, ['check', digits], '')).toBe(130);
    const [, checked] =
      /Stopped after (\d+) of 22,510 entries\. Backprop agrees with numeric derivatives at all \1 entries\./.exec(
        out.join(''),
      ) ?? [];
    const again = fakeTerminal({ isTTY: false, pauses: 0 });
    expect(await runCli(again.terminal, ['check', digits, '--json'], '')).toBe(130);
    expect(JSON.parse(again.out.join(''))).toMatchObject({ complete: false, checked: Number(checked), entries: 22510 });
  });

  it('before the requested step, says how far training came', async () => {
    for (const command of ['check', 'trace']) {
      const { terminal, out, err } = fakeTerminal({ isTTY: false, pauses: 3 });
      expect(await runCli(terminal, [command, circles, '--step', '700'], '')).toBe(130);
      expect(out).toEqual([]);
      expect(err).toEqual([expect.stringMatching(/^Stopped .* 4 of 700 steps\.\n$/)]);
      const again = fakeTerminal({ isTTY: false, pauses: 3 });
      expect(await runCli(again.terminal, [command, circles, '--step', '700', '--json'], '')).toBe(130);
      expect(again.err).toEqual([]);
      expect(JSON.parse(again.out.join(''))).toMatchObject({ command, file: circles, complete: false, step: 4 });
    }
  });

  it('ends training with the losses so far', async () => {
    const { terminal, out } = fakeTerminal({ isTTY: false, pauses: 5 });
    expect(await runCli(terminal, ['train', circles, '--json'], '')).toBe(130);
    const answer = JSON.parse(out.join('')) as {
      outcome: string;
      steps: number;
      evaluation: { train: { loss: number } };
    };
    expect(answer).toMatchObject({ outcome: 'interrupted', steps: 6 });
    expect(answer.evaluation.train.loss).toBeGreaterThan(0);
  });

  it('says of a fork that did not start whether the run ended earlier or was interrupted', async () => {
    for (const [at, why] of [
      ['2', 'Ctrl-C stopped it before its first step'],
      ['7', 'the run ended before step 7'],
    ]) {
      const { terminal, out } = fakeTerminal({ isTTY: false, pauses: 5 });
      expect(await runCli(terminal, ['train', circles, '--fork-at', at, '--lr', '0.02'], '')).toBe(130);
      expect(out.join('')).toContain('Stopped after 6 steps');
      expect(out.at(-1)).toBe(`\nThere is no fork: ${why}.\n`);
    }
  });
});
