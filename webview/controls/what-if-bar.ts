// Says wherever numbers are tried that they are, what comes of it, and how to go back or keep them.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import { counted } from '../numbers';
import { canUndo, isTried, keepWeights, resetTried, triedOf, undoTried, whatIfQuestion } from '../what-if';
import { icon, value } from './value';

/** @param away a link to all that follows, for views of something else */
export function whatIfBar(context: Context, away: boolean): TemplateResult | typeof nothing {
  const { data, settings } = context;
  const tried = triedOf(settings);
  const any = isTried(tried);
  if (!any && (away || !canUndo(settings))) return nothing;
  const running = data.frame?.status === 'running' || data.frame?.status === 'seeking';
  const answer = any ? context.answer(whatIfQuestion(settings)) : null;
  const { weights, inputs } = tried;
  const what = [...(weights.length > 0 ? [counted(weights.length, 'weight')] : []), ...(inputs.length > 0 ? [counted(inputs.length, 'number')] : [])].join(' and ');
  const canKeep = weights.length > 0 && !running;
  return html`<section class="what-if" aria-label="What if" data-tried=${weights.length + inputs.length}>
    <p role="status">${icon('beaker')} <b>What if:</b> ${
      any
        ? html`${what}${weights.length > 0 && inputs.length > 0 ? '' : inputs.length > 0 ? ' of the input' : ''} tried; the run is not touched.
          ${answer ? html`Loss of sample ${answer.sample}: ${value(answer.loss.before)} → <span data-tried-loss>${value(answer.loss.after)}</span>.` : html`<span class="hint">What follows is being computed.</span>`}`
        : 'nothing is tried any more.'
    }</p>
    <p class="acts">
      <button class="quiet" data-action="try-undo" title="Takes back the last change of what is tried" aria-disabled=${canUndo(settings) ? 'false' : 'true'}
        @click=${() => undoTried(context)}>${icon('discard')} Undo</button>
      <button class="quiet" data-action="try-reset" title="Everything as in the run" aria-disabled=${any ? 'false' : 'true'} @click=${() => any && resetTried(context)}>${icon('clear-all')} Reset</button>
      <button class="quiet" data-action="try-keep" aria-disabled=${canKeep ? 'false' : 'true'}
        title=${running ? 'Pause the run first' : weights.length === 0 ? 'Only weights can be kept: inputs are data' : 'Sets these weights in the run, from this step on. Later steps are forgotten; it can be undone.'}
        @click=${() => canKeep && keepWeights(context)}>${icon('check')} Keep the weights</button>
      ${away ? html`<button class="link" title="Opens the view with all that follows" @click=${() => context.set({ view: 'what_if' })}>all that follows</button>` : nothing}
    </p>
  </section>`;
}
