// Puts the panel together: the regions, the tabs, the keys, what the engine has to measure, and when things are
// drawn. It knows no control's or view's inside.
import { html, nothing, render } from 'lit/html.js';
import { Crosshair } from './charts/crosshair';
import type { Context, Mounted, Settings } from './context';
import { actionOf, canDo, commandOf } from './controls/keys';
import { mountLayerList } from './controls/layer-list';
import { mountNotices } from './controls/notices';
import { problemsPopover } from './controls/problems';
import { mountStateLine, statePage } from './controls/states';
import { mountTabs } from './controls/tabs';
import { mountTimeStrip } from './controls/time-strip';
import { mountTransport } from './controls/transport';
import { ViewArea } from './controls/view-area';
import { copyFullValues } from './controls/value';
import type { FromPanel, ProbeId, ToPanel } from '../src/protocol/panel';
import { answerIn, Questions } from './questions';
import { Seeker } from './seeker';
import { readSettings } from './settings';
import { stepsPerSecond } from './speed';
import { actedOn, dismiss, emptyData, notify, Store } from './store';
import { ThemeWatcher } from './theme';
import { BUDGET_MS, Turns } from './turns';
import { views } from './views';

/** What the page is given by the editor. */
export interface Host {
  postMessage(message: FromPanel): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** What had no turn is drawn after so long, if no frame came meanwhile. */
const LATER_MS = 100;
/** Steps a second that frames keep up with: then every part shows every step that is shown at all. */
const SLOW = 25;
/** The share of the time that the page may be busy with frames: what takes it long, it is sent less often. */
const BUSY_SHARE = 0.75;

export class App {
  readonly #store: Store;
  readonly #theme: ThemeWatcher;
  readonly #context: Context;
  readonly #controls: Mounted[] = [];
  readonly #turns = new Turns(() => performance.now());
  readonly #seeker: Seeker;
  readonly #questions: Questions;
  readonly #page: HTMLElement;
  readonly #popover: HTMLElement;
  readonly #body: HTMLElement;
  readonly #title: HTMLElement;
  readonly #area: ViewArea;
  #settings: Settings;
  #listVisible = true;
  #needed = '';
  #paced = '';
  #drawing = false;
  /** All is to be drawn, and not only whose turn it is. */
  #everything = true;
  /** Draws what had no turn yet, unless a frame comes first. */
  #later: ReturnType<typeof setTimeout> | undefined;
  /** Frame that has arrived and was not taken up yet. */
  #arrived: number | null = null;
  /** When the frame before was taken up, and how long the page was busy with it. */
  #before = { start: -Infinity, busy: 0 };

  constructor(
    readonly root: HTMLElement,
    readonly host: Host,
  ) {
    const document = root.ownerDocument;
    this.#settings = readSettings(host.getState(), views.map(({ id }) => id));
    this.#store = new Store(emptyData(this.#settings.layer));
    this.#theme = new ThemeWatcher(document);
    this.#seeker = new Seeker((step) => host.postMessage({ type: 'command', command: { type: 'seek', step } }), () => performance.now());
    this.#questions = new Questions((message) => host.postMessage(message));
    this.#context = this.#makeContext();
    render(
      html`
        <header class="transport"></header>
        <div class="state"></div>
        <div class="over"></div>
        <main class="page-host" hidden></main>
        <main class="body">
          <h1 class="unseen"></h1>
          <section class="layers" aria-label="Layers" data-region="layers"></section>
          <section class="views" aria-label="Views" data-region="views">
            <div class="tabs"></div>
            <div class="tiles"></div>
          </section>
        </main>
        <footer class="time" aria-label="Time"></footer>
        <div class="notices"></div>
      `,
      root,
    );
    const part = (selector: string): HTMLElement => root.querySelector(selector) as HTMLElement;
    this.#page = part('.page-host');
    this.#popover = part('.over');
    this.#body = part('.body');
    this.#title = part('h1');
    this.#area = new ViewArea(part('.tiles'), this.#context, views, () => this.#need());
    this.#controls.push(...[
      mountTransport(part('.transport'), this.#context),
      mountStateLine(part('.state'), this.#context),
      mountLayerList(part('.layers'), this.#context),
      mountTabs(part('.tabs'), this.#context, views),
      mountTimeStrip(part('.time'), this.#context),
      mountNotices(part('.notices'), this.#context),
    ]);
    this.#store.subscribe(() => {
      this.#turns.news();
      this.#schedule();
    });
    root.addEventListener('resized', () => this.#refresh());
    this.#theme.subscribe(() => this.#refresh());
    this.#listen(document, part('.layers'));
    this.#save();
    this.#refresh();
    host.postMessage({ type: 'ready' });
  }

  receive(message: ToPanel): void {
    if (message.type === 'answer') {
      this.#questions.answered(message.id, message.answered);
      return;
    }
    if (message.type === 'frame') {
      this.#arrived = message.frame.sequence;
      const { status } = message.frame;
      this.#seeker.arrived(status !== 'seeking' && status !== 'running');
    }
    this.#store.receive(message);
    // What is not a frame of a run at full speed is to be read at once.
    if (message.type !== 'frame' || message.frame.status !== 'running') this.#everything = true;
    if (message.type === 'select' || message.type === 'snapshot') this.#save();
    this.#need();
    this.#pace();
  }

  #makeContext(): Context {
    const { host } = this;
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
      send: (message) => host.postMessage(message),
      command: (command) => {
        this.#store.change(actedOn(this.#store.data));
        host.postMessage({ type: 'command', command });
      },
      seek: (step) => {
        this.#store.change(actedOn(this.#store.data));
        this.#seeker.seek(step);
      },
      select: (layer) => {
        if (this.#store.data.layer === layer) return;
        this.#store.change({ ...this.#store.data, layer });
        host.postMessage({ type: 'select', layer });
        this.#save();
        this.#need();
        this.#refresh();
      },
      set: (change) => {
        this.#settings = { ...this.#settings, ...change };
        this.#save();
        this.#need();
        this.#pace();
        this.#refresh();
      },
      keep: (view, value) => this.#context.set({ kept: { ...this.#settings.kept, [view]: value } }),
      answer: (question) => answerIn(this.#store.data.frame, question),
      ask: (question) => this.#questions.ask(question),
      notify: (level, text) => this.#store.change(notify(this.#store.data, level, text)),
      dismiss: (notice) => this.#store.change(dismiss(this.#store.data, notice)),
    };
  }

  #listen(document: Document, list: HTMLElement): void {
    copyFullValues(document);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#settings.problemsOpen) this.#closeProblems();
      const action = actionOf(event);
      if (!action) return;
      event.preventDefault();
      event.stopPropagation();
      const { data } = this.#store;
      if (canDo(action, data) && (!event.repeat || action !== 'toggleRun')) this.#context.command(commandOf(action, data.frame));
    });
    document.addEventListener('pointerdown', ({ target }) => {
      const inside = target instanceof Element && target.closest('.popover, [data-action="problems"]');
      if (this.#settings.problemsOpen && !inside) this.#context.set({ problemsOpen: false });
    });
    // In one column the list may be out of sight; what nobody sees is not measured.
    new IntersectionObserver((entries) => {
      this.#listVisible = entries[entries.length - 1].isIntersecting;
      this.#need();
    }).observe(list);
  }

  #closeProblems(): void {
    this.#context.set({ problemsOpen: false });
    this.root.querySelector<HTMLElement>('[data-action="problems"]')?.focus();
  }

