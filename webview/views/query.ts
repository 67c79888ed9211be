// A query over all steps of the run: what it asks, its rows as a table, and its numbers as charts.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { History } from '../../src/history/history';
import { formatInteger, pluralize } from '../../src/presentation/numbers';
import { describeQueryEnd } from '../../src/presentation/run-query';
import type { ModelInfo } from '../../src/protocol/panel';
import { LineChart } from '../charts/line-chart';
import type { Context, View } from '../context';
import { createElements } from '../controls/elements';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import type { TableExport } from '../export/table-export';
import {
  cancelQuery,
  lastQueryText,
  QUERY_VIEW,
  runQueryOf,
  type RunQueryState,
  startQuery,
} from '../state/run-queries';

/** Rows on the page; exports have all. */
const MAX_ROWS = 200;
const MAX_CHARTS = 4;

export const query: View = {
  id: QUERY_VIEW,
  title: 'Query',
  probes: [],
  mount(host, context) {
    const [search, status, body, figures] = createElements('div', 'div', 'div', 'div');
    search.setAttribute('role', 'search');
    host.append(search, status, figures, body);
    /** Of the query that is shown, by column. */
    let charts: { readonly column: number; readonly chart: LineChart }[] = [];
    let history = new History();
    let drawn = 0;
    let chartsOf: RunQueryState | null = null;
    let seen: readonly unknown[] = [];

    const ask = (): void => startQuery(context, search.querySelector<HTMLInputElement>('[name="query"]')!.value, null);
    const onKeyDown = ({ key, isComposing }: KeyboardEvent): void => {
      if (key === 'Enter' && !isComposing && runQueryOf(context)?.isBusy !== true) ask();
    };

    const drawSearch = (): void => {
      const { model } = context.data;
      const state = runQueryOf(context);
      const isBusy = state?.isBusy === true;
      const isInvalid = (state?.answer?.error ?? null) !== null;
      render(
        html`
          <div class="chooser query-box">
            <input
              type="text"
              name="query"
              class="query"
              aria-label="Query"
              aria-invalid=${isInvalid}
              aria-describedby="query-status"
              placeholder=${model ? examplesFor(model)[0]! : 'step, loss'}
              spellcheck="false"
              autocomplete="off"
              .value=${state?.text ?? lastQueryText(context)}
              @keydown=${onKeyDown}
            />
            ${
              isBusy
                ? html`<button
                    type="button"
                    class="secondary"
                    data-action="query-cancel"
                    @click=${() => cancelQuery(context)}
                  >
                    Cancel
                  </button>`
                : html`<button class="primary" data-action="query-run" @click=${ask}>Run query</button>`
            }
          </div>
        `,
        search,
      );
    };

    const drawCharts = (state: RunQueryState | null): void => {
      if (chartsOf !== state || (state && state.answer === null)) {
        for (const { chart } of charts) chart.dispose();
        figures.replaceChildren();
        charts = [];
        history = new History();
        drawn = 0;
        chartsOf = state;
      }
      if (!state?.answer || state.answer.error) return;
      const { columns } = state.answer;
      const numeric = columns.flatMap(({ type, label }, column) =>
        type === 'number' && label !== 'step' ? [{ column, label }] : [],
      );
      if (charts.length === 0 && state.rows.length > 1)
        charts = numeric.slice(0, MAX_CHARTS).map(({ column, label }) => {
          const [figure] = createElements('figure');
          figures.append(figure);
          const chart = new LineChart(figure, context, {
            title: label,
            unit: 'at the steps of the query',
            logarithmic: false,
            description: 'One value for each row. Click to go to its step.',
          });
          return { column, chart };
        });
      for (; drawn < state.rows.length; drawn++)
        for (const { column } of numeric) {
          const value = state.rows[drawn]![column];
          if (typeof value === 'number') history.add(String(column), state.steps[drawn]!, value);
        }
      for (const { column, chart } of charts) {
        const { label } = columns[column]!;
        const data = history.get(String(column))?.data();
        const isPointsOnly = state.rows.length < (state.answer.to - state.answer.from + 1) / 2;
        const series = { name: label, data, color: context.theme.palette[0], width: 2, pointsOnly: isPointsOnly };
        chart.update([series], true);
      }
    };

    const draw = (): void => {
      const state = runQueryOf(context);
      drawSearch();
      render(statusOf(context, state), status);
      drawCharts(state);
      render(state ? tableOf(context, state) : nothing, body);
    };

    return {
      update(text) {
        const { data, theme, settings } = context;
        const state = runQueryOf(context);
        const now = [data.model, theme.version, settings.viewState[QUERY_VIEW], data.frame?.position.step, state];
        if (!text) return;
        if (now.some((each, i) => each !== seen[i])) {
          seen = now;
          draw();
        }
      },
      dispose() {
        for (const { chart } of charts) chart.dispose();
        for (const part of [search, status, body]) render(nothing, part);
      },
    };
  },
};

