// The outputs of a network on an image that is larger than its input: the image with the window of a position, and a
// map for each output.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { QueryValue, Query } from '../../src/protocol/panel';
import type { Context, Settings, View } from '../context';
import { createElements } from '../controls/elements';
import { drawInputImage, isImage } from '../controls/input-image';
import { drawLegend } from '../controls/legend';
import { renderIcon, renderValue } from '../controls/number-value';
import { rowsTable } from '../controls/rows-table';
import { type Cell, colorIndex, colorScale, type ColorScale, colorTableFor, Heatmap } from '../canvas/heatmap';
import { toCss } from '../canvas/colors';
import { pluralize } from '../../src/presentation/numbers';
import { onRedraw, pixelRatio } from '../export/hidpi-export';

type OutputMap = QueryValue<'output_map'>;

const ID = 'output_map';
const TILES = [1, 2, 3, 4] as const;
/** CSS pixels of the large image, at most. */
const IMAGE_SIDE = 320;

interface MapState {
  readonly tiles: number;
  /** Whether one sample stands alone, and where; else several stand side by side. */
  readonly single: boolean;
  readonly row: number;
  readonly column: number;
  /** The output whose map is large; null for the one that is predicted the most. */
  readonly output: number | null;
}

const wholeNumber = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : fallback;

function mapState({ viewState }: Settings): MapState {
  const kept = (viewState[ID] ?? {}) as Partial<Record<keyof MapState, unknown>>;
  return {
    tiles: TILES.find((tiles) => tiles === kept.tiles) ?? 3,
    single: kept.single === true,
    row: wholeNumber(kept.row, 0),
    column: wholeNumber(kept.column, 0),
    output: typeof kept.output === 'number' ? wholeNumber(kept.output, 0) : null,
  };
}

function mapQuery(settings: Settings): Query<'output_map'> {
  const { tiles, single, row, column } = mapState(settings);
  return { type: 'output_map', sample: settings.sample, tiles, place: single ? { row, column } : null };
}

/** The output with the largest value at any position, unless one was chosen. */
function shownOutput({ outputs, values, rows, columns }: OutputMap, chosen: number | null): number {
  if (chosen !== null && chosen < outputs) return chosen;
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return Math.floor(best / (rows * columns));
}

const valueAt = ({ values, rows, columns }: OutputMap, output: number, { row, column }: Cell): number =>
  values[(output * rows + row) * columns + column]!;

/** Pixels of a position's window, from the first to the last. */
const windowOf = ({ stride, window }: OutputMap, { row, column }: Cell) => ({
  top: row * stride.down,
  bottom: row * stride.down + window.height - 1,
  left: column * stride.right,
  right: column * stride.right + window.width - 1,
});

