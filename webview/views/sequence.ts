// A sample that is a sequence, position by position: each token with the probability of what comes next, where the
// attention of a layer looks, and how the network continues the sample.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { LayerInfo, Query, QueryValue } from '../../src/protocol/panel';
import { formatCompact, formatInteger, formatNumber, formatPercent } from '../../src/presentation/numbers';
import { type Cell, colorScale, Heatmap } from '../canvas/heatmap';
import type { Context, Settings, View } from '../context';
import { createElements } from '../controls/elements';
import { exportActions } from '../controls/export-actions';
import { NumberField } from '../controls/number-field';
import { NO_VALUE, renderValue } from '../controls/number-value';
import { styleProperties } from '../controls/style-properties';
import { TokenGenerator } from '../state/token-generator';
import type { PanelData } from '../state/store';

const ID = 'sequence';
/** Positions in the table; the export has all that are known. */
const MAX_ROWS = 64;
/** Heads next to each other. */
const HEADS_PER_ROW = 4;

type SequenceSample = QueryValue<'sequence'>;
type Attention = NonNullable<SequenceSample['attention']>;

interface SequenceViewState {
  /** The layer whose attention is shown; null for the first that has any. */
  readonly layer: number | null;
  readonly seed: number;
  readonly temperature: number;
}

function getViewState({ viewState }: Settings): SequenceViewState {
  const { layer, seed, temperature } = (viewState[ID] ?? {}) as Partial<Record<keyof SequenceViewState, unknown>>;
  return {
    layer: typeof layer === 'number' ? layer : null,
    seed: typeof seed === 'number' && Number.isSafeInteger(seed) ? seed : 1,
    temperature: typeof temperature === 'number' && temperature >= 0 ? temperature : 1,
  };
}

const attentionLayers = ({ model }: PanelData): readonly LayerInfo[] =>
  (model?.layers ?? []).filter(({ internals }) => internals.some(({ attention }) => attention));

function attentionLayer(data: PanelData, settings: Settings): LayerInfo | undefined {
  const layers = attentionLayers(data);
  const { layer } = getViewState(settings);
  return layers.find(({ index }) => index === layer) ?? layers[0];
}

const sequenceQuery = (data: PanelData, settings: Settings): Query<'sequence'> => ({
  type: 'sequence',
  sample: settings.sample,
  layer: attentionLayer(data, settings)?.index ?? null,
});

