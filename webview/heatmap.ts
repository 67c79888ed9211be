// A matrix as a heat map on its own canvas: one putImageData whatever its size, numbers in the cells where they fit,
// a cursor for pointer and keyboard. It knows cells and colours, not what they mean.
import { contrast, TABLE_SIZE, toCss, type Rgb } from './colours';
import { formatNumber } from './numbers';
import { onRedraw, pixelRatio } from './sharp';
import type { Theme } from './theme';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Float64Array;
  /** What is written in a cell where it is not the number. */
  readonly label?: ((i: number) => string) | undefined;
}

/** Which value has which colour; `low` and `high` are the two ends. */
export interface Scale {
  readonly kind: 'signed' | 'magnitude';
  readonly low: number;
  readonly high: number;
}

/** Signed values get a scale centred at 0; what is never negative starts at 0. */
export function scaleOf({ cells }: Matrix, signed: boolean): Scale {
  let largest = 0;
  let negative = false;
  for (const cell of cells) {
    if (!Number.isFinite(cell)) continue;
    largest = Math.max(largest, Math.abs(cell));
    if (cell < 0) negative = true;
  }
  return signed || negative ? { kind: 'signed', low: -largest, high: largest } : { kind: 'magnitude', low: 0, high: largest };
}

/** Entry of the colour table, 0 to 255; null for what has no place on a scale. */
export function tableIndex(value: number, { low, high }: Scale): number | null {
  if (Number.isNaN(value)) return null;
  const share = high === low ? 0.5 : (value - low) / (high - low);
  return Math.round(Math.min(1, Math.max(0, share)) * (TABLE_SIZE - 1));
}

export const tableFor = (scale: Scale, theme: Theme): Uint8Array =>
  scale.kind === 'signed' ? theme.diverging : theme.sequential;

const entry = (table: Uint8Array, i: number): Rgb => [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]];

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Several matrices beside each other: how large each is, and what its rows and columns of them are called. */
export interface Tiles {
  readonly rows: number;
  readonly columns: number;
  readonly rowNames: ArrayLike<number>;
  readonly columnNames: ArrayLike<number>;
}

const LABEL_ROOM = 34;
const HEADER_ROOM = 18;
const TEXT_WIDTH = 54;

export class Heatmap {
  readonly canvas = document.createElement('canvas');
  readonly #pixels = document.createElement('canvas');
  #matrix: Matrix | null = null;
  #cursor: Cell | null = null;
  #cell = { width: 1, height: 1 };
  #theme: Theme | null = null;
  #scale: Scale = { kind: 'signed', low: 0, high: 0 };
  #strides = { row: 1, column: 1 };
  #tiles: Tiles | null = null;

