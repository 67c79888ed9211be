// Notes when code of the user's own begins and ends: for the watchdog in shared memory, for the host in the black box.
import type { LayerWatch } from '../engine/custom/custom-layer';
import type { LayerCall } from '../engine/custom/fault';
import type { ActivityCell } from './activity';
import { BlackBox } from './black-box';

interface NamedLayer {
  readonly name: string;
  readonly file: string;
}

export class OwnCodeWatch implements LayerWatch {
  /** The layer whose code runs; null where none does. */
  running: string | null = null;
  readonly #activity: ActivityCell;
  readonly #file: string | null;
  readonly #worker: number;
  readonly #named: (layers: Readonly<Record<number, NamedLayer>>) => void;
  #layers: Readonly<Record<number, NamedLayer>> = {};
  #box: BlackBox | null = null;

  /** @param named told what the layers are called, before any of them runs. */
  constructor(activity: ActivityCell, blackBox: string | null, worker: number, named: (layers: Readonly<Record<number, NamedLayer>>) => void) {
    this.#activity = activity;
    this.#file = blackBox;
    this.#worker = worker;
    this.#named = named;
  }

  /** Layers that are about to be loaded, by index. */
  expect(layers: Readonly<Record<number, NamedLayer>>): void {
    this.#layers = layers;
    if (Object.keys(layers).length === 0) return;
    this.#box ??= this.#file === null ? null : new BlackBox(this.#file, this.#worker);
    forbidExit();
    this.#named(layers);
  }

  enter(layer: number, call: LayerCall): void {
    const { name, file } = this.#layers[layer] ?? { name: `layer ${layer + 1}`, file: '' };
    this.running = name;
    this.#activity.enter(layer, call);
    this.#box?.enter({ layer: name, call, file });
  }

  leave(): void {
    this.#box?.leave();
    this.#activity.leave();
    this.running = null;
  }
}

/** Thrown at the line that asked for it, which says more than an end. */
function forbidExit(): void {
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ''}) would end the engine`);
  };
}
