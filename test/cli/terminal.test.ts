// What a terminal is shown beside the results: progress, colours, Ctrl-C. Through a terminal made of arrays.
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCall } from '../../src/cli/run';
import type { Stream, Terminal } from '../../src/cli/terminal';

const root = resolve(__dirname, '..', '..');
const circles = join('examples', 'circles.nabla.json');
const digits = join('examples', 'digits-learning-rates.nabla.json');

interface Shown {
  readonly terminal: Terminal;
  readonly out: string[];
  readonly err: string[];
}

/** @param pauses after so many turns of the event loop Ctrl-C is pressed. */
function fake({ isTTY = true, colour = true, columns = 80, pauses = Infinity } = {}): Shown {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (lines: string[]): Stream => ({ write: (text) => void lines.push(text), isTTY, columns });
  let time = 0;
  let turns = 0;
  return {
    out,
    err,
    terminal: {
      out: stream(out), err: stream(err), colour: isTTY && colour, cwd: root, bundles: root,
      // Every look at the clock is 50 ms later: a slice is over after one step or chunk.
      now: () => (time += 50),
      pause: () => {
        turns++;
        return Promise.resolve();
      },
      interrupted: () => turns > pauses,
    },
  };
}

// eslint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*[mK]/g, '');

describe('on a terminal', () => {
  it('training shows a bar, the loss and how it went, in one line that is taken away at the end', async () => {
    const { terminal, out, err } = fake();
    expect(await runCall(terminal, ['train', circles], '')).toBe(0);
    const drawn = err.filter((text) => text.includes('█'));
    expect(drawn.length).toBeGreaterThan(10);
    for (const text of err) {
      expect(text.startsWith('\r\u001b[K')).toBe(true);
      expect(text).not.toContain('\n');
      expect(plain(text).length).toBeLessThanOrEqual(80);
    }
    expect(plain(drawn[drawn.length - 1])).toMatch(/█+░* +\d+ % epoch \d+ {2}loss 0\.\d+ {2}[▁▂▃▄▅▆▇█]+$/);
    expect(err.at(-1)).toBe('\r\u001b[K');
    expect(out.join('')).toMatch(/^loss [▁▂▃▄▅▆▇█]{40,60}$/m);
  });

  it('the line fits a narrow terminal', async () => {
    const { terminal, err } = fake({ columns: 34 });
    await runCall(terminal, ['train', circles, '--epochs', '5'], '');
    expect(err.length).toBeGreaterThan(1);
    for (const text of err) expect(plain(text).replace('\r', '').length).toBeLessThan(34);
  });

  it('a check shows how many gradients are done', async () => {
    const { terminal, err } = fake();
    await runCall(terminal, ['check', circles, '--step', '20'], '');
    expect(err.map(plain).join('')).toMatch(/step \d+ of 20/);
    expect(err.map(plain).join('')).toMatch(/\d+ of 22 gradients checked/);
  });

  it('verdicts are coloured, unless colours are off', async () => {
    const coloured = fake();
    await runCall(coloured.terminal, ['check', circles], '');
    expect(coloured.out.join('')).toContain('\u001b[32mpass\u001b[0m');
    const bare = fake({ colour: false });
    await runCall(bare.terminal, ['check', circles], '');
    expect(bare.out.join('')).not.toContain('\u001b');
    expect(bare.out.join('')).toBe(plain(coloured.out.join('')));
  });

  it('JSON stays JSON', async () => {
    const { terminal, out } = fake();
    await runCall(terminal, ['train', circles, '--steps', '5', '--json'], '');
    expect(JSON.parse(out.join(''))).toMatchObject({ command: 'train', steps: 5 });
  });
});

describe('where there is no terminal', () => {
  it('nothing is written beside the result', async () => {
    const { terminal, out, err } = fake({ isTTY: false });
    await runCall(terminal, ['train', circles], '');
    await runCall(terminal, ['check', circles, '--step', '9'], '');
    expect(err).toEqual([]);
    expect(out.join('')).toBe(plain(out.join('')));
    expect(out.join('')).not.toMatch(/[▁█]/);
  });
});

describe('Ctrl-C', () => {
  it('ends a check with what was checked, and 130', async () => {
    const { terminal, out } = fake({ isTTY: false, pauses: 0 });
    expect(await runCall(terminal, ['check', digits], '')).toBe(130);
    const [, checked] = /Stopped after (\d+) of 22,510 entries\. Backprop agrees with numeric derivatives at all \1 entries\./.exec(out.join('')) ?? [];
    const again = fake({ isTTY: false, pauses: 0 });
    expect(await runCall(again.terminal, ['check', digits, '--json'], '')).toBe(130);
    expect(JSON.parse(again.out.join(''))).toMatchObject({ complete: false, checked: Number(checked), entries: 22510 });
  });

  it('ends training on the way to a step without a word', async () => {
    for (const command of ['check', 'trace']) {
      const { terminal, out, err } = fake({ isTTY: false, pauses: 3 });
      expect(await runCall(terminal, [command, circles, '--step', '700'], '')).toBe(130);
      expect([...out, ...err]).toEqual([]);
    }
  });

  it('ends training with the losses so far', async () => {
    const { terminal, out } = fake({ isTTY: false, pauses: 5 });
    expect(await runCall(terminal, ['train', circles, '--json'], '')).toBe(130);
    const answer = JSON.parse(out.join('')) as { outcome: string; steps: number; evaluation: { train: { loss: number } } };
    expect(answer).toMatchObject({ outcome: 'interrupted', steps: 6 });
    expect(answer.evaluation.train.loss).toBeGreaterThan(0);
  });

  it('says of a fork that was not begun whether the run did not get there, or it was stopped', async () => {
    for (const [at, why] of [['2', 'it was stopped before its first step'], ['7', 'the run ended before step 7']]) {
      const { terminal, out } = fake({ isTTY: false, pauses: 5 });
      expect(await runCall(terminal, ['train', circles, '--fork-at', at, '--lr', '0.02'], '')).toBe(130);
      expect(out.join('')).toContain('Stopped after 6 steps');
      expect(out.at(-1)).toBe(`\nThere is no fork: ${why}.\n`);
    }
  });
});