export const sequence: View = {
  id: ID,
  title: 'Sequence',
  probes: [],
  // Tokens in, or attention inside.
  appliesTo: (data) => (data.model?.tokens ?? false) || attentionLayers(data).length > 0,
  queries: (data, settings) => [sequenceQuery(data, settings)],
  mount(host, context) {
    const [tokens, attentionHead, map, generated] = createElements('div', 'div', 'div', 'div');
    map.className = 'map';
    attentionHead.className = 'map-head';
    host.append(tokens, attentionHead, map, generated);
    let shown: SequenceSample | null = null;
    const heatmap = new Heatmap(() => renderAttentionHead());
    map.append(heatmap.canvas);
    const generator = new TokenGenerator(context, () => renderGenerated());
    const change = (part: Partial<SequenceViewState>): void =>
      context.setViewState(ID, { ...getViewState(context.settings), ...part });
    const onInvalid = (text: string): void => context.notify('warning', text);
    const seedField = new NumberField({
      id: 'generate-seed',
      label: 'Seed',
      title: 'The same seed, weights and sample give the same text.',
      width: 'narrow',
      onInvalid,
      commit(value) {
        if (!Number.isSafeInteger(value)) return 'A seed is a whole number.';
        change({ seed: value });
        return null;
      },
    });
    const temperatureField = new NumberField({
      id: 'generate-temperature',
      label: 'Temperature',
      title: 'Divides the logits. Below 1, likely tokens become likelier; 0 always takes the likeliest.',
      width: 'narrow',
      onInvalid,
      commit(value) {
        if (value < 0) return 'A temperature is 0 or more.';
        change({ temperature: value });
        return null;
      },
    });

    const renderAttentionHead = (): void => {
      const layers = attentionLayers(context.data);
      const selected = attentionLayer(context.data, context.settings);
      if (!selected) {
        render(nothing, attentionHead);
        return;
      }
      const attention = shown?.attention ?? null;
      render(
        html`<div class="chart-head">
            <h2>Attention</h2>
            <span class="unit">weight of each key (column) for each query (row), by head; a row sums to 1</span>
          </div>
          <div class="chooser">
            <label class="field"
              ><span>Layer</span>
              <select @change=${({ target }: Event) => change({ layer: Number((target as HTMLSelectElement).value) })}>
                ${layers.map(({ index, name }) => html`<option value=${index} ?selected=${index === selected.index}>${name}</option>`)}
              </select>
            </label>
            ${attention && attention.padding.length > 0 ? html`<span class="hint" data-padding="${attention.padding.length}">Blank columns are padding (${attention.padding.length} of ${attention.keys} keys): no query attends to it.</span>` : nothing}
            ${attention ? exportActions(context, { title: `Attention of ${selected.name}`, table: () => attentionTable(attention, shown?.inputs ?? null), canvas: heatmap.canvas }) : nothing}
          </div>
          <p class="reading" role="status" aria-live="off">${attentionReading(attention)}</p>`,
        attentionHead,
      );
    };
    const attentionReading = (attention: Attention | null): TemplateResult => {
      if (!attention) return html`<span class="hint">Not computed yet in this step, or too large to show.</span>`;
      const { cursor } = heatmap;
      const cell = cursor && headCell(attention, cursor);
      if (!cell) return html`<span class="hint">Hover over a cell or use the arrow keys to read its value.</span>`;
      const { head, query, key } = cell;
      const token = (position: number): TemplateResult =>
        html`position ${position + 1}${shown?.inputs ? html` ${tokenLabel(shown.inputs[position])}` : nothing}`;
      return html`head ${head}: ${token(query)} attends to ${token(key)} with
      ${renderValue(attention.weights[(head * attention.queries + query) * attention.keys + key])}`;
    };
    const renderGenerated = (): void => {
      const { seed, temperature } = getViewState(context.settings);
      const { prompt, tokens: drawn, error, isSupported } = generator;
      if (!isSupported) {
        render(nothing, generated);
        return;
      }
      // A line break is a break of the line, and its name.
      const text = (token: string): string => (token === '\\n' ? '\\n\n' : token === '␠' ? ' ' : token);
      render(
        html`<div class="chart-head">
            <h2>Generated text</h2>
            <span class="unit">the sample, continued by the network with its current weights</span>
          </div>
          <div class="chooser">
            ${seedField.template(formatInteger(seed))}${temperatureField.template(formatCompact(temperature))}
            <button class="quiet" @click=${() => change({ seed: seed + 1 })}>Next seed</button>
          </div>
          ${
            error
              ? html`<p class="hint">${error}</p>`
              : html`<p class="generated" data-generated>
                  <span class="prompt">${prompt.map(text).join('')}</span
                  >${drawn.map(({ token, probability }) => html`<span title=${`${token}: probability ${formatNumber(probability)}`}>${text(token)}</span>`)}
                </p>`
          }`,
        generated,
      );
    };
    const draw = (): void => {
      const { data, settings } = context;
      shown = context.latestResult(sequenceQuery(data, settings));
      const attention = shown?.attention ?? null;
      map.hidden = attention === null;
      if (attention) drawAttention(attention);
      const { seed, temperature } = getViewState(settings);
      generator.request(`${data.runVersion} ${data.frame?.sequence}`, { sample: settings.sample, seed, temperature });
    };
    const drawAttention = (attention: Attention): void => {
      const { heads, queries, keys } = attention;
      const matrix = tiledHeads(attention);
      heatmap.canvas.setAttribute(
        'aria-label',
        `Attention weights of ${heads} heads, ${queries} queries by ${keys} keys each. Arrow keys move between cells.`,
      );
      const across = Math.min(heads, HEADS_PER_ROW);
      heatmap.draw(
        matrix,
        { ...colorScale(matrix, false), high: 1 },
        context.theme,
        Math.min(map.clientWidth, across * keys * 14 + 60),
        undefined,
        {
          rows: queries,
          columns: keys,
          rowLabels: Array.from({ length: matrix.rows / queries }, (_, row) => row * across),
          columnLabels: Array.from({ length: across }, (_, head) => head),
        },
      );
    };
    const resized = new ResizeObserver(draw);
    resized.observe(map);
    return {
      update(text) {
        draw();
        if (!text) return;
        render(renderTokens(context, shown), tokens);
        renderAttentionHead();
        renderGenerated();
      },
      dispose() {
        generator.stop();
        resized.disconnect();
        for (const part of [tokens, attentionHead, generated]) render(nothing, part);
      },
    };
  },
};

/** A space is named, because few fonts have the symbol that the data shows for it. */
const tokenLabel = (token: string | undefined): TemplateResult =>
  token === '␠'
    ? html`<i class="token" data-token=${token}>space</i>`
    : html`<b class="token" data-token=${token ?? ''}><bdi>${token}</bdi></b>`;

