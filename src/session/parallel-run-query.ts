// A query over a run in pieces, which are answered here and in other threads at the same time. Each piece replays from
// a checkpoint. The rows are those of one query, in its order, and come as soon as all before them are known.
import type { Backend } from '../engine/kernels/create-kernels';
import type { RunQueryCell, RunQueryColumn, RunQueryEnd } from '../protocol/run-query';
import type { PieceTask, RunQueryRange } from './replay-threads';
import { MAX_CELLS, RunQuery } from './run-query';
import { MAX_COPY_BYTES, openReplaySession } from './scratch-session';
import type { TrainingSession } from './session';
import { SliceClock } from './slice-clock';

/** When a query is split. The defaults are measured: see bench/query.bench.ts. */
export interface Splitting {
  /** Milliseconds of work in one piece, after which the rest is estimated. */
  readonly afterMs: number;
  /** A shorter rest is not split: starting a thread takes as long. */
  readonly minRestMs: number;
  /** Of one piece. A thread whose client is gone ends after it. */
  readonly pieceMs: number;
}

const DEFAULT_SPLITTING: Splitting = { afterMs: 150, minRestMs: 500, pieceMs: 200 };
/** Milliseconds to wait for another thread, if there is nothing to do here. */
const WAIT_MS = 5;
/** Asking the threads costs about as much as a step of a small network. */
const STEPS_PER_LOOK = 32;

interface Piece {
  readonly range: RunQueryRange;
  /** Where it is answered; null until it begins. */
  worker: RunQuery | PieceTask | null;
  steps: number[];
  rows: (readonly RunQueryCell[])[];
  answered: number;
  replayed: number;
  end: RunQueryEnd | null;
}

export class ParallelRunQuery {
  readonly isSearch: boolean;
  readonly columns: readonly RunQueryColumn[];
  readonly range: RunQueryRange;
  /** The step of each row. */
  readonly steps: number[] = [];
  readonly rows: (readonly RunQueryCell[])[] = [];
  /** Why it ended; null while it works. */
  end: RunQueryEnd | null = null;
  /** Of work so far; 0 without a clock. */
  milliseconds = 0;
  readonly #session: TrainingSession;
  readonly #replaySession: TrainingSession;
  readonly #text: string;
  readonly #splitting: Splitting;
  readonly #first: RunQuery;
  /** In the order of their rows. */
  readonly #pieces: Piece[];
  /** The one that is answered here. */
  #own: Piece | null;
  /** Pieces before this one are done, and their rows are taken. */
  #current = 0;
  #rowsTaken = 0;
  #advances = 0;
  #splitAt: number | null = null;

  /** @throws ExpressionError */
  constructor(session: TrainingSession, text: string, range: RunQueryRange, splitting = DEFAULT_SPLITTING) {
    this.#session = session;
    this.#replaySession = openReplaySession(session);
    this.#text = text;
    this.#splitting = splitting;
    this.#first = new RunQuery(this.#replaySession, text, range);
    this.isSearch = this.#first.isSearch;
    this.columns = this.#first.columns;
    this.range = range;
    this.#own = createPiece(range);
    this.#own.worker = this.#first;
    this.#pieces = [this.#own];
  }

  get isDone(): boolean {
    return this.end !== null;
  }

  /** Pieces so far. */
  get pieceCount(): number {
    return this.#pieces.length;
  }

  /** Steps that were replayed. */
  get replayed(): number {
    return this.#pieces.reduce((sum, { replayed }) => sum + replayed, 0);
  }

  /** The step that it is at; with pieces, as many steps from the start as are answered. */
  get step(): number {
    if (this.#splitAt === null) return this.#first.step;
    const answered = this.#pieces.reduce((sum, piece) => sum + piece.answered, 0);
    return this.range.from - 1 + Math.min(answered, this.range.to - this.range.from + 1);
  }

  /** Works for a slice. */
  work(): void {
    const clock = new SliceClock(this.#session);
    this.#look();
    while (!this.isDone && !clock.isOver) this.#advance();
    this.#takeOwn();
    this.#collect();
    const { now } = this.#session;
    this.milliseconds = now && this.#splitAt !== null ? now() - this.#splitAt : this.milliseconds + clock.elapsed;
    this.#splitIfLong();
  }

  #advance(): void {
    const own = this.#own;
    if (!own) {
      this.#session.replayThreads!.wait(WAIT_MS);
      this.#look();
      return;
    }
    const query = own.worker as RunQuery;
    query.advance();
    if (query.isDone) {
      this.#takeOwn();
      this.#own = null;
      this.#look();
    } else if (this.#splitAt !== null && ++this.#advances % STEPS_PER_LOOK === 0) this.#look();
  }

  #takeOwn(): void {
    const own = this.#own;
    if (!own) return;
    const { steps, rows, answered, replayed, end } = own.worker as RunQuery;
    Object.assign(own, { steps, rows, answered, replayed, end });
  }

  get #isBackward(): boolean {
    return this.#first.kind === 'last';
  }

