// The network drawn on its own canvas: a column a layer, its units with what they are for one sample, weights as
// lines. A cursor for pointer and keyboard. It knows places and colours, not what they mean.
import { TABLE_SIZE, toCss, type Rgb } from './colours';
import type { AnswerTo } from '../src/protocol/panel';
import { formatShape } from './numbers';
import { cutMiddle } from './words';
import { onRedraw, pixelRatio } from './sharp';
import type { Theme } from './theme';

export type Picture = AnswerTo<'picture'>;
type Maps = NonNullable<Picture['columns'][number]['maps']>;

export interface ColumnName {
  readonly name: string;
  readonly kind: string;
  readonly shape: readonly number[];
}

export interface Drawing {
  readonly picture: Picture;
  /** The input, then each layer. */
  readonly names: readonly ColumnName[];
  /** What fills the units. */
  readonly fill: 'values' | 'gradients';
  /** The column whose phase was done last. */
  readonly lit: { readonly column: number; readonly way: 'forward' | 'backward' } | null;
  /** The column of the selected layer. */
  readonly selected: number | null;
}

/** A unit, by its column and its place among the shown ones. */
export interface Spot {
  readonly kind: 'unit';
  readonly column: number;
  readonly unit: number;
}

/** A weight: into the unit `to` of the column, from the unit `from` of the one before; places among the shown ones. */
export interface Line {
  readonly kind: 'edge';
  readonly column: number;
  readonly to: number;
  readonly from: number;
}

export type Target = Spot | Line;

const HEAD = 46;
const FOOT = 22;
const COLUMN = 92;
const GAP = 10;
/** Pixels a unit is high, with a little map or picture in it and without: at least, and where there is room. */
const UNIT = { withMap: { least: 38, most: 84 }, plain: { least: 24, most: 44 } };
/** The share of its column that a unit takes at most: lines need the rest. */
const WIDEST = 0.55;
/** Pixels between the pointer and a line that it still means. */
const REACH = 5;

const same = (a: Target | null, b: Target | null): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Where a unit's colour lies in the diverging table: its sign and how large it is beside the others. */
export function shade(value: number, largest: number, { diverging }: Theme): Rgb {
  const share = largest > 0 && Number.isFinite(value) ? Math.max(-1, Math.min(1, value / largest)) : 0;
  const i = Math.round(((share + 1) / 2) * (TABLE_SIZE - 1)) * 3;
  return [diverging[i], diverging[i + 1], diverging[i + 2]];
}

/** Cut in the middle where there is no room: squeezed letters cannot be read. */
function fitText(ctx: CanvasRenderingContext2D, text: string, room: number): string {
  for (let most = text.length; most > 6; most--) {
    const cut = cutMiddle(text, most);
    if (ctx.measureText(cut).width <= room) return cut;
  }
  return cutMiddle(text, 6);
}

const largestOf = (values: Float64Array | null): number => {
  let largest = 0;
  for (const value of values ?? []) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
};

export class NetworkPicture {
  readonly canvas = document.createElement('canvas');
  /** The maps of each column. */
  readonly #pictures: HTMLCanvasElement[] = [];
  #drawing: Drawing | null = null;
  #theme: Theme | null = null;
  #cursor: Target | null = null;
  #width = 0;
  #height = 0;
  /** Pixels a unit is wide and high. */
  #unit = 0;
  /** The columns that were brought into sight last. */
  #revealed: { readonly selected: number | null; readonly lit: number | null } = { selected: null, lit: null };