/** The heads as one matrix, `HEADS_PER_ROW` next to each other. Padding and places without a head are blank. */
function tiledHeads(attention: Attention) {
  const { heads, queries, keys, weights, padding } = attention;
  const across = Math.min(heads, HEADS_PER_ROW);
  const down = Math.ceil(heads / across);
  const [rows, columns] = [down * queries, across * keys];
  const cells = new Float64Array(rows * columns);
  for (let head = 0; head < heads; head++)
    for (let query = 0; query < queries; query++)
      for (let key = 0; key < keys; key++)
        cells[(Math.floor(head / across) * queries + query) * columns + (head % across) * keys + key] =
          weights[(head * queries + query) * keys + key]!;
  const isPadding = new Set(padding);
  const isBlank = (i: number): boolean => {
    const cell = headCell(attention, { row: Math.floor(i / columns), column: i % columns });
    return cell === null || isPadding.has(cell.key);
  };
  return { rows, columns, cells, isBlank };
}

/** The head, query and key of a cell of the tiled matrix; null where there is no head. */
function headCell({ heads, queries, keys }: Attention, { row, column }: Cell) {
  const across = Math.min(heads, HEADS_PER_ROW);
  const head = Math.floor(row / queries) * across + Math.floor(column / keys);
  return head < heads ? { head, query: row % queries, key: column % keys } : null;
}

const attentionTable = ({ heads, queries, keys, weights }: Attention, inputs: readonly string[] | null) => ({
  headers: [
    'head',
    'query',
    ...(inputs ? ['token'] : []),
    ...Array.from({ length: keys }, (_, key) => `key ${key + 1}`),
  ],
  rows: Array.from({ length: heads * queries }, (_, row) => [
    Math.floor(row / queries),
    (row % queries) + 1,
    ...(inputs ? [inputs[row % queries]] : []),
    ...weights.subarray(row * keys, (row + 1) * keys),
  ]),
});

function renderTokens(context: Context, shown: SequenceSample | null): TemplateResult {
  if (!shown) return html`<p class="hint">This network takes no sequences.</p>`;
  const { positions, inputs } = shown;
  if (!positions)
    return inputs === null && !shown.attention
      ? html`<p class="hint">
          This view shows tokens, predictions at each position, and attention. This network has none of them, or the
          step has not computed them yet.
        </p>`
      : html`<p class="hint">
          The step has not computed the predictions yet, or the network predicts no class at each position.
        </p>`;
  const rows = positions.slice(0, MAX_ROWS);
  return html`<div class="chart-head">
      <h2>Tokens</h2>
      <span class="unit">the probability of the next token at each position; −ln p is its cross-entropy</span>
    </div>
    <p class="hint">
      ${positions.length > MAX_ROWS ? `The first ${MAX_ROWS} of ${formatInteger(shown.length)} positions.` : nothing}
      ${exportActions(context, { title: `Tokens of sample ${shown.sample}`, table: () => tokensTable(shown) })}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Tokens and predictions">
      <table class="tokens">
        <thead>
          <tr>
            <th scope="col">position</th>
            ${inputs ? html`<th scope="col" class="text">token</th>` : nothing}
            <th scope="col" class="text">target</th>
            <th scope="col">p(target)</th>
            <th scope="col">−ln p</th>
            <th scope="col" class="text">likeliest</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ target, probability, top }, i) =>
              html`<tr>
                <th scope="row">${i + 1}</th>
                ${inputs ? html`<td class="text">${tokenLabel(inputs[i])}</td>` : nothing}
                <td class="text">
                  ${target === null ? html`<span class="hint">ignored</span>` : html`${tokenLabel(target)}`}
                </td>
                <td>${renderValue(probability)}</td>
                <td>${renderValue(probability === null ? null : -Math.log(probability))}</td>
                <td class="text likeliest">
                  ${top.map(
                    ({ token, probability: p }) =>
                      html`<span
                        class="guess${token === target ? ' hit' : ''}"
                        title=${`${token}: ${p}`}
                        ${styleProperties({ '--share': `${Math.round(100 * p)}%` })}
                        >${tokenLabel(token)} ${Number.isFinite(p) ? formatPercent(p) : NO_VALUE}</span
                      >`,
                  )}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

const tokensTable = ({ positions, inputs }: SequenceSample) => ({
  headers: ['position', 'token', 'target', 'probability of target', '-ln p', 'likeliest', 'its probability'],
  rows: (positions ?? []).map(({ target, probability, top }, i) => [
    i + 1,
    inputs?.[i],
    target,
    probability,
    probability === null ? null : -Math.log(probability),
    top[0]?.token,
    top[0]?.probability,
  ]),
});
