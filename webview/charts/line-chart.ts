// A chart of values over the steps of a run. The pointer sets the crosshair that all charts share; a click goes to
// that step; behind every chart are its numbers, as live text and as a table.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import type { SeriesData } from '../../src/protocol/panel';
import { icon, value, valueRange } from '../controls/value';
import { formatCount, formatNumber, formatPower, formatRound } from '../numbers';
import { pinsOf } from '../pins';
import { cutMiddle } from '../words';
import { decadeTicks, stepEnd, StickyRange, type Range } from './axes';
import { DataTable } from './data-table';
import { envelope, extent, type Point, readAt, type Reading } from './envelope';
import { groundOf } from './ground';
import { drawOverLines, drawUnderLines, labelWidth, type EndLabel, type Overlay } from './overlay';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

export interface Line {
  readonly name: string;
  readonly data: SeriesData | undefined;
  /** The value where the run stands; long runs keep only ranges of several steps. */
  readonly now?: number | null;
  readonly colour: Rgb;
  readonly dash?: readonly number[];
  readonly width?: number;
  /** Drawn faintly: another line is the one to look at. */
  readonly faint?: boolean;
  /** Points alone: what was measured now and then, with nothing known in between. */
  readonly points?: boolean;
  /** The area from this line to the one so many lines on is filled. */
  readonly fillTo?: number;
}

export interface LineChartOptions {
  readonly title: string;
  /** What the values are, with their unit; beside the title, as the axis has no room. */
  readonly unit: string;
  /** One sentence: how to read it. */
  readonly how: string;
  readonly logarithmic: boolean;
  /** A range that does not depend on the data. */
  readonly fixed?: Range;
  /** Kept in sight even where the data is elsewhere. */
  readonly include?: Range;
  readonly band?: { readonly low: number; readonly high: number };
  /** A step beyond the run's that the axis has to reach. */
  readonly reach?: () => number;
  /** A control of this chart alone, beside its title. */
  readonly tool?: () => TemplateResult;
}

/** More lines than this cannot be told apart, and drawing them takes too long. */
export const MOST_LINES = 24;

/** Names fit beside the lines up to so many; more are only in the list above. */
const MOST_LABELS = 12;

