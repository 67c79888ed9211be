// What the engine process says of a run by itself, and where each of it goes.
import type { HostCalls } from '../protocol/engine';
import { joining } from '../parts/parts';
import type { Frame } from '../session/frame';
import type { RunRecord } from '../session/record';
import { plain, plainLines } from './plain';
import type { RunOptions } from './run-options';
import type { RunView } from './run-view';

export interface EngineVoiceOptions extends Pick<RunOptions, 'log' | 'show'> {
  readonly view: RunView;
  /** Whether it is still the engine of this run. */
  readonly current: () => boolean;
  /** A layer of the user's own failed. */
  readonly fault: HostCalls['fault'];
  /** Keeps what the run can be restored from. */
  readonly keep: (record: RunRecord) => void;
  readonly triesWideVectors: HostCalls['triesWideVectors'];
}

export function engineVoice({ view, log, show, current, fault, keep, triesWideVectors }: EngineVoiceOptions): HostCalls {
  return {
    frame: joining(async (frame: Frame) => {
      if (!current()) return;
      view.take(frame);
      await show(frame);
    }),
    loading: (words) => {
      if (current() && view.state.kind === 'loading') view.setState({ kind: 'loading', text: `${words} …` });
    },
    checkProgress: (progress) => {
      if (current() && view.checking) view.setChecking(progress);
    },
    checked: (report) => {
      if (current()) view.setCheck(report);
    },
    fault: (found) => {
      if (!current()) return;
      log.error(plainLines(found.stack ?? found.message));
      fault(found);
    },
    log: (level, text, source) => log[level](source === null ? text : `${plain(source)}: ${text}`),
    checkpoint: (record) => {
      if (current()) keep(record);
    },
    triesWideVectors: () => {
      if (!current()) return;
      log.info('The network is large: vectors of 256 bits are used where they compute the same bits in less time.');
      triesWideVectors();
    },
  };
}
