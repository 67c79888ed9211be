// A number on the page: short to read, complete on hover and when copied.
import { html, type TemplateResult } from 'lit/html.js';
import { formatNumber, formatSigned, formatExact } from '../../src/presentation/numbers';

/** Shown where nothing was measured. */
export const NO_VALUE = '–';

/**
 * @param options.signed leaves room for a minus sign, so that columns align
 * @param options.text replaces the four digits
 */
export function renderValue(
  value: number | null | undefined,
  { signed = false, title = '', text = '' } = {},
): TemplateResult {
  if (value === null || value === undefined) return html`<span class="number none">${NO_VALUE}</span>`;
  const full = formatExact(value);
  return html`<span class="number" data-value=${full} title=${title ? `${title}: ${full}` : full}
    >${text || (signed ? formatSigned(value) : formatNumber(value))}</span
  >`;
}

/** From the minimum to the maximum over several steps; one number if they are the same. */
export function renderValueRange(low: number, high: number): TemplateResult {
  return low === high || Number.isNaN(low)
    ? renderValue(low)
    : html`${renderValue(low)}<span class="to"> … </span>${renderValue(high)}`;
}

/** A decorative icon: the text beside it carries the meaning. */
export const renderIcon = (name: string): TemplateResult =>
  html`<i class="codicon codicon-${name}" aria-hidden="true"></i>`;

/** Copies the full value if the selection is within one number, or exactly one. */
export function copyFullValues(document: Document): void {
  document.addEventListener('copy', (event) => {
    const selection = document.getSelection();
    if (!selection || selection.isCollapsed || !event.clipboardData) return;
    const element = (node: Node | null): Element | null =>
      node instanceof Element ? node : (node?.parentElement ?? null);
    const start = element(selection.anchorNode)?.closest<HTMLElement>('[data-value]');
    const end = element(selection.focusNode)?.closest<HTMLElement>('[data-value]');
    if (!start?.dataset.value) return;
    // A triple click selects a number up to the start of the next element.
    const isWhole = selection.toString().trim() === start.textContent.trim();
    if (end !== start && !isWhole) return;
    event.clipboardData.setData('text/plain', start.dataset.value);
    event.preventDefault();
  });
}
