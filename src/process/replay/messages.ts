// The messages between the engine's worker and its replay threads.
import type { MessagePort } from 'node:worker_threads';
import type { FileVersions, ReadableFolders } from '../../data-files/data-files';
import type { PieceReport, QueryPiece } from '../../session/replay-threads';

/** The run whose steps are replayed. It has no custom layers. */
export interface ReplayedRun {
  readonly text: string;
  /** The folders of files that the spec names. */
  readonly folders: ReadableFolders;
  readonly versions: FileVersions;
}

export interface ReplayWorkerData {
  readonly run: ReplayedRun;
  readonly port: MessagePort;
  /** Counts messages of all threads, so that their reader can wait for the next. */
  readonly messages: Int32Array;
}

export type ReplayRequest = QueryPiece;

/** `failed`: the piece cannot be answered here. */
export type ReplayMessage = PieceReport | 'failed';
