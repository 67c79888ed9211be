// How large canvases are on the page. Asking the page right after its text was changed makes it lay itself out at once, so
// the answer is kept until it changes; then a `resized` event goes up from the canvas.

interface Size {
  readonly width: number;
  readonly height: number;
}

const known = new WeakMap<Element, Size>();

function observed(entries: readonly ResizeObserverEntry[]): void {
  for (const { target } of entries) {
    const before = known.get(target);
    const now = { width: target.clientWidth, height: target.clientHeight };
    known.set(target, now);
    if (before && (before.width !== now.width || before.height !== now.height)) target.dispatchEvent(new Event('resized', { bubbles: true }));
  }
}

let observer: ResizeObserver | null = null;

/** In CSS pixels. */
export function sizeOf(element: Element): Size {
  const size = known.get(element);
  if (size && size.width > 0 && size.height > 0) return size;
  const now = { width: element.clientWidth, height: element.clientHeight };
  if (!size) (observer ??= new ResizeObserver(observed)).observe(element);
  known.set(element, now);
  return now;
}
