import { expect, it } from 'vitest';
import { ConsoleCapture } from '../../src/process/console-capture';
import { OutputBudget } from '../../src/process/output-budget';

it('admits at most its maximum per second, and says how much was dropped before', () => {
  let time = 0;
  const budget = new OutputBudget(() => time, 10);
  expect(budget.admit(4)).toEqual({ admitted: 4, dropped: 0 });
  expect(budget.admit(8)).toEqual({ admitted: 6, dropped: 0 });
  time = 999;
  expect(budget.admit(5)).toEqual({ admitted: 0, dropped: 0 });
  time = 1000;
  expect(budget.admit(3)).toEqual({ admitted: 3, dropped: 7 });
  time = 2000;
  expect(budget.admit(3)).toEqual({ admitted: 3, dropped: 0 });
});

it('bounds what is written to a stream, by lines and by length, and names the layer', () => {
  const lines: string[] = [];
  let completed = 0;
  const capture = new ConsoleCapture({
    now: () => 0,
    source: () => 'own1',
    write: (level, text, source) => lines.push(`${level} ${source} ${text}`),
  });
  const stream = { write: () => true } as unknown as NodeJS.WriteStream;
  capture.attachStream(stream, 'info');
  expect(stream.write('x'.repeat(10_000))).toBe(true);
  expect(lines[0]).toBe(`info own1 ${'x'.repeat(4000)}… (10000 characters)`);
  stream.write(Buffer.from('a line\n'), () => completed++);
  expect(lines[1]).toBe('info own1 a line');
  for (let i = 0; i < 1000; i++) stream.write('y\n');
  expect(lines).toHaveLength(100);
  return new Promise<void>((resolve) => process.nextTick(resolve)).then(() => expect(completed).toBe(1));
});
