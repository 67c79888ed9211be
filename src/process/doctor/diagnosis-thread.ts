// The thread that diagnoses a spec. The main thread of the process watches it.
import type { MessagePort } from 'node:worker_threads';
import { withDataFiles } from '../../data-files/data-files';
import { specRules } from '../../diagnostics';
import { diagnose } from '../../doctor';
import { type LoadedRun, loadRun, parseSpec } from '../../model-spec';
import type { DoctorRequest, DoctorResult } from '../../protocol/doctor';
import { SharedActivity } from '../activity';
import { CustomLayerWatch } from '../custom-layer-watch';
import { describeFailure, describeFault, type ExitCause } from '../exit-cause';
import type { NamedLayer } from '../messages';
import { currentThreadId } from '../starvation-clock';
import { loadUnwatchedLayers } from '../unwatched-layers';

export interface DiagnosisData {
  readonly request: DoctorRequest;
  /** See SharedActivity. */
  readonly activity: SharedArrayBuffer;
  /** For all messages. */
  readonly port: MessagePort;
}

export type DiagnosisMessage =
  | { readonly type: 'progress'; readonly stage: string; readonly share: number }
  | { readonly type: 'names'; readonly layers: Readonly<Record<number, NamedLayer>> }
  | { readonly type: 'result'; readonly result: DoctorResult }
  | { readonly type: 'failed'; readonly cause: ExitCause };

/** More frequent progress would be useless. */
const PROGRESS_MS = 100;

// Bound here, because custom layers could replace it.
const exit = process.exit.bind(process);

export async function runDiagnosis({ request, activity: buffer, port }: DiagnosisData): Promise<void> {
  const post = (message: DiagnosisMessage): void => port.postMessage(message);
  const activity = new SharedActivity(buffer);
  activity.setThreadId(currentThreadId());
  const watch = new CustomLayerWatch(activity, null, 0, (layers) => post({ type: 'names', layers }));
  const end = (thrown: unknown, promise?: object): void => {
    const fault = watch.attribute(thrown, promise);
    const cause = fault ? { reason: describeFault(fault), fault } : describeFailure(thrown, watch.hasLayers);
    post({ type: 'failed', cause });
    exit(1);
  };
  process.on('uncaughtException', (thrown) => end(thrown));
  process.on('unhandledRejection', (reason, promise) => end(reason, promise));
  try {
    post({ type: 'result', result: await examine(request, watch, post) });
  } catch (error) {
    post({ type: 'failed', cause: { reason: error instanceof Error ? error.message : String(error), fault: null } });
  }
}

async function examine(
  request: DoctorRequest,
  watch: CustomLayerWatch,
  post: (message: DiagnosisMessage) => void,
): Promise<DoctorResult> {
  const { text, folder, root, allowed, ruleSettings, allowCustomLayers = false } = request;
  const folders = { folder, root, allowed };
  const load = async (variant: string): Promise<LoadedRun> => {
    const parsed = parseSpec(variant);
    const customLayers = allowCustomLayers ? await loadUnwatchedLayers(parsed, folders, watch) : undefined;
    return withDataFiles(folders, (files) => loadRun(parsed, files, { rules: specRules, customLayers, ruleSettings }));
  };
  const { run, spec, problems } = await load(text);
  if (!run || !spec) return { kind: 'problems', problems };
  let lastProgress = -Infinity;
  const report = await diagnose(text, { run, spec, problems }, load, {
    isCancelled: () => false,
    yieldToEventLoop: () => new Promise((resolve) => void setImmediate(resolve)),
    now: () => performance.now(),
    onProgress: (stage, share) => {
      const now = performance.now();
      if (now - lastProgress < PROGRESS_MS) return;
      lastProgress = now;
      post({ type: 'progress', stage, share });
    },
  });
  return { kind: 'report', report };
}
