// The bar above views that show changed weights or inputs: what is changed, the loss, undo, reset and keep.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import { pluralize } from '../../src/presentation/numbers';
import {
  canUndo,
  hasOverrides,
  commitWeights,
  resetOverrides,
  getOverrides,
  undoOverride,
  whatIfQuery,
} from '../state/overrides';
import { renderIcon, renderValue } from './number-value';

/** @param linkToView adds a link to the view What if */
export function whatIfBar(context: Context, linkToView: boolean): TemplateResult | typeof nothing {
  const { data, settings } = context;
  const tried = getOverrides(settings);
  const any = hasOverrides(tried);
  if (!any && (linkToView || !canUndo(settings))) return nothing;
  const running = data.frame?.status === 'running' || data.frame?.status === 'seeking';
  const answer = any ? context.latestResult(whatIfQuery(settings)) : null;
  const { weights, inputs } = tried;
  const what = [
    ...(weights.length > 0 ? [pluralize(weights.length, 'weight')] : []),
    ...(inputs.length > 0 ? [pluralize(inputs.length, 'input')] : []),
  ].join(' and ');
  const canKeep = weights.length > 0 && !running;
  return html`<section class="what-if" aria-label="What if" data-tried=${weights.length + inputs.length}>
    <p role="status">
      ${renderIcon('beaker')} <b>What if:</b> ${
        any
          ? html`${what} changed; the run is not.
            ${answer ? html`Loss of sample ${answer.sample}: ${renderValue(answer.loss.before)} → <span data-tried-loss>${renderValue(answer.loss.after)}</span>.` : html`<span class="hint">Computing…</span>`}`
          : 'nothing is changed.'
      }
    </p>
    <p class="override-actions">
      <button
        class="quiet"
        data-action="try-undo"
        title="Undo the last change"
        aria-disabled=${canUndo(settings) ? 'false' : 'true'}
        @click=${() => undoOverride(context)}
      >
        ${renderIcon('discard')} Undo
      </button>
      <button
        class="quiet"
        data-action="try-reset"
        title="Restore all values of the run"
        aria-disabled=${any ? 'false' : 'true'}
        @click=${() => any && resetOverrides(context)}
      >
        ${renderIcon('clear-all')} Reset
      </button>
      <button
        class="quiet"
        data-action="try-keep"
        aria-disabled=${canKeep ? 'false' : 'true'}
        title=${running ? 'Pause the run first' : weights.length === 0 ? 'Only weights can be kept, because inputs belong to the data' : 'Set these weights in the run from this step on. Later steps are discarded; you can undo it.'}
        @click=${() => canKeep && commitWeights(context)}
      >
        ${renderIcon('check')} Keep the weights
      </button>
      ${linkToView ? html`<button class="link" title="Open the view What if" @click=${() => context.updateSettings({ view: 'what_if' })}>Show all effects</button>` : nothing}
    </p>
  </section>`;
}
