// Where the loss of a network is in pieces, and how what goes into a piece is held off the seam between two.
// Of layers and of the loss alike; which of them have kinks they say themselves.
import type { Tensor } from '../engine/kernels/tensor';
import type { LayerModel, NetworkModel } from '../engine/network';

const scratch = (): Tensor => ({ shape: [1], data: new Float64Array(1) });

/** Where the kinks of a layer, or of the loss, lie. */
export interface Kinks {
  /** Whether any lies between two inputs. */
  crossed(a: Tensor, b: Tensor): boolean;
  /** Whether one lies between two values of element `index`, the others as they are at the start. */
  between(index: number, a: number, b: number): boolean;
  /** For kinks between several elements: see LayerDefinition.holdOff. */
  holdOff?(places: Tensor['data'], start: Tensor, distance: number, side: 1 | -1): number;
}

export function layerKinks({ definition, options }: LayerModel): Kinks {
  const [one, other] = [scratch(), scratch()];
  const crossed = (a: Tensor, b: Tensor): boolean => definition.crossesKink?.(a, b, options) ?? false;
  return {
    crossed,
    between(_index, a, b) {
      one.data[0] = a;
      other.data[0] = b;
      return crossed(one, other);
    },
    ...(definition.holdOff && {
      holdOff: (places, start, distance, side) => definition.holdOff?.(places, start, distance, side, options) ?? 0,
    }),
  };
}

export function lossKinks({ definition, options }: NetworkModel['loss'], start: Tensor, target: Tensor): Kinks {
  const side = (data: Tensor['data'], index: number): number => Math.sign(definition.seam?.(data, target, index, options) ?? 1);
  const data = start.data.slice();
  const moved = (index: number, value: number): number => {
    data[index] = value;
    const found = side(data, index);
    data[index] = start.data[index];
    return found;
  };
  return {
    crossed: (a, b) => a.data.some((_, index) => side(a.data, index) !== side(b.data, index)),
    between: (index, a, b) => moved(index, a) !== moved(index, b),
  };
}

/** A layer with kinks, and what goes into it when nothing is moved; after the last layer the loss. */
export class KinkedLayer {
  readonly offsets: Float64Array;
  /** The input that the last nudge gave. */
  readonly nudged: Tensor;

  constructor(
    readonly layer: number,
    readonly kinks: Kinks,
    readonly start: Tensor,
  ) {
    this.offsets = new Float64Array(start.data.length);
    this.nudged = { shape: start.shape, data: new Float64Array(start.data.length) };
  }

  /** Sets the offsets that hold `input` off the kinks; returns how many elements lay exactly on one. */
  place(input: Tensor, distance: number, side: 1 | -1): number {
    if (this.kinks.holdOff) {
      // What is left alone stays where the input has it.
      const places = this.nudged.data.fill(NaN);
      const held = this.kinks.holdOff(places, this.start, distance, side);
      for (let i = 0; i < places.length; i++) {
        this.offsets[i] = Number.isNaN(places[i]) ? 0 : places[i] - input.data[i];
        places[i] = input.data[i] + this.offsets[i];
      }
      return held;
    }
    let exact = 0;
    for (let i = 0; i < this.offsets.length; i++) {
      const at = this.start.data[i];
      const up = this.kinks.between(i, at, at + distance);
      const down = this.kinks.between(i, at, at - distance);
      if (up && down) exact++;
      // What a layer ahead was nudged by must not add up: the place is relative to the input as it was.
      this.offsets[i] = up || down ? at + (up && down ? side : up ? -1 : 1) * distance - input.data[i] : 0;
      this.nudged.data[i] = input.data[i] + this.offsets[i];
    }
    return exact;
  }
}
