// Messages are sent in order, and the chunks of a large one one at a time.
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/chunking/outbox';
import { type Chunk, createAssembler } from '../../src/chunking/chunks';

interface Notice {
  readonly type: 'notice';
  readonly level: 'info';
  readonly text: string;
}

const notice = (text: string): Notice => ({ type: 'notice', level: 'info', text });
const nextTick = (): Promise<void> => new Promise((go) => setImmediate(go));

function fakePage() {
  const posted: (Notice | Chunk)[] = [];
  const arrivals: (() => void)[] = [];
  const heard: Notice[] = [];
  const outbox = new Outbox<Notice>((message) => {
    posted.push(message);
    return new Promise<void>((arrive) => arrivals.push(arrive));
  });
  /** Delivers everything in flight until nothing is left. */
  const arrive = async (): Promise<void> => {
    for (let next = arrivals.shift(); next; next = arrivals.shift()) {
      next();
      await nextTick();
    }
    const take = createAssembler((message: Notice) => void heard.push(message));
    for (const message of posted) await take(message);
  };
  return { outbox, posted, heard, arrive };
}

describe('an outbox', () => {
  it('sends small messages at once', () => {
    const { outbox, posted } = fakePage();
    void outbox.send(notice('one'));
    void outbox.send(notice('two'));
    expect(posted).toEqual([notice('one'), notice('two')]);
  });

  it('sends large messages chunk by chunk, and later messages after them', async () => {
    const { outbox, posted, heard, arrive } = fakePage();
    const large = notice('x'.repeat(500_000));
    void outbox.send(large);
    void outbox.send(notice('after it'));
    expect(posted.length).toBe(1);
    await nextTick();
    expect(posted.length).toBe(1);
    await arrive();
    expect(posted.length).toBeGreaterThan(6);
    expect(heard).toEqual([large, notice('after it')]);
  });

  it('continues with the next message when a chunk could not be sent', async () => {
    const posted: (Notice | Chunk)[] = [];
    const outbox = new Outbox<Notice>((message) => {
      posted.push(message);
      return posted.length === 2 ? Promise.reject(new Error('not sent')) : Promise.resolve();
    });
    void outbox.send(notice('x'.repeat(500_000)));
    void outbox.send(notice('after it'));
    await nextTick();
    expect(posted.map(({ type }) => type)).toEqual(['chunk', 'chunk', 'notice']);
    void outbox.send(notice('later'));
    expect(posted.at(-1)).toEqual(notice('later'));
  });

  it('leaves no rejection unhandled when the last message could not be sent', async () => {
    const unhandled: unknown[] = [];
    const record = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', record);
    const outbox = new Outbox<Notice>(() => Promise.reject(new Error('disposed')));
    await outbox.send(notice('one'));
    await nextTick();
    await nextTick();
    process.off('unhandledRejection', record);
    expect(unhandled).toEqual([]);
  });

  it('sends nothing more once it is cleared', async () => {
    const { outbox, posted, arrive } = fakePage();
    void outbox.send(notice('x'.repeat(500_000)));
    outbox.clear();
    await arrive();
    expect(posted.length).toBe(1);
  });
});
