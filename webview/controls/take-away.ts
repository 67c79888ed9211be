// What is behind and on a chart, to be taken away: its table to the clipboard or as CSV, its picture as PNG. The same for all.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { toCss } from '../colours';
import type { Context } from '../context';
import { sharply } from '../sharp';
import { asCsv, asTabs, type Sheet } from '../sheet';
import type { Theme } from '../theme';
import { icon } from './value';

export interface Taken {
  /** Of the chart; the files are called after it. */
  readonly title: string;
  readonly sheet: () => Sheet;
  readonly canvas?: HTMLCanvasElement | undefined;
}

export function takeAway({ send, theme }: Context, { title, sheet, canvas }: Taken): TemplateResult {
  return html`<span class="take-away" role="group" aria-label=${`Take away: ${title}`}>
    <button class="quiet" @click=${() => send({ type: 'copy', text: asTabs(sheet()) })}>${icon('copy')} Copy all</button>
    <button class="quiet" @click=${() => send({ type: 'save', kind: 'csv', title, content: asCsv(sheet()) })}>${icon('save')} Save CSV…</button>
    ${canvas ? html`<button class="quiet" @click=${() => send({ type: 'save', kind: 'png', title, content: sharply(canvas, () => pictureOf(title, canvas, theme)) })}>${icon('file-media')} Save PNG…</button>` : nothing}
  </span>`;
}

/** Base64 of a PNG with every pixel of the canvas, on the editor's background, its title above. */
export function pictureOf(title: string, canvas: HTMLCanvasElement, theme: Theme): string {
  const ratio = canvas.clientWidth > 0 ? canvas.width / canvas.clientWidth : devicePixelRatio;
  const [margin, head] = [Math.round(8 * ratio), Math.round(28 * ratio)];
  const whole = document.createElement('canvas');
  whole.width = canvas.width + 2 * margin;
  whole.height = canvas.height + head + margin;
  const ctx = whole.getContext('2d');
  if (!ctx) return '';
  ctx.fillStyle = toCss(theme.background);
  ctx.fillRect(0, 0, whole.width, whole.height);
  ctx.fillStyle = toCss(theme.foreground);
  ctx.font = `600 ${13 * ratio}px ${theme.fontFamily}`;
  ctx.textBaseline = 'middle';
  // Isolated: a name in it may hold marks that turn the text around it.
  ctx.fillText(`\u2068${title}\u2069`, margin, head / 2, canvas.width);
  if (canvas.width > 0 && canvas.height > 0) ctx.drawImage(canvas, margin, head);
  return whole.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
}
