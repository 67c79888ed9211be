// A number on the page: short to read, whole on hover and on copy.
import { html, type TemplateResult } from 'lit/html.js';
import { formatNumber, formatSigned, fullNumber } from '../numbers';

/** What stands where nothing was measured. */
export const NOTHING = '–';

/** @param signed leaves room for a minus, so that columns align @param text in place of four digits */
export function value(of: number | null | undefined, { signed = false, title = '', text = '' } = {}): TemplateResult {
  if (of === null || of === undefined) return html`<span class="number none">${NOTHING}</span>`;
  const full = fullNumber(of);
  return html`<span class="number" data-value=${full} title=${title ? `${title}: ${full}` : full}>${
    text || (signed ? formatSigned(of) : formatNumber(of))
  }</span>`;
}

/** From the smallest to the largest value of several steps; one number where they are the same. */
export function valueRange(low: number, high: number): TemplateResult {
  return low === high || Number.isNaN(low) ? value(low) : html`${value(low)}<span class="to"> … </span>${value(high)}`;
}

/** An icon beside words that say the same. */
export const icon = (name: string): TemplateResult => html`<i class="codicon codicon-${name}" aria-hidden="true"></i>`;

/** Copying a number copies all of its digits. */
export function copyFullValues(document: Document): void {
  document.addEventListener('copy', (event) => {
    const selection = document.getSelection();
    if (!selection || selection.isCollapsed || !event.clipboardData) return;
    const element = (node: Node | null): Element | null => (node instanceof Element ? node : (node?.parentElement ?? null));
    const start = element(selection.anchorNode)?.closest<HTMLElement>('[data-value]');
    const end = element(selection.focusNode)?.closest<HTMLElement>('[data-value]');
    if (!start?.dataset.value || (end && end !== start)) return;
    event.clipboardData.setData('text/plain', start.dataset.value);
    event.preventDefault();
  });
}

