// What goes to a page: in order, and the parts of a large message one after the other.
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/host/outbox';
import { joining } from '../../src/parts/parts';
import type { SentToPanel, ToPanel } from '../../src/protocol/panel';

const notice = (text: string): ToPanel => ({ type: 'notice', level: 'info', text });
const turn = (): Promise<void> => new Promise((go) => setImmediate(go));

function page() {
  const posted: SentToPanel[] = [];
  const arrivals: (() => void)[] = [];
  const heard: ToPanel[] = [];
  const outbox = new Outbox((message) => {
    posted.push(message);
    return new Promise<void>((arrive) => arrivals.push(arrive));
  });
  /** Lets all arrive that are under way, until nothing is. */
  const arrive = async (): Promise<void> => {
    for (let next = arrivals.shift(); next; next = arrivals.shift()) {
      next();
      await turn();
    }
    const take = joining((message: ToPanel) => void heard.push(message));
    for (const message of posted) await take(message);
  };
  return { outbox, posted, heard, arrive };
}

describe('messages to a page', () => {
  it('leave at once where they are small', () => {
    const { outbox, posted } = page();
    outbox.send(notice('one'));
    outbox.send(notice('two'));
    expect(posted).toEqual([notice('one'), notice('two')]);
  });

  it('leave part by part where they are large, and what comes later stays behind', async () => {
    const { outbox, posted, heard, arrive } = page();
    const large = notice('x'.repeat(500_000));
    outbox.send(large);
    outbox.send(notice('after it'));
    expect(posted.length).toBe(1);
    await turn();
    expect(posted.length).toBe(1);
    await arrive();
    expect(posted.length).toBeGreaterThan(6);
    expect(heard).toEqual([large, notice('after it')]);
  });

  it('go on with the next one where a part could not be sent', async () => {
    const posted: SentToPanel[] = [];
    const outbox = new Outbox((message) => {
      posted.push(message);
      return posted.length === 2 ? Promise.reject(new Error('not sent')) : Promise.resolve();
    });
    outbox.send(notice('x'.repeat(500_000)));
    outbox.send(notice('after it'));
    await turn();
    expect(posted.map(({ type }) => type)).toEqual(['part', 'part', 'notice']);
    outbox.send(notice('later'));
    expect(posted.at(-1)).toEqual(notice('later'));
  });

  it('stay where they are once the page is gone', async () => {
    const { outbox, posted, arrive } = page();
    outbox.send(notice('x'.repeat(500_000)));
    outbox.close();
    await arrive();
    expect(posted.length).toBe(1);
  });
});
