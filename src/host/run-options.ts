// What a run controller is given: where its spec lies, and the ways out to editor, panel and disk.
import type { ToPanel } from '../protocol/panel';
import type { Frame } from '../session/frame';
import type { Problem, Resolved, Spec } from '../spec';
import type { RunStore } from './run-store';

export interface Log {
  info(text: string): void;
  warn(text: string): void;
  error(text: string | Error): void;
  debug(text: string): void;
}

/** Where a spec lies. */
export interface RunPlace {
  /** Address of the document: what a kept run is found by. */
  readonly uri: string;
  /** File name, for titles. */
  readonly file: string;
  /** Paths in the spec start here; empty for a spec without a place on disk. */
  readonly folder: string;
  /** Files outside are refused. */
  readonly root: string | null;
}

/** A text with what was found in it without running it. */
export interface SpecText {
  readonly text: string;
  /** Undefined where a problem is an error. */
  readonly spec?: Spec;
  /** Its shapes, where they follow from the text alone. */
  readonly resolved?: Resolved;
  readonly problems: readonly Problem[];
}

/** Whether code that lies in a folder may run: not in an untrusted workspace, and else once somebody said yes. */
export type CodePermission = 'allowed' | 'ask' | 'untrusted';

export interface RunOptions {
  readonly place: RunPlace;
  readonly store: RunStore;
  readonly log: Log;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  /** Bytes for going back. */
  readonly checkpointBudget: () => number;
  readonly wideVectors: () => boolean;
  /** Folders outside the workspace whose files may be read, by their full path. */
  readonly dataFolders: () => readonly string[];
  /** @param folder by its full path. */
  readonly permission: (folder: string) => CodePermission;
  /** Every change but frames, as a panel hears it. */
  readonly tell: (message: ToPanel) => void;
  /** Shows a frame; the engine sends the next one when this settles. */
  readonly show: (frame: Frame) => Promise<void>;
  /** Problems of the text that only opening it found, such as in its data. */
  readonly found: (problems: readonly Problem[]) => void;
  /** Reads a text without running it. */
  readonly read: (text: string) => SpecText;
}
