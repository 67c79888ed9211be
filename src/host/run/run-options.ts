// What a run controller needs from outside: where its spec is, and access to editor, panel and disk.
import type { Chunk } from '../../chunking/chunks';
import type { Frame, PanelUpdate } from '../../protocol/panel';
import type { Problem, RuleSettings } from '../../protocol/problem';
import type { Resolved, Spec } from '../../model-spec';
import type { RunStore } from './run-store';

export interface Log {
  info(text: string): void;
  warn(text: string): void;
  error(text: string | Error): void;
  debug(text: string): void;
}

/** Where a spec is. */
export interface SpecLocation {
  /** URI of the document; stored runs are found by it. */
  readonly uri: string;
  /** File name, for titles. */
  readonly file: string;
  /** Absolute; paths in the spec are relative to it. Empty for a spec that is not on disk. */
  readonly folder: string;
  /** Absolute; the spec may not read files outside of it. */
  readonly root: string | null;
}

/** A spec's text, and what its analysis found without running it. */
export interface SpecAnalysis {
  readonly text: string;
  /** Undefined if a problem is an error. */
  readonly spec?: Spec | undefined;
  /** With its shapes, if they follow from the text alone. */
  readonly resolved?: Resolved | undefined;
  readonly problems: readonly Problem[];
}

/** Whether custom layers in a folder may run: never in an untrusted workspace, otherwise if the user allowed it. */
export type CustomLayerPermission = 'allowed' | 'ask' | 'untrusted';

export interface RunControllerOptions {
  readonly location: SpecLocation;
  readonly store: RunStore;
  readonly log: Log;
  /** dist/engine-process.js. */
  readonly engineFile: string;
  /** Bytes for checkpoints. */
  readonly checkpointBudget: () => number;
  readonly simd256: () => boolean;
  /** The user's settings; those of the spec take precedence. */
  readonly ruleSettings: () => RuleSettings;
  /** Folders outside the workspace that data may be read from, as absolute paths. */
  readonly dataFolders: () => readonly string[];
  /** @param folder absolute */
  readonly permissionOf: (folder: string) => CustomLayerPermission;
  /** Sends every change except frames to the page. */
  readonly postToPanel: (update: PanelUpdate) => void;
  /** Shows a frame; the engine sends the next one when this settles. @param chunks the frame as the engine sent it */
  readonly showFrame: (frame: Frame, chunks: readonly (Frame | Chunk)[]) => Promise<void>;
  /** Receives the problems that only opening the spec found, such as in its data. */
  readonly onOpenProblems: (problems: readonly Problem[]) => void;
  /** Analyzes a text without running it. */
  readonly analyzeSpec: (text: string) => SpecAnalysis;
}
