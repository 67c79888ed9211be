// The worker's current activity, in memory that it shares with the supervisor: a few integers that can be read while
// the worker's event loop is blocked.
import type { LayerCall } from '../protocol/problem';
import { LAYER_CALLS } from '../engine/custom/custom-layer-error';

/** The worker's latest kind of task. */
export const ACTIVITY_KINDS = ['idle', 'load', 'train', 'check'] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

/** A running call of a custom layer. */
export interface ActiveLayerCall {
  /** Index of the layer. */
  readonly layer: number;
  readonly call: LayerCall;
}

export interface Activity {
  /** Increases with every turn of the worker's event loop. */
  readonly heartbeats: number;
  readonly kind: ActivityKind;
  /** Index of the phase of the training step that started last. */
  readonly phase: number;
  /** Milliseconds beyond the usual limit that one phase of this model may take. */
  readonly gracePeriod: number;
  readonly layerCall: ActiveLayerCall | null;
  /** Increases whenever a call of a custom layer starts or ends. */
  readonly layerCallCount: number;
  /** The worker's thread, as Linux numbers it; 0 if unknown. */
  readonly threadId: number;
}

// The session itself writes this slot, see SessionOptions.activity.
const PHASE = 0;
const HEARTBEATS = 1;
const KIND = 2;
const GRACE_PERIOD = 3;
/** 0 for none, otherwise 1 + layer · calls + call. */
const LAYER_CALL = 4;
const LAYER_CALL_COUNT = 5;
const THREAD_ID = 6;
const SLOT_COUNT = 7;

// Custom layers may replace them later.
const { add, load, store } = Atomics;

export class SharedActivity {
  readonly slots: Int32Array<SharedArrayBuffer>;
  #lastCallbackHeartbeat = -1;

  /** @param buffer shared by another thread; by default, a new one */
  constructor(readonly buffer = new SharedArrayBuffer(SLOT_COUNT * Int32Array.BYTES_PER_ELEMENT)) {
    this.slots = new Int32Array(buffer);
  }

  heartbeat(): void {
    add(this.slots, HEARTBEATS, 1);
  }

  setKind(kind: ActivityKind): void {
    store(this.slots, KIND, ACTIVITY_KINDS.indexOf(kind));
  }

  setGracePeriod(milliseconds: number): void {
    store(this.slots, GRACE_PERIOD, Math.min(2 ** 31 - 1, Math.ceil(milliseconds)));
  }

  setThreadId(threadId: number): void {
    store(this.slots, THREAD_ID, threadId);
  }

  enterLayer(layer: number, call: LayerCall): void {
    store(this.slots, LAYER_CALL, encodeCall(layer, call));
    add(this.slots, LAYER_CALL_COUNT, 1);
  }

  /**
   * A callback of a layer starts. It is a sign of life once per turn of the event loop, because promises can start each
   * other forever within one turn.
   */
  enterCallback({ layer, call }: ActiveLayerCall): void {
    store(this.slots, LAYER_CALL, encodeCall(layer, call));
    const heartbeats = load(this.slots, HEARTBEATS);
    if (heartbeats === this.#lastCallbackHeartbeat) return;
    this.#lastCallbackHeartbeat = heartbeats;
    add(this.slots, LAYER_CALL_COUNT, 1);
  }

  /** A callback of a layer ended. @param interrupted the call that it had interrupted */
  leaveCallback(interrupted: ActiveLayerCall | null): void {
    store(this.slots, LAYER_CALL, interrupted ? encodeCall(interrupted.layer, interrupted.call) : 0);
  }

  leaveLayer(): void {
    store(this.slots, LAYER_CALL, 0);
    add(this.slots, LAYER_CALL_COUNT, 1);
  }

  read(): Activity {
    const encodedCall = load(this.slots, LAYER_CALL) - 1;
    return {
      heartbeats: load(this.slots, HEARTBEATS),
      kind: ACTIVITY_KINDS[load(this.slots, KIND)] ?? 'idle',
      phase: load(this.slots, PHASE),
      gracePeriod: load(this.slots, GRACE_PERIOD),
      layerCall:
        encodedCall < 0
          ? null
          : {
              layer: Math.floor(encodedCall / LAYER_CALLS.length),
              call: LAYER_CALLS[encodedCall % LAYER_CALLS.length]!,
            },
      layerCallCount: load(this.slots, LAYER_CALL_COUNT),
      threadId: load(this.slots, THREAD_ID),
    };
  }
}

const encodeCall = (layer: number, call: LayerCall): number =>
  1 + layer * LAYER_CALLS.length + LAYER_CALLS.indexOf(call);
