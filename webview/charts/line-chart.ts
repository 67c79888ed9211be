// A chart of values over the steps of a run. The pointer sets the crosshair that all charts share, and a click goes to
// that step. The values are also available as text and as a table.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import type { SeriesData } from '../../src/protocol/panel';
import { renderIcon, renderValue, renderValueRange } from '../controls/number-value';
import { formatInteger, formatNumber, formatPowerOfTen, formatCompact } from '../../src/presentation/numbers';
import { pointMenu } from '../controls/cell-menu';
import { getPins } from '../state/pins';
import { truncateMiddle } from '../canvas/truncate-middle';
import { decadeTicks, stepAxisEnd, StickyRange, type Range } from './axes';
import { DataTable } from './data-table';
import { envelope, extent, type Point, bucketAt, type Bucket } from './envelope';
import { createAxesCache } from './axes-cache';
import { drawAboveLines, drawBelowLines, labelWidth, type EndLabel, type Overlay } from './overlay';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

export interface LineSeries {
  readonly name: string;
  readonly data: SeriesData | undefined;
  /** The value at the current step; histories of long runs hold only ranges over several steps. */
  readonly currentValue?: number | null | undefined;
  /** Names the value for queries over the run. */
  readonly expression?: string;
  readonly color: Rgb;
  readonly dash?: readonly number[];
  readonly width?: number;
  /** Drawn faintly, because another line is more important. */
  readonly dimmed?: boolean;
  /** Only points: measured at some steps, with nothing known in between. */
  readonly pointsOnly?: boolean;
  /** Fills the area between this line and the one this many lines later. */
  readonly fillTo?: number;
}

export interface LineChartOptions {
  readonly title: string;
  /** What the values are, with their unit; shown next to the title, as the axis has no room. */
  readonly unit: string;
  /** One sentence on how to read it. */
  readonly description: string;
  readonly logarithmic: boolean;
  /** A fixed range, independent of the data. */
  readonly fixed?: Range;
  /** A range that always stays visible. */
  readonly include?: Range;
  readonly band?: { readonly low: number; readonly high: number };
  /** A step after the end of the run that the axis must include. */
  readonly lastStep?: () => number;
  /** A control for this chart only, next to its title. */
  readonly toolbar?: () => TemplateResult;
}

/** More lines cannot be distinguished and take too long to draw. */
export const MAX_LINES = 24;

/** Up to this many lines have labels at their ends; all are in the legend above. */
const MAX_LABELS = 12;