  /** @param onCursor something else is pointed at @param onChoose it was clicked, or Enter pressed */
  constructor(
    readonly onCursor: (target: Target | null) => void,
    readonly onChoose: (target: Target) => void,
  ) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-roledescription', 'picture of the network');
    canvas.addEventListener('pointermove', (event) => this.#moveTo(this.#at(event.offsetX, event.offsetY)));
    canvas.addEventListener('pointerleave', () => {
      if (document.activeElement !== canvas) this.#moveTo(null);
    });
    canvas.addEventListener('click', () => {
      if (!this.#cursor) return;
      // What is under the pointer stays there.
      this.#revealed = { ...this.#revealed, selected: this.#cursor.column };
      onChoose(this.#cursor);
    });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    onRedraw(canvas, () => this.#paint());
    canvas.addEventListener('focus', () => {
      if (!this.#cursor && this.#drawing) this.#moveTo({ kind: 'unit', column: 0, unit: 0 });
    });
  }

  get cursor(): Target | null {
    return this.#cursor;
  }

  /** @param room in CSS pixels, which units grow to fill; a long network is wider, one of many units higher, and it scrolls. */
  draw(drawing: Drawing, theme: Theme, room: { readonly width: number; readonly height: number }): void {
    this.#drawing = drawing;
    this.#theme = theme;
    this.#width = Math.max(room.width, drawing.names.length * COLUMN);
    const { columns } = drawing.picture;
    this.#fit(columns, room.height);
    const cursor = this.#cursor;
    if (cursor && (cursor.kind === 'unit' ? cursor.unit : cursor.to) >= (columns[cursor.column]?.shown.length ?? 0)) this.#cursor = null;
    this.#paint();
    const now = { selected: drawing.selected, lit: drawing.lit?.column ?? null };
    const before = this.#revealed;
    this.#revealed = now;
    // The selected one last: it was chosen.
    if (now.lit !== null && now.lit !== before.lit) this.#reveal(now.lit);
    if (now.selected !== null && now.selected !== before.selected) this.#reveal(now.selected);
  }

  /** Scrolls a column of a long network into sight, at once: there is no motion to be waited for. */
  #reveal(column: number): void {
    const { parentElement: host } = this.canvas;
    if (!host || !this.#drawing) return;
    const step = this.#width / this.#drawing.names.length;
    const middle = (column + 0.5) * step;
    if (middle - step / 2 >= host.scrollLeft && middle + step / 2 <= host.scrollLeft + host.clientWidth) return;
    host.scrollLeft = middle - host.clientWidth / 2;
  }

  /** Units as large as there is room for. */
  #fit(columns: Picture['columns'], room: number): void {
    const { least, most } = columns.some(({ maps }) => maps !== null) ? UNIT.withMap : UNIT.plain;
    const units = Math.max(1, ...columns.map(({ shown }) => shown.length));
    const fits = Math.min((room - HEAD - FOOT) / units - GAP, (this.#width / columns.length) * WIDEST);
    this.#unit = Math.round(Math.max(least, Math.min(most, fits)));
    this.#height = HEAD + units * (this.#unit + GAP) + FOOT;
  }

  /** Centre of a shown unit. */
  #place(column: number, index: number): { x: number; y: number } {
    const [unit, height] = [this.#unit, this.#height];
    const columns = this.#drawing?.picture.columns ?? [];
    const step = this.#width / columns.length;
    const count = columns[column].shown.length;
    const top = HEAD + (height - HEAD - FOOT - count * (unit + GAP)) / 2;
    return { x: (column + 0.5) * step, y: top + (index + 0.5) * (unit + GAP) };
  }

  #paint(): void {
    const [drawing, theme, { canvas }] = [this.#drawing, this.#theme, this];
    if (!drawing || !theme) return;
    const height = this.#height;
    const ratio = pixelRatio();
    const [wide, tall] = [Math.round(this.#width * ratio), Math.round(height * ratio)];
    // Setting a size makes a canvas anew, even if it is the same.
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
    this.#heads(ctx, drawing, theme, height);
    this.#lines(ctx, drawing, theme);
    this.#units(ctx, drawing, theme);
  }

  #heads(ctx: CanvasRenderingContext2D, { names, picture, lit, selected }: Drawing, theme: Theme, height: number): void {
    const step = this.#width / names.length;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    names.forEach(({ name, kind, shape }, i) => {
      const x = (i + 0.5) * step;
      if (i === selected) {
        ctx.fillStyle = toCss(theme.foreground, theme.highContrast ? 0.2 : 0.07);
        ctx.fillRect(i * step + 2, 0, step - 4, height);
      }
      if (lit?.column === i) {
        ctx.fillStyle = toCss(theme[lit.way]);
        ctx.fillRect(i * step + 6, 0, step - 12, 4);
      }
      ctx.fillStyle = toCss(theme.foreground);
      ctx.font = `600 12px ${theme.fontFamily}`;
      // Isolated: a name may hold marks that turn the text around it.
      ctx.fillText(`\u2068${fitText(ctx, name, step - 8)}\u2069`, x, 19, step - 6);
      ctx.fillStyle = toCss(theme.muted);
      ctx.font = `11px ${theme.fontFamily}`;
      ctx.fillText(`${kind} ${formatShape(shape)}`, x, 34, step - 4);
      const { units, shown } = picture.columns[i];
      if (units > shown.length) ctx.fillText(`${shown.length} of ${units} shown`, x, height - 7, step - 4);
    });
  }

  #lines(ctx: CanvasRenderingContext2D, { picture, names }: Drawing, theme: Theme): void {
    const cursor = this.#cursor;
    for (let column = 1; column < names.length; column++) {
      const edges = picture.edges.find(({ layer }) => layer === column - 1);
      const [before, own] = [picture.columns[column - 1].shown.length, picture.columns[column].shown.length];
      if (!edges?.values) {
        // Without weights of their own, or none known yet: what goes where, and nothing more.
        ctx.strokeStyle = toCss(theme.foreground, 0.25);
        ctx.lineWidth = 1;
        ctx.setLineDash(edges ? [2, 4] : []);
        for (let i = 0; i < own; i++) {
          if (!edges && before === own) this.#line(ctx, column, i, i);
          else for (let j = 0; j < before && edges; j++) this.#line(ctx, column, i, j);
        }
        ctx.setLineDash([]);
        if (!edges && before !== own) this.#line(ctx, column, (own - 1) / 2, (before - 1) / 2);
        continue;
      }
      for (let i = 0; i < own; i++) {
        for (let j = 0; j < before; j++) {
          const value = edges.values[i * before + j];
          const share = edges.largest > 0 ? Math.abs(value) / edges.largest : 0;
          const on = cursor?.kind === 'edge' ? same(cursor, { kind: 'edge', column, to: i, from: j }) : cursor?.column === column && cursor.unit === i;
          ctx.strokeStyle = toCss(shade(Math.sign(value), 1.4, theme), on ? 1 : 0.2 + 0.75 * share);
          ctx.lineWidth = 0.5 + 4 * share + (on ? 1 : 0);
          // Told by more than colour: what lowers is dashed.
          ctx.setLineDash(value < 0 ? [6, 3] : []);
          this.#line(ctx, column, i, j);
        }
      }
      ctx.setLineDash([]);
    }
  }

  #line(ctx: CanvasRenderingContext2D, column: number, to: number, from: number): void {
    const half = this.#unit / 2;
    const [a, b] = [this.#place(column - 1, from), this.#place(column, to)];
    ctx.beginPath();
    ctx.moveTo(a.x + half, a.y);
    ctx.lineTo(b.x - half, b.y);
    ctx.stroke();
  }

  #units(ctx: CanvasRenderingContext2D, { picture, fill }: Drawing, theme: Theme): void {
    const unit = this.#unit;
    picture.columns.forEach((column, c) => {
      const values = column[fill];
      const largest = largestOf(values);
      const maps = fill === 'values' ? column.maps : null;
      if (maps) this.#maps(ctx, c, maps, theme);
      column.shown.forEach((_, i) => {
        const { x, y } = this.#place(c, i);
        const [left, top] = [x - unit / 2, y - unit / 2];
        if (!maps) {
          ctx.fillStyle = toCss(values ? shade(values[i], largest, theme) : theme.background);
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

  /** The curves or the maps of a column's units, in their places. */
  #maps(ctx: CanvasRenderingContext2D, c: number, maps: Maps, theme: Theme): void {
    const unit = this.#unit;
    const { width, height, pixels, low, high } = maps;
    const count = pixels.length / (width * height);
    const corner = (i: number): { left: number; top: number } => {
      const { x, y } = this.#place(c, i);
      return { left: x - unit / 2, top: y - unit / 2 };
    };
    if (height === 1) {
      for (let i = 0; i < count; i++) this.#curve(ctx, pixels.subarray(i * width, (i + 1) * width), theme, corner(i));
      return;
    }
    // All in one picture, below each other: each one put by itself is copied by itself.
    const table = low < 0 ? theme.diverging : theme.sequential;
    const image = new ImageData(width, height * count);
    pixels.forEach((pixel, i) => {
      for (let part = 0; part < 3; part++) image.data[4 * i + part] = table[3 * pixel + part];
      image.data[4 * i + 3] = 255;
    });
    const picture = this.#pictures[c] ?? (this.#pictures[c] = document.createElement('canvas'));
    if (picture.width !== width) picture.width = width;
    if (picture.height !== height * count) picture.height = height * count;
    picture.getContext('2d')?.putImageData(image, 0, 0);
    ctx.imageSmoothingEnabled = high > low;
    for (let i = 0; i < count; i++) {
      const { left, top } = corner(i);
      ctx.drawImage(picture, 0, i * height, width, height, left, top, unit, unit);
    }
  }

  #curve(ctx: CanvasRenderingContext2D, of: Uint8Array, theme: Theme, { left, top }: { left: number; top: number }): void {
    const unit = this.#unit;
    ctx.fillStyle = toCss(theme.background);
    ctx.fillRect(left, top, unit, unit);
    ctx.strokeStyle = toCss(theme.palette[0]);
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    of.forEach((pixel, i) => ctx.lineTo(left + 1 + ((unit - 2) * i) / (of.length - 1), top + unit - 2 - ((unit - 4) * pixel) / 255));
    ctx.stroke();
  }

  #at(x: number, y: number): Target | null {
    const columns = this.#drawing?.picture.columns ?? [];
    const unit = this.#unit;
    for (let column = 0; column < columns.length; column++) {
      for (let index = 0; index < columns[column].shown.length; index++) {
        const place = this.#place(column, index);
        if (Math.abs(place.x - x) <= unit / 2 && Math.abs(place.y - y) <= unit / 2) return { kind: 'unit', column, unit: index };
      }
    }
    return this.#edgeAt(x, y);
  }

  #edgeAt(x: number, y: number): Line | null {
    const { columns = [], edges = [] } = this.#drawing?.picture ?? {};
    const half = this.#unit / 2;
    let best: Line | null = null;
    let nearest = REACH;
    for (const { layer } of edges) {
      const column = layer + 1;
      columns[column].shown.forEach((_, to) => columns[layer].shown.forEach((__, from) => {
        const [a, b] = [this.#place(layer, from), this.#place(column, to)];
        const [ax, bx] = [a.x + half, b.x - half];
        if (x < ax || x > bx) return;
        const away = Math.abs(a.y + ((b.y - a.y) * (x - ax)) / (bx - ax) - y);
        if (away >= nearest) return;
        nearest = away;
        best = { kind: 'edge', column, to, from };
      }));
    }
    return best;
  }

  #moveTo(target: Target | null): void {
    if (same(target, this.#cursor)) return;
    this.#cursor = target;
    this.#paint();
    this.onCursor(target);
  }

  /** Arrows go from unit to unit; with Shift, over the weights that come in. */
  #key(event: KeyboardEvent): void {
    const columns = this.#drawing?.picture.columns;
    if (!columns || event.ctrlKey || event.altKey || event.metaKey) return;
    const cursor = this.#cursor ?? { kind: 'unit', column: 0, unit: 0 };
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.onChoose(cursor);
      return;
    }
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    const clamp = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
    const [column, unit] = cursor.kind === 'unit' ? [cursor.column, cursor.unit] : [cursor.column, cursor.to];
    if (event.shiftKey && by[1] !== 0 && this.#drawing?.picture.edges.some(({ layer }) => layer === column - 1)) {
      const from = cursor.kind === 'edge' ? clamp(cursor.from + by[1], columns[column - 1].shown.length) : 0;
      this.#moveTo({ kind: 'edge', column, to: unit, from });
      return;
    }
    const next = clamp(column + by[0], columns.length);
    this.#moveTo({ kind: 'unit', column: next, unit: clamp(unit + by[1], columns[next].shown.length) });
    this.#reveal(next);
  }
}
