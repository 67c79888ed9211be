// The sample and the layer that all views follow, shown once. A sample that was chosen stays until it is released;
// otherwise views follow the first of each batch.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Component, Context } from '../context';
import type { Frame, Query, QueryValue } from '../../src/protocol/panel';
import { formatInteger } from '../../src/presentation/numbers';
import { NumberField } from './number-field';
import { renderIcon } from './number-value';

/** The index in the data of the sample that views follow. */
export const followedSample = ({ data, settings }: Pick<Context, 'data' | 'settings'>): number | null =>
  settings.sample ?? data.frame?.batchPosition.firstSample ?? null;

export function mountSelection(host: HTMLElement, context: Context): Component {
  const lastSample = (): number => Object.values(context.data.model?.samples ?? {}).reduce((a, b) => a + b, 0) - 1;
  const field = new NumberField({
    id: 'sample',
    label: 'sample',
    title: 'The sample that all views follow, by its index in the data. Type another one to pin it.',
    width: 'narrow',
    onInvalid: (text) => context.notify('warning', text),
    commit(sample) {
      if (!Number.isInteger(sample) || sample < 0 || sample > lastSample())
        return `Type the index of a sample: 0 to ${formatInteger(lastSample())}.`;
      context.updateSettings({ sample });
      return null;
    },
  });

  const pin = (): TemplateResult => {
    const { settings } = context;
    const isPinned = settings.sample !== null;
    const label = isPinned ? 'Release the sample: follow the first of each batch' : 'Pin the sample';
    return html`<button
      class="tool"
      data-action="pin-sample"
      aria-pressed=${isPinned ? 'true' : 'false'}
      aria-label=${label}
      title=${label}
      @click=${() => context.updateSettings({ sample: isPinned ? null : followedSample(context) })}
    >
      ${renderIcon(isPinned ? 'pinned' : 'pin')}
    </button>`;
  };

  const layer = (): TemplateResult | typeof nothing => {
    const { data } = context;
    const info = data.layer === null ? undefined : data.model?.layers[data.layer];
    if (!info) return nothing;
    return html`<span class="chosen-layer" title="The selected layer: ${info.name}">
      <span class="word">layer</span> <b><bdi>${info.name}</bdi></b>
      <button class="tool" aria-label="Deselect the layer" title="Deselect the layer" @click=${context.deselectLayer}>
        ${renderIcon('close')}
      </button>
    </span>`;
  };

  return {
    update(text) {
      if (!text) return;
      const { data } = context;
      const sample = followedSample(context);
      render(
        data.model === null
          ? nothing
          : html`<span class="chosen-sample"
                >${field.template(sample === null ? '' : String(sample))}${pin()}${
                  isOutsideBatch(data.frame)
                    ? html`<span
                        class="outside"
                        role="img"
                        aria-label="Not in this step’s batch"
                        title="Not in this step’s batch: computed alone with the current weights, without gradients."
                        >${renderIcon('info')}</span
                      >`
                    : nothing
                }</span
              >${layer()}`,
        host,
      );
    },
    dispose: () => render(nothing, host),
  };
}

/** Whether an answer of the frame says that the followed sample is not in the step's batch. */
const isOutsideBatch = (frame: Frame | null): boolean =>
  (frame?.batchPosition.samples ?? 0) > 0 &&
  (frame?.queryResults ?? []).some(({ value }) => (value as { readonly inBatch?: boolean } | null)?.inBatch === false);

/** For a view whose gradients are missing because of it. */
export const outsideBatchNote = (
  { frame }: Pick<Context['data'], 'frame'>,
  answer: QueryValue<Extract<Query['type'], 'step_graph' | 'network_graph'>> | null,
): TemplateResult | typeof nothing =>
  answer && !answer.inBatch && frame && frame.batchPosition.samples > 0
    ? html`<p class="hint">
        ${renderIcon('info')} Sample ${formatInteger(answer.sample)} is not in this step’s batch: it is computed alone,
        without gradients.
      </p>`
    : nothing;