export class LineChart {
  readonly #chart: Chart<'line'>;
  readonly #range: StickyRange;
  readonly #canvas: HTMLCanvasElement;
  readonly #table: DataTable;
  readonly #unsubscribes: (() => void)[];
  readonly #observer: IntersectionObserver;
  readonly #axesCache = createAxesCache<'line'>({
    above: (axes) => {
      const overlay = this.#overlay;
      drawBelowLines(axes, overlay);
      drawStrokes(axes, this.#strokes);
      drawAboveLines(axes, overlay);
    },
  });
  #allLines: readonly LineSeries[] = [];
  /** The lines that are drawn. */
  #drawnLines: readonly LineSeries[] = [];
  #labels: readonly EndLabel[] = [];
  #strokes: readonly Stroke[] = [];
  /** What the axes were laid out for. */
  #axesKey = '';
  #run = -1;
  #theme = -1;
  #isVisible = true;
  #isStale = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    readonly options: LineChartOptions,
  ) {
    host.classList.add('chart');
    this.#range = options.logarithmic ? StickyRange.decades() : StickyRange.linear();
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#table = new DataTable(context, this.#canvas, () => this.#renderText());
    this.#renderText();
    this.#chart = this.#createChart();
    this.#addListeners();
    this.#unsubscribes = [context.crosshair.subscribe(() => this.#onCrosshair())];
    this.#observer = new IntersectionObserver((entries) => {
      this.#isVisible = entries[entries.length - 1]!.isIntersecting;
      if (this.#isVisible && this.#isStale) this.#draw();
    });
    this.#observer.observe(this.#canvas);
  }

  /** Lines in drawing order. @param text whether to refresh text as well */
  update(lines: readonly LineSeries[], text: boolean): void {
    this.#allLines = lines;
    this.#drawnLines = limitLines(lines);
    if (this.#isVisible) this.#draw();
    else this.#isStale = true;
    if (text) this.#renderText();
  }

  dispose(): void {
    for (const stop of this.#unsubscribes) stop();
    this.#observer.disconnect();
    this.#chart.destroy();
    render(nothing, this.host);
  }

  get #isLogarithmic(): boolean {
    return this.options.logarithmic;
  }

  #createChart(): Chart<'line'> {
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
            // The same width in every chart, so that their steps are aligned.
            afterFit: (axis) => {
              axis.width = 52;
            },
          },
        },
      },
      plugins: [this.#axesCache.plugin],
    });
  }

  get #overlay(): Overlay {
    return {
      theme: this.context.theme,
      playhead: this.#playhead,
      crosshair: this.context.crosshair.step,
      band: this.options.band ?? null,
      pins: getPins(this.context.settings).steps,
      nonFiniteStep: this.context.data.frame?.nonFinite?.step ?? null,
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
    this.#isStale = false;
    const { context, options } = this;
    const { data, theme } = context;
    if (this.#run !== data.runVersion) {
      this.#run = data.runVersion;
      this.#range.reset();
    }
    const chart = this.#chart;
    const last = Math.max(1, data.frame?.furthestStep ?? 0, this.#playhead, options.lastStep?.() ?? 0);
    const end = stepAxisEnd(last, data.model?.totalSteps ?? last);
    const found = extent(
      this.#drawnLines.map((line) => line.data),
      this.#isLogarithmic,
    );
    const wanted =
      found && options.include
        ? { min: Math.min(found.min, options.include.min), max: Math.max(found.max, options.include.max) }
        : (found ?? null);
    const range = options.fixed ?? this.#range.fit(wanted, performance.now());
    const labels = this.#endLabels(range);
    const room = labelWidth(
      labels.map(({ text }) => text),
      theme,
      chart.width,
    );
    this.#labels = room === null ? [] : labels;
    const columns = Math.max(50, Math.floor(chart.chartArea?.width ?? chart.width));
    const points = this.#drawnLines.map(({ data: series }) => (series ? this.#pointsOf(series, end, columns) : []));
    this.#strokes = this.#drawnLines.map((line, i) =>
      this.#toStroke(line, points[i]!, line.fillTo === undefined ? undefined : points[i + line.fillTo]),
    );
    const axes = [end, range?.min, range?.max, room, theme.version].join(' ');
    if (axes === this.#axesKey) this.#axesCache.redraw(chart);
    else this.#layout(end, range, room);
    this.#axesKey = axes;
  }

  /** Takes longer than drawing, and axes rarely change. @param room for labels at the lines' ends */
  #layout(end: number, range: Range | null, room: number | null): void {
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
    return this.#isLogarithmic ? points.map((point) => (point.y > 0 ? point : { x: point.x, y: NaN })) : points;
  }

  #toStroke(
    { color, dash, width, dimmed, pointsOnly: alone }: LineSeries,
    points: readonly Point[],
    under: readonly Point[] | undefined,
  ): Stroke {
    return {
      points,
      color: toCss(color, dimmed ? (this.context.theme.highContrast ? 0.75 : 0.55) : 1),
      width: width ?? 1.5,
      dash: dash ?? [],
      // A single point has no visible line.
      radius: points.length <= 1 ? 3 : alone || (points.length <= 24 && !dimmed) ? 1.75 : 0,
      connected: !alone,
      ...(under && { fill: { color: toCss(color, 0.16), to: under } }),
    };
  }

  #endLabels(range: Range | null): EndLabel[] {
    const lines = this.#drawnLines;
    const named = lines.length > MAX_LABELS ? lines.filter(({ dimmed }) => !dimmed) : lines;
    if (!range || lines.length < 2 || named.length > MAX_LABELS) return [];
    const x = Math.max(0, ...lines.map(({ data }) => data?.steps[data.steps.length - 1] ?? 0));
    return named.flatMap(({ name, color, data }) => {
      const y = data?.high[data.high.length - 1] ?? NaN;
      return Number.isFinite(y) && (!this.#isLogarithmic || y > 0) ? [{ text: name, color, x, y }] : [];
    });
  }

  #applyTheme(): void {
    const { theme } = this.context;
    if (this.#theme === theme.version) return;
    this.#theme = theme.version;
    const look = axisStyle(theme);
    const { x, y } = this.#chart.options.scales ?? {};
    if (!x || !y) return;
    Object.assign(x, {
      ...look,
      grid: { ...look.grid, display: false },
      ticks: { ...look.ticks, callback: (step: number) => (Number.isInteger(step) ? formatInteger(step) : '') },
    });
    Object.assign(x, {
      title: { ...x.title, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } },
    });
    Object.assign(y, {
      ...look,
      ticks: {
        ...look.ticks,
        callback: (tick: number) =>
          this.#isLogarithmic ? formatPowerOfTen(Math.round(Math.log10(tick))) : formatCompact(tick),
        maxTicksLimit: 6,
      },
      afterBuildTicks: this.#isLogarithmic
        ? (axis: { min: number; max: number; ticks: { value: number }[] }) => {
            axis.ticks = decadeTicks(axis, 7).map((exponent) => ({ value: 10 ** exponent }));
          }
        : undefined,
    });
  }

  #onCrosshair(): void {
    if (!this.#isVisible) return;
    this.#axesCache.redraw(this.#chart);
    this.#renderText();
  }

  #addListeners(): void {
    const canvas = this.#canvas;
    const stepAt = (event: PointerEvent | MouseEvent): number | null => {
      const { chartArea: area, scales } = this.#chart;
      const x = event.offsetX;
      if (!area || x < area.left - 4 || x > area.right + 4) return null;
      const step = Math.round(scales.x!.getValueForPixel(x) ?? 0);
      return Math.max(0, Math.min(step, this.context.data.frame?.furthestStep ?? 0));
    };
    canvas.addEventListener('pointermove', (event) => this.context.crosshair.set(stepAt(event)));
    const setMenu = (event: PointerEvent | MouseEvent): void => {
      const menu = this.#menuAt(stepAt(event), event.offsetY);
      if (menu) canvas.dataset.vscodeContext = menu;
      else delete canvas.dataset.vscodeContext;
    };
    canvas.addEventListener('pointermove', setMenu);
    // Without a pointer that moves, such as on a touch screen.
    canvas.addEventListener('pointerdown', setMenu);
    canvas.addEventListener('pointerleave', () => this.context.crosshair.set(null));
    canvas.addEventListener('click', (event) => {
      const step = stepAt(event);
      if (step !== null) this.context.seek(step);
    });
  }

  /** The context menu of the line at a step that is nearest to a height in pixels; null for none. */
  #menuAt(step: number | null, y: number): string | null {
    const scale = this.#chart.scales.y;
    if (step === null || !scale) return null;
    const points = this.#drawnLines.flatMap(({ expression, data }) => {
      const value = expression === undefined ? undefined : bucketAt(data, step)?.high;
      return expression === undefined || value === undefined ? [] : [{ expression, value }];
    });
    const distance = ({ value }: { readonly value: number }): number =>
      Number.isFinite(value) ? Math.abs(scale.getPixelForValue(value) - y) : Infinity;
    const [nearest] = points.sort((a, b) => distance(a) - distance(b));
    return nearest ? pointMenu(nearest.expression, nearest.value, step) : null;
  }

  /** The values at the crosshair, or at the current step; the list is also the legend. */
  #renderText(): void {
    const { options, context } = this;
    const step = context.crosshair.step ?? this.#playhead;
    const named = this.#drawnLines;
    const readings = named.map(({ data, currentValue }): Bucket | null =>
      currentValue !== undefined && currentValue !== null && step === this.#playhead
        ? { step, last: step, low: currentValue, high: currentValue }
        : bucketAt(data, step),
    );
    const zeros = this.#isLogarithmic ? named.filter((_, i) => readings[i]?.high === 0).map(({ name }) => name) : [];
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
          <h2 title=${options.description}>${options.title}</h2>
          <span class="unit">${options.unit}</span>
          ${options.toolbar?.() ?? nothing}
        </div>
        <div
          class="keys ${named.length > 5 ? 'many' : ''}"
          role="group"
          aria-label=${`${options.title} at this step`}
          tabindex=${named.length > 5 ? 0 : nothing}
        >
          <span class="key at">step <span class="number">${formatInteger(step)}</span></span>
          ${named.map((line, i) => {
            const { name, dimmed } = line;
            const reading = readings[i]!;
            const { title, mark } = bucketNote(reading, step);
            return html`<span
              class="key ${dimmed ? 'faint' : ''} ${mark ? 'stale' : ''}"
              title=${title ? `${name}, ${title}` : name}
            >
              ${swatch(line)}<span class="key-name">${truncateMiddle(name, MAX_NAME_LENGTH)}</span>
              <span class="reads"
                >${reading ? renderValueRange(reading.low, reading.high) : renderValue(null)}${mark ? html`<small class="when">@ ${mark}</small>` : nothing}</span
              >
            </span>`;
          })}
        </div>
        <div class="plot">
          ${this.#canvas}${
            spoken.length === 0 && !this.#drawnLines.some(({ data }) => data && data.steps.length > 0)
              ? html`<p class="plot-empty">Nothing measured yet.</p>`
              : nothing
          }
        </div>
        <div class="chart-foot">
          <span class="how"
            >${renderIcon('info')}
            ${options.description}${
              this.#allLines.length > named.length
                ? html` <b>${named.length} of ${this.#allLines.length} lines</b> are drawn; the table has all.`
                : nothing
            }${
              zeros.length > 0
                ? html` <b>${zeros.join(', ')}</b>: exactly 0 here, which a logarithmic axis cannot show.`
                : nothing
            }</span
          >
          ${this.#table.template(options.title, this.#allLines)}
        </div>
      `,
      this.host,
    );
  }
}

/** Names that differ only at their end remain distinguishable; the whole name is in the tooltip. */
const MAX_NAME_LENGTH = 24;

/** A note if a value does not belong to the requested step alone. */
export function bucketNote(reading: Bucket | null, step: number): { readonly title: string; readonly mark: string } {
  if (!reading) return { title: '', mark: '' };
  const { step: first, last } = reading;
  if (first === step && last === step) return { title: '', mark: '' };
  if (first === last) return { title: `last measured at step ${formatInteger(last)}`, mark: formatInteger(last) };
  const mark = `${formatInteger(first)}–${formatInteger(last)}`;
  return { title: `${reading.low === reading.high ? '' : 'smallest and largest '}of steps ${mark}`, mark };
}

/** If there are too many lines: the highlighted ones, and an even selection of the others. */
export function limitLines(lines: readonly LineSeries[], maxLines = MAX_LINES): readonly LineSeries[] {
  if (lines.length <= maxLines) return lines;
  const faint = lines.some((line) => line.dimmed);
  const kept = new Set(lines.filter((line) => faint && !line.dimmed).slice(0, maxLines - 2));
  const others = lines.filter((line) => !kept.has(line));
  const room = maxLines - kept.size;
  for (let i = 0; i < room; i++) kept.add(others[Math.round((i * (others.length - 1)) / (room - 1))]!);
  return lines.filter((line) => kept.has(line));
}

/** A short stroke in the style of the line, so that color is not the only distinction. */
export function swatch({ color, dash = [], width = 1.5, dimmed, pointsOnly }: LineSeries): TemplateResult {
  return html`<svg class="swatch" width="18" height="8" aria-hidden="true">
    ${
      pointsOnly
        ? svg`<circle cx="4" cy="4" r="1.75" fill=${toCss(color)} /><circle cx="13" cy="4" r="1.75" fill=${toCss(color)} />`
        : svg`<line x1="0" y1="4" x2="18" y2="4" stroke=${toCss(color, dimmed ? 0.6 : 1)} stroke-width=${width + 0.5} stroke-dasharray=${dash.join(' ')} />`
    }
  </svg>`;
}
