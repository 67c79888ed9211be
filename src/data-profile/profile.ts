// What a dataset holds, in one pass over its samples and bounded memory regardless of its format.
import type { ClassCount, ColumnProfile, DataProfile } from '../protocol/data-profile';
import { SPLIT_NAMES, type SplitName } from '../protocol/position';
import type { CooperativeTask } from '../engine/cooperative-task';
import { escapeControls } from '../protocol/escape-controls';
import { countClasses, type LabeledSamples } from '../engine/datasets/count-classes';
import type { SampleSource, SourceColumn, SourceRow } from '../engine/datasets/sample-source';
import { exactNumber } from '../engine/datasets/target-column';
import type { Random } from '../engine/random';
import { ColumnStats } from './column-stats';
import { targetCorrelation } from './correlation';
import { EqualInputs } from './equal-inputs';
import { histogram } from './histogram';
import { SplitLookup } from './split-lookup';

/** What a run knows of its samples beyond what the files hold. */
export interface RunSamples extends LabeledSamples {
  readonly split: Readonly<Record<SplitName, Uint32Array>>;
  readonly dataset: LabeledSamples['dataset'] & { readonly samples: number };
}

export interface ProfileOptions {
  /** Draws the samples for histograms and correlations. */
  readonly random: Random;
  /** Absent where the spec cannot run. */
  readonly run?: RunSamples | undefined;
}

/** Samples that histograms and correlations are computed from; fewer where each has many numbers. */
const MAX_SAMPLED = 20_000;
const MAX_SAMPLED_NUMBERS = 2_000_000;
/** Distinct values that are counted: in a column, and in all of them together. */
const MAX_DISTINCT = 10_000;
const MIN_DISTINCT = 64;
const MAX_DISTINCT_IN_ALL = 1_000_000;

/** All digits of an integer beyond 2^53, as labels are compared. */
const exactly = (cell: string | number, number: number): number | bigint =>
  typeof cell === 'number' || Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : exactNumber(cell.trim(), number);

export function* profileTask(source: SampleSource, options: ProfileOptions): CooperativeTask<DataProfile> {
  const profiler = new Profiler(source, options);
  yield* source.scan((row) => profiler.add(row));
  return profiler.profile();
}

class Profiler {
  readonly #source: SampleSource;
  readonly #random: Random;
  readonly #run: RunSamples | undefined;
  readonly #stats: readonly ColumnStats[];
  readonly #equal: EqualInputs;
  readonly #splits: SplitLookup | undefined;
  /** Cells of a row, inputs and targets first. */
  readonly #width: number;
  readonly #inputs: number;
  readonly #targets: number;
  /** The values of a row; NaN where it has no number. */
  readonly #row: Float64Array;
  /** What samples are compared by: a number where there is one, so that 1 equals 1.0; else the text. */
  readonly #inputKey: (string | number)[] = [];
  readonly #targetKey: (string | number)[] = [];
  /** Rows that were drawn: [sampled, width]. Grows up to its limit. */
  #sampled: Float64Array;
  readonly #sampledTargets: (string | number)[] = [];
  readonly #sampleLimit: number;
  /** Whether the target is a class, as far as that is known. */
  readonly #isClass: boolean;
  #samples = 0;
  #dropped = 0;

  constructor(source: SampleSource, { random, run }: ProfileOptions) {
    const { columns } = source;
    const cells = (role: SourceColumn['role']): number =>
      columns.reduce((sum, column) => sum + (column.role === role ? column.size : 0), 0);
    this.#source = source;
    this.#random = random;
    this.#run = run;
    this.#isClass = (run?.labels ?? null) !== null;
    this.#inputs = cells('input');
    this.#targets = cells('target');
    this.#width = this.#inputs + this.#targets + cells('unused');
    this.#row = new Float64Array(this.#width);
    const distinct = Math.min(MAX_DISTINCT, Math.floor(MAX_DISTINCT_IN_ALL / columns.length));
    this.#stats = columns.map(() => new ColumnStats(SPLIT_NAMES.length, Math.max(MIN_DISTINCT, distinct)));
    this.#sampleLimit = Math.max(1, Math.min(MAX_SAMPLED, Math.floor(MAX_SAMPLED_NUMBERS / this.#width)));
    this.#sampled = new Float64Array(Math.min(16, this.#sampleLimit) * this.#width);
    this.#splits = run && new SplitLookup(run.split);
    this.#equal = new EqualInputs(run?.dataset.samples);
  }

