// What the worker is at, in memory that it shares with the supervisor: a few integers, so that they can be
// read while the worker's own event loop stands still.
import { LAYER_CALLS, type LayerCall } from '../engine/custom/fault';

/** What the worker was asked to do last. */
export const DOINGS = ['rest', 'load', 'train', 'check'] as const;
export type Doing = (typeof DOINGS)[number];

/** Code of the user's own that runs right now. */
export interface OwnCode {
  /** Index of the layer. */
  readonly layer: number;
  readonly call: LayerCall;
}

export interface Activity {
  /** Rises whenever the worker's event loop turns. */
  readonly beats: number;
  readonly doing: Doing;
  /** Index of the phase of the training step that began last. */
  readonly phase: number;
  /** Milliseconds that one phase of this model may take beyond the usual limit. */
  readonly allowance: number;
  readonly ownCode: OwnCode | null;
  /** Rises whenever code of the user's own begins or ends. */
  readonly calls: number;
}

// The session itself writes the first one, see SessionOptions.activity.
const PHASE = 0;
const BEATS = 1;
const DOING = 2;
const ALLOWANCE = 3;
/** 0 for none, else 1 + layer · calls + call. */
const OWN_CODE = 4;
const CALLS = 5;
const CELLS = 6;

export class ActivityCell {
  readonly cells: Int32Array<SharedArrayBuffer>;

  /** @param memory the cell of another thread; a new one without. */
  constructor(readonly memory = new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)) {
    this.cells = new Int32Array(memory);
  }

  beat(): void {
    Atomics.add(this.cells, BEATS, 1);
  }

  begin(doing: Doing): void {
    Atomics.store(this.cells, DOING, DOINGS.indexOf(doing));
  }

  allow(milliseconds: number): void {
    Atomics.store(this.cells, ALLOWANCE, Math.min(2 ** 31 - 1, Math.ceil(milliseconds)));
  }

  enter(layer: number, call: LayerCall): void {
    Atomics.store(this.cells, OWN_CODE, 1 + layer * LAYER_CALLS.length + LAYER_CALLS.indexOf(call));
    Atomics.add(this.cells, CALLS, 1);
  }

  leave(): void {
    Atomics.store(this.cells, OWN_CODE, 0);
    Atomics.add(this.cells, CALLS, 1);
  }

  read(): Activity {
    const own = Atomics.load(this.cells, OWN_CODE) - 1;
    return {
      beats: Atomics.load(this.cells, BEATS),
      doing: DOINGS[Atomics.load(this.cells, DOING)] ?? 'rest',
      phase: Atomics.load(this.cells, PHASE),
      allowance: Atomics.load(this.cells, ALLOWANCE),
      ownCode: own < 0 ? null : { layer: Math.floor(own / LAYER_CALLS.length), call: LAYER_CALLS[own % LAYER_CALLS.length] },
      calls: Atomics.load(this.cells, CALLS),
    };
  }
}
