// The network on a canvas: a column per layer with units and their values for one sample, and weights as lines. Has a
// cursor for pointer and keyboard. Knows positions and colors, not their meaning.
import { COLOR_TABLE_SIZE, toCss, type Rgb } from './colors';
import type { QueryValue } from '../../src/protocol/panel';
import { formatShape } from '../../src/presentation/numbers';
import { truncateMiddle } from './truncate-middle';
import { onRedraw, pixelRatio } from '../export/hidpi-export';
import type { Theme } from './theme';

export type NetworkGraph = QueryValue<'network_graph'>;
type Maps = NonNullable<NetworkGraph['columns'][number]['maps']>;

export interface ColumnLabel {
  readonly name: string;
  readonly kind: string;
  readonly shape: readonly number[];
  /** The columns whose units it takes; the weights are those of the first. */
  readonly inputs: readonly number[];
}

export interface DiagramModel {
  readonly graph: NetworkGraph;
  /** The input, then each layer. */
  readonly labels: readonly ColumnLabel[];
  /** What fills the units. */
  readonly fill: 'values' | 'gradients';
  /** The column of the last completed phase. */
  readonly activePhase: { readonly column: number; readonly direction: 'forward' | 'backward' } | null;
  /** The column of the selected layer. */
  readonly selected: number | null;
  /** How much larger than in the panel; 1 by default. */
  readonly scale?: number;
  /** Drawn over the picture. */
  readonly overlay?: (ctx: CanvasRenderingContext2D, geometry: DiagramGeometry) => void;
}

/** Where the parts of a diagram are, in CSS pixels. */
export interface DiagramGeometry {
  readonly width: number;
  readonly height: number;
  /** Pixels above the units. */
  readonly headerHeight: number;
  /** Width and height of a unit. */
  readonly unitSize: number;
  readonly columnWidth: number;
  /** @param index among the shown units of the column */
  center(column: number, index: number): { readonly x: number; readonly y: number };
}

/** A unit: its column, and its index among the shown units. */
export interface UnitTarget {
  readonly kind: 'unit';
  readonly column: number;
  readonly unit: number;
}

/** A weight into unit `to` of the column from unit `from` of its input, as indices among the shown units. */
export interface EdgeTarget {
  readonly kind: 'edge';
  readonly column: number;
  readonly to: number;
  readonly from: number;
}

export type Target = UnitTarget | EdgeTarget;

const HEADER_HEIGHT = 46;
const FOOTER_HEIGHT = 22;
const MIN_COLUMN_WIDTH = 92;
const UNIT_GAP = 10;
/** Height of a unit in pixels, with and without a map: the minimum, and the maximum if there is room. */
const UNIT_SIZE = { withMap: { least: 38, most: 84 }, withoutMap: { least: 24, most: 44 } };
/** The largest share of its column that a unit takes, so that lines have room. */
const MAX_UNIT_WIDTH_FRACTION = 0.55;
/** Distance in pixels of arcs that pass over columns, one above the other. */
const LANE_HEIGHT = 12;
const ARC_RADIUS = 8;
/** The largest distance in pixels at which the pointer hits a line. */
const HIT_DISTANCE = 5;

const isSameTarget = (a: Target | null, b: Target | null): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Index into the diverging table for a unit: its sign, and its size relative to the others. */
export function signedColor(value: number, largest: number, { diverging }: Theme): Rgb {
  const share = largest > 0 && Number.isFinite(value) ? Math.max(-1, Math.min(1, value / largest)) : 0;
  const i = Math.round(((share + 1) / 2) * (COLOR_TABLE_SIZE - 1)) * 3;
  return [diverging[i]!, diverging[i + 1]!, diverging[i + 2]!];
}

/** Truncated in the middle if there is no room, since squeezed letters are unreadable. */
function truncateToWidth(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  for (let most = text.length; most > 6; most--) {
    const cut = truncateMiddle(text, most);
    if (ctx.measureText(cut).width <= room) return cut;
  }
  return truncateMiddle(text, 6);
}