/** Queries that make sense for a network. */
function examplesFor({ layers }: ModelInfo): string[] {
  const found = layers.flatMap(({ name, parameters }) =>
    /^[A-Za-z_]\w*$/.test(name) ? parameters.map(({ shortName }) => `${name}.${shortName}`) : [],
  );
  const weight = found[0];
  return weight === undefined
    ? ['step, loss where loss > 1', 'first loss < 1']
    : [
        `step, loss, norm(grad(${weight})) where loss > 1`,
        `last any(changes_sign(${weight}))`,
        `"step {step}: loss {loss}" where max(abs(update(${weight}))) > 0.1`,
      ];
}

function statusOf(context: Context, state: RunQueryState | null): TemplateResult {
  const { model } = context.data;
  if (!state)
    return html`<div id="query-status">
      <p>
        Values at the end of every step that the run has reached. They are replayed, bit for bit.
        <code>where</code> keeps the steps at which a condition holds; <code>last</code>, <code>first</code> and
        <code>bisect</code> find one step.
      </p>
      ${
        model
          ? html`<ul class="query-examples" aria-label="Examples">
              ${examplesFor(model).map(
                (text) =>
                  html`<li>
                    <button class="link" data-example @click=${() => startQuery(context, text, null)}>${text}</button>
                  </li>`,
              )}
            </ul>`
          : nothing
      }
    </div>`;
  const { answer, isBusy, failure } = state;
  const error = answer?.error ?? null;
  if (failure !== null || error)
    return html`<div id="query-status">
      <p class="verdict bad" role="alert">${renderIcon('error')}<span>${failure ?? error!.message}</span></p>
      ${error ? markPlace(state.text, error) : nothing}
    </div>`;
  const found = answer?.total ?? 0;
  const rate = answer?.stepsPerSecond ?? null;
  const note = answer && (isBusy ? null : describeQueryEnd(answer.end, answer));
  return html`<div id="query-status" class="query-status">
    <p role="status">
      ${answer?.isSearch ? (found > 0 ? `Step ${formatInteger(state.steps[0]!)}` : isBusy ? 'Searching' : 'No such step') : pluralize(found, 'row')}${
        answer
          ? html`,
            ${isBusy ? `step ${formatInteger(answer.step)} of ${formatInteger(answer.to)}` : `${pluralize(answer.replayed, 'step')} replayed`}${rate === null ? nothing : html`, <span class="number">${formatInteger(Math.round(rate))}</span> steps per second`}.`
          : ' …'
      }
      ${note ?? nothing}
    </p>
  </div>`;
}

/** The text of a query with the place of an error below it. */
function markPlace(text: string, { start, end }: { readonly start: number; readonly end: number }): TemplateResult {
  const [before, wrong, after] = [text.slice(0, start), text.slice(start, Math.max(end, start + 1)), text.slice(end)];
  return html`<p class="query-error" aria-label=${`At column ${start + 1}`}>
    <code>${before}<mark>${wrong || ' '}</mark>${after}</code>
  </p>`;
}

function tableOf(context: Context, state: RunQueryState): TemplateResult | typeof nothing {
  const { answer, steps, rows, text } = state;
  if (!answer || answer.error || rows.length === 0) return nothing;
  // Every row names its step.
  const columns = answer.columns.flatMap(({ label, type }, index) =>
    label === 'step' ? [] : [{ label, type, index }],
  );
  const shown = Math.min(rows.length, MAX_ROWS);
  const current = context.data.frame?.position.step;
  return html`
    <p class="hint">
      ${rows.length > shown ? `The first ${shown} of ${formatInteger(rows.length)} rows.` : nothing} Click a step to go
      to it. ${exportActions(context, { title: text, table: () => exportOf(state) })}
    </p>
    <div class="scroll tall" tabindex="0" role="region" aria-label="Rows of the query">
      <table class="values">
        <thead>
          <tr>
            <th scope="col">step</th>
            ${columns.map(({ label, type }) => html`<th scope="col" class=${type === 'text' ? 'text' : ''}>${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, shown).map((row, i) => {
            const step = steps[i]!;
            return html`<tr
              class=${step === current ? 'selected' : ''}
              aria-current=${step === current ? 'true' : nothing}
            >
              <th scope="row">
                <button
                  class="link number"
                  data-step=${step}
                  title="Go to this step"
                  @click=${() => context.seek(step)}
                >
                  ${formatInteger(step)}
                </button>
              </th>
              ${columns.map(({ index, type }) => {
                const cell = row[index] ?? null;
                return html`<td class=${type === 'text' ? 'text' : ''}>
                  ${typeof cell === 'number' || cell === null ? renderValue(cell) : html`<bdi>${String(cell)}</bdi>`}
                </td>`;
              })}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  `;
}

function exportOf({ answer, rows, steps }: RunQueryState): TableExport {
  const columns = answer?.columns ?? [];
  const hasStep = columns.some(({ label }) => label === 'step');
  const toCell = (cell: string | number | boolean | null): string | number | null =>
    typeof cell === 'boolean' ? String(cell) : cell;
  return {
    headers: [...(hasStep ? [] : ['step']), ...columns.map(({ label }) => label)],
    rows: rows.map((row, i) => [...(hasStep ? [] : [steps[i]!]), ...row.map(toCell)]),
  };
}
