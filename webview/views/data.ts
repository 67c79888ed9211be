// What the dataset holds: its columns, classes and equal samples, and any rows as the file holds them and as the
// network gets them. It does not depend on the step.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { ColumnProfile, DataProfile, DataRow } from '../../src/protocol/data-profile';
import type { QueryValue, SplitName } from '../../src/protocol/panel';
import { SPLIT_NAMES } from '../../src/protocol/position';
import {
  cellsByRole,
  classesAtPositions,
  dataRemarks,
  formatCorrelation,
  inputCellNames,
} from '../../src/presentation/data-profile';
import { formatInteger, formatPercent, formatShape, pluralize } from '../../src/presentation/numbers';
import type { Context, View } from '../context';
import { exportActions } from '../controls/export-actions';
import { drawInputImage, isImage } from '../controls/input-image';
import { drawHistogram } from '../controls/mini-histogram';
import { NO_VALUE, renderIcon, renderValue } from '../controls/number-value';
import { styleProperties } from '../controls/style-properties';
import type { TableExport } from '../export/table-export';
import { PollingQuery } from '../state/polling-query';

const ID = 'data';
/** Rows of a page: of a table, and of images. */
const PAGE_ROWS = 10;
const PAGE_IMAGES = 24;
/** Columns that are shown; the exported table has all. */
const MAX_COLUMNS = 100;
const MAX_CELLS = 40;

/** Which rows are shown, and how. */
interface DataViewState {
  readonly split: SplitName | null;
  readonly from: number;
  readonly form: 'file' | 'network';
}

function getViewState({ settings }: Context): DataViewState {
  const kept = (settings.viewState[ID] ?? {}) as Partial<Record<keyof DataViewState, unknown>>;
  return {
    split: SPLIT_NAMES.find((split) => split === kept.split) ?? null,
    from: Number.isSafeInteger(kept.from) && (kept.from as number) >= 0 ? (kept.from as number) : 0,
    form: kept.form === 'network' ? 'network' : 'file',
  };
}

type Rows = QueryValue<'data_rows'>;

export const data: View = {
  id: ID,
  title: 'Data',
  probes: [],
  mount(host, context) {
    const profiles = new PollingQuery<'data_profile'>(
      context,
      ({ done }) => done,
      () => draw(),
    );
    const pages = new PollingQuery<'data_rows'>(
      context,
      ({ done }) => done,
      () => draw(),
    );
    let seen: readonly unknown[] = [];
    let runs = 0;
    let shown: Rows | null = null;
    const change = (to: Partial<DataViewState>): void => context.setViewState(ID, { ...getViewState(context), ...to });

    const draw = (): void => {
      const { model } = context.data;
      if (!model) return;
      const state = getViewState(context);
      const pageSize = isImage(model.inputShape) ? PAGE_IMAGES : PAGE_ROWS;
      profiles.request(String(runs), { type: 'data_profile' });
      pages.request(String(runs), { type: 'data_rows', split: state.split, from: state.from, count: pageSize });
      // The page before stays until the next one is read.
      if (pages.result?.done) shown = pages.result;
      const answer = profiles.result;
      const profile = answer?.profile ?? null;
      const problem = profiles.error ?? answer?.error ?? pages.error ?? pages.result?.error ?? null;
      render(
        html`
          ${problem === null ? nothing : html`<p class="verdict bad" role="alert">${renderIcon('error')}<span>${problem}</span></p>`}
          ${
            profile
              ? html`${summary(profile, model.taskDecision)}${columnsSection(context, profile)}${splitsSection(profile)}${classesSection(profile)}`
              : problem === null
                ? html`<p class="hint" role="status">${answer?.progress || 'Looking at the data'} …</p>`
                : nothing
          }
          ${profile && shown ? rowsSection(context, profile, shown, state, pageSize, change) : nothing}
        `,
        host,
      );
      if (profile) drawCanvases(host, context, profile, shown, state);
    };
    return {
      update(text) {
        const { data: panel, theme, settings } = context;
        if (panel.model !== seen[0]) {
          runs++;
          shown = null;
        }
        const now = [panel.model, theme, settings.viewState[ID], settings.sample];
        // The run above draws many times a second.
        if (!text || now.every((one, i) => one === seen[i])) return;
        seen = now;
        draw();
      },
      dispose: () => render(nothing, host),
    };
  },
};

