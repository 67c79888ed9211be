// The page beside the panel's benchmark: how often each view is drawn, what the page's objects take, and, for a bound, a page
// that does nothing but redraw as many canvases.
import type { Browser, Page } from 'playwright-core';

/** Times that a view's canvases were drawn, and that its text was. */
export type Drawn = Record<string, { canvases: number; texts: number }>;

interface Watching {
  drawn: Drawn;
  times: WeakMap<Element, number>;
}

/** Counts in the page what is drawn of each view: every canvas is cleared first, and text names its step. */
export const watchViews = (): void => {
  const watching = window as unknown as Watching;
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

/** What was drawn since it was asked last. */
export const drawnOf = (page: Page): Promise<Drawn> =>
  page.evaluate(() => {
    const watching = window as unknown as Watching;
    const { drawn } = watching;
    Object.assign(watching, { drawn: {}, times: new WeakMap() });
    return drawn;
  });

/** Bytes of the page's objects after everything unused was thrown away. */
export async function heapOf(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

/** A page with six canvases of a chart's size; each frame clears them and draws a line of 300 points into each. */
export async function sixCanvases(browser: Browser): Promise<{ draw(ended: () => boolean, framesPerSecond: number): Promise<number> }> {
  const page = await (await browser.newContext({ viewport: { width: 1900, height: 1200 } })).newPage();
  await page.setContent('<body>' + '<canvas width="370" height="190"></canvas>'.repeat(6));
  return {
    /** @returns frames a second */
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
