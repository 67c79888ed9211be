// Links to the answers of docs/systems.md.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { PanelQuestion } from '../../src/protocol/panel';
import { panelQuestions } from '../../src/protocol/questions';
import type { Context } from '../context';
import { renderIcon } from './number-value';

/** A line with a link for each question; nothing without questions. */
export function questionLinks(
  { extension }: Context,
  questions: readonly (PanelQuestion | undefined)[],
): TemplateResult | typeof nothing {
  const asked = [...new Set(questions)].filter((question) => question !== undefined);
  if (asked.length === 0) return nothing;
  return html`<div class="questions">
    ${asked.map(
      (question) =>
        html`<p class="how">
          ${renderIcon('question')}
          <button
            class="link"
            data-question=${question}
            title="Open the answer, with an example"
            @click=${() => void extension.openAnswer(question)}
          >
            ${panelQuestions[question]}
          </button>
        </p>`,
    )}
  </div>`;
}