export class LineChart {
  readonly #chart: Chart<'line'>;
  readonly #range: StickyRange;
  readonly #canvas: HTMLCanvasElement;
  readonly #table: DataTable;
  readonly #stops: (() => void)[];
  readonly #observer: IntersectionObserver;
  readonly #ground = groundOf<'line'>({
    over: (axes) => {
      const overlay = this.#overlay;
      drawUnderLines(axes, overlay);
      drawStrokes(axes, this.#strokes);
      drawOverLines(axes, overlay);
    },
  });
  #all: readonly Line[] = [];
  /** Those of them that are drawn. */
  #lines: readonly Line[] = [];
  #labels: readonly EndLabel[] = [];
  #strokes: readonly Stroke[] = [];
  /** What the axes were laid out for. */
  #axes = '';
  #run = -1;
  #theme = -1;
  #visible = true;
  #stale = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly options: LineChartOptions,
  ) {
    host.classList.add('chart');
    this.#range = options.logarithmic ? StickyRange.decades() : StickyRange.linear();
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#table = new DataTable(context, this.#canvas, () => this.#text());
    this.#text();
    this.#chart = this.#create();
    this.#listen();
    this.#stops = [context.crosshair.subscribe(() => this.#hover())];
    this.#observer = new IntersectionObserver((entries) => {
      this.#visible = entries[entries.length - 1].isIntersecting;
      if (this.#visible && this.#stale) this.#draw();
    });
    this.#observer.observe(this.#canvas);
  }

  /** Lines in drawing order. @param text whether to refresh what is to be read, too */
  update(lines: readonly Line[], text: boolean): void {
    this.#all = lines;
    this.#lines = thin(lines);
    if (this.#visible) this.#draw();
    else this.#stale = true;
    if (text) this.#text();
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.#observer.disconnect();
    this.#chart.destroy();
    render(nothing, this.host);
  }

  get #positive(): boolean {
    return this.options.logarithmic;
  }

  #create(): Chart<'line'> {
    const { logarithmic } = this.options;
    return new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: {
        ...baseOptions,
        scales: {
          x: { type: 'linear', min: 0, title: { display: true, text: 'step', padding: 0, font: { size: FONT_SIZE } } },
          y: {
            type: logarithmic ? 'logarithmic' : 'linear',
            // As wide in every chart, so that steps lie above each other.
            afterFit: (axis) => {
              axis.width = 52;
            },
          },
        },
      },
      plugins: [this.#ground.plugin],
    });
  }

  get #overlay(): Overlay {
    return {
      theme: this.context.theme,
      playhead: this.#playhead,
      crosshair: this.context.crosshair.step,
      band: this.options.band ?? null,
      pins: pinsOf(this.context.settings).steps,
      broken: this.context.data.frame?.nonFinite?.step ?? null,
      labels: this.#labels,
    };
  }

  get #playhead(): number {
    const { frame } = this.context.data;
    if (!frame) return 0;
    const { step, phase } = frame.position;
    return phase > 0 ? step + 1 : step;
  }

  #draw(): void {
    this.#stale = false;
    const { context, options } = this;
    const { data, theme } = context;
    if (this.#run !== data.run) {
      this.#run = data.run;
      this.#range.reset();
    }
    const chart = this.#chart;
    const last = Math.max(1, data.frame?.frontier ?? 0, this.#playhead, options.reach?.() ?? 0);
    const end = stepEnd(last, data.model?.totalSteps ?? last);
    const found = extent(this.#lines.map((line) => line.data), this.#positive);
    const wanted = found && options.include
      ? { min: Math.min(found.min, options.include.min), max: Math.max(found.max, options.include.max) }
      : (found ?? options.include ?? null);
    const range = options.fixed ?? this.#range.fit(wanted, performance.now());
    const labels = this.#endLabels(range);
    const room = labelWidth(labels.map(({ text }) => text), theme, chart.width);
    this.#labels = room === null ? [] : labels;
    const columns = Math.max(50, Math.floor(chart.chartArea?.width ?? chart.width));
    const points = this.#lines.map(({ data: series }) => (series ? this.#pointsOf(series, end, columns) : []));
    this.#strokes = this.#lines.map((line, i) => this.#stroke(line, points[i], line.fillTo === undefined ? undefined : points[i + line.fillTo]));
    const axes = [end, range?.min, range?.max, room, theme.version].join(' ');
    if (axes === this.#axes) this.#ground.redraw(chart);
    else this.#layOut(end, range, room);
    this.#axes = axes;
  }

  /** Takes longer than drawing, and axes seldom change. @param room for the names at the lines' ends */
  #layOut(end: number, range: Range | null, room: number | null): void {
    const chart = this.#chart;
    this.#applyTheme();
    const { x, y } = chart.options.scales ?? {};
    if (x) x.max = end;
    if (y && range) Object.assign(y, range);
    const layout = chart.options.layout ?? {};
    layout.padding = { right: room ?? 8, top: 6 };
    chart.options.layout = layout;
    chart.update();
  }

  #pointsOf(series: SeriesData, end: number, columns: number): Point[] {
    const points = envelope(series, end, columns);
    return this.#positive ? points.map((point) => (point.y > 0 ? point : { x: point.x, y: NaN })) : points;
  }

  #stroke({ colour, dash, width, faint, points: alone }: Line, points: readonly Point[], under: readonly Point[] | undefined): Stroke {
    return {
      points,
      colour: toCss(colour, faint ? (this.context.theme.highContrast ? 0.75 : 0.55) : 1),
      width: width ?? 1.5,
      dash: dash ?? [],
      // A lone point has no line to be seen by.
      radius: points.length <= 1 ? 3 : alone || (points.length <= 24 && !faint) ? 1.75 : 0,
      line: !alone,
      ...(under && { fill: { colour: toCss(colour, 0.16), to: under } }),
    };
  }

  #endLabels(range: Range | null): EndLabel[] {
    const lines = this.#lines;
    const named = lines.length > MOST_LABELS ? lines.filter(({ faint }) => !faint) : lines;
    if (!range || lines.length < 2 || named.length > MOST_LABELS) return [];
    const x = Math.max(0, ...lines.map(({ data }) => data?.steps[data.steps.length - 1] ?? 0));
    return named.flatMap(({ name, colour, data }) => {
      const y = data?.high[data.high.length - 1] ?? NaN;
      return Number.isFinite(y) && (!this.#positive || y > 0) ? [{ text: name, colour, x, y }] : [];
    });
  }

  #applyTheme(): void {
    const { theme } = this.context;
    if (this.#theme === theme.version) return;
    this.#theme = theme.version;
    const look = axisLook(theme);
    const { x, y } = this.#chart.options.scales ?? {};
    if (!x || !y) return;
    Object.assign(x, {
      ...look,
      grid: { ...look.grid, display: false },
      ticks: { ...look.ticks, callback: (step: number) => (Number.isInteger(step) ? formatCount(step) : '') },
    });
    Object.assign(x, { title: { ...x.title, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } } });
    Object.assign(y, {
      ...look,
      ticks: {
        ...look.ticks,
        callback: (tick: number) => (this.#positive ? formatPower(Math.round(Math.log10(tick))) : formatRound(tick)),
        maxTicksLimit: 6,
      },
      afterBuildTicks: this.#positive
        ? (axis: { min: number; max: number; ticks: { value: number }[] }) => {
            axis.ticks = decadeTicks(axis, 7).map((exponent) => ({ value: 10 ** exponent }));
          }
        : undefined,
    });
  }

  #hover(): void {
    if (!this.#visible) return;
    this.#ground.redraw(this.#chart);
    this.#text();
  }

  #listen(): void {
    const canvas = this.#canvas;
    const stepAt = (event: PointerEvent | MouseEvent): number | null => {
      const { chartArea: area, scales } = this.#chart;
      const x = event.offsetX;
      if (!area || x < area.left - 4 || x > area.right + 4) return null;
      const step = Math.round(scales.x.getValueForPixel(x) ?? 0);
      return Math.max(0, Math.min(step, this.context.data.frame?.frontier ?? 0));
    };
    canvas.addEventListener('pointermove', (event) => this.context.crosshair.set(stepAt(event)));
    canvas.addEventListener('pointerleave', () => this.context.crosshair.set(null));
    canvas.addEventListener('click', (event) => {
      const step = stepAt(event);
      if (step !== null) this.context.seek(step);
    });
  }

  /** The values at the crosshair, or where the run stands; the list is the legend, too. */
  #text(): void {
    const { options, context } = this;
    const step = context.crosshair.step ?? this.#playhead;
    const named = this.#lines;
    const readings = named.map(({ data, now }): Reading | null =>
      now !== undefined && now !== null && step === this.#playhead ? { step, last: step, low: now, high: now } : readAt(data, step),
    );
    const zeros = this.#positive ? named.filter((_, i) => readings[i]?.high === 0).map(({ name }) => name) : [];
    const spoken = named.flatMap(({ name }, i) => {
      const reading = readings[i];
      return reading ? [`${name} ${formatNumber(reading.high)}`] : [];
    });
    this.#canvas.setAttribute(
      'aria-label',
      `${options.title}, ${options.unit}. ${spoken.length > 0 ? `At step ${step}: ${spoken.join(', ')}.` : 'Nothing measured yet.'}`,
    );
    render(
      html`
        <div class="chart-head">
          <h2 title=${options.how}>${options.title}</h2>
          <span class="unit">${options.unit}</span>
          ${options.tool?.() ?? nothing}
        </div>
        <div class="keys ${named.length > 5 ? 'many' : ''}" role="group" aria-label=${`${options.title} at this step`}
          tabindex=${named.length > 5 ? 0 : nothing}>
          <span class="key at">step <span class="number">${formatCount(step)}</span></span>
          ${named.map((line, i) => {
            const { name, faint } = line;
            const reading = readings[i];
            const { title, mark } = otherSteps(reading, step);
            return html`<span class="key ${faint ? 'faint' : ''} ${mark ? 'late' : ''}" title=${title ? `${name}, ${title}` : name}>
              ${swatch(line)}<span class="key-name">${cutMiddle(name, LONGEST_NAME)}</span>
              <span class="reads">${reading ? valueRange(reading.low, reading.high) : value(null)}${mark ? html`<small class="when">@ ${mark}</small>` : nothing}</span>
            </span>`;
          })}
        </div>
        <div class="plot">${this.#canvas}${
          spoken.length === 0 && !this.#lines.some(({ data }) => data && data.steps.length > 0)
            ? html`<p class="plot-empty">Nothing measured yet.</p>`
            : nothing
        }</div>
        <div class="chart-foot">
          <span class="how">${icon('info')} ${options.how}${
            this.#all.length > named.length ? html` <b>${named.length} of ${this.#all.length} lines</b> are drawn; the table has all.` : nothing
          }${
            zeros.length > 0 ? html` <b>${zeros.join(', ')}</b>: exactly 0 here, which has no place on a logarithmic axis.` : nothing
          }</span>
          ${this.#table.template(options.title, this.#all)}
        </div>
      `,
      this.host,
    );
  }
}

/** Names that differ only at their end stay apart; the whole name is in the tooltip. */
const LONGEST_NAME = 24;

/** Says when a reading is not of the step that is asked for alone. */
export function otherSteps(reading: Reading | null, step: number): { readonly title: string; readonly mark: string } {
  if (!reading) return { title: '', mark: '' };
  const { step: first, last } = reading;
  if (first === step && last === step) return { title: '', mark: '' };
  if (first === last) return { title: `measured last at step ${formatCount(last)}`, mark: formatCount(last) };
  const mark = `${formatCount(first)}–${formatCount(last)}`;
  return { title: `${reading.low === reading.high ? '' : 'smallest and largest '}of steps ${mark}`, mark };
}

/** Where there are too many lines: the ones that stand out, and of the others every few, from first to last. */
export function thin(lines: readonly Line[], most = MOST_LINES): readonly Line[] {
  if (lines.length <= most) return lines;
  const faint = lines.some((line) => line.faint);
  const kept = new Set(lines.filter((line) => faint && !line.faint).slice(0, most - 2));
  const others = lines.filter((line) => !kept.has(line));
  const room = most - kept.size;
  for (let i = 0; i < room; i++) kept.add(others[Math.round((i * (others.length - 1)) / (room - 1))]);
  return lines.filter((line) => kept.has(line));
}

/** A short stroke as the line is drawn, so that it is not told by colour alone. */
export function swatch({ colour, dash = [], width = 1.5, faint, points }: Line): TemplateResult {
  return html`<svg class="swatch" width="18" height="8" aria-hidden="true">
    ${
      points
        ? svg`<circle cx="4" cy="4" r="1.75" fill=${toCss(colour)} /><circle cx="13" cy="4" r="1.75" fill=${toCss(colour)} />`
        : svg`<line x1="0" y1="4" x2="18" y2="4" stroke=${toCss(colour, faint ? 0.6 : 1)} stroke-width=${width + 0.5} stroke-dasharray=${dash.join(' ')} />`
    }
  </svg>`;
}