  add({ sample, cells }: SourceRow): void {
    const split = sample === null ? SPLIT_NAMES.length : (this.#splits?.findIndex(sample) ?? SPLIT_NAMES.length);
    let at = 0;
    this.#source.columns.forEach(({ role, size }, column) => {
      const stats = this.#stats[column]!;
      for (const end = at + size; at < end; at++) {
        const key = this.#readCell(cells[at]!);
        this.#row[at] = typeof key === 'number' && Number.isFinite(key) ? key : NaN;
        if (at < this.#inputs) this.#inputKey[at] = key;
        else if (at < this.#inputs + this.#targets) this.#targetKey[at - this.#inputs] = key;
        if (Number.isNaN(key)) stats.addMissing();
        else if (sample === null) continue;
        else if (typeof key === 'string' || !Number.isFinite(key)) stats.addText(String(key));
        else if (this.#isClass && role === 'target') stats.addText(String(cells[at]).trim());
        else stats.addNumber(key, split, exactly(cells[at]!, key));
      }
    });
    if (sample === null) {
      this.#dropped++;
      return;
    }
    if (this.#run?.labels) {
      const { targets, targetSize } = this.#run.dataset;
      for (let j = 0; j < targetSize; j++) this.#targetKey[j] = targets[sample * targetSize + j]!;
    }
    this.#equal.add(sample, this.#inputKey, this.#targetKey);
    this.#drawRow();
  }

  /** A number, the text of a cell that is none, or NaN for a missing value. */
  #readCell(cell: string | number): string | number {
    if (typeof cell === 'number') return cell;
    const number = this.#source.parse(cell);
    if (Number.isFinite(number)) return number;
    return this.#source.isMissing(cell) ? NaN : cell.trim();
  }

  /** A reservoir, each sample as likely as any other: Vitter, "Random sampling with a reservoir", 1985, algorithm R. */
  #drawRow(): void {
    const seen = this.#samples++;
    const place = seen < this.#sampleLimit ? seen : this.#random.integerBelow(seen + 1);
    if (place >= this.#sampleLimit) return;
    const start = place * this.#width;
    if (start + this.#width > this.#sampled.length) {
      const grown = new Float64Array(Math.min(2 * this.#sampled.length, this.#sampleLimit * this.#width));
      grown.set(this.#sampled);
      this.#sampled = grown;
    }
    this.#sampled.set(this.#row, start);
    this.#sampledTargets[place] = this.#targets === 1 ? this.#targetKey[0]! : NaN;
  }

  profile(): DataProfile {
    const { columns, inputShape, positions } = this.#source;
    const splits = this.#run?.split;
    const lookup = this.#splits;
    const splitOf = lookup && ((sample: number): SplitName => SPLIT_NAMES[lookup.findIndex(sample)]!);
    return {
      samples: this.#samples,
      dropped: this.#dropped,
      sampled: Math.min(this.#samples, this.#sampleLimit),
      inputShape,
      positions,
      columns: this.#columnProfiles(columns),
      classes: this.#classCounts(),
      splits: splits
        ? { train: splits.train.length, validation: splits.validation.length, test: splits.test.length }
        : null,
      duplicates: this.#equal.report(splitOf),
    };
  }

  #columnProfiles(columns: readonly SourceColumn[]): ColumnProfile[] {
    const target = this.#targetCodes();
    let from = 0;
    return columns.map(({ name, role, size }, i): ColumnProfile => {
      const stats = this.#stats[i]!;
      const values = this.#sampledValues(from, size);
      from += size;
      const isClass = this.#isClass && role === 'target';
      const [train = null, validation = null, test = null] = stats.splits();
      return {
        name: escapeControls(name),
        role,
        size,
        ...stats.profile(isClass),
        histogram: isClass ? null : histogram(values.filter((value) => !Number.isNaN(value))),
        correlation:
          size === 1 && role !== 'target' && target ? targetCorrelation(values, target.codes, target.classes) : null,
        splits: this.#run ? { train, validation, test } : null,
      };
    });
  }

  /** The sampled values of a column's cells. */
  #sampledValues(from: number, size: number): Float64Array {
    const rows = this.#sampledTargets.length;
    const values = new Float64Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const start = row * this.#width + from;
      values.set(this.#sampled.subarray(start, start + size), row * size);
    }
    return values;
  }

  /**
   * The target of each sampled row as a number; text counts its classes in alphabetical order. Null for several
   * targets.
   */
  #targetCodes(): { readonly codes: Float64Array; readonly classes: number | null } | null {
    if (this.#targets !== 1) return null;
    const targets = this.#sampledTargets;
    const texts = [...new Set(targets.filter((target) => typeof target === 'string'))].sort();
    if (texts.length === 0)
      return { codes: Float64Array.from(targets as number[]), classes: this.#run?.labels?.length ?? null };
    const codeOf = new Map(texts.map((text, i) => [text as string | number, i]));
    return { codes: Float64Array.from(targets, (target) => codeOf.get(target) ?? NaN), classes: texts.length };
  }

  #classCounts(): ClassCount[] | null {
    const run = this.#run;
    if (!run?.labels) return null;
    const countsOf = (split: SplitName): readonly number[] => countClasses(run, run.split[split]) ?? [];
    const [train, validation, test] = [countsOf('train'), countsOf('validation'), countsOf('test')];
    return run.labels.map((name, i): ClassCount => {
      const splits = { train: train[i]!, validation: validation[i]!, test: test[i]! };
      return { name, count: splits.train + splits.validation + splits.test, splits };
    });
  }
}
