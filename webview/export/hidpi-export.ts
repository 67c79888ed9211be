// Exported images have at least two pixels per CSS pixel regardless of the screen.

const MIN_EXPORT_RATIO = 2;
const REDRAW_EVENT = 'nablascope-redraw';
let isExporting = false;

/** Canvas pixels per CSS pixel. */
export const pixelRatio = (): number =>
  isExporting ? Math.max(MIN_EXPORT_RATIO, devicePixelRatio || 1) : devicePixelRatio || 1;

/** Registers how to redraw a canvas that can be exported. */
export const onRedraw = (canvas: HTMLCanvasElement, draw: () => void): void =>
  canvas.addEventListener(REDRAW_EVENT, draw);

/** Redraws it with a high resolution while it is read, then with that of the screen. */
export function withHiDpi<T>(canvas: HTMLCanvasElement, read: () => T): T {
  const redraw = (hiDpi: boolean): void => {
    isExporting = hiDpi;
    canvas.dispatchEvent(new Event(REDRAW_EVENT));
  };
  redraw(true);
  try {
    return read();
  } finally {
    redraw(false);
  }
}