function summary(profile: DataProfile, taskDecision: string | null): TemplateResult {
  const { samples, inputShape, classes, splits } = profile;
  const inputs = inputShape.length === 1 ? pluralize(inputShape[0]!, 'input') : `inputs of ${formatShape(inputShape)}`;
  const kind = classes ? pluralize(classes.length, 'class', 'classes') : 'values to predict';
  return html`<section class="part">
    <div class="chart-head">
      <h2>Dataset</h2>
      <span class="unit">
        ${pluralize(samples, 'sample')}, ${inputs},
        ${kind}${splits ? html`: ${SPLIT_NAMES.map((split) => `${formatInteger(splits[split])} ${split}`).join(', ')}` : nothing}
      </span>
    </div>
    <ul class="remarks">
      ${taskDecision === null ? nothing : html`<li class="information">${renderIcon('info')} ${taskDecision}</li>`}
      ${dataRemarks(profile).map(({ severity, text }) => html`<li class=${severity}>${renderIcon(severity === 'warning' ? 'warning' : 'info')} ${text}</li>`)}
    </ul>
  </section>`;
}

const columnTable = ({ columns }: DataProfile): TableExport => ({
  headers: [
    ...['column', 'role', 'kind', 'missing', 'distinct', 'min', 'max', 'mean', 'std', 'correlation', 'measure'],
    ...SPLIT_NAMES.flatMap((split) => [`mean of ${split}`, `std of ${split}`]),
  ],
  rows: columns.map(({ name, role, kind, missing, distinct, min, max, mean, std, correlation, splits }) => [
    ...[name, role, kind, missing, distinct, min, max, mean, std, correlation?.value, correlation?.measure],
    ...SPLIT_NAMES.flatMap((split) => [splits?.[split]?.mean, splits?.[split]?.std]),
  ]),
});

const moments = (of: { readonly mean: number; readonly std: number } | null | undefined): TemplateResult =>
  of
    ? html`${renderValue(of.mean, { signed: true })}<span class="hint"> ± </span>${renderValue(of.std)}`
    : html`<span class="number none">${NO_VALUE}</span>`;

function columnsSection(context: Context, profile: DataProfile): TemplateResult {
  const shown = profile.columns.slice(0, MAX_COLUMNS);
  const hidden = profile.columns.length - shown.length;
  const row = (column: ColumnProfile, i: number): TemplateResult =>
    html`<tr data-column=${column.name}>
      <th scope="row" title=${column.name}><bdi>${column.name}</bdi></th>
      <td class="text">${column.role}</td>
      <td class="text">${column.kind}</td>
      <td class="text">
        ${column.histogram ? html`<canvas class="distribution" data-histogram=${i} aria-hidden="true"></canvas>` : nothing}
      </td>
      <td class="number ${column.missing > 0 ? 'attention' : ''}" title=${pluralize(column.missing, 'missing value')}>
        ${column.missing === 0 ? NO_VALUE : formatPercent(column.missingShare)}
      </td>
      <td class="number">${column.distinctIsExact ? '' : '> '}${formatInteger(column.distinct)}</td>
      <td>${renderValue(column.min, { signed: true })}</td>
      <td>${renderValue(column.max, { signed: true })}</td>
      <td>${renderValue(column.mean, { signed: true })}</td>
      <td>${renderValue(column.std)}</td>
      <td class="number">${column.correlation ? formatCorrelation(column.correlation) : NO_VALUE}</td>
    </tr>`;
  return html`<section class="part">
    <div class="chart-head">
      <h2>Columns</h2>
      <span class="unit">as the data has them, before the transforms</span>
      ${exportActions(context, { title: 'Columns', table: () => columnTable(profile) })}
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Columns">
      <table class="values columns">
        <thead>
          <tr>
            <th scope="col">column</th>
            ${['role', 'kind', 'histogram'].map((name) => html`<th scope="col" class="text">${name}</th>`)}
            ${['missing', 'distinct', 'min', 'max', 'mean', 'std'].map((name) => html`<th scope="col">${name}</th>`)}
            <th scope="col" title="r: Pearson's correlation, -1 to 1. η: correlation ratio with the classes, 0 to 1.">
              with target
            </th>
          </tr>
        </thead>
        <tbody>
          ${shown.map(row)}
        </tbody>
      </table>
    </div>
    ${hidden > 0 ? html`<p class="hint">${pluralize(hidden, 'more column')}; the copied or saved table has all.</p>` : nothing}
  </section>`;
}

