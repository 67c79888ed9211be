// Numbers of a report: short to read, every digit in the element's value and on hover.
import { grouped, short } from '../gradcheck/words';
import { html, type Html } from './html';

const full = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

export const number = (value: number | null | undefined): Html =>
  value === null || value === undefined ? html`<span class="none">–</span>` : html`<data value="${full(value)}" title="${full(value)}">${short(value).replace('-', '−').replace('e-', 'e−')}</data>`;

export const count = (value: number): Html => html`<data value="${full(value)}">${grouped(value)}</data>`;

export const shape = (of: readonly number[]): string => (of.length === 0 ? '1' : of.join(' × '));
