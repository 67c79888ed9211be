// What the variables view shows: scopes of named values, and tensors whose entries are read page by page. A variable is
// an expression, so that nothing is kept but its text.
import { formatNumber } from '../presentation/plain-numbers';
import type { ModelInfo } from '../protocol/model-info';
import type {
  Evaluated,
  ForkRequest,
  NamedValue,
  NamedValueGroup,
  Query,
  QueryResult,
  QueryValue,
} from '../protocol/queries';
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
export type VariableSource = (
  | { readonly kind: 'scope'; readonly values: readonly NamedValue[]; readonly isOfLayer: boolean }
  | {
      readonly kind: 'tensor';
      readonly expression: string;
      readonly shape: readonly number[];
      readonly editable: EditableTensor | null;
    }
) & {
  /** Whose values they are, if not the run's. They are read only. */
  readonly fork?: ForkRequest | undefined;
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

interface Described {
  readonly expression: string;
  readonly editable: EditableTensor | null;
  readonly fork?: ForkRequest | undefined;
}

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

  async evaluate(expressions: Query<'evaluate'>['expressions'], fork?: ForkRequest): Promise<readonly Evaluated[]> {
    for (;;) {
      const { value } = await this.#query({ type: 'evaluate', expressions, fork });
      const found = value as QueryValue<'evaluate'>;
      if (found.every((each) => each.kind !== 'pending')) return found;
    }
  }

  /** Its children, or a page of them. */
  async children(source: VariableSource, start = 0, count = 0): Promise<DebugProtocol.Variable[]> {
    const { fork } = source;
    if (source.kind === 'scope') {
      const found = await this.evaluate(
        source.values.map(({ expression }) => ({ text: expression })),
        fork,
      );
      return source.values.map((value, i) => {
        const { label, expression } = value;
        const parameter = parameterOf(this.#model, value);
        const editable = parameter === undefined || fork ? null : { parameter, offset: 0 };
        const canSet = !fork && (parameter !== undefined || expression === 'lr');
        const name = source.isOfLayer ? label : expression;
        return this.#toVariable(name, { expression, editable, fork }, found[i]!, canSet);
      });
    }
    const { expression, shape, editable } = source;
    const [rows = 1, ...rest] = shape;
    const last = Math.min(rows, start + (count > 0 ? count : PAGE));
    const indices = Array.from({ length: Math.max(0, last - start) }, (_, i) => start + i);
    if (rest.length === 0) {
      const [page] = await this.evaluate([{ text: expression, from: start, count: indices.length }], fork);
      if (page?.kind !== 'value') return [];
      return indices.map((index, i) => ({
        name: String(index),
        value: formatEntry(page.entries[i]!, page.type),
        evaluateName: `${expression}[${index}]`,
        variablesReference: 0,
        ...(!editable && { presentationHint: { attributes: ['readOnly'] } }),
      }));
    }
    const found = await this.evaluate(
      indices.map((index) => ({ text: `${expression}[${index}]` })),
      fork,
    );
    const size = rest.reduce((product, n) => product * n, 1);
    return indices.map((index, i) =>
      this.#toVariable(
        String(index),
        {
          expression: `${expression}[${index}]`,
          editable: editable && { ...editable, offset: editable.offset + index * size },
          fork,
        },
        found[i]!,
        false,
      ),
    );
  }

  /** The result of an expression, with a reference to its entries. */
  describe({ expression, editable, fork }: Described, value: Value) {
    const { shape } = value;
    return {
      text: describeValue(value),
      variablesReference: shape.length > 0 ? this.add({ kind: 'tensor', expression, shape, editable, fork }) : 0,
      // Memory is read by name, so only that of the run can be.
      ...(shape.length > 0 && { indexedVariables: shape[0]!, ...(!fork && { memoryReference: expression }) }),
    };
  }

  #toVariable(name: string, described: Described, value: Evaluated, canSet: boolean): DebugProtocol.Variable {
    const { expression } = described;
    const readOnly = { presentationHint: { attributes: ['readOnly'] } };
    if (value.kind === 'error')
      return { name, value: 'not computed yet', evaluateName: expression, variablesReference: 0, ...readOnly };
    const { text, ...reference } = this.describe(described, value);
    return { name, value: text, evaluateName: expression, ...reference, ...(!canSet && readOnly) };
  }
}
