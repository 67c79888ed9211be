// The lines of a spec where a run can stop, and the phases of a step that they stand for.
import { parseSpec } from '../model-spec';
import { positionAt } from '../presentation/text-position';
import type { ModelInfo } from '../protocol/model-info';
import type { Phase } from '../protocol/position';

/** Which phases of its layer a breakpoint stops at. */
export type BreakpointMode = 'all' | 'forward' | 'backward' | 'update';

/** Where a phase stands in the text: at its layer by index, at the loss, or at the optimizer. */
export type Part = number | 'loss' | 'optimizer';

/** A part of the spec. Lines count from 1. */
interface Place {
  readonly part: Part;
  readonly firstLine: number;
  readonly lastLine: number;
}

/** `zero_grad` and `update` are of the optimizer. */
export const partOf = (phase: Phase): Part =>
  'layer' in phase ? phase.layer : phase.kind === 'loss' || phase.kind === 'loss_backward' ? 'loss' : 'optimizer';

export class SpecLines {
  readonly #phases: readonly Phase[];
  readonly #places: readonly Place[];

  constructor({ layers, loss, phases }: ModelInfo, text: string) {
    const { spec } = parseSpec(text);
    this.#phases = phases;
    const lineAt = (offset: number): number => positionAt(text, offset).line;
    const places = layers.flatMap(({ index, specLocation }): Place[] => {
      const layer = spec?.layers[index];
      const range = layer && spec.source.locate(layer.path);
      if (range) return [{ part: index, firstLine: lineAt(range.start), lastLine: lineAt(range.end) }];
      return specLocation ? [{ part: index, firstLine: specLocation.line, lastLine: specLocation.line }] : [];
    });
    const lossLine = loss.specLocation?.line;
    const optimizer = spec?.source.locate(['optimizer']);
    this.#places = [
      ...places,
      ...(lossLine === undefined ? [] : [{ part: 'loss' as const, firstLine: lossLine, lastLine: lossLine }]),
      ...(optimizer
        ? [{ part: 'optimizer' as const, firstLine: lineAt(optimizer.start), lastLine: lineAt(optimizer.end) }]
        : []),
    ];
  }

  /** The first lines of layers, of the loss and of the optimizer between two lines, in order. */
  linesBetween(first: number, last: number): number[] {
    const lines = this.#places.flatMap(({ firstLine }) => (firstLine >= first && firstLine <= last ? firstLine : []));
    return [...new Set(lines)].sort((a, b) => a - b);
  }

  /** What stands at a line: the innermost layers, all copies of a block that repeats, the loss or the optimizer. */
  placesAt(line: number): readonly Place[] {
    const around = this.#places.filter(({ firstLine, lastLine }) => firstLine <= line && line <= lastLine);
    const start = Math.max(...around.map(({ firstLine }) => firstLine));
    return around.filter(({ firstLine }) => firstLine === start);
  }

  /** Indexes into the model's phases. */
  phasesAt(line: number, mode: BreakpointMode): number[] {
    return this.phasesOf(
      this.placesAt(line).map(({ part }) => part),
      mode,
    );
  }

  /** Indexes into the model's phases. The update is of every layer. */
  phasesOf(parts: readonly Part[], mode: BreakpointMode): number[] {
    return this.#phases.flatMap((phase, index) => {
      const isAt = parts.some((part) =>
        part === 'loss' ? partOf(phase) === part : phase.kind === 'update' || partOf(phase) === part,
      );
      const side = phase.kind === 'loss' ? 'forward' : phase.kind === 'loss_backward' ? 'backward' : phase.kind;
      // Nothing is computed yet when gradients are set to zero.
      return isAt && (mode === 'all' ? side !== 'zero_grad' : mode === side) ? index : [];
    });
  }

  /** The line of a part; undefined if the spec has none. */
  lineOf(part: Part): number | undefined {
    return this.#places.find((place) => place.part === part)?.firstLine;
  }
}
