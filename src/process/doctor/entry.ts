// A process that diagnoses one spec for the extension host, and ends with it. A thread computes; the main thread ends
// the process if a custom layer hangs.
import os from 'node:os';
import path from 'node:path';
import { isMainThread, MessageChannel, Worker, workerData } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { type BirpcReturn, createBirpc } from 'birpc';
import type { DoctorCalls, DoctorEvents, DoctorRequest, DoctorResult } from '../../protocol/doctor';
import type { SupervisorNotice } from '../../protocol/engine';
import { type Activity, SharedActivity } from '../activity';
import { describeHang, type ExitCause } from '../exit-cause';
import { connectToHost } from '../message-channel';
import type { NamedLayer } from '../messages';
import { createStarvationClock } from '../starvation-clock';
import { Watchdog } from '../watchdog';
import { typeStrippingFlags } from '../type-stripping';
import { type DiagnosisData, type DiagnosisMessage, runDiagnosis } from './diagnosis-thread';

const POLL_INTERVAL_MS = 100;

function supervise(): void {
  const { values } = parseArgs({
    options: {
      /** Milliseconds that a call of a custom layer may take. */
      'layer-timeout': { type: 'string', default: '1250' },
      'crash-breadcrumb': { type: 'string' },
    },
  });
  // The run in the panel continues meanwhile. Without permission for that, the diagnosis has normal priority.
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    /* normal priority */
  }
  let receive: (message: unknown) => void = () => undefined;
  const channel = connectToHost((message) => receive(message));
  const exitWith = ({ reason, fault }: ExitCause): void => {
    const kill = (): void => void process.kill(process.pid, 'SIGKILL');
    const notice: SupervisorNotice = { type: 'supervisor', reason, fault };
    channel.send(notice, kill);
    setTimeout(kill, 1000);
  };
  const rpc: BirpcReturn<DoctorEvents, DoctorCalls> = createBirpc<DoctorEvents, DoctorCalls>(
    {
      diagnose: (request) =>
        diagnoseInThread(request, Number(values['layer-timeout']), {
          onProgress: (stage, share) => void rpc.progress.asEvent(stage, share),
          onHang: exitWith,
        }),
    },
    {
      post: (message) => channel.send(message),
      on: (listener) => {
        receive = listener;
      },
      bind: 'functions',
      timeout: -1,
    },
  );
}

interface ThreadEvents {
  readonly onProgress: (stage: string, share: number) => void;
  readonly onHang: (cause: ExitCause) => void;
}

async function diagnoseInThread(
  request: DoctorRequest,
  layerTimeout: number,
  { onProgress, onHang }: ThreadEvents,
): Promise<DoctorResult> {
  const activity = new SharedActivity();
  const { port1, port2 } = new MessageChannel();
  const data: DiagnosisData = { request, activity: activity.buffer, port: port2 };
  // Not __filename: in the release, the code of this file is in a chunk that starts nothing.
  const worker = new Worker(path.join(__dirname, 'doctor-process.js'), {
    workerData: data,
    transferList: [port2],
    execArgv: typeStrippingFlags(),
  });
  let layers: Readonly<Record<number, NamedLayer>> = {};
  const stopWatching = watch(activity, layerTimeout, ({ activity: seen, milliseconds }) => {
    const call = seen.layerCall;
    const layer = call && layers[call.layer];
    onHang(
      describeHang(seen, milliseconds, [], layer ? { layer: layer.name, call: call.call, file: layer.file } : null),
    );
  });
  try {
    return await new Promise<DoctorResult>((resolve, reject) => {
      port1.on('message', (message: DiagnosisMessage) => {
        if (message.type === 'progress') onProgress(message.stage, message.share);
        else if (message.type === 'names') ({ layers } = message);
        else if (message.type === 'result') resolve(message.result);
        else reject(new Error(message.cause.reason));
      });
      worker.on('error', reject);
      // `close` comes after the last message; the worker's `exit` may come before it.
      port1.on('close', () => reject(new Error('The diagnosis ended before it was complete.')));
    });
  } finally {
    stopWatching();
    port1.close();
    void worker.terminate();
  }
}

/** Only custom layers have a time limit: the diagnosis itself takes as long as its trainings. */
function watch(
  activity: SharedActivity,
  layerTimeout: number,
  onHang: (hang: { readonly activity: Activity; readonly milliseconds: number }) => void,
): () => void {
  const watchdog = new Watchdog({
    readActivity: () => activity.read(),
    timeout: Infinity,
    layerTimeout,
    pollInterval: POLL_INTERVAL_MS,
    starvedTime: createStarvationClock(() => activity.read().threadId),
  });
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const hang = watchdog.poll(now - last);
    last = now;
    if (hang) onHang(hang);
  }, POLL_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Hides the data from where the files of custom layers could read it. */
function takeData(): DiagnosisData {
  const shared = workerData as Record<string, unknown>;
  const own = { ...shared } as unknown as DiagnosisData;
  for (const name of Object.keys(shared)) Reflect.deleteProperty(shared, name);
  return own;
}

if (isMainThread) supervise();
else void runDiagnosis(takeData());

export {};
