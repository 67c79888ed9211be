// Finds out which custom layer started the timer or promise whose callback runs, so that what it does is attributed to
// the layer although none of its functions is running.
import { createHook } from 'node:async_hooks';

export interface AsyncLayerCallsOptions {
  /** Index of the layer whose code is running, including in a callback; null if there is none. */
  readonly runningLayer: () => number | null;
  /** A callback that a layer started begins or ends. */
  readonly onEnter: (layer: number) => void;
  readonly onLeave: () => void;
}

export class AsyncLayerCalls {
  /** Layers by the identifier of what they started. */
  readonly #layers = new Map<number, number>();
  readonly #promises = new WeakMap<object, number>();
  #isEnabled = false;
  readonly #hook;

  constructor({ runningLayer, onEnter, onLeave }: AsyncLayerCallsOptions) {
    this.#hook = createHook({
      init: (id, _type, _trigger, resource) => {
        const layer = runningLayer();
        if (layer === null) return;
        this.#layers.set(id, layer);
        this.#promises.set(resource, layer);
      },
      before: (id) => {
        const layer = this.#layers.get(id);
        if (layer !== undefined) onEnter(layer);
      },
      after: (id) => {
        if (this.#layers.has(id)) onLeave();
      },
      destroy: (id) => void this.#layers.delete(id),
    });
  }

  /** From now on. Costs time for every promise, so it is used only with custom layers. */
  enable(): void {
    if (this.#isEnabled) return;
    this.#isEnabled = true;
    this.#hook.enable();
  }

  /** The layer that created a promise; null if it was no layer. */
  layerOf(promise: object): number | null {
    return this.#promises.get(promise) ?? null;
  }
}
