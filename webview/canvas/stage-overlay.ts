// What presentation mode draws over the picture of the network: values on units and lines, what flows along the lines
// of the phase, and the highlighted term. Knows positions and colors, not their meaning; every number is passed in.
import { formatNumber } from '../../src/presentation/numbers';
import { toCss } from './colors';
import { type DiagramGeometry, signedColor } from './network-diagram';
import type { Theme } from './theme';

export interface UnitRef {
  readonly column: number;
  readonly unit: number;
}

/** A value on a line between two units; `unit` null for the middle of a column. */
export interface LineValue {
  readonly from: UnitRef;
  readonly to: UnitRef;
  readonly value: number;
}

export interface StageDrawing {
  /** The values of the units of each column; null where there are none yet. */
  readonly values: readonly (Float64Array | null)[];
  /** dL/d value, which is written below; null to leave it out. */
  readonly gradients: readonly (Float64Array | null)[];
  /** Written on the lines. */
  readonly lines: readonly LineValue[];
  /** What moves from unit to unit, and which way. */
  readonly flow: { readonly direction: 'forward' | 'backward'; readonly parts: readonly LineValue[] } | null;
  /** How far it has moved, 0 to 1; 1 when nothing moves. */
  readonly progress: number;
  /** Columns whose numbers appear when the flow arrives. */
  readonly arriving: readonly number[];
  /** Columns with an arrow from the one to the other. */
  readonly arrows: readonly (readonly [from: number, to: number])[];
  readonly laser: { readonly columns: readonly number[]; readonly between: boolean } | null;
  readonly scale: number;
}

/** The share of the time in which the flow moves; then the numbers appear. */
const ARRIVAL = 0.85;
const FONT_SIZE = 13;
/** Radius in pixels of the largest part of a flow. */
const MAX_RADIUS = 8;
const PADDING = 3;

