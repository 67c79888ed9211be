// Exports a chart: its table to the clipboard or as CSV, its canvas as PNG.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { toCss } from '../canvas/colors';
import type { Context } from '../context';
import { withHiDpi } from '../export/hidpi-export';
import { toCsv, toTsv, type TableExport } from '../export/table-export';
import type { Theme } from '../canvas/theme';
import { renderIcon } from './number-value';

export interface ExportSource {
  /** Title of the chart, from which file names are derived. */
  readonly title: string;
  readonly table: () => TableExport;
  readonly canvas?: HTMLCanvasElement | undefined;
}

export function exportActions({ extension, theme }: Context, { title, table, canvas }: ExportSource): TemplateResult {
  return html`<span class="export-actions" role="group" aria-label=${`Export: ${title}`}>
    <button class="quiet" @click=${() => void extension.copyText(toTsv(table()))}>
      ${renderIcon('copy')} Copy all
    </button>
    <button class="quiet" @click=${() => void extension.saveFile({ kind: 'csv', title, content: toCsv(table()) })}>
      ${renderIcon('save')} Save CSV…
    </button>
    ${canvas ? html`<button class="quiet" @click=${() => void extension.saveFile({ kind: 'png', title, content: withHiDpi(canvas, () => canvasToPng(title, canvas, theme)) })}>${renderIcon('file-media')} Save PNG…</button>` : nothing}
  </span>`;
}

/** Base64 of a PNG with every pixel of the canvas, on the editor's background, below its title. */
export function canvasToPng(title: string, canvas: HTMLCanvasElement, theme: Theme): string {
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
  // Isolated, because a name may contain bidirectional marks.
  ctx.fillText(`\u2068${title}\u2069`, margin, head / 2, canvas.width);
  if (canvas.width > 0 && canvas.height > 0) ctx.drawImage(canvas, margin, head);
  return whole.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
}
