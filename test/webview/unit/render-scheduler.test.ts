// The order in which components are drawn, with a clock that only drawing advances.
import { describe, expect, it } from 'vitest';
import type { Component } from '../../../webview/context';
import { RenderScheduler } from '../../../webview/canvas/render-scheduler';

/** Components that take this long to draw. @param hidden names of those that show nothing */
function panel(costs: Record<string, number>, hidden: readonly string[] = []) {
  let time = 0;
  let drawn: string[] = [];
  const parts = Object.entries(costs).map(([name, cost]): Component => ({
    update(text) {
      time += cost;
      drawn.push(text ? `${name} text` : name);
    },
    dispose: () => undefined,
    isHidden: () => hidden.includes(name),
  }));
  const turns = new RenderScheduler(() => time);
  return {
    turns,
    draw: (everything = false, budget?: number) => {
      drawn = [];
      const done = turns.draw(parts, everything, budget);
      return { drawn, done };
    },
    wait: (milliseconds: number) => void (time += milliseconds),
  };
}

describe('components of the panel', () => {
  it('take turns, longest waiting first, until the time of a frame is used up', () => {
    const { turns, draw, wait } = panel({ a: 0.3, b: 0.3, c: 0.3, d: 0.3 });
    draw(true);
    const seen = Array.from({ length: 4 }, () => {
      wait(20);
      turns.invalidate();
      return draw().drawn;
    });
    expect(seen).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('are drawn at least one per frame, however long it takes', () => {
    const { turns, draw, wait } = panel({ a: 5, b: 5 });
    draw(true);
    const seen = Array.from({ length: 3 }, () => {
      wait(20);
      turns.invalidate();
      return draw().drawn;
    });
    expect(seen).toEqual([['a'], ['b'], ['a']]);
  });

  it('are all drawn with their text if requested, and if there is time', () => {
    const { turns, draw, wait } = panel({ a: 8, b: 8 });
    expect(draw(true)).toEqual({ drawn: ['a text', 'b text'], done: true });
    turns.invalidate();
    wait(250);
    expect(draw(false, Infinity)).toEqual({ drawn: ['a text', 'b text'], done: true });
  });

  it('refresh the text of one component per frame, the longest waiting one', () => {
    const { turns, draw, wait } = panel({ a: 0.3, b: 0.3, c: 0.3 });
    draw(true);
    wait(100);
    const seen = Array.from({ length: 4 }, () => {
      wait(40);
      turns.invalidate();
      return draw(false, 0.2).drawn;
    });
    expect(seen).toEqual([
      ['a text', 'b'],
      ['c', 'b text'],
      ['a', 'c text'],
      ['b', 'a text'],
    ]);
  });

  it('refresh text at most ten times per second, less often if it takes long, and are incomplete before', () => {
    const { turns, draw, wait } = panel({ a: 1 });
    draw(true);
    turns.invalidate();
    wait(50);
    expect(draw()).toEqual({ drawn: ['a'], done: false });
    wait(50);
    expect(draw()).toEqual({ drawn: ['a text'], done: true });
    expect(draw()).toEqual({ drawn: [], done: true });
    const slow = panel({ a: 40 });
    slow.draw(true);
    slow.turns.invalidate();
    slow.wait(900);
    expect(slow.draw().drawn).toEqual(['a']);
    slow.wait(100);
    expect(slow.draw().drawn).toEqual(['a text']);
  });

  it('take no turn while they are hidden, except in a full redraw', () => {
    const { turns, draw, wait } = panel({ a: 0.1, b: 0.1, c: 0.1 }, ['b']);
    expect(draw(true)).toEqual({ drawn: ['a text', 'b text', 'c text'], done: true });
    turns.invalidate();
    wait(100);
    expect(draw()).toEqual({ drawn: ['a text', 'c'], done: false });
    expect(draw()).toEqual({ drawn: ['c text'], done: true });
  });
});