  /** The host keeps `uri` for bringing the panel back after a reload. */
  #save(): void {
    const { uri } = this.root.ownerDocument.body.dataset;
    const stored = this.host.getState();
    const others = typeof stored === 'object' && stored !== null ? stored : {};
    this.#settings = { ...this.#settings, layer: this.#store.data.layer };
    this.host.setState({ ...others, ...(uri !== undefined && { uri }), ...this.#settings });
  }

  #need(): void {
    const { data } = this.#store;
    if (data.state?.kind !== 'run' || !data.model) return;
    const { visible } = this.#area;
    const wanted = new Set<ProbeId>(this.#listVisible ? ['activations', 'gradients', 'updates'] : []);
    for (const probe of visible.flatMap(({ needs }) => needs)) wanted.add(probe);
    const questions = visible.map((view) => view.questions?.(data, this.#settings) ?? []).filter(({ length }) => length > 0);
    const message: FromPanel = { type: 'need', probes: [...wanted], questions };
    const text = `${data.run} ${JSON.stringify(message)}`;
    if (text === this.#needed) return;
    this.#needed = text;
    this.host.postMessage(message);
  }

  /** A new run knows nothing of the speed that was chosen. */
  #pace(): void {
    const { state, model, run } = this.#store.data;
    if (state?.kind !== 'run' || !model) return;
    const { speed } = this.#settings;
    const text = `${run} ${speed}`;
    if (text === this.#paced) return;
    this.#paced = text;
    this.host.postMessage({ type: 'command', command: { type: 'setSpeed', stepsPerSecond: stepsPerSecond(speed, model) } });
  }

  /** Draws everything, text too, with the next frame of the screen. */
  #refresh(): void {
    this.#everything = true;
    this.#turns.news();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    clearTimeout(this.#later);
    this.root.dataset.drawn = 'waiting';
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#take();
      this.#draw();
    });
  }

  #draw(): void {
    this.#layOut();
    const speed = this.#store.data.frame?.stepsPerSecond ?? Infinity;
    const done = this.#turns.draw([...this.#controls, ...this.#area.parts(this.#everything)], this.#everything, speed <= SLOW ? Infinity : BUDGET_MS);
    this.#everything = false;
    if (!done) this.#later = setTimeout(() => this.#schedule(), LATER_MS);
    // Says, to whoever looks at the page from outside, whether it shows all that it was told.
    if (done && !this.#drawing) this.root.dataset.drawn = 'done';
  }

  /** The page of a state, or the run with its current view. */
  #layOut(): void {
    const page = statePage(this.#context);
    this.#page.hidden = page === null;
    this.#body.hidden = page !== null;
    const name = this.#store.data.model?.name ?? '';
    if (this.#title.textContent !== name) this.#title.textContent = name;
    this.root.classList.toggle('has-run', page === null);
    this.root.classList.toggle('stopped', this.#store.data.state?.kind === 'stopped');
    render(page ?? nothing, this.#page);
    render(problemsPopover(this.#context), this.#popover);
    if (page === null) this.#area.layOut();
    else this.#area.clear();
  }

  /** The next frame is made and comes while this one is drawn; of a run at rest, once it is on the screen. */
  #take(): void {
    const sequence = this.#arrived;
    if (sequence === null) return;
    this.#arrived = null;
    const start = performance.now();
    const rest = this.#before.busy / BUSY_SHARE - (start - this.#before.start);
    const running = this.#store.data.frame?.status === 'running';
    const taken = (): void => this.host.postMessage({ type: 'taken', sequence });
    if (running && rest > 1) setTimeout(taken, rest);
    else if (running) taken();
    // Heard once the page has painted what is drawn now.
    afterPaint(() => {
      this.#before = { start, busy: performance.now() - start };
      if (!running) taken();
    });
  }
}

/** The task after the frame of the screen that is being drawn. */
function afterPaint(then: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(null);
}
