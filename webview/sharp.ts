// Pictures that are taken away are drawn with two pixels or more for each of the page's, whatever the screen has.

const LEAST = 2;
const REDRAW = 'nabla-redraw';
let taken = false;

/** Pixels of a canvas for one of the page. */
export const pixelRatio = (): number => (taken ? Math.max(LEAST, devicePixelRatio || 1) : devicePixelRatio || 1);

/** Whoever draws a canvas that can be taken away draws it again when asked. */
export const onRedraw = (canvas: HTMLCanvasElement, draw: () => void): void => canvas.addEventListener(REDRAW, draw);

/** Has it drawn sharply for as long as it is read; then as the screen has it. */
export function sharply<T>(canvas: HTMLCanvasElement, read: () => T): T {
  const redraw = (sharp: boolean): void => {
    taken = sharp;
    canvas.dispatchEvent(new Event(REDRAW));
  };
  redraw(true);
  try {
    return read();
  } finally {
    redraw(false);
  }
}