  /** @param onCursor the cell that is pointed at changed @param onOpen a cell was clicked, or Enter pressed on it */
  constructor(
    readonly onCursor: (cell: Cell | null) => void,
    readonly onOpen?: (cell: Cell) => void,
  ) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-roledescription', 'heat map');
    canvas.addEventListener('pointermove', (event) => this.#moveTo(this.#cellAt(event.offsetX, event.offsetY)));
    canvas.addEventListener('pointerleave', () => {
      if (document.activeElement !== canvas) this.#moveTo(null);
    });
    canvas.addEventListener('click', (event) => {
      const cell = this.#cellAt(event.offsetX, event.offsetY);
      if (cell) this.onOpen?.(cell);
    });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    onRedraw(canvas, () => this.#paint());
    canvas.addEventListener('focus', () => {
      if (!this.#cursor && this.#matrix) this.#moveTo({ row: 0, column: 0 });
    });
  }

  get cursor(): Cell | null {
    return this.#cursor;
  }

  /** @param width room in CSS pixels @param strides what one cell stands for, for the numbers at the edges */
  draw(matrix: Matrix, scale: Scale, theme: Theme, width: number, strides = { row: 1, column: 1 }, tiles: Tiles | null = null): void {
    this.#tiles = tiles;
    this.#matrix = matrix;
    this.#scale = scale;
    this.#theme = theme;
    this.#strides = strides;
    if (this.#cursor && (this.#cursor.row >= matrix.rows || this.#cursor.column >= matrix.columns)) this.#cursor = null;
    const room = Math.max(80, width - LABEL_ROOM - 2);
    const fit = room / matrix.columns;
    const cellWidth = Math.max(2, Math.min(72, matrix.columns > 32 ? Math.floor(fit * 4) / 4 : Math.floor(fit)));
    const cellHeight = cellWidth >= TEXT_WIDTH ? 26 : Math.max(matrix.rows > 40 ? 4 : 8, Math.min(cellWidth, 22));
    this.#cell = { width: cellWidth, height: cellHeight };
    this.#paint();
  }

  #paint(): void {
    const { canvas } = this;
    const [matrix, theme, scale] = [this.#matrix, this.#theme, this.#scale];
    if (!matrix || !theme) return;
    const { width, height } = this.#cell;
    const [inner, outer] = [matrix.columns * width, matrix.rows * height];
    const size = { width: Math.ceil(inner + LABEL_ROOM + 2), height: Math.ceil(outer + HEADER_ROOM + 2) };
    const ratio = pixelRatio();
    canvas.width = Math.round(size.width * ratio);
    canvas.height = Math.round(size.height * ratio);
    canvas.style.width = `${size.width}px`;
    canvas.style.height = `${size.height}px`;
    const ctx = canvas.getContext('2d');
    if (!ctx) return;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, size.width, size.height);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.#image(matrix, scale, theme), LABEL_ROOM, HEADER_ROOM, inner, outer);
    this.#decorate(ctx, matrix, scale, theme);
    if (this.#cursor) this.#outline(ctx, this.#cursor, theme);
  }

  #image(matrix: Matrix, scale: Scale, theme: Theme): HTMLCanvasElement {
    const { rows, columns, cells } = matrix;
    this.#pixels.width = columns;
    this.#pixels.height = rows;
    const ctx = this.#pixels.getContext('2d');
    const image = new ImageData(columns, rows);
    const table = tableFor(scale, theme);
    cells.forEach((cell, i) => {
      const at = tableIndex(cell, scale);
      image.data.set(at === null ? theme.background : entry(table, at), i * 4);
      image.data[i * 4 + 3] = 255;
    });
    ctx?.putImageData(image, 0, 0);
    return this.#pixels;
  }

  /** Grid, numbers at the edges, values in the cells where there is room, crosses where there is no number. */
  #decorate(ctx: CanvasRenderingContext2D, { rows, columns, cells, label }: Matrix, scale: Scale, theme: Theme): void {
    const { width, height } = this.#cell;
    const table = tableFor(scale, theme);
    ctx.strokeStyle = toCss(theme.background, 0.9);
    ctx.lineWidth = 1;
    ctx.textBaseline = 'middle';
    ctx.font = `10px ${theme.fontFamily}`;
    ctx.fillStyle = toCss(theme.muted);
    const every = (count: number, size: number, least: number): number => {
      const fit = Math.ceil(least / size);
      return [1, 2, 4, 5, 8, 10, 16, 20, 32, 50].find((step) => step >= fit) ?? count;
    };
    const tiles = this.#tiles;
    const [down, along] = [tiles?.rows ?? 1, tiles?.columns ?? 1];
    ctx.textAlign = 'center';
    for (let j = 0; j < columns / along; j += every(columns / along, along * width, 24)) {
      ctx.fillText(String(tiles?.columnNames[j] ?? j * this.#strides.column), LABEL_ROOM + (j + 0.5) * along * width, HEADER_ROOM / 2);
    }
    ctx.textAlign = 'right';
    for (let i = 0; i < rows / down; i += every(rows / down, down * height, 12)) {
      ctx.fillText(String(tiles?.rowNames[i] ?? i * this.#strides.row), LABEL_ROOM - 6, HEADER_ROOM + (i + 0.5) * down * height);
    }
    ctx.textAlign = 'center';
    ctx.font = `11px ${theme.fontFamily}`;
    cells.forEach((cell, i) => {
      const x = LABEL_ROOM + (i % columns) * width;
      const y = HEADER_ROOM + Math.floor(i / columns) * height;
      if (width >= 10 && !tiles) ctx.strokeRect(x + 0.5, y + 0.5, width, height);
      const at = tableIndex(cell, scale);
      if (at === null) this.#cross(ctx, x, y, theme);
      if (width < TEXT_WIDTH) return;
      const fill = at === null ? theme.background : entry(table, at);
      ctx.fillStyle = contrast(fill, [255, 255, 255]) >= contrast(fill, [0, 0, 0]) ? '#fff' : '#000';
      ctx.fillText(label ? label(i) : formatNumber(cell), x + width / 2, y + height / 2 + 0.5, width - 4);
    });
    if (tiles) {
      ctx.fillStyle = toCss(theme.background);
      for (let j = along; j < columns; j += along) ctx.fillRect(LABEL_ROOM + j * width - 2, HEADER_ROOM, 4, rows * height);
      for (let i = down; i < rows; i += down) ctx.fillRect(LABEL_ROOM, HEADER_ROOM + i * height - 2, columns * width, 4);
    }
    ctx.strokeStyle = toCss(theme.muted, theme.highContrast ? 1 : 0.5);
    ctx.strokeRect(LABEL_ROOM - 0.5, HEADER_ROOM - 0.5, columns * width + 1, rows * height + 1);
  }

  #cross(ctx: CanvasRenderingContext2D, x: number, y: number, theme: Theme): void {
    const { width, height } = this.#cell;
    ctx.save();
    ctx.strokeStyle = toCss(theme.bad, width >= TEXT_WIDTH ? 0.5 : 1);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + width, y + height);
    ctx.moveTo(x + width, y);
    ctx.lineTo(x, y + height);
    ctx.stroke();
    ctx.restore();
  }

  #outline(ctx: CanvasRenderingContext2D, { row, column }: Cell, theme: Theme): void {
    const { width, height } = this.#cell;
    const x = LABEL_ROOM + column * width;
    const y = HEADER_ROOM + row * height;
    ctx.lineWidth = 3;
    ctx.strokeStyle = toCss(theme.background);
    ctx.strokeRect(x, y, width, height);
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = toCss(theme.foreground);
    ctx.strokeRect(x, y, width, height);
  }

  #cellAt(x: number, y: number): Cell | null {
    const matrix = this.#matrix;
    if (!matrix) return null;
    const column = Math.floor((x - LABEL_ROOM) / this.#cell.width);
    const row = Math.floor((y - HEADER_ROOM) / this.#cell.height);
    const inside = row >= 0 && column >= 0 && row < matrix.rows && column < matrix.columns;
    return inside ? { row, column } : null;
  }

  #moveTo(cell: Cell | null): void {
    if (cell?.row === this.#cursor?.row && cell?.column === this.#cursor?.column) return;
    this.#cursor = cell;
    this.#paint();
    this.onCursor(cell);
  }

  #key(event: KeyboardEvent): void {
    const matrix = this.#matrix;
    if (!matrix || event.ctrlKey || event.altKey || event.metaKey) return;
    const { row, column } = this.#cursor ?? { row: 0, column: 0 };
    if (event.key === 'Enter' && this.#cursor && this.onOpen) {
      event.preventDefault();
      return this.onOpen(this.#cursor);
    }
    const moves: Record<string, Cell> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      Home: { row, column: 0 },
      End: { row, column: matrix.columns - 1 },
      PageUp: { row: 0, column },
      PageDown: { row: matrix.rows - 1, column },
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.#moveTo({
      row: Math.max(0, Math.min(matrix.rows - 1, move.row)),
      column: Math.max(0, Math.min(matrix.columns - 1, move.column)),
    });
  }
}
