// The open views, one or several beside each other, each in a tile of its own. What is scrolled out of sight is
// neither measured nor drawn.
import type { Context, Mounted, Settings, View } from '../context';

interface Tile {
  readonly view: View;
  readonly element: HTMLElement;
  readonly mounted: Mounted;
  visible: boolean;
}

/** In the order of the tabs; at least one. */
export function openViews({ view, several, open }: Settings, views: readonly View[]): readonly View[] {
  const shown = views.filter(({ id }) => (several ? open.includes(id) : id === view));
  return shown.length > 0 ? shown : [views[0]];
}

export class ViewArea {
  #tiles: readonly Tile[] = [];
  #run = -1;
  readonly #seen: IntersectionObserver;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly views: readonly View[],
    /** Other views are in sight. */
    changed: () => void,
  ) {
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = this.#tiles.find(({ element }) => element === target);
        if (!tile || tile.visible === isIntersecting) continue;
        tile.visible = isIntersecting;
        if (isIntersecting) tile.mounted.update(true);
        changed();
      }
    }, { rootMargin: '50px' });
  }

  /** The open views that can be seen, or will be with the next drawing. */
  get visible(): readonly View[] {
    const hidden = this.#tiles.filter(({ visible }) => !visible).map(({ view }) => view);
    return openViews(this.context.settings, this.views).filter((view) => !hidden.includes(view));
  }

  /** Mounts what has been opened, disposes of what has been closed; a new run begins with new views. */
  layOut(): void {
    const { settings, data } = this.context;
    const wanted = openViews(settings, this.views);
    const same = this.#run === data.run;
    if (same && wanted.length === this.#tiles.length && wanted.every((view, i) => view === this.#tiles[i].view)) return;
    const kept = new Map(same ? this.#tiles.map((tile) => [tile.view, tile]) : []);
    for (const tile of this.#tiles) if (!wanted.includes(tile.view) || !kept.has(tile.view)) this.#close(tile);
    this.#run = data.run;
    this.host.classList.toggle('several', wanted.length > 1);
    const fresh: Tile[] = [];
    this.#tiles = wanted.map((view) => {
      const known = kept.get(view);
      if (known) return known;
      const tile = this.#open(view);
      fresh.push(tile);
      return tile;
    });
    this.host.replaceChildren(...this.#tiles.map(({ element }) => element));
    for (const { element, mounted } of fresh) {
      this.#seen.observe(element);
      mounted.update(true);
    }
  }

  update(text: boolean): void {
    for (const { mounted, visible } of this.#tiles) if (visible) mounted.update(text);
  }

  clear(): void {
    for (const tile of this.#tiles) this.#close(tile);
    this.#tiles = [];
    this.host.replaceChildren();
  }

  #open(view: View): Tile {
    const document = this.host.ownerDocument;
    const element = document.createElement('section');
    const title = document.createElement('h2');
    const body = document.createElement('div');
    element.className = 'tile';
    title.textContent = view.title;
    body.className = 'view';
    body.id = `view-${view.id}`;
    body.tabIndex = 0;
    body.setAttribute('role', 'tabpanel');
    body.setAttribute('aria-labelledby', `tab-${view.id}`);
    element.append(title, body);
    // Mounted in the page: some views measure their place.
    this.host.append(element);
    return { view, element, mounted: view.mount(body, this.context), visible: true };
  }

  #close({ element, mounted }: Tile): void {
    this.#seen.unobserve(element);
    mounted.dispose();
    element.remove();
  }
}
