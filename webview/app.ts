// Composes the panel: regions, tabs, keys, subscriptions to the engine, and the scheduling of drawing. Knows no details
// of controls or views.
import { html, nothing, render } from 'lit/html.js';
import { Crosshair } from './charts/crosshair';
import type { Context, Component, Settings } from './context';
import { actionOf, isEnabled, commandOf } from './controls/keybindings';
import { mountLayerList } from './controls/layer-list';
import { mountNotices } from './controls/notices';
import { problemsPopover } from './controls/problems';
import { presentationActionOf } from './controls/presentation-keys';
import { mountSelection } from './controls/selection';
import { mountStage, type Stage } from './controls/stage';
import { mountStateLine, statePage } from './controls/state-line';
import { mountTabs } from './controls/tabs';
import { mountTimeline } from './controls/timeline';
import { mountTransport } from './controls/transport';
import { ViewArea } from './controls/view-area';
import { mountWhy, type Why } from './controls/why';
import { copyFullValues } from './controls/number-value';
import type {
  Frame,
  PanelRequests,
  PanelUpdate,
  Position,
  ProbeId,
  Query,
  QueryResult,
  QueryType,
  StopPicture,
  StopSelection,
} from '../src/protocol/panel';
import type { ViewId } from '../src/protocol/views';
import { canvasToPng } from './controls/export-actions';
import { withHiDpi } from './export/hidpi-export';
import { positionKey } from './state/highlight';
import { shownStep } from '../src/presentation/phases';
import { findResult, hasAllResults } from './state/query-results';
import { QUERY_VIEW, startQuery } from './state/run-queries';
import { SeekThrottle } from './state/seek-throttle';
import { readSettings } from './state/settings';
import { stepsPerSecond } from './state/speed';
import { clearWarnings, dismiss, initialData, notify, Store } from './state/store';
import { ThemeWatcher } from './canvas/theme';
import { DRAW_BUDGET_MS, RenderScheduler } from './canvas/render-scheduler';
import { views, workspaceOf } from './views';
import { tensors } from './views/tensors';

/** State that VS Code keeps for the page. */
export interface WebviewState {
  getState(): unknown;
  setState(state: unknown): void;
}

/** Screen frames that a picture is waited for. */
const MAX_PICTURE_PAINTS = 1200;
/** After this long, views that had no turn are drawn, if no frame has arrived. */
const DEFERRED_DRAW_MS = 100;
/** Up to this speed, frames keep up, and every view shows every step. */
const SLOW_STEPS_PER_SECOND = 25;
/** The share of the time that the page may spend on frames. If they take longer, it receives fewer. */
const MAX_BUSY_FRACTION = 0.75;

export class App {
  readonly #store: Store;
  readonly #theme: ThemeWatcher;
  readonly #context: Context;
  readonly #controls: Component[] = [];
  readonly #renderScheduler = new RenderScheduler(() => performance.now());
  readonly #seekThrottle: SeekThrottle;
  readonly #statePage: HTMLElement;
  readonly #popover: HTMLElement;
  readonly #body: HTMLElement;
  readonly #title: HTMLElement;
  readonly #viewArea: ViewArea;
  readonly #why: Why;
  readonly #stage: Stage;
  #settings: Settings;
  #isLayerListVisible = true;
  #lastSubscription = '';
  #lastSpeedKey = '';
  #drawScheduled = false;
  /** Whether to draw everything, not only the views whose turn it is. */
  #fullRedraw = true;
  /** Draws the views that had no turn yet, unless a frame comes first. */
  #deferredDraw: ReturnType<typeof setTimeout> | undefined;
  /** Resolves the call that delivered the latest frame, once it is drawn. */
  #acknowledge: (() => void) | null = null;
  /** When the previous frame was handled, and how long that took. */
  #lastFrameTiming = { start: -Infinity, busy: 0 };