export const outputMap: View = {
  id: ID,
  title: 'Output map',
  probes: [],
  appliesTo: ({ model }) => model !== null && model.outputMap !== null && isImage(model.inputShape),
  queries: (_data, settings) => [mapQuery(settings)],
  mount(host, context) {
    const [top, figure, below] = createElements('div', 'figure', 'div');
    host.append(top, figure, below);
    figure.className = 'chart';
    const image = new LargeImage(context, (row, column) => move(row, column));
    const heatmap = new Heatmap(() => {
      draw();
      text();
    });
    let open = false;
    const keep = (change: Partial<MapState>): void =>
      context.setViewState(ID, { ...mapState(context.settings), ...change });
    const move = (row: number, column: number): void => keep({ single: true, row, column });
    let shown: { readonly map: OutputMap; readonly model: unknown } | null = null;
    /** The last map until the next one arrives: hiding it would take the focus from the image. */
    const answer = (): OutputMap | null => {
      const { model } = context.data;
      const map = context.latestResult(mapQuery(context.settings));
      if (map) shown = { map, model };
      return shown?.model === model ? (shown?.map ?? null) : null;
    };
    const nameOf = (label: number): string => context.data.model?.classes?.[label] ?? String(label);
    // A single output is the probability of the second class.
    const outputName = (output: number): string => nameOf(answer()?.outputs === 1 ? 1 : output);

    const draw = (): void => {
      const map = answer();
      figure.hidden = map === null;
      if (!map || !heatmap.canvas.isConnected) return;
      const { single, output } = mapState(context.settings);
      const scale = scaleOf(map);
      const large = shownOutput(map, output);
      const { rows, columns } = map;
      const cells = map.values.slice(large * rows * columns, (large + 1) * rows * columns);
      heatmap.canvas.setAttribute(
        'aria-label',
        `${map.areProbabilities ? 'Probability' : 'Output'} of ${outputName(large)} at ${rows} × ${columns} positions. Arrow keys move between positions.`,
      );
      const width = Math.min(host.clientWidth, Math.max(160, columns * 44 + 40));
      heatmap.draw({ rows, columns, cells }, scale, context.theme, width);
      image.draw(map, heatmap.cursor, single, nameOf);
      for (const canvas of figure.querySelectorAll<HTMLCanvasElement>('canvas[data-output]'))
        drawSmallMap(canvas, map, Number(canvas.dataset.output), scale, context);
      const legend = figure.querySelector<HTMLCanvasElement>('.legend canvas');
      if (legend) drawLegend(legend, scale, context.theme);
    };
    const text = (): void => {
      const map = answer();
      render(chooser(context, map, keep), top);
      if (!map) {
        render(
          html`<section class="empty">
            <p>${context.data.model ? 'Loading… A network that is too large has no map.' : ''}</p>
          </section>`,
          below,
        );
        return;
      }
      const state = mapState(context.settings);
      const large = shownOutput(map, state.output);
      const noun = map.areProbabilities ? 'Probability' : 'Output';
      render(
        html`<div class="chart-head">
            <h2>${noun} of <bdi>${outputName(large)}</bdi></h2>
            <span class="unit"
              >${map.imageShape.slice(1).join(' × ')} pixels, ${map.rows} × ${map.columns} positions of a window of
              ${map.window.height} × ${map.window.width}; evaluation mode</span
            >
          </div>
          <p class="reading" role="status" aria-live="off">
            ${heatmap.cursor ? reading(map, heatmap.cursor, large, outputName(large), nameOf) : html`<span class="hint">Hover over a position or use the arrow keys to see its window and read its value.</span>`}
          </p>
          <div class="output-map">
            ${image.canvas}
            <div class="map">${heatmap.canvas}</div>
          </div>
          <div class="legend">
            <span>${renderValue(scaleOf(map).low)}</span><canvas aria-hidden="true"></canvas
            ><span>${renderValue(scaleOf(map).high)}</span>
          </div>
          <div class="small-maps" role="group" aria-label="Maps of all outputs">
            ${Array.from(
              { length: map.outputs },
              (_, output) =>
                html`<button
                  class="small-map"
                  aria-pressed=${output === large ? 'true' : 'false'}
                  title=${`Show the map of ${outputName(output)} large`}
                  @click=${() => keep({ output })}
                >
                  <canvas data-output=${output} width="1" height="1" aria-hidden="true"></canvas>
                  <bdi>${outputName(output)}</bdi>
                </button>`,
            )}
          </div>
          <p class="how">${renderIcon('info')} ${explanation(context, map, state.single)}</p>
          <details class="data" @toggle=${toggle}>
            <summary>Table</summary>
            ${open ? table(context, map, heatmap.canvas, nameOf, outputName) : nothing}
          </details>`,
        figure,
      );
      render(nothing, below);
    };
    const toggle = (event: Event): void => {
      open = (event.target as HTMLDetailsElement).open;
      text();
    };
    return {
      update(withText) {
        if (withText) text();
        draw();
      },
      dispose() {
        for (const each of [top, figure, below]) render(nothing, each);
      },
    };
  },
};

/** Probabilities from 0 to 1, so that the maps of all classes compare; else one scale for all outputs. */
function scaleOf({ areProbabilities, values, rows, columns }: OutputMap): ColorScale {
  return areProbabilities ? { kind: 'magnitude', low: 0, high: 1 } : colorScale({ cells: values, rows, columns }, true);
}

