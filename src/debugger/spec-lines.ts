// The lines of a spec where a run can stop, and the phases of a step that they stand for.
import { parseSpec } from '../model-spec';
import { positionAt } from '../presentation/text-position';
import type { ModelInfo } from '../protocol/model-info';
import type { Phase } from '../protocol/position';

/** Which phases of its layer a breakpoint stops at. */
export type BreakpointMode = 'all' | 'forward' | 'backward' | 'update';

/** A layer, or the loss, in the text. Lines count from 1. */
interface Place {
  readonly firstLine: number;
  readonly lastLine: number;
  /** Undefined for the loss. */
  readonly layer?: number;
}

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
      if (range) return [{ layer: index, firstLine: lineAt(range.start), lastLine: lineAt(range.end) }];
      return specLocation ? [{ layer: index, firstLine: specLocation.line, lastLine: specLocation.line }] : [];
    });
    const lossLine = loss.specLocation?.line;
    this.#places = lossLine === undefined ? places : [...places, { firstLine: lossLine, lastLine: lossLine }];
  }

  /** The first lines of layers and of the loss between two lines, in order. */
  linesBetween(first: number, last: number): number[] {
    const lines = this.#places.flatMap(({ firstLine }) => (firstLine >= first && firstLine <= last ? firstLine : []));
    return [...new Set(lines)].sort((a, b) => a - b);
  }

  /** What stands at a line: the innermost layers, all copies of a block that repeats, or the loss. */
  placesAt(line: number): readonly Place[] {
    const around = this.#places.filter(({ firstLine, lastLine }) => firstLine <= line && line <= lastLine);
    const start = Math.max(...around.map(({ firstLine }) => firstLine));
    return around.filter(({ firstLine }) => firstLine === start);
  }

  /** Indexes into the model's phases. */
  phasesAt(line: number, mode: BreakpointMode): number[] {
    return this.phasesOf(
      this.placesAt(line).map(({ layer }) => layer),
      mode,
    );
  }

  /** Indexes into the model's phases. @param layers undefined for the loss */
  phasesOf(layers: readonly (number | undefined)[], mode: BreakpointMode): number[] {
    return this.#phases.flatMap((phase, index) => {
      const isAt = layers.some((layer) =>
        layer === undefined
          ? phase.kind === 'loss' || phase.kind === 'loss_backward'
          : phase.kind === 'update' || ('layer' in phase && phase.layer === layer),
      );
      const side = phase.kind === 'loss' ? 'forward' : phase.kind === 'loss_backward' ? 'backward' : phase.kind;
      return isAt && (mode === 'all' || mode === side) ? index : [];
    });
  }

  /** The line of a layer; undefined for none. */
  lineOf(layer: number | undefined): number | undefined {
    return this.#places.find((place) => place.layer === layer)?.firstLine;
  }
}
