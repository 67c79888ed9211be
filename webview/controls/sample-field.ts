// Which sample the views follow: its number, and back to the first of the batch.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import { icon } from './value';

/** @param answer what was answered for it; null while it is asked for. */
export function sampleField({ data, settings, set }: Context, answer: { readonly sample: number; readonly inBatch: boolean } | null): TemplateResult {
  const last = Object.values(data.model?.samples ?? {}).reduce((a, b) => a + b, 0) - 1;
  const choose = (event: Event): void => {
    const field = event.target as HTMLInputElement;
    const typed = Number(field.value);
    if (field.value.trim() !== '' && Number.isInteger(typed) && typed >= 0 && typed <= last) set({ sample: typed });
    else field.value = String(answer?.sample ?? '');
  };
  return html`<label class="field"><span>Sample</span><input type="text" class="narrow" inputmode="numeric" .value=${String(answer?.sample ?? '')} @change=${choose}
      aria-label=${`Sample to follow, 0 to ${last}`} /></label>
    <button class="quiet" ?hidden=${settings.sample === null} @click=${() => set({ sample: null })}>first of the batch</button>
    ${answer && !answer.inBatch && data.frame && data.frame.place.samples > 0 ? html`<span class="hint">${icon('info')} Not in this step’s batch: evaluated by itself, without gradients.</span>` : nothing}`;
}
