// Findings from cause to effect, each with its steps, its layer and its fix.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { holdsAt, type ModelInfo, type RunFinding } from '../../src/protocol/panel';
import { formatInteger } from '../../src/presentation/numbers';
import type { Context } from '../context';
import { renderIcon } from './number-value';

/** @param show goes to the first step of a finding */
export function findingList(
  model: ModelInfo,
  findings: readonly RunFinding[],
  { data, extension, selectLayer }: Context,
  show: (finding: RunFinding) => void,
): TemplateResult | typeof nothing {
  if (findings.length === 0) return nothing;
  const step = data.frame?.position.step ?? 0;
  return html`<ol class="findings" aria-label="Findings, causes first">
    ${findings.map((finding) => {
      const { code, layer, since, until, observation, remedy, fix } = finding;
      const isCurrent = holdsAt(finding, step);
      const info = layer === null ? undefined : model.layers[layer];
      const steps =
        isCurrent || until === null
          ? `Since step ${formatInteger(since)}`
          : until === since
            ? `Step ${formatInteger(since)}`
            : `Steps ${formatInteger(since)} to ${formatInteger(until)}`;
      return html`<li data-finding=${code} class=${isCurrent ? '' : 'earlier'}>
        ${renderIcon(isCurrent ? 'warning' : 'history')}
        <p>
          <bdi>${observation}</bdi> <span class="remedy"><bdi>${remedy}</bdi></span>
          <button class="link" title="Go to the first step of this finding" @click=${() => show(finding)}>
            ${steps}
          </button>
          ${
            info
              ? html`<button
                  class="link"
                  title="Select this layer in all views and in the spec"
                  @click=${() => selectLayer(info.index)}
                >
                  Show <bdi>${info.name}</bdi>
                </button>`
              : nothing
          }
          ${
            fix
              ? html`<button class="link" title="Change the spec" @click=${() => void extension.applyQuickFix(fix)}>
                  ${fix.title}
                </button>`
              : nothing
          }
        </p>
      </li>`;
    })}
  </ol>`;
}
