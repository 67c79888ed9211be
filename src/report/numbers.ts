// Numbers of a report: short to read, with every digit in the element's value and on hover.
import { formatExact, formatInteger, formatNumber } from '../presentation/numbers';
import { html, type Html } from './html';

export const numberHtml = (value: number | null | undefined): Html =>
  value === null || value === undefined
    ? html`<span class="none">–</span>`
    : html`<data value="${formatExact(value)}" title="${formatExact(value)}">${formatNumber(value)}</data>`;

export const countHtml = (value: number): Html =>
  html`<data value="${formatExact(value)}">${formatInteger(value)}</data>`;
