// What a network with one or two inputs has learned: the fitted function as lines, or the class regions (shades for a
// single value), with the data as points. Clicking a point selects its sample.
import type { ChartDataset, Plugin } from 'chart.js';
import { mixOklab, toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import type { QueryValue } from '../../src/protocol/panel';
import { colorScale, colorTableFor, colorIndex } from '../canvas/heatmap';
import { pluralize, formatNumber, formatCompact } from '../../src/presentation/numbers';
import type { Theme } from '../canvas/theme';
import { truncateMiddle } from '../canvas/truncate-middle';
import { type ChartGeometry, createAxesCache } from './axes-cache';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

/** Characters of an axis title: there is no more room for the name of an input. */
const MAX_TITLE_LENGTH = 32;

export type DecisionSurface = QueryValue<'decision_surface'>;
export type Points = QueryValue<'points'>;

export interface FitData {
  readonly surface: DecisionSurface;
  readonly points: Points;
  /** Class names; null if targets are values. */
  readonly classes: readonly string[] | null;
  readonly selectedSample: number | null;
}

const POINT_STYLES = ['circle', 'rectRot', 'triangle', 'rect', 'star', 'crossRot'] as const;
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export const classColor = (index: number, { palette }: Theme): Rgb => palette[index % palette.length]!;
export const classPointStyle = (index: number): (typeof POINT_STYLES)[number] =>
  POINT_STYLES[index % POINT_STYLES.length]!;

/** An opaque image of the grid, its first row at the bottom. */
export function regionImage(fit: FitData, theme: Theme): ImageData {
  const { surface, classes } = fit;
  const { columns, rows } = surface;
  const image = new ImageData(columns, rows);
  const put = (at: number, [red, green, blue]: Rgb): void => {
    const place = ((rows - 1 - Math.floor(at / columns)) * columns + (at % columns)) * 4;
    image.data[place] = red;
    image.data[place + 1] = green;
    image.data[place + 2] = blue;
    image.data[place + 3] = 255;
  };
  if (classes && surface.classes) {
    const colors = classes.map((_, i) =>
      mixOklab(theme.background, classColor(i, theme), theme.highContrast ? 0.45 : 0.3),
    );
    surface.classes.forEach((kind, at) => put(at, colors[kind]!));
    return image;
  }
  const shades = predictionColors(surface, theme);
  surface.predictions?.forEach((prediction, at) => put(at, shades(prediction) ?? theme.bad));
  return image;
}

/** The color of a value on the scale of the predictions; null for NaN. */
function predictionColors(
  { predictions, rows, columns }: DecisionSurface,
  theme: Theme,
): (value: number) => Rgb | null {
  const scale = colorScale({ cells: Float64Array.from(predictions ?? []), rows, columns }, true);
  const table = colorTableFor(scale, theme);
  return (value) => {
    const i = colorIndex(value, scale);
    return i === null ? null : [table[i * 3]!, table[i * 3 + 1]!, table[i * 3 + 2]!];
  };
}

export class FitChart {
  readonly canvas: HTMLCanvasElement;
  readonly #chart: Chart<'scatter'>;
  readonly #regionCanvas: HTMLCanvasElement;
  readonly #axesCache = createAxesCache<'scatter'>({
    below: (axes) => {
      this.#drawRegions(axes);
      drawStrokes(axes, this.#lines);
    },
  });
  #fit: FitData | null = null;
  #range: { min: number; max: number } | null = null;
  #lines: readonly Stroke[] = [];
  /** What the axes and the points were laid out for. */
  #layoutKey: { readonly points: Points; readonly key: string } | null = null;

  constructor(
    readonly context: Context,
    /** A sample was selected in the chart. */
    choose: (sample: number) => void,
  ) {
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.#regionCanvas = document.createElement('canvas');
    this.#chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#clearPlugin(), this.#axesCache.plugin],
    });
    this.canvas.addEventListener('click', (event) => {
      const near = this.#chart
        .getElementsAtEventForMode(event, 'nearest', { intersect: false }, false)
        .map(({ datasetIndex, index }) => this.#chart.data.datasets[datasetIndex]!.data[index] as { sample?: number })
        .find(({ sample }) => sample !== undefined);
      if (near?.sample !== undefined) choose(near.sample);
    });
  }

  update(fit: FitData): void {
    const { theme } = this.context;
    this.#fit = fit;
    const { axes } = fit.surface;
    const plane = axes.length === 2;
    if (plane) {
      const image = regionImage(fit, theme);
      this.#regionCanvas.width = image.width;
      this.#regionCanvas.height = image.height;
      this.#regionCanvas.getContext('2d')?.putImageData(image, 0, 0);
    }
    const y = plane ? toRange(axes[1]!) : this.#growRange(fit);
    this.#lines = plane ? [] : this.#surfaceStrokes(fit);
    // Layout takes longer than drawing, and during training only regions or lines change. The shades of points for
    // values are on the scale of the predictions.
    const key = [fit.selectedSample, theme.version, y.min, y.max].join(' ');
    const shaded = plane && fit.classes === null;
    if (!shaded && this.#layoutKey?.points === fit.points && this.#layoutKey.key === key)
      this.#axesCache.redraw(this.#chart);
    else {
      this.#layoutKey = { points: fit.points, key };
      this.#layout(fit, y);
    }
  }

  /** A description for screen readers. */
  updateAriaLabel(): void {
    if (this.#fit) this.canvas.setAttribute('aria-label', describe(this.#fit));
  }

  #layout(fit: FitData, yRange: { min: number; max: number }): void {
    const { theme } = this.context;
    const { axes } = fit.surface;
    const plane = axes.length === 2;
    const look = axisStyle(theme);
    const title = (text: string) => ({
      display: true,
      text: truncateMiddle(text, MAX_TITLE_LENGTH),
      padding: 0,
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
    });
    const ticks = {
      ...look.ticks,
      maxTicksLimit: 7,
      includeBounds: false,
      callback: (tick: number) => formatCompact(tick),
    };
    const { x, y } = this.#chart.options.scales ?? {};
    Object.assign(x ?? {}, { ...look, ...toRange(axes[0]!), ticks, title: title(axes[0]!.name) });
    Object.assign(y ?? {}, {
      ...look,
      ...yRange,
      ticks,
      title: title(plane ? axes[1]!.name : 'prediction and target'),
    });
    this.#chart.data.datasets = this.#pointDatasets(fit);
    this.#chart.update();
  }

  /** A new run has its own axes. */
  reset(): void {
    this.#range = null;
  }

  dispose(): void {
    this.#chart.destroy();
  }

  #pointDatasets({ surface, points, classes, selectedSample }: FitData): ChartDataset<'scatter'>[] {
    const { theme } = this.context;
    const plane = surface.axes.length === 2;
    const width = points.targets.length / Math.max(1, points.samples.length);
    const at = (i: number) => {
      const target = points.targets[i * width]!;
      const sample = points.samples[i]!;
      return plane
        ? { x: points.inputs[2 * i]!, y: points.inputs[2 * i + 1]!, sample }
        : { x: points.inputs[i]!, y: target, sample };
    };
    const all = [...points.samples.keys()];
    const shades = plane && !classes ? predictionColors(surface, theme) : null;
    const of = (kind: number | null): number[] => (kind === null ? all : all.filter((i) => points.targets[i] === kind));
    const kinds = classes ? [...classes.keys()] : [null];
    const sets = kinds.map((kind): ChartDataset<'scatter'> => {
      const color = kind === null ? theme.foreground : classColor(kind, theme);
      return {
        data: of(kind).map(at),
        pointStyle: kind === null ? 'circle' : classPointStyle(kind),
        pointRadius: kind === null ? 2 : 3.5,
        // Uses the scale of the predictions, so that a point that fits blends into its background.
        backgroundColor: shades
          ? of(null).map((i) => toCss(shades(points.targets[i * width]!) ?? theme.foreground))
          : toCss(color, 0.9),
        // An edge in the color of the background or the text separates points from regions of the same hue.
        borderColor: toCss(plane ? theme.foreground : color, plane ? 0.75 : 1),
        pointBorderWidth: plane ? 0.75 : 0,
      };
    });
    const i = selectedSample === null ? -1 : points.samples.indexOf(selectedSample);
    if (i < 0) return sets;
    return [
      {
        data: [at(i)],
        pointStyle: 'circle',
        pointRadius: 8,
        backgroundColor: 'transparent',
        borderColor: toCss(theme.foreground),
        borderWidth: 2,
      },
      ...sets,
    ];
  }

  #surfaceStrokes({ surface, classes }: FitData): Stroke[] {
    const { theme } = this.context;
    const { axes, columns, outputs, predictions } = surface;
    const { min, max } = axes[0]!;
    if (!predictions) return [];
    return Array.from({ length: outputs }, (_, j) => ({
      points: Array.from({ length: columns }, (_, i) => ({
        x: min + ((max - min) * i) / (columns - 1),
        y: predictions[i * outputs + j]!,
      })),
      color: toCss(classes && outputs > 1 ? classColor(j, theme) : theme.palette[j % theme.palette.length]!),
      width: 2,
      dash: dashes[j % dashes.length]!,
      radius: 0,
      connected: true,
    }));
  }

  /** Grows with the data and never shrinks within a run, so that the axis does not jump while the line moves. */
  #growRange({ surface, points }: FitData): { min: number; max: number } {
    let { min, max } = this.#range ?? { min: Infinity, max: -Infinity };
    for (const values of [surface.predictions ?? [], points.targets]) {
      for (const one of values) if (Number.isFinite(one)) [min, max] = [Math.min(min, one), Math.max(max, one)];
    }
    if (min > max) return { min: -1, max: 1 };
    if (min === max) [min, max] = [min - 1, max + 1];
    this.#range = { min, max };
    const room = (max - min) * 0.05;
    return { min: min - room, max: max + room };
  }

  /** Points are cached with the axes; the regions are drawn below them. */
  #clearPlugin(): Plugin<'scatter'> {
    return {
      id: 'clearing',
      beforeDatasetsDraw: ({ ctx, chartArea: { left, top, width, height } }) => {
        if (this.#fit?.surface.axes.length === 2) ctx.clearRect(left, top, width, height);
      },
    };
  }

  #drawRegions({ ctx, chartArea: { left, top, width, height } }: ChartGeometry): void {
    if (this.#fit?.surface.axes.length !== 2) return;
    ctx.save();
    ctx.imageSmoothingEnabled = this.#fit.classes === null;
    ctx.drawImage(this.#regionCanvas, left, top, width, height);
    ctx.restore();
  }
}

const toRange = ({ min, max }: { min: number; max: number }) => ({ min, max });

/** A description for screen readers. */
function describe({ surface, points, classes }: FitData): string {
  const { axes, predictions, classes: regions } = surface;
  const over = axes.map(({ name, min, max }) => `${name} from ${formatNumber(min)} to ${formatNumber(max)}`).join(', ');
  if (classes && regions) {
    const shares = classes.map(
      (name, i) => `${name} ${Math.round((100 * regions.filter((kind) => kind === i).length) / regions.length)} %`,
    );
    return `Regions of the classes over ${over}: ${shares.join(', ')}; ${pluralize(points.samples.length, 'sample')}.`;
  }
  const values = [...(predictions ?? [])].filter(Number.isFinite);
  return `Predictions over ${over}: from ${formatNumber(Math.min(...values))} to ${formatNumber(Math.max(...values))}; ${pluralize(points.samples.length, 'sample')}.`;
}
