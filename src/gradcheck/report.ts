// What a gradient check found, as data: counts by verdict for every parameter, the worst entry, and the
// points of the plot of numeric against backprop.

import type { CodePlace } from '../engine/custom/fault';
import type { Cause } from './diagnosis/guess';
import type { Mode } from './options';

/** See docs/gradient-check.md: pass; wrong; a kink was crossed, not comparable; both below round-off. */
export type Verdict = 'pass' | 'wrong' | 'kink' | 'below_noise';

export interface EntryReport {
  /** Index into the parameter, one number a dimension. */
  readonly index: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| / max(|analytic|, |numeric|); 0 where both are 0, infinite where either is not finite. */
  readonly relativeError: number;
  readonly verdict: Verdict;
}

export interface ParameterCheck {
  /** `linear1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly entries: number;
  readonly checked: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Largest relative error among the wrong entries, or where none is wrong among those that passed; null when there are neither. */
  readonly worst: EntryReport | null;
  /** The gravest verdict of any entry: wrong, kink, pass, below_noise in this order. */
  readonly verdict: Verdict;
}

/** One layer by itself, with a random gradient from above; or the loss. Without the penalty. */
export interface LayerCheck {
  /** `linear1`; null for the loss. */
  readonly name: string | null;
  readonly kind: string;
  /** Who spoils the signal that arrives here in the whole network: a later layer, or "the loss"; null where it is right. */
  readonly arriving: string | null;
  /** What it makes of the gradient of each parameter, and what it hands back: `input`; of a loss `prediction`. */
  readonly tensors: readonly ParameterCheck[];
  /** Arguments that its forward or backward writes to and must not. */
  readonly overwrites: readonly string[];
}

/** Why backprop is wrong: what is to blame, and the explanation that fits best. */
export interface Diagnosis {
  /** In one sentence or two: everything below, in words. */
  readonly sentence: string;
  /** Null where the loss is to blame. */
  readonly layer: string | null;
  /** Of that layer, or of the loss. */
  readonly kind: string;
  /** Line of the spec where it stands, counted from 1; null where that is not known. */
  readonly line: number | null;
  /** Whose gradient is wrong: a parameter by its short name, `input`, or of a loss `prediction`. */
  readonly tensor: string;
  /** Its worst entry; for `input` the first number is the sample. With the values there, the layer alone. */
  readonly index: readonly number[] | null;
  readonly analytic: number | null;
  readonly numeric: number | null;
  readonly cause: Cause;
  /** What the explanation had to be multiplied by. */
  readonly factor: number | null;
  /** The size that the factor, or one over it, equals. */
  readonly dimension: { readonly name: string; readonly size: number } | null;
  /** Share of the error that the explanation leaves: 0 explains all, 1 nothing. */
  readonly residual: number | null;
  /** Wrong parameters that their layers are not to blame for: a wrong signal arrives there. */
  readonly misled: readonly string[];
  /** Of a layer of the user's own: where its backward stands, or its forward where there is none. */
  readonly place?: CodePlace;
}

/** A gradient of a layer alone, by its written backward, by autograd and by differences. */
export interface AutogradComparison {
  readonly layer: string;
  /** A parameter by its short name, or `input`. */
  readonly tensor: string;
  /** Largest differences between two ways, as shares of the largest number. */
  readonly writtenAutograd: number;
  readonly writtenNumeric: number;
  readonly autogradNumeric: number;
  /** Which of the three is off; null where they agree. */
  readonly sentence: string | null;
}

export interface WithoutPenalty {
  readonly parameters: readonly ParameterCheck[];
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly passed: boolean;
  readonly complete: boolean;
}

/** Entries that were evaluated both ways: by computing only what they reach, and the plain way. */
export interface Comparison {
  /** Drawn at random, and the first that would have been called wrong. */
  readonly entries: number;
  /** Between the two derivatives, at most. */
  readonly largestDifference: number;
  /** False when they differed by more than round-off: then every entry was checked the plain way. */
  readonly agreed: boolean;
}

export interface CheckReport {
  /** Position of the run whose weights and batch were checked. */
  readonly step: number;
  readonly samples: number;
  /** The mode that the layers were in; null where both are the same. */
  readonly mode: Mode | null;
  readonly loss: number;
  /** In the whole network, with the penalty. */
  readonly parameters: readonly ParameterCheck[];
  /** The same entries of the loss without the penalty; null where there is none. */
  readonly withoutPenalty: WithoutPenalty | null;
  /** From the first layer to the loss, each alone; empty before all of them were tried. */
  readonly layers: readonly LayerCheck[];
  readonly entries: number;
  readonly checked: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** False when cancelled before every entry was checked. */
  readonly complete: boolean;
  /** No entry is wrong, with or without the penalty, and at least one passed. */
  readonly passed: boolean;
  readonly compared: Comparison;
  /** Null where nothing is wrong, or the check was stopped before the reason was found. */
  readonly diagnosis: Diagnosis | null;
  /** Of layers with a written backward that autograd can follow; left out where there are none. */
  readonly autograd?: readonly AutogradComparison[];
  /** Points of the plot, every wrong and kinked entry first; at most MAX_POINTS of them. */
  readonly points: {
    readonly analytic: Float64Array;
    readonly numeric: Float64Array;
    /** Error bar of the numeric value: round-off, or how far estimates at several steps disagree; on a kink half the jump of the slope. */
    readonly bar: Float64Array;
    /** Flat index in the parameter, row-major. */
    readonly index: Uint32Array;
    /** Index into `parameters`. */
    readonly parameter: Uint16Array;
    /** Index into `VERDICTS`. */
    readonly verdict: Uint8Array;
  };
  readonly options: { readonly step: number; readonly rtol: number; readonly atol: number };
}

/** How far a check is. */
export interface CheckProgress extends Pick<CheckReport, 'checked' | 'entries' | 'counts'> {
  /** Every entry is judged: now each layer is tried alone, and the reason looked for. */
  readonly explaining: boolean;
}

export const VERDICTS = ['pass', 'wrong', 'kink', 'below_noise'] as const satisfies readonly Verdict[];

/** Most points in a report. */
export const MAX_POINTS = 4000;
