// A thread that answers parts of a query over a run, one after the other, in a session of its own.
import { workerData } from 'node:worker_threads';
import { withDataFiles } from '../../data-files/data-files';
import { loadRun, parseSpec } from '../../model-spec';
import type { QueryPiece } from '../../session/replay-threads';
import { RunQuery } from '../../session/run-query';
import { openReplayThreadSession } from '../../session/scratch-session';
import type { TrainingSession } from '../../session/session';
import { hashData } from '../../session/state-hash';
import type { ReplayMessage, ReplayWorkerData } from './messages';

const REPORT_MS = 30;

function main(): void {
  const { run: replayed, port, messages } = workerData as ReplayWorkerData;
  const post = (message: ReplayMessage): void => {
    port.postMessage(message);
    Atomics.add(messages, 0, 1);
    Atomics.notify(messages, 0);
  };

  const load = () => {
    const { text, folders, versions } = replayed;
    const { run } = withDataFiles(folders, (files) => loadRun(parseSpec(text), files), versions);
    return run && { run, dataHash: hashData(run) };
  };
  let loaded: ReturnType<typeof load> | null = null;
  /** The session of the last piece, which is used again for the same run. */
  let current: { readonly session: TrainingSession; readonly key: string } | null = null;

  const sessionFor = ({ record, backend }: QueryPiece): TrainingSession | null => {
    loaded ??= load();
    // The data has changed since the run began.
    if (!loaded || loaded.dataHash !== record.dataHash) return null;
    const key = JSON.stringify([record.text, record.changes, backend]);
    if (current?.key === key) current.session.useRecord(record);
    else current = { key, session: openReplayThreadSession(loaded.run, record, backend) };
    return current.session;
  };

  const answer = (piece: QueryPiece): void => {
    const { text, range } = piece;
    const session = sessionFor(piece);
    if (!session) return post('failed');
    const query = new RunQuery(session, text, range);
    let sent = 0;
    let reportAt = performance.now() + REPORT_MS;
    for (;;) {
      query.advance();
      const now = performance.now();
      if (!query.isDone && now < reportAt) continue;
      reportAt = now + REPORT_MS;
      const { steps, rows, answered, replayed: count, end } = query;
      post({ steps: steps.slice(sent), rows: rows.slice(sent), answered, replayed: count, end });
      sent = rows.length;
      if (end !== null) return;
    }
  };

  port.on('message', (piece: QueryPiece) => {
    try {
      answer(piece);
    } catch {
      post('failed');
    }
  });
}

main();

export {};
