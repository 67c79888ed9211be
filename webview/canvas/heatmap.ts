// A matrix as a heat map on a canvas: one putImageData regardless of its size, numbers in the cells if they fit, and a
// cursor for pointer and keyboard. Knows cells and colors, not their meaning.
import { contrast, COLOR_TABLE_SIZE, toCss, type Rgb } from './colors';
import { formatNumber } from '../../src/presentation/numbers';
import { onRedraw, pixelRatio } from '../export/hidpi-export';
import type { Theme } from './theme';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Float64Array;
  /** The text of a cell, if it is not the number. */
  readonly label?: ((i: number) => string) | undefined;
  /** Cells that are left empty; by default, none. */
  readonly isBlank?: (i: number) => boolean;
}

/** The mapping from values to colors; `low` and `high` are its ends. */
export interface ColorScale {
  readonly kind: 'signed' | 'magnitude';
  readonly low: number;
  readonly high: number;
}

/** A scale centered at 0 for signed values; one that starts at 0 for values that are never negative. */
export function colorScale({ cells }: Matrix, signed: boolean): ColorScale {
  let largest = 0;
  let negative = false;
  for (const cell of cells) {
    if (!Number.isFinite(cell)) continue;
    largest = Math.max(largest, Math.abs(cell));
    if (cell < 0) negative = true;
  }
  return signed || negative
    ? { kind: 'signed', low: -largest, high: largest }
    : { kind: 'magnitude', low: 0, high: largest };
}

/** Index into the color table, 0 to 255; null for values that are not on the scale. */
export function colorIndex(value: number, { low, high }: ColorScale): number | null {
  if (Number.isNaN(value)) return null;
  const share = high === low ? 0.5 : (value - low) / (high - low);
  return Math.round(Math.min(1, Math.max(0, share)) * (COLOR_TABLE_SIZE - 1));
}

export const colorTableFor = (scale: ColorScale, theme: Theme): Uint8Array =>
  scale.kind === 'signed' ? theme.diverging : theme.sequential;

const colorAt = (table: Uint8Array, i: number): Rgb => [table[i * 3]!, table[i * 3 + 1]!, table[i * 3 + 2]!];

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** Several matrices next to each other: the size of each, and what their rows and columns are called. */
export interface TileLayout {
  readonly rows: number;
  readonly columns: number;
  readonly rowLabels: ArrayLike<number>;
  readonly columnLabels: ArrayLike<number>;
}

const ROW_LABEL_WIDTH = 34;
const HEADER_HEIGHT = 18;
const MIN_TEXT_CELL_WIDTH = 54;

export class Heatmap {
  readonly canvas = document.createElement('canvas');
  readonly #offscreen = document.createElement('canvas');
  #matrix: Matrix | null = null;
  #cursor: Cell | null = null;
  #cellSize = { width: 1, height: 1 };
  #theme: Theme | null = null;
  #scale: ColorScale = { kind: 'signed', low: 0, high: 0 };
  #strides = { row: 1, column: 1 };
  #tiles: TileLayout | null = null;

