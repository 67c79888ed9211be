// Samples with equal inputs: repeated ones, ones with different targets, and held-out ones that are also trained on.
import type { DuplicateReport, EqualSamples } from '../protocol/data-profile';
import type { SplitName } from '../protocol/position';

/** Samples that are compared; keys of them take 28 MB. */
const MAX_COMPARED = 1_000_000;
/** Groups, and samples of each, that are listed. */
const MAX_GROUPS = 20;
const MAX_GROUP_SAMPLES = 8;

/** A text or a number; NaN for a missing value, which equals another. */
export type Cell = string | number;

const bits = new DataView(new ArrayBuffer(8));
const MULTIPLIERS = [0x2c1b3c6d, 0x297a2d39, 0x7feb352d, 0x846ca68b] as const;

/**
 * A hash of 106 bits, from four lanes of multiply and xor-shift. Among a million different inputs, two with the same
 * hash are expected once in 10²⁰ datasets.
 */
class InputHash {
  readonly #lanes = new Int32Array(4);

  reset(): void {
    this.#lanes.set([1, 2, 3, 4]);
  }

  add(cell: Cell): void {
    if (typeof cell === 'string') {
      this.#mix(cell.length + 1);
      for (let i = 0; i < cell.length; i++) this.#mix(cell.charCodeAt(i));
      return;
    }
    // The two zeros are equal.
    bits.setFloat64(0, cell === 0 ? 0 : cell);
    this.#mix(bits.getInt32(0));
    this.#mix(bits.getInt32(4));
  }

  /** An integer below 2^53, from lanes 0 and 1, or from 2 and 3. */
  digest(half: 0 | 1): number {
    const [high, low] = [this.#lanes[2 * half]!, this.#lanes[2 * half + 1]!];
    return (high >>> 0) * 2 ** 21 + (low >>> 11);
  }

  #mix(word: number): void {
    const lanes = this.#lanes;
    for (let i = 0; i < 4; i++) {
      const product = Math.imul(lanes[i]! ^ word, MULTIPLIERS[i]!);
      lanes[i] = product ^ (product >>> 15);
    }
  }
}

/** The samples with one input, by their targets. */
interface Group {
  readonly secondKey: number;
  readonly rows: number[];
  readonly targets: Map<number, number>;
}

export class EqualInputs {
  #count = 0;
  /** The sample of each row, in insertion order. */
  #samples: Int32Array;
  #inputKeys: Float64Array;
  #secondKeys: Float64Array;
  #targetKeys: Float64Array;
  readonly #hash = new InputHash();

  /** @param expected number of samples; more or fewer may come */
  constructor(expected = 64) {
    const size = Math.min(MAX_COMPARED, Math.max(64, expected));
    this.#samples = new Int32Array(size);
    this.#inputKeys = new Float64Array(size);
    this.#secondKeys = new Float64Array(size);
    this.#targetKeys = new Float64Array(size);
  }

  /** Samples beyond the first million are not compared. */
  add(sample: number, inputs: ArrayLike<Cell>, targets: ArrayLike<Cell>): void {
    if (this.#count === MAX_COMPARED) return;
    if (this.#count === this.#samples.length) this.#grow();
    const row = this.#count++;
    const hash = this.#hash;
    hash.reset();
    for (let i = 0; i < inputs.length; i++) hash.add(inputs[i]!);
    this.#samples[row] = sample;
    this.#inputKeys[row] = hash.digest(0);
    this.#secondKeys[row] = hash.digest(1);
    hash.reset();
    for (let i = 0; i < targets.length; i++) hash.add(targets[i]!);
    this.#targetKeys[row] = hash.digest(0);
  }

  /** @param splitOf absent where there are no splits. */
  report(splitOf?: (sample: number) => SplitName): DuplicateReport {
    const groups = this.#groups();
    const leaked = { validation: 0, test: 0 };
    let duplicates = 0;
    let contradictory = 0;
    for (const { rows, targets } of groups) {
      for (const count of targets.values()) duplicates += count - 1;
      if (targets.size > 1) contradictory += rows.length;
      if (!splitOf) continue;
      const counts = { train: 0, validation: 0, test: 0 };
      for (const row of rows) counts[splitOf(this.#samples[row]!)]++;
      if (counts.train === 0) continue;
      leaked.validation += counts.validation;
      leaked.test += counts.test;
    }
    const listed = [
      ...groups.filter(({ targets }) => targets.size > 1),
      ...groups.filter(({ targets }) => targets.size === 1),
    ];
    return {
      compared: this.#count,
      duplicates,
      contradictory,
      leaked: splitOf ? leaked : null,
      groups: listed.slice(0, MAX_GROUPS).map(({ rows, targets }): EqualSamples => ({
        samples: rows.slice(0, MAX_GROUP_SAMPLES).map((row) => this.#samples[row]!),
        count: rows.length,
        contradictory: targets.size > 1,
      })),
    };
  }

  /** Groups of at least two, in the order of their first rows. */
  #groups(): Group[] {
    const sorted = this.#inputKeys.slice(0, this.#count).sort();
    // By the first key; the second one tells apart the few that share it.
    const byKey = new Map<number, Group[]>();
    for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) byKey.set(sorted[i]!, []);
    const groups: Group[] = [];
    for (let row = 0; row < this.#count && byKey.size > 0; row++) {
      const candidates = byKey.get(this.#inputKeys[row]!);
      if (!candidates) continue;
      const secondKey = this.#secondKeys[row]!;
      let group = candidates.find((each) => each.secondKey === secondKey);
      if (!group) {
        group = { secondKey, rows: [], targets: new Map() };
        candidates.push(group);
        groups.push(group);
      }
      group.rows.push(row);
      const target = this.#targetKeys[row]!;
      group.targets.set(target, (group.targets.get(target) ?? 0) + 1);
    }
    return groups.filter(({ rows }) => rows.length > 1);
  }

  #grow(): void {
    const size = Math.min(MAX_COMPARED, 2 * this.#samples.length);
    const copy = <Keys extends Int32Array | Float64Array>(from: Keys, to: Keys): Keys => {
      to.set(from);
      return to;
    };
    this.#samples = copy(this.#samples, new Int32Array(size));
    this.#inputKeys = copy(this.#inputKeys, new Float64Array(size));
    this.#secondKeys = copy(this.#secondKeys, new Float64Array(size));
    this.#targetKeys = copy(this.#targetKeys, new Float64Array(size));
  }
}
