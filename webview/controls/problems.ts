// The problems of the spec as a list, each with its remedy and a way to its place in the text.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { PanelProblem } from '../../src/protocol/panel';
import { counted } from '../numbers';
import { icon } from './value';

export function problemList({ data, send }: Pick<Context, 'data' | 'send'>): TemplateResult {
  return html`<ul class="problems">
    ${data.problems.map((problem, i) => row(problem, () => send({ type: 'reveal', problem: i })))}
  </ul>`;
}

function row({ severity, message, remedy, line, column }: PanelProblem, reveal: () => void): TemplateResult {
  return html`<li class=${severity}>
    <span class="sign ${severity}">${icon(severity)}<span class="unseen">${severity}</span></span>
    <div>
      <p class="message">${message}</p>
      <p class="remedy">${remedy}</p>
    </div>
    <button class="link" title="Show this place in the spec" @click=${reveal}>line ${line}, column ${column}</button>
  </li>`;
}

/** Beside a run that goes on: opens under its button and covers, not moves, what is below. */
export function problemsPopover(context: Context): TemplateResult | typeof nothing {
  const { data, settings, set } = context;
  if (!settings.problemsOpen || data.problems.length === 0 || data.state?.kind === 'problems') return nothing;
  const errors = data.problems.some(({ severity }) => severity === 'error');
  return html`<section id="problems" class="popover" aria-label="Problems">
    <header>
      <h2>${counted(data.problems.length, 'problem')} in ${data.file || 'the spec'}</h2>
      <button class="tool" aria-label="Close" title="Close" @click=${() => set({ problemsOpen: false })}>${icon('close')}</button>
    </header>
    ${errors && data.model ? html`<p class="hint">The run goes on with the text as it was when it was last good.</p>` : nothing}
    ${problemList(context)}
  </section>`;
}
