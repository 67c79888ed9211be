// What a custom layer, loss or penalty is created from.
import type { LayerCall, SourceLocation } from '../../protocol/problem';

/** A loaded file. */
export interface LayerModule {
  /** Its default export. */
  readonly defaultExport: unknown;
  /** The place of one of its functions, or where an exception arose; the file where that is not known. */
  locate(what: unknown): SourceLocation;
}

/** Notified when custom code starts and ends, for a watchdog. */
export interface LayerCallObserver {
  enter(layer: number, call: LayerCall): void;
  leave(): void;
}

/** The layer, loss or penalty in the spec. */
export interface LayerIdentity {
  readonly name: string;
  readonly index: number;
}
