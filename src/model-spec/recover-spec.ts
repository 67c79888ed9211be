// Corrects a faulty spec as far as its shapes go, so that one mistake does not hide others: a bad learning rate and a
// misspelled layer still leave a network whose shapes can be checked.
import type { ExplainedIssue } from './explain-issues';
import type { Path } from './spec-source';

/** A spec's value with the faulty parts corrected, removed or cut off. */
export interface RecoveredValue {
  readonly value: unknown;
  /** Whether all layers and the loss are as written. */
  readonly isComplete: boolean;
}

type Container = Record<string | number, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Replaces a missing or unknown loss; shapes do not depend on it. */
const ANY_LOSS = 'mse';

/** A deep copy without prototypes, as all values of a spec are. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isContainer(value)) return value;
  const copy = Object.create(null) as Container;
  for (const [key, inner] of Object.entries(value)) copy[key] = copyOf(inner);
  return copy;
}

/** Corrects a spec's value step by step. */
export class Recovery {
  readonly #value: Container;
  /** From this layer on, shapes are unknown. */
  #firstUnknownLayer = Infinity;
  #hasLoss = true;

  constructor(value: object) {
    this.#value = copyOf(value) as Container;
  }

  /** Corrects what an issue is about, or drops it; false if no shape is left to check. */
  correct({ path, isKey, suggestion, problem }: ExplainedIssue): boolean {
    const key = path.at(-1);
    if (key === undefined) return false;
    const parent = this.#parentOf(path);
    const correction = suggestion ?? unquoted(problem.replacement);
    if (!parent || (correction === undefined && !isKey)) return this.drop(path);
    if (!isKey) parent[key] = correction;
    else {
      if (suggestion !== undefined && !(suggestion in parent)) parent[suggestion] = parent[key];
      Reflect.deleteProperty(parent, key);
    }
    return true;
  }

  /** Removes the part of the spec that holds `path`, or cuts the layers off before it. */
  drop(path: Path): boolean {
    const [top, inner] = path;
    if (top === undefined) return false;
    if (top === 'data') {
      const { data } = this.#value;
      return inner === 'split' && isContainer(data) && Reflect.deleteProperty(data, inner);
    }
    if (top === 'layers') {
      if (typeof inner !== 'number') return false;
      this.#firstUnknownLayer = Math.min(this.#firstUnknownLayer, inner);
      return true;
    }
    if (top === 'loss') {
      this.#hasLoss = false;
      this.#value.loss = ANY_LOSS;
      return true;
    }
    return Reflect.deleteProperty(this.#value, top);
  }

  /** The remaining value; undefined if no layer is left. */
  result(): RecoveredValue | undefined {
    const { layers } = this.#value;
    if (!Array.isArray(layers)) return undefined;
    const known = layers.slice(0, this.#firstUnknownLayer) as unknown[];
    if (known.length === 0) return undefined;
    const value = Object.assign(Object.create(null) as Container, this.#value, { layers: known });
    return { value, isComplete: this.#hasLoss && known.length === layers.length };
  }

  #parentOf(path: Path): Container | undefined {
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((inner, key) => (isContainer(inner) ? inner[key] : undefined), this.#value);
    return isContainer(parent) ? parent : undefined;
  }
}

/** A number that was written in quotes. */
const unquoted = (replacement: string | undefined): number | undefined =>
  replacement === undefined || replacement.startsWith('"') ? undefined : Number(replacement);