  /** @param onCursor the cell at the cursor has changed @param onOpen a cell was clicked, or Enter was pressed */
  constructor(
    readonly onCursor: (cell: Cell | null) => void,
    readonly onOpen?: (cell: Cell) => void,
  ) {
    const { canvas } = this;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-roledescription', 'heat map');
    canvas.addEventListener('pointermove', (event) => this.#setCursor(this.#cellAt(event.offsetX, event.offsetY)));
    canvas.addEventListener('pointerleave', () => {
      if (document.activeElement !== canvas) this.#setCursor(null);
    });
    canvas.addEventListener('click', (event) => {
      const cell = this.#cellAt(event.offsetX, event.offsetY);
      if (cell) this.onOpen?.(cell);
    });
    canvas.addEventListener('keydown', (event) => this.#onKeyDown(event));
    onRedraw(canvas, () => this.#paint());
    canvas.addEventListener('focus', () => {
      if (!this.#cursor && this.#matrix) this.#setCursor({ row: 0, column: 0 });
    });
  }

  get cursor(): Cell | null {
    return this.#cursor;
  }

  /**
   * @param width available width in CSS pixels @param strides how many rows and columns a cell covers, for the numbers
   * at the edges
   */
  draw(
    matrix: Matrix,
    scale: ColorScale,
    theme: Theme,
    width: number,
    strides = { row: 1, column: 1 },
    tiles: TileLayout | null = null,
  ): void {
    this.#tiles = tiles;
    this.#matrix = matrix;
    this.#scale = scale;
    this.#theme = theme;
    this.#strides = strides;
    if (this.#cursor && (this.#cursor.row >= matrix.rows || this.#cursor.column >= matrix.columns)) this.#cursor = null;
    const room = Math.max(80, width - ROW_LABEL_WIDTH - 2);
    const fit = room / matrix.columns;
    const cellWidth = Math.max(2, Math.min(72, matrix.columns > 32 ? Math.floor(fit * 4) / 4 : Math.floor(fit)));
    const cellHeight =
      cellWidth >= MIN_TEXT_CELL_WIDTH ? 26 : Math.max(matrix.rows > 40 ? 4 : 8, Math.min(cellWidth, 22));
    this.#cellSize = { width: cellWidth, height: cellHeight };
    this.#paint();
  }

  #paint(): void {
    const { canvas } = this;
    const [matrix, theme, scale] = [this.#matrix, this.#theme, this.#scale];
    if (!matrix || !theme) return;
    const { width, height } = this.#cellSize;
    const [inner, outer] = [matrix.columns * width, matrix.rows * height];
    const size = { width: Math.ceil(inner + ROW_LABEL_WIDTH + 2), height: Math.ceil(outer + HEADER_HEIGHT + 2) };
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
    ctx.drawImage(this.#renderPixels(matrix, scale, theme), ROW_LABEL_WIDTH, HEADER_HEIGHT, inner, outer);
    this.#drawLabels(ctx, matrix, scale, theme);
    if (this.#cursor) this.#drawCursor(ctx, this.#cursor, theme);
  }

  #renderPixels(matrix: Matrix, scale: ColorScale, theme: Theme): HTMLCanvasElement {
    const { rows, columns, cells, isBlank } = matrix;
    this.#offscreen.width = columns;
    this.#offscreen.height = rows;
    const ctx = this.#offscreen.getContext('2d');
    const image = new ImageData(columns, rows);
    const table = colorTableFor(scale, theme);
    cells.forEach((cell, i) => {
      const at = isBlank?.(i) ? null : colorIndex(cell, scale);
      image.data.set(at === null ? theme.background : colorAt(table, at), i * 4);
      image.data[i * 4 + 3] = 255;
    });
    ctx?.putImageData(image, 0, 0);
    return this.#offscreen;
  }

  /**
   * Draws the grid, numbers at the edges, values in the cells if there is room, and crosses for values that are not
   * numbers.
   */
  #drawLabels(
    ctx: CanvasRenderingContext2D,
    { rows, columns, cells, label, isBlank }: Matrix,
    scale: ColorScale,
    theme: Theme,
  ): void {
    const { width, height } = this.#cellSize;
    const table = colorTableFor(scale, theme);
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
      ctx.fillText(
        String(tiles?.columnLabels[j] ?? j * this.#strides.column),
        ROW_LABEL_WIDTH + (j + 0.5) * along * width,
        HEADER_HEIGHT / 2,
      );
    }
    ctx.textAlign = 'right';
    for (let i = 0; i < rows / down; i += every(rows / down, down * height, 12)) {
      ctx.fillText(
        String(tiles?.rowLabels[i] ?? i * this.#strides.row),
        ROW_LABEL_WIDTH - 6,
        HEADER_HEIGHT + (i + 0.5) * down * height,
      );
    }
    ctx.textAlign = 'center';
    ctx.font = `11px ${theme.fontFamily}`;
    cells.forEach((cell, i) => {
      const x = ROW_LABEL_WIDTH + (i % columns) * width;
      const y = HEADER_HEIGHT + Math.floor(i / columns) * height;
      if (width >= 10 && !tiles) ctx.strokeRect(x + 0.5, y + 0.5, width, height);
      if (isBlank?.(i)) return;
      const at = colorIndex(cell, scale);
      if (at === null) this.#drawCross(ctx, x, y, theme);
      if (width < MIN_TEXT_CELL_WIDTH) return;
      const fill = at === null ? theme.background : colorAt(table, at);
      ctx.fillStyle = contrast(fill, [255, 255, 255]) >= contrast(fill, [0, 0, 0]) ? '#fff' : '#000';
      ctx.fillText(label ? label(i) : formatNumber(cell), x + width / 2, y + height / 2 + 0.5, width - 4);
    });
    if (tiles) {
      ctx.fillStyle = toCss(theme.background);
      for (let j = along; j < columns; j += along)
        ctx.fillRect(ROW_LABEL_WIDTH + j * width - 2, HEADER_HEIGHT, 4, rows * height);
      for (let i = down; i < rows; i += down)
        ctx.fillRect(ROW_LABEL_WIDTH, HEADER_HEIGHT + i * height - 2, columns * width, 4);
    }
    ctx.strokeStyle = toCss(theme.muted, theme.highContrast ? 1 : 0.5);
    ctx.strokeRect(ROW_LABEL_WIDTH - 0.5, HEADER_HEIGHT - 0.5, columns * width + 1, rows * height + 1);
  }

  #drawCross(ctx: CanvasRenderingContext2D, x: number, y: number, theme: Theme): void {
    const { width, height } = this.#cellSize;
    ctx.save();
    ctx.strokeStyle = toCss(theme.bad, width >= MIN_TEXT_CELL_WIDTH ? 0.5 : 1);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + width, y + height);
    ctx.moveTo(x + width, y);
    ctx.lineTo(x, y + height);
    ctx.stroke();
    ctx.restore();
  }

  #drawCursor(ctx: CanvasRenderingContext2D, { row, column }: Cell, theme: Theme): void {
    const { width, height } = this.#cellSize;
    const x = ROW_LABEL_WIDTH + column * width;
    const y = HEADER_HEIGHT + row * height;
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
    const column = Math.floor((x - ROW_LABEL_WIDTH) / this.#cellSize.width);
    const row = Math.floor((y - HEADER_HEIGHT) / this.#cellSize.height);
    const inside = row >= 0 && column >= 0 && row < matrix.rows && column < matrix.columns;
    return inside ? { row, column } : null;
  }

  #setCursor(cell: Cell | null): void {
    if (cell?.row === this.#cursor?.row && cell?.column === this.#cursor?.column) return;
    this.#cursor = cell;
    this.#paint();
    this.onCursor(cell);
  }

  #onKeyDown(event: KeyboardEvent): void {
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
    this.#setCursor({
      row: Math.max(0, Math.min(matrix.rows - 1, move.row)),
      column: Math.max(0, Math.min(matrix.columns - 1, move.column)),
    });
  }
}
