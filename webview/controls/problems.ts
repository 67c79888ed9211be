// The problems of the spec as a list, each with its remedy and a link to its position in the text.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { PanelProblem } from '../../src/protocol/panel';
import { pluralize } from '../../src/presentation/numbers';
import { renderIcon } from './number-value';

export function problemList({ data, extension }: Pick<Context, 'data' | 'extension'>): TemplateResult {
  return html`<ul class="problems">
    ${data.problems.map((problem, i) => row(problem, () => extension.revealProblem(i)))}
  </ul>`;
}

export const severityIcons: Readonly<Record<PanelProblem['severity'], string>> = {
  error: 'error',
  warning: 'warning',
  information: 'info',
};

/** The most severe of the problems' severities. */
export const worstSeverity = (problems: readonly PanelProblem[]): PanelProblem['severity'] =>
  (['error', 'warning'] as const).find((level) => problems.some(({ severity }) => severity === level)) ?? 'information';

function row({ severity, message, remedy, line, column }: PanelProblem, reveal: () => void): TemplateResult {
  return html`<li class=${severity}>
    <span class="sign ${severity}"
      >${renderIcon(severityIcons[severity])}<span class="visually-hidden">${severity}</span></span
    >
    <div>
      <p class="message">${message}</p>
      <p class="remedy">${remedy}</p>
    </div>
    <button class="link" title="Show this place in the spec" @click=${reveal}>line ${line}, column ${column}</button>
  </li>`;
}

/** Problems while a run continues: opens below its button, over the panel. */
export function problemsPopover(context: Context): TemplateResult | typeof nothing {
  const { data, settings, updateSettings } = context;
  if (!settings.problemsOpen || data.problems.length === 0 || data.state?.kind === 'problems') return nothing;
  const errors = data.problems.some(({ severity }) => severity === 'error');
  return html`<section id="problems" class="popover" aria-label="Problems">
    <header>
      <h2>${pluralize(data.problems.length, 'problem')} in ${data.file || 'the spec'}</h2>
      <button class="tool" aria-label="Close" title="Close" @click=${() => updateSettings({ problemsOpen: false })}>
        ${renderIcon('close')}
      </button>
    </header>
    ${errors && data.model ? html`<p class="hint">The run continues with the last valid text.</p>` : nothing}
    ${problemList(context)}
  </section>`;
}
