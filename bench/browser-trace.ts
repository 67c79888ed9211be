// Where the browser spends its time while the panel is drawn: the CPU time of its processes, and what its threads do,
// from Chromium's trace.
import type { Browser, Page } from 'playwright-core';

/** Seconds of CPU time by kind of process. */
export type ProcessTimes = Readonly<Record<string, number>>;

export async function readProcessTimes(browser: Browser): Promise<ProcessTimes> {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  await devtools.detach();
  const kinds: Record<string, number> = {};
  for (const { type, cpuTime } of processInfo) kinds[type] = (kinds[type] ?? 0) + cpuTime;
  return kinds;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export interface TraceCost {
  readonly thread: string;
  readonly name: string;
  /** Milliseconds spent in this event itself, without named events inside it. */
  readonly self: number;
  readonly count: number;
}

const CATEGORIES = [
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'cc',
  'blink',
  'viz',
  'toplevel',
  'v8',
  'gpu',
];

/** Records what the browser's threads do while `during` runs. */
export async function recordTrace(browser: Browser, page: Page, work: () => Promise<unknown>): Promise<TraceCost[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  return aggregateSelfTimes(traceEvents);
}

export function aggregateSelfTimes(events: readonly TraceEvent[]): TraceCost[] {
  const names = new Map<string, string>();
  const threads = new Map<string, TraceEvent[]>();
  for (const event of events) {
    const thread = `${event.pid} ${event.tid}`;
    if (event.ph === 'M' && event.name === 'thread_name') names.set(thread, event.args?.name ?? '');
    if (event.ph !== 'X' || event.dur === undefined) continue;
    const own = threads.get(thread);
    if (own) own.push(event);
    else threads.set(thread, [event]);
  }
  const causes = new Map<string, { thread: string; name: string; self: number; count: number }>();
  for (const [thread, own] of threads) {
    own.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
    // The time of a nested event is subtracted from the outer one.
    const open: { end: number; add: (time: number) => void }[] = [];
    for (const { name, ts, dur = 0, tdur } of own) {
      while (open.length > 0 && open[open.length - 1].end <= ts) open.pop();
      const time = (tdur ?? dur) / 1000;
      const key = `${names.get(thread) ?? thread} ${name}`;
      let cause = causes.get(key);
      if (!cause) causes.set(key, (cause = { thread: names.get(thread) ?? thread, name, self: 0, count: 0 }));
      const found = cause;
      found.self += time;
      found.count++;
      open[open.length - 1]?.add(-time);
      open.push({ end: ts + dur, add: (more) => (found.self += more) });
    }
  }
  return [...causes.values()].sort((a, b) => b.self - a.self);
}
