// What the variables view shows: scopes of named values, and tensors whose entries are read page by page. A variable is
// an expression, so that nothing is kept but its text.
import { formatNumber } from '../presentation/plain-numbers';
import type { ModelInfo } from '../protocol/model-info';
import type { Evaluated, NamedValue, NamedValueGroup, Query, QueryResult, QueryValue } from '../protocol/queries';
import type { DebugProtocol } from '@vscode/debugprotocol';

/** Entries that a client gets if it does not ask for a page. */
const PAGE = 1000;

/** A parameter whose entries can be set. */
export interface EditableTensor {
  /** Full name of the parameter. */
  readonly parameter: string;
  /** Flat index of the first entry. */
  readonly offset: number;
}

/** What a variables reference stands for. */
export type VariableSource =
  | { readonly kind: 'scope'; readonly values: readonly NamedValue[]; readonly isOfLayer: boolean }
  | {
      readonly kind: 'tensor';
      readonly expression: string;
      readonly shape: readonly number[];
      readonly editable: EditableTensor | null;
    };

export const GROUP_TITLES: Readonly<Record<NamedValueGroup, string>> = {
  inputs: 'Inputs',
  outputs: 'Outputs',
  gradients: 'Gradients',
  parameters: 'Parameters',
  updates: 'Updates',
  optimizer_state: 'Optimizer state',
  run: 'Run',
};

type Value = Evaluated & { readonly kind: 'value' };

export const formatEntry = (value: number, type: Value['type']): string =>
  type === 'boolean' ? String(value !== 0) : String(value);

/** `32×4 float32, mean 0.01, std 0.98, norm 11.2, 0 NaN`. */
export function describeValue({ type, shape, precision, summary, entries }: Value): string {
  if (!summary) return formatEntry(entries[0] ?? NaN, type);
  const { mean, std, norm, nans } = summary;
  const figures = `mean ${formatNumber(mean)}, std ${formatNumber(std)}, norm ${formatNumber(norm)}, ${nans} NaN`;
  return `${shape.join('×')} ${type === 'boolean' ? 'boolean' : (precision ?? 'float64')}, ${figures}`;
}

/** The full name of a parameter of the model, by the expression that names it; undefined for anything else. */
export const parameterOf = ({ layers }: ModelInfo, { group, layer, label }: NamedValue): string | undefined => {
  const owner = group === 'parameters' && layer !== null ? layers[layer] : undefined;
  return [...(owner?.parameters ?? []), ...(owner?.sharedParameters ?? [])].find(({ shortName }) => shortName === label)
    ?.name;
};

export class VariableStore {
  readonly #query: (query: Query<'evaluate'>) => Promise<QueryResult>;
  readonly #model: ModelInfo;
  #sources: VariableSource[] = [];

  constructor(model: ModelInfo, query: (query: Query<'evaluate'>) => Promise<QueryResult>) {
    this.#model = model;
    this.#query = query;
  }

  /** References are valid until the run moves. */
  clear(): void {
    this.#sources = [];
  }

  /** A reference to it, from 1. */
  add(source: VariableSource): number {
    return this.#sources.push(source);
  }

  get(reference: number): VariableSource | undefined {
    return this.#sources[reference - 1];
  }

  async evaluate(expressions: Query<'evaluate'>['expressions']): Promise<readonly Evaluated[]> {
    for (;;) {
      const { value } = await this.#query({ type: 'evaluate', expressions });
      const found = value as QueryValue<'evaluate'>;
      if (found.every((each) => each.kind !== 'pending')) return found;
    }
  }

  /** Its children, or a page of them. */
  async children(source: VariableSource, start = 0, count = 0): Promise<DebugProtocol.Variable[]> {
    if (source.kind === 'scope') {
      const found = await this.evaluate(source.values.map(({ expression }) => ({ text: expression })));
      return source.values.map((value, i) => {
        const { label, expression } = value;
        const parameter = parameterOf(this.#model, value);
        const editable = parameter === undefined ? null : { parameter, offset: 0 };
        const canSet = parameter !== undefined || expression === 'lr';
        return this.#toVariable(source.isOfLayer ? label : expression, expression, found[i]!, editable, canSet);
      });
    }
    const { expression, shape, editable } = source;
    const [rows = 1, ...rest] = shape;
    const last = Math.min(rows, start + (count > 0 ? count : PAGE));
    const indices = Array.from({ length: Math.max(0, last - start) }, (_, i) => start + i);
    if (rest.length === 0) {
      const [page] = await this.evaluate([{ text: expression, from: start, count: indices.length }]);
      if (page?.kind !== 'value') return [];
      return indices.map((index, i) => ({
        name: String(index),
        value: formatEntry(page.entries[i]!, page.type),
        evaluateName: `${expression}[${index}]`,
        variablesReference: 0,
        ...(!editable && { presentationHint: { attributes: ['readOnly'] } }),
      }));
    }
    const found = await this.evaluate(indices.map((index) => ({ text: `${expression}[${index}]` })));
    const size = rest.reduce((product, n) => product * n, 1);
    return indices.map((index, i) =>
      this.#toVariable(
        String(index),
        `${expression}[${index}]`,
        found[i]!,
        editable && { ...editable, offset: editable.offset + index * size },
        false,
      ),
    );
  }

  /** The result of an expression, with a reference to its entries. */
  describe(expression: string, value: Value, editable: EditableTensor | null = null) {
    const { shape } = value;
    return {
      text: describeValue(value),
      variablesReference: shape.length > 0 ? this.add({ kind: 'tensor', expression, shape, editable }) : 0,
      ...(shape.length > 0 && { indexedVariables: shape[0]!, memoryReference: expression }),
    };
  }

  #toVariable(
    name: string,
    expression: string,
    value: Evaluated,
    editable: EditableTensor | null,
    canSet: boolean,
  ): DebugProtocol.Variable {
    const readOnly = { presentationHint: { attributes: ['readOnly'] } };
    if (value.kind === 'error')
      return { name, value: 'not computed yet', evaluateName: expression, variablesReference: 0, ...readOnly };
    const { text, ...reference } = this.describe(expression, value, editable);
    return { name, value: text, evaluateName: expression, ...reference, ...(!canSet && readOnly) };
  }
}
