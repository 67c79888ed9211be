// Measurements of the page for the panel benchmark: how often each view is drawn, the size of its heap, and as a lower
// bound, a page that only redraws the same number of canvases.
import type { Browser, Page } from 'playwright-core';

/** How often a view's canvases were drawn, and how often its text was. */
export type DrawCounts = Record<string, { canvases: number; texts: number }>;

interface DrawCounterWindow {
  drawn: DrawCounts;
  times: WeakMap<Element, number>;
}

/** Counts drawings of each view in the page: every canvas is cleared first, and text contains its step. */
export const installDrawCounters = (): void => {
  const watching = window as unknown as DrawCounterWindow;
  watching.drawn = {};
  const of = (element: Element | null | undefined): { canvases: number; texts: number } | null => {
    const id = element?.closest('.tile')?.querySelector('.view')?.id.replace('view-', '');
    return id === undefined ? null : (watching.drawn[id] ??= { canvases: 0, texts: 0 });
  };
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  watching.times = new WeakMap();
  CanvasRenderingContext2D.prototype.clearRect = function (...place) {
    // A view with several canvases counts by the one that is drawn most often.
    const own = of(this.canvas);
    const { times } = watching;
    times.set(this.canvas, (times.get(this.canvas) ?? 0) + 1);
    if (own) own.canvases = Math.max(own.canvases, times.get(this.canvas) ?? 0);
    clear.apply(this, place);
  };
  new MutationObserver((records) => {
    for (const target of new Set(records.map((record) => record.target))) {
      const element = target instanceof Element ? target : target.parentElement;
      const own = element?.matches('.tile > h2 > span') ? of(element) : null;
      if (own) own.texts++;
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
};

/** The counts since the last call. */
export const takeDrawCounts = (page: Page): Promise<DrawCounts> =>
  page.evaluate(() => {
    const watching = window as unknown as DrawCounterWindow;
    const { drawn } = watching;
    Object.assign(watching, { drawn: {}, times: new WeakMap() });
    return drawn;
  });

/** Bytes of the page's heap after garbage collection. */
export async function measureHeapBytes(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

/** A page with six canvases of a chart's size; each frame clears them and draws a line of 300 points into each. */
export async function openCanvasBaseline(
  browser: Browser,
): Promise<{ draw(ended: () => boolean, framesPerSecond: number): Promise<number> }> {
  const page = await (await browser.newContext({ viewport: { width: 1900, height: 1200 } })).newPage();
  await page.setContent('<body>' + '<canvas width="370" height="190"></canvas>'.repeat(6));
  return {
    /** @returns frames per second */
    async draw(ended, framesPerSecond) {
      await page.evaluate((pace) => {
        const state = { frames: 0, ended: false, start: performance.now() };
        (window as unknown as { state: typeof state }).state = state;
        const contexts = [...document.querySelectorAll('canvas')].map((canvas) => canvas.getContext('2d')!);
        const draw = (): void => {
          if (state.ended) return;
          requestAnimationFrame(draw);
          if (state.frames > ((performance.now() - state.start) / 1000) * pace) return;
          state.frames++;
          for (const context of contexts) {
            context.clearRect(0, 0, 370, 190);
            context.beginPath();
            for (let x = 0; x < 300; x++) context.lineTo(50 + x, 95 + 60 * Math.sin((x + state.frames) / 20));
            context.stroke();
          }
        };
        requestAnimationFrame(draw);
      }, framesPerSecond);
      while (!ended()) await new Promise((resolve) => setTimeout(resolve, 50));
      return page.evaluate(() => {
        const { state } = window as unknown as { state: { frames: number; ended: boolean; start: number } };
        state.ended = true;
        return (1000 * state.frames) / (performance.now() - state.start);
      });
    },
  };
}