const maxAbs = (values: Float64Array | null): number => {
  let largest = 0;
  for (const value of values ?? []) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
};

/** The column whose units the weights of a column multiply. */
export const weightSource = (labels: readonly ColumnLabel[], column: number): number => labels[column]?.inputs[0] ?? 0;

/** A connection that passes over other columns, in a lane of its own above them. */
interface Arc {
  readonly from: number;
  readonly to: number;
  /** 0 is the lowest. */
  readonly lane: number;
}

/** Connections to columns further on; those that overlap get lanes of their own, short ones the lower lanes. */
function layOutArcs(labels: readonly ColumnLabel[], hasWeights: (column: number) => boolean): Arc[] {
  const arcs: Arc[] = [];
  const connections = labels
    .flatMap(({ inputs }, to) =>
      inputs.flatMap((from, position) =>
        // Weights are drawn one by one.
        from < to - 1 && !(position === 0 && hasWeights(to)) ? { from, to } : [],
      ),
    )
    .sort((a, b) => a.to - a.from - (b.to - b.from));
  for (const { from, to } of connections) {
    const taken = arcs.filter((arc) => arc.from < to && from < arc.to).map(({ lane }) => lane);
    let lane = 0;
    while (taken.includes(lane)) lane++;
    arcs.push({ from, to, lane });
  }
  return arcs;
}

export class NetworkDiagram {
  readonly canvas = document.createElement('canvas');
  /** The maps of each column. */
  readonly #mapCanvases: HTMLCanvasElement[] = [];
  #model: DiagramModel | null = null;
  #theme: Theme | null = null;
  #cursor: Target | null = null;
  #width = 0;
  #height = 0;
  /** Width and height of a unit in pixels. */
  #unitSize = 0;
  #arcs: readonly Arc[] = [];
  /** Pixels above the units, for names and arcs. */
  #headerHeight = HEADER_HEIGHT;
  /** The columns that were scrolled into view last. */
  #lastRevealed: { readonly selected: number | null; readonly lit: number | null } = { selected: null, lit: null };

