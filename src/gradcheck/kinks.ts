// Kinks of layers and of the loss, and how to keep inputs away from them. Layers and losses declare their kinks
// themselves.
import type { Tensor } from '../engine/kernels/tensor';
import type { LayerModel } from '../engine/network-model';
import type { LossTerm } from '../engine/pass';

const scalarTensor = (): Tensor => ({ shape: [1], data: new Float64Array(1) });

/** The kinks of a layer or of the loss. */
export interface Kinks {
  /** Whether there is one between two inputs. */
  isCrossed(a: Tensor, b: Tensor): boolean;
  /** Whether there is one between two values of element `index`, with the other elements unperturbed. */
  isCrossedByElement(index: number, a: number, b: number): boolean;
  /** For kinks that involve several elements: see LayerDefinition.avoidKinks. */
  avoidKinks?(places: Tensor['data'], start: Tensor, distance: number, side: 1 | -1): number;
}

export function layerKinks({ definition, options }: LayerModel): Kinks {
  const [first, second] = [scalarTensor(), scalarTensor()];
  const isCrossed = (a: Tensor, b: Tensor): boolean => definition.crossesKink?.(a, b, options) ?? false;
  return {
    isCrossed,
    isCrossedByElement(_index, a, b) {
      first.data[0] = a;
      second.data[0] = b;
      return isCrossed(first, second);
    },
    ...(definition.avoidKinks && {
      avoidKinks: (places, start, distance, side) =>
        definition.avoidKinks?.(places, start, distance, side, options) ?? 0,
    }),
  };
}

export function lossKinks({ definition, context: { options, target } }: LossTerm, start: Tensor): Kinks {
  const side = (data: Tensor['data'], index: number): number =>
    Math.sign(definition.breakpoint?.(data, target, index, options) ?? 1);
  const data = start.data.slice();
  const sideAt = (index: number, value: number): number => {
    data[index] = value;
    const found = side(data, index);
    data[index] = start.data[index]!;
    return found;
  };
  return {
    isCrossed: (a, b) => a.data.some((_, index) => side(a.data, index) !== side(b.data, index)),
    isCrossedByElement: (index, a, b) => sideAt(index, a) !== sideAt(index, b),
  };
}

/** A layer with kinks and its unperturbed input; after the last layer, the losses. */
export class KinkedLayer {
  readonly offsets: Float64Array;
  /** The input as last nudged. */
  readonly nudgedInput: Tensor;

  constructor(
    readonly layer: number,
    readonly kinks: Kinks,
    readonly startInput: Tensor,
  ) {
    this.offsets = new Float64Array(startInput.data.length);
    this.nudgedInput = { shape: startInput.shape, data: new Float64Array(startInput.data.length) };
  }

  /** Sets the offsets that keep `input` away from the kinks; returns how many elements were exactly on one. */
  computeOffsets(input: Tensor, distance: number, side: 1 | -1): number {
    if (this.kinks.avoidKinks) {
      // Elements without a new position keep their value.
      const positions = this.nudgedInput.data.fill(NaN);
      const heldCount = this.kinks.avoidKinks(positions, this.startInput, distance, side);
      for (let i = 0; i < positions.length; i++) {
        this.offsets[i] = Number.isNaN(positions[i]) ? 0 : positions[i]! - input.data[i]!;
        positions[i] = input.data[i]! + this.offsets[i]!;
      }
      return heldCount;
    }
    let exactCount = 0;
    for (let i = 0; i < this.offsets.length; i++) {
      const startValue = this.startInput.data[i]!;
      const crossedAbove = this.kinks.isCrossedByElement(i, startValue, startValue + distance);
      const crossedBelow = this.kinks.isCrossedByElement(i, startValue, startValue - distance);
      if (crossedAbove && crossedBelow) exactCount++;
      // Relative to the unperturbed input, so that nudges of earlier layers do not add up.
      this.offsets[i] =
        crossedAbove || crossedBelow
          ? startValue + (crossedAbove && crossedBelow ? side : crossedAbove ? -1 : 1) * distance - input.data[i]!
          : 0;
      this.nudgedInput.data[i] = input.data[i]! + this.offsets[i]!;
    }
    return exactCount;
  }
}
