// The sizes of canvases on the page. Reading a size right after text has changed forces a layout, so sizes are cached
// until they change; a canvas then emits a `resized` event that bubbles.

interface Size {
  readonly width: number;
  readonly height: number;
}

const sizes = new WeakMap<Element, Size>();

function onResize(entries: readonly ResizeObserverEntry[]): void {
  for (const { target } of entries) {
    const before = sizes.get(target);
    const now = { width: target.clientWidth, height: target.clientHeight };
    sizes.set(target, now);
    if (before && (before.width !== now.width || before.height !== now.height))
      target.dispatchEvent(new Event('resized', { bubbles: true }));
  }
}

let observer: ResizeObserver | null = null;

/** In CSS pixels. */
export function canvasSize(element: Element): Size {
  const size = sizes.get(element);
  if (size && size.width > 0 && size.height > 0) return size;
  const now = { width: element.clientWidth, height: element.clientHeight };
  if (!size) (observer ??= new ResizeObserver(onResize)).observe(element);
  sizes.set(element, now);
  return now;
}