  /** @param onCursor the target at the cursor has changed @param onChoose it was clicked, or Enter was pressed */
  constructor(
    readonly onCursor: (target: Target | null) => void,
    readonly onChoose: (target: Target) => void,
  ) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-roledescription', 'picture of the network');
    canvas.addEventListener('pointermove', (event) => this.#setCursor(this.#targetAt(event.offsetX, event.offsetY)));
    canvas.addEventListener('pointerleave', () => {
      if (document.activeElement !== canvas) this.#setCursor(null);
    });
    canvas.addEventListener('click', () => {
      if (!this.#cursor) return;
      // Clicking must not scroll the target away from the pointer.
      this.#lastRevealed = { ...this.#lastRevealed, selected: this.#cursor.column };
      onChoose(this.#cursor);
    });
    canvas.addEventListener('keydown', (event) => this.#onKeyDown(event));
    onRedraw(canvas, () => this.#paint());
    canvas.addEventListener('focus', () => {
      if (!this.#cursor && this.#model) this.#setCursor({ kind: 'unit', column: 0, unit: 0 });
    });
  }

  get cursor(): Target | null {
    return this.#cursor;
  }

  /**
   * @param room in CSS pixels; units grow to fill it. A long network is wider, and one with many units higher, so that
   * it scrolls.
   */
  draw(drawing: DiagramModel, theme: Theme, room: { readonly width: number; readonly height: number }): void {
    this.#model = drawing;
    this.#theme = theme;
    const scale = drawing.scale ?? 1;
    this.#width = Math.max(room.width, drawing.labels.length * MIN_COLUMN_WIDTH * scale);
    const { columns, edges } = drawing.graph;
    this.#arcs = layOutArcs(drawing.labels, (column) => edges.some(({ layer }) => layer === column - 1));
    this.#headerHeight = HEADER_HEIGHT * scale + LANE_HEIGHT * Math.max(0, ...this.#arcs.map(({ lane }) => lane + 1));
    this.#computeUnitSize(columns, room.height);
    const cursor = this.#cursor;
    if (cursor && (cursor.kind === 'unit' ? cursor.unit : cursor.to) >= (columns[cursor.column]?.shown.length ?? 0))
      this.#cursor = null;
    this.#paint();
    const now = { selected: drawing.selected, lit: drawing.activePhase?.column ?? null };
    const before = this.#lastRevealed;
    this.#lastRevealed = now;
    // The selected column last, since the user chose it.
    if (now.lit !== null && now.lit !== before.lit) this.#scrollToColumn(now.lit);
    if (now.selected !== null && now.selected !== before.selected) this.#scrollToColumn(now.selected);
  }

  /** Scrolls a column of a long network into view, without animation. */
  #scrollToColumn(column: number): void {
    const { parentElement: host } = this.canvas;
    if (!host || !this.#model) return;
    const step = this.#width / this.#model.labels.length;
    const middle = (column + 0.5) * step;
    if (middle - step / 2 >= host.scrollLeft && middle + step / 2 <= host.scrollLeft + host.clientWidth) return;
    host.scrollLeft = middle - host.clientWidth / 2;
  }

  /** Makes units as large as fits. */
  #computeUnitSize(columns: NetworkGraph['columns'], room: number): void {
    const { least, most } = columns.some(({ maps }) => maps !== null) ? UNIT_SIZE.withMap : UNIT_SIZE.withoutMap;
    const units = Math.max(1, ...columns.map(({ shown }) => shown.length));
    const scale = this.#model?.scale ?? 1;
    const fits = Math.min(
      (room - this.#headerHeight - FOOTER_HEIGHT) / units - UNIT_GAP,
      (this.#width / columns.length) * MAX_UNIT_WIDTH_FRACTION,
    );
    this.#unitSize = Math.round(Math.max(least * scale, Math.min(most * scale, fits)));
    this.#height = this.#headerHeight + units * (this.#unitSize + UNIT_GAP) + FOOTER_HEIGHT;
  }

  /** The center of a shown unit. */
  #unitCenter(column: number, index: number): { x: number; y: number } {
    const [unit, height] = [this.#unitSize, this.#height];
    const columns = this.#model?.graph.columns ?? [];
    const step = this.#width / columns.length;
    const count = columns[column]!.shown.length;
    const header = this.#headerHeight;
    const top = header + (height - header - FOOTER_HEIGHT - count * (unit + UNIT_GAP)) / 2;
    return { x: (column + 0.5) * step, y: top + (index + 0.5) * (unit + UNIT_GAP) };
  }

  #paint(): void {
    const [drawing, theme, { canvas }] = [this.#model, this.#theme, this];
    if (!drawing || !theme) return;
    const height = this.#height;
    const ratio = pixelRatio();
    const [wide, tall] = [Math.round(this.#width * ratio), Math.round(height * ratio)];
    // Setting a size clears a canvas, even if the size is the same.
    if (canvas.width !== wide || canvas.height !== tall) {
      canvas.width = wide;
      canvas.height = tall;
      canvas.style.width = `${this.#width}px`;
      canvas.style.height = `${height}px`;
    }
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, this.#width, height);
    this.#drawHeaders(ctx, drawing, theme, height);
    this.#drawEdges(ctx, drawing, theme);
    this.#drawArcs(ctx, theme);
    this.#drawUnits(ctx, drawing, theme);
    drawing.overlay?.(ctx, {
      width: this.#width,
      height,
      headerHeight: this.#headerHeight,
      unitSize: this.#unitSize,
      columnWidth: this.#width / drawing.labels.length,
      center: (column, index) => this.#unitCenter(column, index),
    });
  }

  #drawHeaders(
    ctx: CanvasRenderingContext2D,
    { labels, graph, activePhase, selected, scale = 1 }: DiagramModel,
    theme: Theme,
    height: number,
  ): void {
    const step = this.#width / labels.length;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    labels.forEach(({ name, kind, shape }, i) => {
      const x = (i + 0.5) * step;
      if (i === selected) {
        ctx.fillStyle = toCss(theme.foreground, theme.highContrast ? 0.2 : 0.07);
        ctx.fillRect(i * step + 2, 0, step - 4, height);
      }
      if (activePhase?.column === i) {
        ctx.fillStyle = toCss(theme[activePhase.direction]);
        ctx.fillRect(i * step + 6, 0, step - 12, 4);
      }
      ctx.fillStyle = toCss(theme.foreground);
      ctx.font = `600 ${12 * scale}px ${theme.fontFamily}`;
      // Isolated, because a name may contain bidirectional marks.
      ctx.fillText(`\u2068${truncateToWidth(ctx, name, step - 8)}\u2069`, x, 19 * scale, step - 6);
      ctx.fillStyle = toCss(theme.muted);
      ctx.font = `${11 * scale}px ${theme.fontFamily}`;
      ctx.fillText(`${kind} ${formatShape(shape)}`, x, 34 * scale, step - 4);
      const { units, shown } = graph.columns[i]!;
      if (units > shown.length) ctx.fillText(`${shown.length} of ${units} shown`, x, height - 7, step - 4);
    });
  }

  #drawEdges(ctx: CanvasRenderingContext2D, { graph, labels }: DiagramModel, theme: Theme): void {
    const cursor = this.#cursor;
    for (let column = 1; column < labels.length; column++) {
      const edges = graph.edges.find(({ layer }) => layer === column - 1);
      // What comes from further back and has no weights is an arc.
      const source = edges ? weightSource(labels, column) : column - 1;
      if (!labels[column]!.inputs.includes(source)) continue;
      const [before, own] = [graph.columns[source]!.shown.length, graph.columns[column]!.shown.length];
      if (!edges?.values) {
        // Without weights, or before they are known: plain lines that show connections only.
        ctx.strokeStyle = toCss(theme.foreground, 0.25);
        ctx.lineWidth = 1;
        ctx.setLineDash(edges ? [2, 4] : []);
        for (let i = 0; i < own; i++) {
          if (!edges && before === own) this.#drawEdge(ctx, source, column, i, i);
          else for (let j = 0; j < before && edges; j++) this.#drawEdge(ctx, source, column, i, j);
        }
        ctx.setLineDash([]);
        if (!edges && before !== own) this.#drawEdge(ctx, source, column, (own - 1) / 2, (before - 1) / 2);
        continue;
      }
      for (let i = 0; i < own; i++) {
        for (let j = 0; j < before; j++) {
          const value = edges.values[i * before + j]!;
          const share = edges.maxMagnitude > 0 ? Math.abs(value) / edges.maxMagnitude : 0;
          const on =
            cursor?.kind === 'edge'
              ? isSameTarget(cursor, { kind: 'edge', column, to: i, from: j })
              : cursor?.column === column && cursor.unit === i;
          ctx.strokeStyle = toCss(signedColor(Math.sign(value), 1.4, theme), on ? 1 : 0.2 + 0.75 * share);
          ctx.lineWidth = 0.5 + 4 * share + (on ? 1 : 0);
          // Not by color alone: negative weights are dashed.
          ctx.setLineDash(value < 0 ? [6, 3] : []);
          this.#drawEdge(ctx, source, column, i, j);
        }
      }
      ctx.setLineDash([]);
    }
  }

  /** Connections that pass over columns: up from the one, and down to the other with an arrow. */
  #drawArcs(ctx: CanvasRenderingContext2D, theme: Theme): void {
    const half = this.#unitSize / 2;
    ctx.strokeStyle = ctx.fillStyle = toCss(theme.foreground, theme.highContrast ? 1 : 0.6);
    ctx.lineWidth = 2;
    for (const { from, to, lane } of this.#arcs) {
      const y = this.#headerHeight - (lane + 0.5) * LANE_HEIGHT;
      const [a, b] = [this.#unitCenter(from, 0), this.#unitCenter(to, 0)];
      // Apart from each other where several begin or end at one column.
      const [left, right] = [a.x + Math.min(half, 4 + 5 * lane), b.x - Math.min(half, 4 + 5 * lane)];
      const end = b.y - half - 2;
      ctx.beginPath();
      ctx.moveTo(left, a.y - half);
      ctx.arcTo(left, y, left + ARC_RADIUS, y, ARC_RADIUS);
      ctx.arcTo(right, y, right, y + ARC_RADIUS, ARC_RADIUS);
      ctx.lineTo(right, end);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(right, end + 2);
      ctx.lineTo(right - 4, end - 5);
      ctx.lineTo(right + 4, end - 5);
      ctx.fill();
    }
  }

  #drawEdge(ctx: CanvasRenderingContext2D, source: number, column: number, to: number, from: number): void {
    const half = this.#unitSize / 2;
    const [a, b] = [this.#unitCenter(source, from), this.#unitCenter(column, to)];
    ctx.beginPath();
    ctx.moveTo(a.x + half, a.y);
    ctx.lineTo(b.x - half, b.y);
    ctx.stroke();
  }

  #drawUnits(ctx: CanvasRenderingContext2D, { graph, fill }: DiagramModel, theme: Theme): void {
    const unit = this.#unitSize;
    graph.columns.forEach((column, c) => {
      const values = column[fill];
      const largest = maxAbs(values);
      const maps = fill === 'values' ? column.maps : null;
      if (maps) this.#drawMaps(ctx, c, maps, theme);
      column.shown.forEach((_, i) => {
        const { x, y } = this.#unitCenter(c, i);
        const [left, top] = [x - unit / 2, y - unit / 2];
        if (!maps) {
          ctx.fillStyle = toCss(values ? signedColor(values[i]!, largest, theme) : theme.background);
          ctx.fillRect(left, top, unit, unit);
        }
        const on = this.#cursor?.kind === 'unit' && this.#cursor.column === c && this.#cursor.unit === i;
        ctx.strokeStyle = toCss(theme.foreground, on ? 1 : 0.5);
        ctx.lineWidth = on ? 2.5 : 1;
        if (!values) ctx.setLineDash([3, 3]);
        ctx.strokeRect(left, top, unit, unit);
        ctx.setLineDash([]);
      });
    });
  }

  /** Draws the curves or maps of a column's units. */
  #drawMaps(ctx: CanvasRenderingContext2D, c: number, maps: Maps, theme: Theme): void {
    const unit = this.#unitSize;
    const { width, height, pixels, low, high } = maps;
    const count = pixels.length / (width * height);
    const corner = (i: number): { left: number; top: number } => {
      const { x, y } = this.#unitCenter(c, i);
      return { left: x - unit / 2, top: y - unit / 2 };
    };
    if (height === 1) {
      for (let i = 0; i < count; i++)
        this.#drawCurve(ctx, pixels.subarray(i * width, (i + 1) * width), theme, corner(i));
      return;
    }
    // All maps in one image, since each putImageData call has a cost.
    const table = low < 0 ? theme.diverging : theme.sequential;
    const image = new ImageData(width, height * count);
    pixels.forEach((pixel, i) => {
      for (let part = 0; part < 3; part++) image.data[4 * i + part] = table[3 * pixel + part]!;
      image.data[4 * i + 3] = 255;
    });
    const picture = this.#mapCanvases[c] ?? (this.#mapCanvases[c] = document.createElement('canvas'));
    if (picture.width !== width) picture.width = width;
    if (picture.height !== height * count) picture.height = height * count;
    picture.getContext('2d')?.putImageData(image, 0, 0);
    ctx.imageSmoothingEnabled = high > low;
    for (let i = 0; i < count; i++) {
      const { left, top } = corner(i);
      ctx.drawImage(picture, 0, i * height, width, height, left, top, unit, unit);
    }
  }

  #drawCurve(
    ctx: CanvasRenderingContext2D,
    of: Uint8Array,
    theme: Theme,
    { left, top }: { left: number; top: number },
  ): void {
    const unit = this.#unitSize;
    ctx.fillStyle = toCss(theme.background);
    ctx.fillRect(left, top, unit, unit);
    ctx.strokeStyle = toCss(theme.palette[0]);
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    of.forEach((pixel, i) =>
      ctx.lineTo(left + 1 + ((unit - 2) * i) / (of.length - 1), top + unit - 2 - ((unit - 4) * pixel) / 255),
    );
    ctx.stroke();
  }

  #targetAt(x: number, y: number): Target | null {
    const columns = this.#model?.graph.columns ?? [];
    const unit = this.#unitSize;
    for (let column = 0; column < columns.length; column++) {
      for (let index = 0; index < columns[column]!.shown.length; index++) {
        const place = this.#unitCenter(column, index);
        if (Math.abs(place.x - x) <= unit / 2 && Math.abs(place.y - y) <= unit / 2)
          return { kind: 'unit', column, unit: index };
      }
    }
    return this.#edgeAt(x, y);
  }

