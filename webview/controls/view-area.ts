// The open views, each in its own tile. A view that is scrolled out of sight is neither measured nor drawn.
import type { Context, Component, Settings, View } from '../context';
import { formatInteger } from '../../src/presentation/numbers';
import { shownStep } from '../../src/presentation/phases';
import { findResult, hasAllResults } from '../state/query-results';
import type { Frame, Query } from '../../src/protocol/panel';

interface Tile {
  readonly view: View;
  readonly element: HTMLElement;
  readonly mounted: Component;
  visible: boolean;
  readonly shown: DisplayedFrames;
  /** Drawn by the render scheduler. */
  readonly drawable: Component;
}

interface DisplayedFrames {
  /** The latest frame with results for all of its queries. */
  latest: Frame | null;
  /** The frame that was drawn last, and the frame of its text. */
  drawnFrame: Frame | null;
  textFrame: Frame | null;
}

/** In the order of the tabs; at least one. */
export function openViews({ view, multiView, open, presenting }: Settings, views: readonly View[]): readonly View[] {
  if (presenting) {
    const only = views.find(({ id }) => id === view) ?? views[0]!;
    return [only.stage ?? only];
  }
  const shown = views.filter(({ id }) => (multiView ? open.includes(id) : id === view));
  return shown.length > 0 ? shown : [views[0]!];
}

export class ViewArea {
  #tiles: readonly Tile[] = [];
  #run = -1;
  readonly #visibilityObserver: IntersectionObserver;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly views: readonly View[],
    /** The set of visible views has changed. */
    changed: () => void,
  ) {
    this.#visibilityObserver = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const tile = this.#tiles.find(({ element }) => element === target);
          if (!tile || tile.visible === isIntersecting) continue;
          tile.visible = isIntersecting;
          if (isIntersecting) {
            this.#updateFrame(tile);
            tile.drawable.update(true);
          }
          changed();
        }
      },
      { rootMargin: '50px' },
    );
  }

  /** The open views that are visible, or will be with the next drawing. */
  get visible(): readonly View[] {
    const hidden = this.#tiles.filter(({ visible }) => !visible).map(({ view }) => view);
    return openViews(this.context.settings, this.views).filter((view) => !hidden.includes(view));
  }

  /** Mounts views that were opened and disposes of those that were closed; a new run starts with new views. */
  layout(): void {
    const { settings, data } = this.context;
    const wanted = openViews(settings, this.views);
    const same = this.#run === data.runVersion;
    if (same && wanted.length === this.#tiles.length && wanted.every((view, i) => view === this.#tiles[i]!.view))
      return;
    const kept = new Map(same ? this.#tiles.map((tile) => [tile.view, tile]) : []);
    for (const tile of this.#tiles) if (!wanted.includes(tile.view) || !kept.has(tile.view)) this.#close(tile);
    this.#run = data.runVersion;
    this.host.classList.toggle('multi-view', wanted.length > 1);
    const fresh: Tile[] = [];
    this.#tiles = wanted.map((view) => {
      const known = kept.get(view);
      if (known) return known;
      const tile = this.#open(view);
      fresh.push(tile);
      return tile;
    });
    this.host.replaceChildren(...this.#tiles.map(({ element }) => element));
    for (const { element, drawable } of fresh) {
      this.#visibilityObserver.observe(element);
      drawable.update(true);
    }
  }

  /** The visible views that are out of date. @param everything all visible views */
  outdatedComponents(everything: boolean): readonly Component[] {
    for (const tile of this.#tiles) this.#updateFrame(tile);
    return this.#tiles
      .filter(
        ({ visible, shown: { latest, drawnFrame, textFrame } }) =>
          visible && (everything || latest !== drawnFrame || latest !== textFrame),
      )
      .map(({ drawable }) => drawable);
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
    const step = document.createElement('span');
    title.append(view.title, ' ', step);
    body.className = 'view';
    body.id = `view-${view.id}`;
    body.tabIndex = 0;
    body.setAttribute('role', 'tabpanel');
    body.setAttribute('aria-label', view.title);
    element.append(title, body);
    // Mounted in the page, because some views measure their size.
    this.host.append(element);
    const shown: DisplayedFrames = { latest: this.context.data.frame, drawnFrame: null, textFrame: null };
    const mounted = view.mount(body, this.#tileContext(shown));
    const update = (text: boolean): void => {
      shown.drawnFrame = shown.latest;
      if (text) {
        shown.textFrame = shown.latest;
        step.textContent = stepLabel(shown.latest);
      }
      mounted.update(text);
    };
    return { view, element, mounted, shown, drawable: { update, dispose: () => mounted.dispose() }, visible: true };
  }

  /** A view skips frames without its results, so that all its numbers belong to one step. */
  #updateFrame({ view, shown }: Tile): void {
    const { data, settings } = this.context;
    const { frame } = data;
    // Called for every drawing, mostly with the same frame.
    if (frame === shown.latest) return;
    const questions = view.queries?.(data, settings) ?? [];
    const answers = (of: Frame | null): boolean => of !== null && hasAllResults(of, questions);
    if (answers(frame) || !shown.latest || !frame?.partial) shown.latest = frame;
  }

  /** The panel's context, with the frame of this view. */
  #tileContext(shown: DisplayedFrames): Context {
    const { context } = this;
    let [base, own] = [context.data, context.data];
    const data = (): Context['data'] => {
      const { latest } = shown;
      if (base !== context.data || own.frame !== latest) {
        base = context.data;
        own = base.frame === latest ? base : { ...base, frame: latest };
      }
      return own;
    };
    return Object.create(context, {
      data: { get: data },
      latestResult: { value: (question: Query) => findResult(data().frame, question) },
    }) as Context;
  }

  #close({ element, mounted }: Tile): void {
    this.#visibilityObserver.unobserve(element);
    mounted.dispose();
    element.remove();
  }
}

/** The step that the tensors of a frame belong to, for the title. */
function stepLabel(frame: Frame | null): string {
  return frame ? `@ ${formatInteger(shownStep(frame))}` : '';
}