  /** Takes what the threads have found, and gives work to those that have none. */
  #look(): void {
    if (this.#splitAt !== null)
      for (const piece of this.#pieces) {
        const { worker } = piece;
        if (piece.end !== null || !worker || worker instanceof RunQuery) continue;
        const reports = worker.takeReports();
        // Rows that were already taken are the same when they are found again.
        if (!reports) Object.assign(piece, createPiece(piece.range));
        else
          for (const { steps, rows, answered, replayed, end } of reports) {
            for (const step of steps) piece.steps.push(step);
            for (const row of rows) piece.rows.push(row);
            Object.assign(piece, { answered, replayed, end });
          }
      }
    this.#collect();
    this.#startPieces();
  }

  #startPieces(): void {
    if (this.isDone) return;
    const waiting = this.#pieces.filter(({ worker }) => !worker);
    if (!this.#own && waiting[0] && (this.#hasRoom || this.#pieces[this.#current] === waiting[0])) {
      const own = waiting.shift()!;
      own.worker = new RunQuery(this.#replaySession, this.#text, own.range);
      this.#own = own;
    }
    while (waiting[0] && this.#hasRoom) {
      const piece = waiting.shift()!;
      piece.worker = this.#startInThread(piece.range);
      if (!piece.worker) return;
    }
  }

  #startInThread(range: RunQueryRange): PieceTask | null {
    const session = this.#session;
    const { size, start } = this.#limits;
    const busy = this.#pieces.filter(({ worker, end }) => worker && !(worker instanceof RunQuery) && end === null);
    if (busy.length >= size) return null;
    const first = Math.max(session.earliestStep, range.from - 1 - this.#first.stepsBack);
    const record = {
      ...session.record({ step: first, phase: 1 }),
      position: { step: 0, phase: 0 },
      frontier: range.lastStep,
      findings: [],
    };
    const backend = session.network.kernels.backend as Backend;
    return start({ text: this.#text, range, record, backend });
  }

  get #limits(): { readonly size: number; readonly start: NonNullable<TrainingSession['replayThreads']>['start'] } {
    const { replayThreads, network } = this.#session;
    const copies = Math.floor(MAX_COPY_BYTES / network.memoryBytes) - 1;
    return { size: Math.min(replayThreads!.size, copies), start: (piece) => replayThreads!.start(piece) };
  }

  /** Rows that wait for others before them take memory. */
  get #hasRoom(): boolean {
    const rows = this.#pieces.slice(this.#current).reduce((sum, piece) => sum + piece.rows.length, 0);
    return rows * this.columns.length < MAX_CELLS;
  }

  /** Takes the rows that all pieces before have come to. */
  #collect(): void {
    while (!this.isDone) {
      const piece = this.#pieces[this.#current]!;
      while (this.#rowsTaken < piece.rows.length) {
        this.steps.push(piece.steps[this.#rowsTaken]!);
        this.rows.push(piece.rows[this.#rowsTaken]!);
        this.#rowsTaken++;
        if (this.isSearch) {
          this.end = 'complete';
          return;
        }
        if (this.rows.length * Math.max(1, this.columns.length) >= MAX_CELLS) {
          this.end = 'too many rows';
          return;
        }
      }
      if (piece.end === null) return;
      const isLast = this.#current === this.#pieces.length - 1;
      if (piece.end !== 'complete' || isLast) {
        this.end = piece.end;
        return;
      }
      piece.steps = [];
      piece.rows = [];
      this.#rowsTaken = 0;
      this.#current++;
    }
  }

  /** Splits what is left of the first piece, if that takes long enough. */
  #splitIfLong(): void {
    const session = this.#session;
    const query = this.#first;
    const { afterMs, minRestMs, pieceMs } = this.#splitting;
    if (this.isDone || this.#splitAt !== null || !session.now || !session.replayThreads || !query.canSplit) return;
    if (this.milliseconds < afterMs || this.#limits.size < 1 || query.replayed === 0) return;
    const msPerStep = this.milliseconds / query.replayed;
    const edge = query.edge;
    const rest = this.#isBackward ? edge - this.range.from + 1 : this.range.to - edge;
    if (rest * msPerStep < minRestMs) return;
    const bounds = this.#boundsBeyond(edge, Math.max(1, Math.round(pieceMs / msPerStep)));
    if (bounds.length === 0) return;
    this.#splitAt = session.now() - this.milliseconds;
    query.limitTo(bounds[0]!);
    bounds.forEach((bound, i) => {
      const next = bounds[i + 1];
      const range = this.#isBackward
        ? { from: next === undefined ? this.range.from : next + 1, to: bound }
        : { from: bound + 1, to: next ?? this.range.to };
      this.#pieces.push(createPiece({ ...range, lastStep: this.range.lastStep }));
    });
    this.#startPieces();
  }

  /** Checkpoints between pieces of at least so many steps, from the edge on. */
  #boundsBeyond(edge: number, pieceSteps: number): number[] {
    const { from, to } = this.range;
    const steps = this.#session.checkpointSteps.filter((step) => step >= from && step < to);
    if (this.#isBackward) steps.reverse();
    const bounds: number[] = [];
    let last = edge;
    for (const step of steps) {
      const isBeyond = this.#isBackward ? step < last : step > last;
      if (!isBeyond || (bounds.length > 0 && Math.abs(step - last) < pieceSteps)) continue;
      bounds.push(step);
      last = step;
    }
    return bounds;
  }
}

const createPiece = (range: RunQueryRange): Piece => ({
  range,
  worker: null,
  steps: [],
  rows: [],
  answered: 0,
  replayed: 0,
  end: null,
});