  #edgeAt(x: number, y: number): EdgeTarget | null {
    if (!this.#model) return null;
    const { labels, graph } = this.#model;
    const half = this.#unitSize / 2;
    let best: EdgeTarget | null = null;
    let nearest = HIT_DISTANCE;
    for (const { layer } of graph.edges) {
      const column = layer + 1;
      const source = weightSource(labels, column);
      graph.columns[column]!.shown.forEach((_, to) =>
        graph.columns[source]!.shown.forEach((__, from) => {
          const [a, b] = [this.#unitCenter(source, from), this.#unitCenter(column, to)];
          const [ax, bx] = [a.x + half, b.x - half];
          if (x < ax || x > bx) return;
          const away = Math.abs(a.y + ((b.y - a.y) * (x - ax)) / (bx - ax) - y);
          if (away >= nearest) return;
          nearest = away;
          best = { kind: 'edge', column, to, from };
        }),
      );
    }
    return best;
  }

  #setCursor(target: Target | null): void {
    if (isSameTarget(target, this.#cursor)) return;
    this.#cursor = target;
    this.#paint();
    this.onCursor(target);
  }

  /** Arrow keys move between units; with Shift, between incoming weights. */
  #onKeyDown(event: KeyboardEvent): void {
    const columns = this.#model?.graph.columns;
    if (!columns || event.ctrlKey || event.altKey || event.metaKey) return;
    const cursor = this.#cursor ?? { kind: 'unit', column: 0, unit: 0 };
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.onChoose(cursor);
      return;
    }
    const moves: Record<string, readonly [columns: number, units: number]> = {
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
    };
    const by = moves[event.key];
    if (!by) return;
    event.preventDefault();
    const clamp = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
    const [column, unit] = cursor.kind === 'unit' ? [cursor.column, cursor.unit] : [cursor.column, cursor.to];
    if (event.shiftKey && by[1] !== 0 && this.#model?.graph.edges.some(({ layer }) => layer === column - 1)) {
      const source = weightSource(this.#model.labels, column);
      const from = cursor.kind === 'edge' ? clamp(cursor.from + by[1], columns[source]!.shown.length) : 0;
      this.#setCursor({ kind: 'edge', column, to: unit, from });
      return;
    }
    const next = clamp(column + by[0], columns.length);
    this.#setCursor({ kind: 'unit', column: next, unit: clamp(unit + by[1], columns[next]!.shown.length) });
    this.#scrollToColumn(next);
  }
}