export function drawStage(
  ctx: CanvasRenderingContext2D,
  geometry: DiagramGeometry,
  theme: Theme,
  drawing: StageDrawing,
): void {
  ctx.save();
  ctx.font = `600 ${FONT_SIZE * drawing.scale}px ${theme.fontFamily}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  drawLaser(ctx, geometry, theme, drawing);
  drawArrows(ctx, geometry, theme, drawing);
  const plates = new Plates(ctx, theme, drawing.scale);
  drawUnits(plates, geometry, drawing);
  drawLines(plates, geometry, drawing);
  drawFlow(ctx, geometry, theme, drawing);
  ctx.restore();
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Numbers on plates, so that they can be read on any color. One that would cover another is left out. */
class Plates {
  readonly #ctx: CanvasRenderingContext2D;
  readonly #theme: Theme;
  readonly #placed: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }[] =
    [];

  constructor(
    ctx: CanvasRenderingContext2D,
    theme: Theme,
    readonly scale: number,
  ) {
    this.#ctx = ctx;
    this.#theme = theme;
  }

  get height(): number {
    return (FONT_SIZE + 4) * this.scale;
  }

  draw(text: string, { x, y }: Point): void {
    const ctx = this.#ctx;
    const width = ctx.measureText(text).width + 2 * PADDING * this.scale;
    const { height } = this;
    const plate = { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
    const covers = (other: typeof plate): boolean =>
      plate.left < other.right && plate.right > other.left && plate.top < other.bottom && plate.bottom > other.top;
    if (this.#placed.some(covers)) return;
    this.#placed.push(plate);
    ctx.fillStyle = toCss(this.#theme.background, 0.88);
    ctx.fillRect(plate.left, plate.top, width, height);
    ctx.fillStyle = toCss(this.#theme.foreground);
    ctx.fillText(text, x, y);
  }
}

function drawUnits(
  plates: Plates,
  { center }: DiagramGeometry,
  { values, gradients, progress, arriving, flow }: StageDrawing,
): void {
  const isWaiting = (column: number): boolean => progress < ARRIVAL && arriving.includes(column);
  values.forEach((column, c) => {
    const own = gradients[c] ?? null;
    const showsValue = column !== null && !(flow?.direction === 'forward' && isWaiting(c));
    const showsGradient = own !== null && !(flow?.direction === 'backward' && isWaiting(c));
    for (let i = 0; i < (column ?? own ?? []).length; i++) {
      const { x, y } = center(c, i);
      const below = showsValue && showsGradient ? plates.height / 2 : 0;
      if (showsValue) plates.draw(formatNumber(column[i]!), { x, y: y - below });
      if (showsGradient) plates.draw(`∂ ${formatNumber(own[i]!)}`, { x, y: y + below });
    }
  });
}

/** Between the edges of two units. */
function pointOnLine({ center, unitSize }: DiagramGeometry, { from, to }: LineValue, share: number): Point {
  const [a, b] = [center(from.column, from.unit), center(to.column, to.unit)];
  const half = (Math.sign(b.x - a.x) * unitSize) / 2;
  return { x: a.x + half + (b.x - a.x - 2 * half) * share, y: a.y + (b.y - a.y) * share };
}

/** Apart from each other: the lines into one unit are labelled at other places than those into the next. */
function drawLines(plates: Plates, geometry: DiagramGeometry, { lines }: StageDrawing): void {
  const places = Math.max(1, ...lines.map(({ to }) => to.unit));
  for (const line of lines) {
    const share = lines.length === 1 ? 0.5 : 0.3 + (0.4 * line.to.unit) / places;
    plates.draw(formatNumber(line.value), pointOnLine(geometry, line, share));
  }
}

/** As large as its value, relative to the largest; a negative one is a ring. */
function drawFlow(
  ctx: CanvasRenderingContext2D,
  geometry: DiagramGeometry,
  theme: Theme,
  { flow, progress, scale }: StageDrawing,
): void {
  if (!flow || progress >= ARRIVAL) return;
  const largest = Math.max(...flow.parts.map(({ value }) => Math.abs(value)).filter(Number.isFinite), 0);
  if (largest === 0) return;
  for (const part of flow.parts) {
    const radius = MAX_RADIUS * scale * Math.sqrt(Math.abs(part.value) / largest);
    // What is exactly 0 does not flow.
    if (!(radius > 0)) continue;
    const { x, y } = pointOnLine(geometry, part, progress / ARRIVAL);
    const color = toCss(signedColor(Math.sign(part.value), 1, theme));
    ctx.beginPath();
    ctx.arc(x, y, Math.max(1, radius), 0, 2 * Math.PI);
    ctx.fillStyle = part.value < 0 ? toCss(theme.background) : color;
    ctx.fill();
    ctx.lineWidth = 2 * scale;
    ctx.strokeStyle = part.value < 0 ? color : toCss(theme.foreground);
    ctx.stroke();
  }
}

function drawArrows(
  ctx: CanvasRenderingContext2D,
  { center, headerHeight, columnWidth }: DiagramGeometry,
  theme: Theme,
  { arrows, flow, scale }: StageDrawing,
): void {
  if (!flow) return;
  ctx.strokeStyle = ctx.fillStyle = toCss(theme[flow.direction]);
  ctx.lineWidth = 3 * scale;
  for (const [from, to] of arrows) {
    const y = headerHeight - 4 * scale;
    const way = Math.sign(to - from);
    const [start, end] = [center(from, 0).x + way * columnWidth * 0.3, center(to, 0).x - way * columnWidth * 0.3];
    const head = 8 * scale;
    ctx.beginPath();
    ctx.moveTo(start, y);
    ctx.lineTo(end - way * head, y);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(end, y);
    ctx.lineTo(end - way * head, y - head / 2);
    ctx.lineTo(end - way * head, y + head / 2);
    ctx.fill();
  }
}

function drawLaser(
  ctx: CanvasRenderingContext2D,
  { center, headerHeight, height, columnWidth, unitSize }: DiagramGeometry,
  theme: Theme,
  { laser, scale }: StageDrawing,
): void {
  if (!laser || laser.columns.length === 0) return;
  const [first, last] = [Math.min(...laser.columns), Math.max(...laser.columns)];
  const inset = (columnWidth - unitSize) / 2 - 8 * scale;
  const left = center(first, 0).x + (laser.between ? unitSize / 2 + 4 : -columnWidth / 2 + inset);
  const right = center(last, 0).x + (laser.between ? -unitSize / 2 - 4 : columnWidth / 2 - inset);
  const top = headerHeight + 2;
  ctx.fillStyle = toCss(theme.laser, theme.highContrast ? 0 : 0.1);
  ctx.strokeStyle = toCss(theme.laser);
  ctx.lineWidth = 3 * scale;
  ctx.beginPath();
  ctx.roundRect(left, top, Math.max(1, right - left), height - top - 6, 10);
  ctx.fill();
  ctx.stroke();
}
