// The open views, one or several beside each other, each in a tile of its own. What is scrolled out of sight is
// neither measured nor drawn.
import type { Context, Mounted, Settings, View } from '../context';
import { formatCount } from '../numbers';
import { answerIn, answersAll } from '../questions';
import type { Frame, Question } from '../../src/protocol/panel';

interface Tile {
  readonly view: View;
  readonly element: HTMLElement;
  readonly mounted: Mounted;
  visible: boolean;
  readonly shown: Shown;
  /** For whoever draws it in its turn. */
  readonly part: Mounted;
}

interface Shown {
  /** The latest frame with an answer to each of its questions. */
  frame: Frame | null;
  /** The one that was drawn last, and the one that its text is about. */
  drawn: Frame | null;
  said: Frame | null;
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
        if (isIntersecting) {
          this.#follow(tile);
          tile.part.update(true);
        }
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
    for (const { element, part } of fresh) {
      this.#seen.observe(element);
      part.update(true);
    }
  }

  /** What can be seen and shows something else by now. @param everything whatever can be seen */
  parts(everything: boolean): readonly Mounted[] {
    for (const tile of this.#tiles) this.#follow(tile);
    return this.#tiles.filter(({ visible, shown: { frame, drawn, said } }) => visible && (everything || frame !== drawn || frame !== said)).map(({ part }) => part);
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
    body.setAttribute('aria-labelledby', `tab-${view.id}`);
    element.append(title, body);
    // Mounted in the page: some views measure their place.
    this.host.append(element);
    const shown: Shown = { frame: this.context.data.frame, drawn: null, said: null };
    const mounted = view.mount(body, this.#contextOf(shown));
    const update = (text: boolean): void => {
      shown.drawn = shown.frame;
      if (text) {
        shown.said = shown.frame;
        step.textContent = stepOf(shown.frame);
      }
      mounted.update(text);
    };
    return { view, element, mounted, shown, part: { update, dispose: () => mounted.dispose() }, visible: true };
  }

  /** A frame that answers other views is not shown by it: all its numbers are of one step. */
  #follow({ view, shown }: Tile): void {
    const { data, settings } = this.context;
    const { frame } = data;
    // What moves on the screen asks for this again and again, mostly with nothing new.
    if (frame === shown.frame) return;
    const questions = view.questions?.(data, settings) ?? [];
    const answers = (of: Frame | null): boolean => of !== null && answersAll(of, questions);
    if (answers(frame) || !shown.frame || !frame?.partial) shown.frame = frame;
  }

  /** The panel's own, but for the frame. */
  #contextOf(shown: Shown): Context {
    const { context } = this;
    let [base, own] = [context.data, context.data];
    const data = (): Context['data'] => {
      const { frame } = shown;
      if (base !== context.data || own.frame !== frame) {
        base = context.data;
        own = base.frame === frame ? base : { ...base, frame };
      }
      return own;
    };
    return Object.create(context, {
      data: { get: data },
      answer: { value: (question: Question) => answerIn(data().frame, question) },
    }) as Context;
  }

  #close({ element, mounted }: Tile): void {
    this.#seen.unobserve(element);
    mounted.dispose();
    element.remove();
  }
}

/** The step that the tensors of a frame belong to, for the title. */
function stepOf(frame: Frame | null): string {
  if (!frame) return '';
  const { step, phase } = frame.position;
  return `@ ${formatCount(phase > 0 ? step + 1 : step)}`;
}
