// Records when code of custom layers starts and ends: in shared memory for the watchdog, and in the crash breadcrumb
// for the host. Attributes what no function of a layer threw, such as an unhandled rejection.
import type { CustomLayerErrorDetails, LayerCall } from '../protocol/problem';
import type { LayerCallObserver } from '../engine/custom/layer-module';
import path from 'node:path';
import v8 from 'node:v8';
import { syncBuiltinESMExports } from 'node:module';
import { describeThrown, readThrownError } from '../engine/custom/foreign-value';
import { describeCall } from '../engine/custom/custom-layer-error';
import { createSourceLocator, type LayerFolders } from '../custom-layers/import-custom-layers';
import { listCustomLayers, type Spec } from '../model-spec';
import type { ActiveLayerCall, SharedActivity } from './activity';
import { AsyncLayerCalls } from './async-layer-calls';
import { CrashBreadcrumb } from './crash-breadcrumb';
import type { NamedLayer } from './messages';

export class CustomLayerWatch implements LayerCallObserver {
  readonly #activity: SharedActivity;
  readonly #breadcrumbFile: string | null;
  readonly #workerNumber: number;
  readonly #onLayerNames: (layers: Readonly<Record<number, NamedLayer>>) => void;
  #layers: Readonly<Record<number, NamedLayer>> = {};
  #folders: LayerFolders = { folder: '', root: null };
  #breadcrumb: CrashBreadcrumb | null = null;
  #running: ActiveLayerCall | null = null;
  /** Callbacks that are running, with the call that each interrupted: loading a file can wait. */
  readonly #callbacks: { readonly own: ActiveLayerCall; readonly interrupted: ActiveLayerCall | null }[] = [];
  readonly #asyncCalls = new AsyncLayerCalls({
    runningLayer: () => this.#running?.layer ?? null,
    onEnter: (layer) => {
      const interrupted = this.#running;
      // The code of a file runs in a callback of its import.
      const own = { layer, call: interrupted?.layer === layer ? interrupted.call : 'async' } as const;
      this.#callbacks.push({ own, interrupted });
      this.#activity.enterCallback(own);
      this.#setRunning(own);
    },
    onLeave: () => {
      const callback = this.#callbacks.pop();
      // What the engine awaits while a file is loaded continues in a callback, too, and ends the loading.
      if (!callback || this.#running !== callback.own) return;
      this.#activity.leaveCallback(callback.interrupted);
      this.#setRunning(callback.interrupted);
    },
  });

  /** @param onLayerNames receives the names of the layers before any of them runs */
  constructor(
    activity: SharedActivity,
    breadcrumbFile: string | null,
    workerNumber: number,
    onLayerNames: (layers: Readonly<Record<number, NamedLayer>>) => void,
  ) {
    this.#activity = activity;
    this.#breadcrumbFile = breadcrumbFile;
    this.#workerNumber = workerNumber;
    this.#onLayerNames = onLayerNames;
  }

  get hasLayers(): boolean {
    return Object.keys(this.#layers).length > 0;
  }

  /** The layer whose code is running; null if there is none. */
  get runningLayer(): string | null {
    return this.#running && this.#nameOf(this.#running.layer);
  }

  /** The custom layers of this spec are about to be loaded. @param folders that paths in the spec are relative to */
  registerLayers(spec: Spec | undefined, folders: LayerFolders): void {
    const layers = Object.fromEntries(
      (spec ? listCustomLayers(spec) : []).map(({ index, name, module, range, moduleRange }) => [
        index,
        { name, file: path.resolve(folders.folder, module), range, moduleRange },
      ]),
    );
    this.#layers = layers;
    this.#folders = folders;
    if (Object.keys(layers).length === 0) return;
    this.#breadcrumb ??=
      this.#breadcrumbFile === null ? null : new CrashBreadcrumb(this.#breadcrumbFile, this.#workerNumber);
    blockProcessControl();
    this.#asyncCalls.enable();
    this.#onLayerNames(layers);
  }

  enter(layer: number, call: LayerCall): void {
    this.#activity.enterLayer(layer, call);
    this.#setRunning({ layer, call });
  }

  leave(): void {
    this.#setRunning(null);
    this.#activity.leaveLayer();
  }

  /**
   * The layer that threw outside of its functions; null if the engine itself may have done so.
   * @param promise what was rejected, for an unhandled rejection
   */
  attribute(thrown: unknown, promise?: object): CustomLayerErrorDetails | null {
    const layer =
      (promise ? this.#asyncCalls.layerOf(promise) : (this.#running?.layer ?? null)) ?? this.#findByStack(thrown);
    if (layer === null) return null;
    const { name, file } = this.#layers[layer]!;
    const error = readThrownError(thrown);
    const where = describeCall('async', name).replace(/^./, (first) => first.toUpperCase());
    return {
      layer: name,
      call: 'async',
      message: `${where} ${describeThrown(thrown)}.`,
      remedy: 'Catch it there, or compute without timers and promises.',
      place: error ? createSourceLocator(this.#folders, file).locate(thrown) : { file, line: null, column: null },
      stack: error?.stack ?? null,
    };
  }

  /** The only layers whose file is in the stack. */
  #findByStack(thrown: unknown): number | null {
    if (!readThrownError(thrown)) return null;
    const found = Object.entries(this.#layers).find(([, { file }]) => {
      const place = createSourceLocator(this.#folders, file).locate(thrown);
      return place.line !== null && place.file === file;
    });
    return found ? Number(found[0]) : null;
  }

  #nameOf = (layer: number): string => this.#layers[layer]?.name ?? `layer ${layer + 1}`;

  #setRunning(running: ActiveLayerCall | null): void {
    this.#running = running;
    if (!running) this.#breadcrumb?.leave();
    else {
      const { layer, call } = running;
      this.#breadcrumb?.enter({ layer: this.#nameOf(layer), call, file: this.#layers[layer]?.file ?? '' });
    }
  }
}

/**
 * Makes calls that would end the engine, or change how all code runs, throw at the line that called them, which says
 * more than the end of the process.
 */
function blockProcessControl(): void {
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ''}) would end the engine`);
  };
  v8.setFlagsFromString = (flags) => {
    throw new Error(`v8.setFlagsFromString(${JSON.stringify(flags)}) would change how the engine computes`);
  };
  syncBuiltinESMExports();
}