/** Below the columns rather than beside them, where a narrow panel would hide it. */
function splitsSection(profile: DataProfile): TemplateResult | typeof nothing {
  const splits = SPLIT_NAMES.filter((split) => (profile.splits?.[split] ?? 0) > 0);
  const shown = profile.columns
    .slice(0, MAX_COLUMNS)
    .filter((column) => splits.some((split) => column.splits?.[split]));
  if (splits.length < 2 || shown.length === 0) return nothing;
  return html`<section class="part">
    <div class="chart-head">
      <h2>Splits</h2>
      <span class="unit">mean ± standard deviation of each column</span>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Splits">
      <table class="values columns">
        <thead>
          <tr>
            <th scope="col">column</th>
            ${splits.map((split) => html`<th scope="col">${split}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (column) =>
              html`<tr data-splits=${column.name}>
                <th scope="row" title=${column.name}><bdi>${column.name}</bdi></th>
                ${splits.map((split) => html`<td>${moments(column.splits?.[split])}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function classesSection({ classes, splits, samples }: DataProfile): TemplateResult | typeof nothing {
  if (!classes || !splits) return nothing;
  const largest = Math.max(...classes.map(({ count }) => count));
  const shown = SPLIT_NAMES.filter((split) => splits[split] > 0);
  return html`<section class="part">
    <div class="chart-head">
      <h2>Classes</h2>
      <span class="unit">share of all samples, and of each split</span>
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Classes">
      <table class="classes">
        <thead>
          <tr>
            <th scope="col">class</th>
            <th scope="col" class="text"><span class="visually-hidden">balance</span></th>
            <th scope="col">samples</th>
            <th scope="col">share</th>
            ${shown.length > 1 ? shown.map((split) => html`<th scope="col">${split}</th>`) : nothing}
          </tr>
        </thead>
        <tbody>
          ${classes.map(
            ({ name, count, splits: counts }) =>
              html`<tr data-class=${name}>
                <th scope="row" title=${name}><bdi>${name}</bdi></th>
                <td class="text">
                  <span class="balance"><i ${styleProperties({ width: `${(100 * count) / largest}%` })}></i></span>
                </td>
                <td class="number">${formatInteger(count)}</td>
                <td class="number">${formatPercent(count / samples)}</td>
                ${shown.length > 1 ? shown.map((split) => html`<td class="number">${formatPercent(counts[split] / splits[split])}</td>`) : nothing}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function rowsSection(
  context: Context,
  profile: DataProfile,
  { total, rows }: Rows,
  { split, from, form }: DataViewState,
  pageSize: number,
  change: (to: Partial<DataViewState>) => void,
): TemplateResult {
  const available = SPLIT_NAMES.filter((name) => (profile.splits?.[name] ?? 0) > 0);
  const last = Math.max(0, Math.floor((total - 1) / pageSize) * pageSize);
  const segment = (label: string, pressed: boolean, onClick: () => void): TemplateResult =>
    html`<button class="segment" aria-pressed=${pressed ? 'true' : 'false'} @click=${onClick}>${label}</button>`;
  const turn = (action: string, icon: string, label: string, to: number, enabled: boolean): TemplateResult =>
    html`<button
      class="quiet"
      data-action=${action}
      title=${label}
      aria-label=${label}
      ?disabled=${!enabled}
      @click=${() => change({ from: to })}
    >
      ${renderIcon(icon)}
    </button>`;
  const goTo = (event: Event): void => {
    const field = event.target as HTMLInputElement;
    const typed = Number(field.value);
    if (field.value.trim() !== '' && Number.isInteger(typed) && typed >= 0 && typed < total) change({ from: typed });
    else field.value = String(from);
  };
  const isPicture = isImage(profile.inputShape);
  const end = from + (rows?.length ?? 0);
  return html`<section class="part">
    <div class="chart-head">
      <h2>Samples</h2>
      <span class="unit" role="status">
        ${total === 0 ? 'none' : `${formatInteger(from)} to ${formatInteger(Math.max(from, end - 1))} of ${formatInteger(total)}`}
      </span>
    </div>
    <div class="chooser">
      <span class="segments" role="group" aria-label="Split">
        ${segment('all', split === null, () => change({ split: null, from: 0 }))}
        ${available.length > 1 ? available.map((name) => segment(name, split === name, () => change({ split: name, from: 0 }))) : nothing}
      </span>
      <span class="segments" role="group" aria-label="Form of the samples">
        ${segment(profile.positions === null ? 'before the transforms' : 'in the file', form === 'file', () => change({ form: 'file' }))}
        ${segment('for the network', form === 'network', () => change({ form: 'network' }))}
      </span>
      <span class="pager" role="group" aria-label="Pages">
        ${turn('data-first', 'chevron-left', 'First samples', 0, from > 0)}
        ${turn('data-previous', 'arrow-left', 'Previous samples', Math.max(0, from - pageSize), from > 0)}
        <label class="field"
          ><span>From</span
          ><input
            type="text"
            class="narrow"
            inputmode="numeric"
            .value=${String(from)}
            @change=${goTo}
            aria-label=${`First sample to show, 0 to ${Math.max(0, total - 1)}`}
        /></label>
        ${turn('data-next', 'arrow-right', 'Next samples', from + pageSize, from + pageSize < total)}
        ${turn('data-last', 'chevron-right', 'Last samples', last, from < last)}
      </span>
    </div>
    ${isPicture ? thumbnails(context, profile, rows ?? []) : rowsTable(context, profile, rows ?? [], form)}
  </section>`;
}

function followButton({ settings, updateSettings }: Context, sample: number): TemplateResult {
  return html`<button
    class="link number"
    aria-pressed=${sample === settings.sample ? 'true' : 'false'}
    title="Follow this sample in every view"
    @click=${() => updateSettings({ sample })}
  >
    ${formatInteger(sample)}
  </button>`;
}

function thumbnails(context: Context, profile: DataProfile, rows: readonly DataRow[]): TemplateResult {
  return html`<ul class="thumbnails">
    ${rows.map(
      (row) =>
        html`<li class=${row.sample === context.settings.sample ? 'selected' : ''}>
          ${
            row.input
              ? html`<canvas
                  data-thumbnail=${row.sample}
                  width="1"
                  height="1"
                  role="img"
                  aria-label=${`Sample ${row.sample}`}
                ></canvas>`
              : html`<span class="hint">too large to show</span>`
          }
          <span
            >${followButton(context, row.sample)} ·
            <bdi>${cellsByRole(profile, row.source).target.join(', ')}</bdi></span
          >
        </li>`,
    )}
  </ul>`;
}

function rowsTable(
  context: Context,
  profile: DataProfile,
  rows: readonly DataRow[],
  form: 'file' | 'network',
): TemplateResult {
  const { columns, positions, classes } = profile;
  const { sample: followed } = context.settings;
  const isNetwork = form === 'network';
  const targets = columns.filter(({ role }) => role === 'target');
  const width = rows[0]?.target?.length ?? 0;
  const targetNames =
    isNetwork && classes && width === classes.length
      ? classes.map(({ name }) => name)
      : targets.map(({ name }) => name);
  const inputNames = inputCellNames(profile, MAX_CELLS);
  const unused = isNetwork ? [] : columns.filter(({ role }) => role === 'unused').slice(0, MAX_CELLS);
  const cell = (value: string | number): TemplateResult =>
    typeof value === 'number'
      ? html`<td>${renderValue(value, { signed: true })}</td>`
      : html`<td class="cell-text" title=${value}><bdi>${value}</bdi></td>`;
  const cells = ({ source, input, target }: DataRow): readonly (string | number)[] => {
    if (isNetwork)
      return [
        ...(classesAtPositions(target ?? [], targets.length, classes) ?? target ?? []),
        ...(input ?? []).slice(0, MAX_CELLS),
      ];
    const of = cellsByRole(profile, source);
    return [...of.target, ...of.input.slice(0, MAX_CELLS), ...of.unused.slice(0, MAX_CELLS)];
  };
  const hidden = (rows[0] ? cellsByRole(profile, rows[0].source).input.length : 0) - inputNames.length;
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="Samples">
      <table class="samples">
        <thead>
          <tr>
            <th scope="col">sample</th>
            <th scope="col" class="text">split</th>
            ${positions === null || isNetwork ? nothing : html`<th scope="col">${positions}</th>`}
            ${targetNames.map((name) => html`<th scope="col" class="target"><bdi>${name}</bdi></th>`)}
            ${[...inputNames, ...unused.map(({ name }) => name)].map((name) => html`<th scope="col"><bdi>${name}</bdi></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr class=${row.sample === followed ? 'selected' : ''} data-row=${row.sample}>
                <th scope="row">${followButton(context, row.sample)}</th>
                <td class="text">${row.split}</td>
                ${positions === null || isNetwork ? nothing : html`<td class="number">${row.position === null ? NO_VALUE : formatInteger(row.position)}</td>`}
                ${cells(row).map(cell)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${hidden > 0 ? html`<p class="hint">${pluralize(hidden, 'more input')} not shown.</p>` : nothing}`;
}

function drawCanvases(
  host: HTMLElement,
  { theme }: Context,
  profile: DataProfile,
  shown: Rows | null,
  { form }: DataViewState,
): void {
  for (const canvas of host.querySelectorAll<HTMLCanvasElement>('[data-histogram]')) {
    const histogram = profile.columns[Number(canvas.dataset.histogram)]?.histogram ?? null;
    drawHistogram(canvas, histogram && { ...histogram, histogram: histogram.counts }, theme);
  }
  for (const canvas of host.querySelectorAll<HTMLCanvasElement>('[data-thumbnail]')) {
    const row = shown?.rows?.find(({ sample }) => sample === Number(canvas.dataset.thumbnail));
    const pixels = row && (form === 'file' ? cellsByRole(profile, row.source).input : row.input);
    if (pixels) drawInputImage(canvas, Float32Array.from(pixels, Number), profile.inputShape);
  }
}