function drawSmallMap(
  canvas: HTMLCanvasElement,
  { values, rows, columns }: OutputMap,
  output: number,
  scale: ColorScale,
  { theme }: Context,
): void {
  canvas.width = columns;
  canvas.height = rows;
  const pixels = new ImageData(columns, rows);
  const colors = colorTableFor(scale, theme);
  for (let i = 0; i < rows * columns; i++) {
    const at = colorIndex(values[output * rows * columns + i]!, scale);
    pixels.data.set(at === null ? theme.bad : colors.subarray(at * 3, at * 3 + 3), i * 4);
    pixels.data[i * 4 + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
}

const predictedName = (
  { classes, columns }: OutputMap,
  { row, column }: Cell,
  nameOf: (label: number) => string,
): string | null => (classes ? nameOf(classes[row * columns + column]!) : null);

function reading(
  map: OutputMap,
  cell: Cell,
  output: number,
  outputName: string,
  nameOf: (label: number) => string,
): TemplateResult {
  const { top, bottom, left, right } = windowOf(map, cell);
  const name = predictedName(map, cell, nameOf);
  return html`<b>[${cell.row}, ${cell.column}]</b>:
    ${renderValue(valueAt(map, output, cell), { signed: !map.areProbabilities })} for
    <bdi>${outputName}</bdi>${name === null ? nothing : html`; predicted <b><bdi>${name}</bdi></b>`}
    <span class="hint">rows ${top} to ${bottom}, columns ${left} to ${right} of the image</span>`;
}

function explanation({ data }: Context, map: OutputMap, single: boolean): TemplateResult {
  const model = data.model!;
  const rest = model.layers.slice(model.outputMap?.layersOverImage).filter(({ parameters }) => parameters.length > 0);
  return html`The weights were trained on images of ${map.window.height} × ${map.window.width}. Convolutions and pooling
  move their windows over any image, and pad with zeros at the border of the whole image
  only.${rest.length > 0 ? html` <bdi>${rest.map(({ name }) => name).join(', ')}</bdi> run at each position, as a convolution with a kernel of their whole input.` : nothing}
  Positions are ${map.stride.down} × ${map.stride.right} pixels
  apart.${single ? ' Click the image, or move the sample with the arrow keys.' : ''}`;
}

function chooser(context: Context, map: OutputMap | null, keep: (change: Partial<MapState>) => void): TemplateResult {
  const { tiles, single } = mapState(context.settings);
  const choice = (pressed: boolean, words: string, change: Partial<MapState>, title: string) =>
    html`<button class="segment" title=${title} aria-pressed=${pressed ? 'true' : 'false'} @click=${() => keep(change)}>
      ${words}
    </button>`;
  return html`<div class="chooser">
    <span class="segments" role="group" aria-label="Size of the image">
      ${TILES.map((each) => choice(each === tiles, `${each} × ${each}`, { tiles: each }, `An image of ${each} × ${each} images of the data`))}
    </span>
    <span class="segments" role="group" aria-label="Content of the image">
      ${choice(!single, 'Samples side by side', { single: false }, 'The followed sample and others')}
      ${choice(single, 'One sample, moved', { single: true }, 'The followed sample alone, at any place')}
    </span>
    ${map && map.tiles < tiles ? html`<span class="hint">Only ${map.tiles} × ${map.tiles}: a larger image takes too long.</span>` : nothing}
  </div>`;
}

function table(
  context: Context,
  map: OutputMap,
  canvas: HTMLCanvasElement,
  nameOf: (label: number) => string,
  outputName: (output: number) => string,
): TemplateResult {
  const positions = Array.from({ length: map.rows * map.columns }, (_, i): Cell => ({
    row: Math.floor(i / map.columns),
    column: i % map.columns,
  }));
  const outputs = Array.from({ length: map.outputs }, (_, output) => output);
  const headers = ['row', 'column', ...(map.classes ? ['predicted'] : []), ...outputs.map(outputName)];
  return rowsTable(context, {
    title: 'Output map',
    label: 'Table: outputs by position',
    headers,
    rows: positions,
    renderRow: (cell) =>
      html`<th scope="row">${cell.row}</th>
        <td>${cell.column}</td>
        ${map.classes ? html`<td class="text"><bdi>${predictedName(map, cell, nameOf)}</bdi></td>` : nothing}
        ${outputs.map((output) => html`<td>${renderValue(valueAt(map, output, cell), { signed: !map.areProbabilities })}</td>`)}`,
    exportRow: (cell) => [
      cell.row,
      cell.column,
      ...(map.classes ? [predictedName(map, cell, nameOf)] : []),
      ...outputs.map((output) => valueAt(map, output, cell)),
    ],
    canvas,
  });
}

/** The large image with the samples' borders and the window of the position at the cursor. */
class LargeImage {
  readonly canvas = document.createElement('canvas');
  readonly #pixels = document.createElement('canvas');
  #map: OutputMap | null = null;
  #drawn: Float32Array | null = null;
  #isMovable = false;
  #scale = 1;
  #paint: () => void = () => undefined;

  /** @param move the sample shall stand at this pixel */
  constructor(
    readonly context: Context,
    move: (row: number, column: number) => void,
  ) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    onRedraw(canvas, () => this.#paint());
    const place = (row: number, column: number): void => {
      const map = this.#map;
      if (!map) return;
      const [, height = 0, width = 0] = map.imageShape;
      const within = (at: number, most: number): number => Math.max(0, Math.min(most, at));
      move(within(row, height - map.window.height), within(column, width - map.window.width));
    };
    canvas.addEventListener('click', ({ offsetX, offsetY }) => {
      const { window } = this.#map ?? {};
      if (window && this.#isMovable)
        place(
          Math.round(offsetY / this.#scale - window.height / 2),
          Math.round(offsetX / this.#scale - window.width / 2),
        );
    });
    canvas.addEventListener('keydown', (event) => {
      if (!this.#map || !this.#isMovable || event.ctrlKey || event.altKey || event.metaKey) return;
      const moves: Record<string, readonly [number, number]> = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
      };
      const step = moves[event.key];
      if (!step) return;
      event.preventDefault();
      // Where it will stand once all keys so far are answered.
      const { row, column } = mapState(this.context.settings);
      place(row + step[0], column + step[1]);
    });
  }

  draw(map: OutputMap, cursor: Cell | null, movable: boolean, nameOf: (label: number) => string): void {
    this.#map = map;
    this.#isMovable = movable;
    const { canvas } = this;
    canvas.setAttribute('role', movable ? 'application' : 'img');
    canvas.setAttribute('aria-label', describe(map, movable, nameOf));
    canvas.style.cursor = movable ? 'move' : 'default';
    if (this.#drawn !== map.image) {
      drawInputImage(this.#pixels, map.image, map.imageShape);
      this.#drawn = map.image;
    }
    this.#paint = () => this.#paintMap(map, cursor);
    this.#paint();
  }

  #paintMap(map: OutputMap, cursor: Cell | null): void {
    const { canvas, context } = this;
    const [, height = 1, width = 1] = map.imageShape;
    this.#scale = Math.max(1, Math.floor(IMAGE_SIDE / Math.max(height, width)));
    const scale = this.#scale;
    const ratio = pixelRatio();
    canvas.width = Math.round(width * scale * ratio);
    canvas.height = Math.round(height * scale * ratio);
    canvas.style.width = `${width * scale}px`;
    canvas.style.height = `${height * scale}px`;
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.#pixels, 0, 0, width * scale, height * scale);
    if (!cursor) return;
    const { top, left } = windowOf(map, cursor);
    const frame = [left * scale, top * scale, map.window.width * scale, map.window.height * scale] as const;
    // Two lines, so that one of them is seen on any image.
    ctx.lineWidth = 4;
    ctx.strokeStyle = toCss(context.theme.background);
    ctx.strokeRect(...frame);
    ctx.lineWidth = 2;
    ctx.strokeStyle = toCss(context.theme.palette[1]);
    ctx.strokeRect(...frame);
  }
}

function describe(map: OutputMap, movable: boolean, nameOf: (label: number) => string): string {
  const [, height = 0, width = 0] = map.imageShape;
  const size = `Image of ${height} × ${width} pixels`;
  const [first] = map.placed;
  if (movable && first)
    return `${size} with sample ${first.sample} at row ${first.row}, column ${first.column}. Arrow keys move it.`;
  const labels = map.placed.flatMap(({ label }) => (label === null ? [] : nameOf(label)));
  return `${size} with ${pluralize(map.placed.length, 'sample')} side by side${labels.length > 0 ? `: ${labels.join(', ')}` : ''}.`;
}
