// The watch over custom layers in the worker thread of a command.
import { parentPort } from 'node:worker_threads';
import { SharedActivity } from '../process/activity';
import { CustomLayerWatch } from '../process/custom-layer-watch';
import type { NamesMessage } from '../process/messages';
import { currentThreadId } from '../process/starvation-clock';

/** @param memory shared with the main thread; see SharedActivity */
export function createLayerWatch(memory: SharedArrayBuffer): CustomLayerWatch {
  const activity = new SharedActivity(memory);
  activity.setThreadId(currentThreadId());
  return new CustomLayerWatch(activity, null, 0, (layers) =>
    parentPort?.postMessage({ type: 'names', layers } satisfies NamesMessage),
  );
}