  constructor(
    readonly root: HTMLElement,
    readonly extension: PanelRequests,
    readonly api: WebviewState,
  ) {
    const document = root.ownerDocument;
    this.#settings = readSettings(
      api.getState(),
      views.map(({ id }) => id),
    );
    this.#store = new Store(initialData(this.#settings.layer));
    this.#theme = new ThemeWatcher(document);
    this.#seekThrottle = new SeekThrottle(
      (step) => void extension.command({ type: 'seek', step }),
      () => performance.now(),
    );
    this.#context = this.#createContext();
    render(
      html`
        <header class="transport"></header>
        <div class="state"></div>
        <div class="navigation">
          <nav class="tabs" aria-label="Workspaces and views"></nav>
          <section class="selection" aria-label="Followed sample and layer"></section>
        </div>
        <section class="stage" aria-label="Lecture" data-region="stage" tabindex="-1" hidden></section>
        <div class="over"></div>
        <div class="explanation"></div>
        <main class="page-host" hidden></main>
        <main class="body">
          <h1 class="visually-hidden"></h1>
          <section class="layers" aria-label="Layers" data-region="layers"></section>
          <section class="tiles" aria-label="Views" data-region="views"></section>
        </main>
        <footer class="time" aria-label="Time"></footer>
        <div class="notices"></div>
      `,
      root,
    );
    const part = (selector: string): HTMLElement => root.querySelector(selector) as HTMLElement;
    this.#statePage = part('.page-host');
    this.#popover = part('.over');
    this.#body = part('.body');
    this.#title = part('h1');
    this.#viewArea = new ViewArea(part('.tiles'), this.#context, views, () => this.#subscribeToVisible());
    this.#why = mountWhy(part('.explanation'), this.#context, () => this.#subscribeToVisible());
    this.#stage = mountStage(part('.stage'), this.#context, views);
    this.#controls.push(
      ...[
        this.#why,
        this.#stage,
        mountTransport(part('.transport'), this.#context),
        mountStateLine(part('.state'), this.#context),
        mountLayerList(part('.layers'), this.#context),
        mountTabs(part('.tabs'), this.#context),
        mountSelection(part('.selection'), this.#context),
        mountTimeline(part('.time'), this.#context),
        mountNotices(part('.notices'), this.#context),
      ],
    );
    this.#store.subscribe(() => {
      this.#renderScheduler.invalidate();
      this.#scheduleDraw();
    });
    root.addEventListener('resized', () => this.#redrawAll());
    this.#theme.subscribe(() => this.#redrawAll());
    this.#addListeners(document, part('.layers'));
    this.#saveState();
    this.#redrawAll();
    extension.ready();
  }

  update(update: PanelUpdate): void {
    this.#store.dispatch(update);
    if (update.type === 'showView') this.#showView(update.view);
    if (update.type === 'present') this.#context.updateSettings({ presenting: true });
    if (update.type === 'lecture') this.#followLecture();
    if (update.type === 'askQuery' && this.#store.data.frame) {
      this.#showView(QUERY_VIEW);
      startQuery(this.#context, update.text, update.to ?? shownStep(this.#store.data.frame));
    }
    if (update.type === 'showTensor') {
      const { kind, parameter } = update.tensor;
      this.#context.updateSettings({ tensor: kind, ...(parameter !== undefined && { parameter }) });
      this.#showView(tensors.id);
    }
    this.#fullRedraw = true;
    if (update.type === 'select' || update.type === 'snapshot') this.#saveState();
    this.#subscribeToVisible();
    this.#sendSpeed();
  }

  /** What the page shows, for a stop of a lecture. */
  selection(): StopSelection {
    const { data } = this.#store;
    const { view, sample } = this.#settings;
    const { highlight: chosen } = this.#settings;
    const highlight = chosen && data.frame && chosen.at === positionKey(data.frame) ? chosen.term : null;
    return { view: view as ViewId, layer: data.layer, sample, highlight };
  }

  /** The canvases of the open view at a position, once they are drawn and nothing moves. */
  async pictures(position: Position): Promise<readonly StopPicture[] | null> {
    const isReady = (): boolean => {
      const { frame } = this.#store.data;
      const queries = this.#viewArea.visible.flatMap((each) => each.queries?.(this.#store.data, this.#settings) ?? []);
      return (
        frame !== null &&
        frame.target === null &&
        positionKey(frame) === positionKey({ position }) &&
        hasAllResults(frame, queries) &&
        this.root.dataset.drawn === 'done' &&
        this.root.querySelector('canvas[data-moving]') === null
      );
    };
    for (let paint = 0; !isReady(); paint++) {
      if (paint === MAX_PICTURE_PAINTS) return null;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    const [view] = this.#viewArea.visible;
    return [...this.root.querySelectorAll<HTMLCanvasElement>('.view canvas')]
      .filter((canvas) => canvas.clientWidth > 0 && canvas.width > 0)
      .map((canvas) => ({
        description: canvas.getAttribute('aria-label') ?? view?.title ?? '',
        png: withHiDpi(canvas, () => canvasToPng('', canvas, this.#theme.theme)),
        width: canvas.clientWidth,
      }));
  }

  /** Shows what a stop selects, once for each visit. */
  #followLecture(): void {
    const { data } = this.#store;
    const { playing } = data.lecture;
    if (!playing || playing.visit === this.#settings.lectureVisit) return;
    const { selection, position } = playing.stop;
    const { view, layer, sample, highlight } = selection;
    if (data.layer !== layer) this.#store.setData({ ...data, layer });
    this.#context.updateSettings({
      view,
      multiView: false,
      sample,
      lectureVisit: playing.visit,
      highlight: highlight !== null ? { term: highlight, at: positionKey({ position }) } : null,
    });
    if (layer !== null) this.extension.selectLayer(layer);
  }

  #showView(id: string): void {
    const { multiView, open } = this.#settings;
    if (!views.some((view) => view.id === id)) return;
    this.#context.updateSettings({ view: id, ...(multiView && !open.includes(id) && { open: [...open, id] }) });
  }

  /** Resolves when the page can take the next frame; when idle, when this one is painted. */
  showFrame(frame: Frame): Promise<void> {
    this.#acknowledge?.();
    const shown = new Promise<void>((resolve) => (this.#acknowledge = resolve));
    const { status } = frame;
    this.#seekThrottle.onFrame(status !== 'seeking' && status !== 'running');
    this.#store.dispatch({ type: 'frame', frame });
    // At full speed, not everything is drawn with every frame.
    if (status !== 'running') this.#fullRedraw = true;
    this.#subscribeToVisible();
    this.#sendSpeed();
    return shown;
  }

  #createContext(): Context {
    const { extension } = this;
    const [data, theme, settings] = [() => this.#store.data, () => this.#theme.theme, () => this.#settings];
    return {
      get data() {
        return data();
      },
      get theme() {
        return theme();
      },
      get settings() {
        return settings();
      },
      crosshair: new Crosshair(),
      extension,
      sendCommand: (command) => {
        this.#store.setData(clearWarnings(this.#store.data));
        void extension.command(command);
      },
      seek: (step) => {
        this.#store.setData(clearWarnings(this.#store.data));
        this.#seekThrottle.seek(step);
      },
      selectLayer: (layer) => {
        if (this.#store.data.layer === layer) return;
        this.#store.setData({ ...this.#store.data, layer });
        extension.selectLayer(layer);
        this.#saveState();
        this.#subscribeToVisible();
        this.#redrawAll();
      },
      deselectLayer: () => {
        this.#store.setData({ ...this.#store.data, layer: null });
        this.#saveState();
        this.#subscribeToVisible();
        this.#redrawAll();
      },
      updateSettings: (change) => {
        this.#settings = { ...this.#settings, ...change };
        this.#saveState();
        this.#subscribeToVisible();
        this.#sendSpeed();
        this.#redrawAll();
      },
      setViewState: (view, value) =>
        this.#context.updateSettings({ viewState: { ...this.#settings.viewState, [view]: value } }),
      latestResult: (question) => findResult(this.#store.data.frame, question),
      query: <Kind extends QueryType>(query: Query<Kind>) =>
        extension.query(query as Query) as Promise<QueryResult<Kind>>,
      explain: (entry, anchor) => this.#why.open(entry, anchor),
      notify: (level, text) => this.#store.setData(notify(this.#store.data, level, text)),
      dismissNotice: (notice) => this.#store.setData(dismiss(this.#store.data, notice)),
    };
  }

  #addListeners(document: Document, list: HTMLElement): void {
    copyFullValues(document);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#settings.problemsOpen) this.#closeProblems();
      const presented = this.#settings.presenting ? presentationActionOf(event) : null;
      if (presented) {
        event.preventDefault();
        event.stopPropagation();
        if (!event.repeat) this.#stage.act(presented);
        return;
      }
      const action = actionOf(event);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      const { data } = this.#store;
      if (isEnabled(action, data) && (!event.repeat || action !== 'toggleRun'))
        this.#context.sendCommand(commandOf(action, data.frame));
    });
    document.addEventListener('pointerdown', ({ target }) => {
      const inside = target instanceof Element && target.closest('.popover, [data-action="problems"]');
      if (this.#settings.problemsOpen && !inside) this.#context.updateSettings({ problemsOpen: false });
    });
    // In a single column, the list may be scrolled out of view; then it is not measured.
    new IntersectionObserver((entries) => {
      this.#isLayerListVisible = entries[entries.length - 1]!.isIntersecting;
      this.#subscribeToVisible();
    }).observe(list);
  }

  #closeProblems(): void {
    this.#context.updateSettings({ problemsOpen: false });
    this.root.querySelector<HTMLElement>('[data-action="problems"]')?.focus();
  }

  /** The host uses `uri` to restore the panel after a reload. */
  #saveState(): void {
    const { uri } = this.root.ownerDocument.body.dataset;
    const stored = this.api.getState();
    const others = typeof stored === 'object' && stored !== null ? stored : {};
    this.#settings = { ...this.#settings, layer: this.#store.data.layer };
    this.api.setState({ ...others, ...(uri !== undefined && { uri }), ...this.#settings });
  }

  #subscribeToVisible(): void {
    const { data } = this.#store;
    if (data.state?.kind !== 'run' || !data.model) return;
    const { visible } = this.#viewArea;
    const wanted = new Set<ProbeId>(this.#isLayerListVisible ? ['activations', 'gradients', 'updates'] : []);
    for (const probe of visible.flatMap(({ probes }) => probes)) wanted.add(probe);
    const queries = [
      ...visible.map((view) => view.queries?.(data, this.#settings) ?? []),
      this.#why.queries,
      this.#stage.queries,
    ].filter(({ length }) => length > 0);
    const probes = [...wanted];
    const text = `${data.runVersion} ${JSON.stringify([probes, queries])}`;
    if (text === this.#lastSubscription) return;
    this.#lastSubscription = text;
    void this.extension.subscribe(probes, queries);
  }

  /** A new run does not know the selected speed. */
  #sendSpeed(): void {
    const { state, model, runVersion } = this.#store.data;
    if (state?.kind !== 'run' || !model) return;
    const { speed } = this.#settings;
    const text = `${runVersion} ${speed}`;
    if (text === this.#lastSpeedKey) return;
    this.#lastSpeedKey = text;
    void this.extension.command({ type: 'setSpeed', stepsPerSecond: stepsPerSecond(speed, model) });
  }

  /** Draws everything, including text, in the next screen frame. */
  #redrawAll(): void {
    this.#fullRedraw = true;
    this.#renderScheduler.invalidate();
    this.#scheduleDraw();
  }

  #scheduleDraw(): void {
    if (this.#drawScheduled) return;
    this.#drawScheduled = true;
    clearTimeout(this.#deferredDraw);
    this.root.dataset.drawn = 'waiting';
    requestAnimationFrame(() => {
      this.#drawScheduled = false;
      this.#acknowledgeFrame();
      this.#draw();
    });
  }

  #draw(): void {
    this.#layout();
    const speed = this.#store.data.frame?.stepsPerSecond ?? Infinity;
    const done = this.#renderScheduler.draw(
      [...this.#controls, ...this.#viewArea.outdatedComponents(this.#fullRedraw)],
      this.#fullRedraw,
      speed <= SLOW_STEPS_PER_SECOND ? Infinity : DRAW_BUDGET_MS,
    );
    this.#fullRedraw = false;
    if (!done) this.#deferredDraw = setTimeout(() => this.#scheduleDraw(), DEFERRED_DRAW_MS);
    // Marks the page as drawn, for tests that wait until it is up to date.
    if (done && !this.#drawScheduled) this.root.dataset.drawn = 'done';
  }

  /** Shows the page of a state, or the run with its open views. */
  #layout(): void {
    const page = statePage(this.#context);
    this.#statePage.hidden = page === null;
    this.#body.hidden = page !== null;
    const name = this.#store.data.model?.name ?? '';
    if (this.#title.textContent !== name) this.#title.textContent = name;
    this.root.classList.toggle('has-run', page === null);
    this.root.classList.toggle('presenting', this.#settings.presenting && page === null);
    this.root.classList.toggle('stopped', this.#store.data.state?.kind === 'stopped');
    this.root.dataset.workspace = workspaceOf(this.#settings.view).id;
    render(page ?? nothing, this.#statePage);
    render(problemsPopover(this.#context), this.#popover);
    if (page === null) this.#viewArea.layout();
    else this.#viewArea.clear();
  }

  /** During training, requests the next frame while this one is drawn; when idle, once it is painted. */
  #acknowledgeFrame(): void {
    const acknowledge = this.#acknowledge;
    if (!acknowledge) return;
    this.#acknowledge = null;
    const start = performance.now();
    const rest = this.#lastFrameTiming.busy / MAX_BUSY_FRACTION - (start - this.#lastFrameTiming.start);
    const running = this.#store.data.frame?.status === 'running';
    if (running && rest > 1) setTimeout(acknowledge, rest);
    else if (running) acknowledge();
    // Resolved once the page has painted what is drawn now.
    afterPaint(() => {
      this.#lastFrameTiming = { start, busy: performance.now() - start };
      if (!running) acknowledge();
    });
  }
}

/** Runs in the task after the current screen frame. */
function afterPaint(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}
