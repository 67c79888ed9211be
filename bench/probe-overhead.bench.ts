// The cost of observation during training: a runner as in the engine process, with a clock, an event loop and a client
// that accepts frames at once, compared with plain steps. They alternate, so that both see the same load.

import type { ProbeId } from '../src/protocol/layer-stats';
import type { ViewQueries } from '../src/protocol/queries';
import { startThreadPool } from '../src/platform/start-thread-pool';
import { Runner } from '../src/session/runner';
import type { TrainingSession } from '../src/session/session';
import { median, formatRounded, formatTable } from './measure';
import { selectedWorkloads, createSession } from './workloads';

const MILLISECONDS = Number(process.env.MILLISECONDS ?? 700);
const WARM_UP = 400;
const ROUNDS = 5;
const ALL_PROBES: readonly ProbeId[] = ['activations', 'gradients', 'updates'];

interface ObserverSetup {
  readonly name: string;
  readonly probes: readonly ProbeId[];
  readonly questions: (session: TrainingSession) => readonly ViewQueries[];
}

const observerSetups: readonly ObserverSetup[] = [
  { name: 'nobody looks', probes: [], questions: () => [] },
  { name: 'all probes', probes: ALL_PROBES, questions: () => [] },
  {
    name: "and a weight matrix with its gradient's sizes",
    probes: ALL_PROBES,
    questions: ({ network }) => {
      const parameter = network.parameters[0].name;
      return [[{ type: 'gradient_histograms', parameter }]];
    },
  },
];

async function measureStepsPerSecond(session: TrainingSession, { probes, questions }: ObserverSetup): Promise<number> {
  const runner = new Runner({
    session,
    emit: () => new Promise((resolve) => setImmediate(resolve)),
    now: () => performance.now(),
    sleep: (milliseconds) =>
      new Promise((resolve) => (milliseconds > 0 ? setTimeout(resolve, milliseconds) : setImmediate(resolve))),
    onError: (error) => {
      throw error;
    },
  });
  runner.subscribe(probes, questions(session));
  await runner.command({ type: 'run' });
  // At the start, the overhead budget is full.
  await new Promise((resolve) => setTimeout(resolve, WARM_UP));
  const from = session.position.step;
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
  await runner.command({ type: 'pause' });
  const speed = ((session.position.step - from) * 1000) / (performance.now() - start);
  await runner.dispose();
  return speed;
}

function measureBareSteps(session: TrainingSession): number {
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < MILLISECONDS) for (let i = 0; i < 8; i++, steps++) session.step();
  return (steps * 1000) / (performance.now() - start);
}

async function main(): Promise<void> {
  const threadPool = startThreadPool();
  const rows: string[][] = [];
  for (const workload of selectedWorkloads()) {
    const sessions = observerSetups.map(() => createSession(workload, { threadPool }));
    const bare = createSession(workload, { threadPool });
    const speeds = [[], ...observerSetups.map(() => [])] as number[][];
    for (let turn = 0; turn < ROUNDS; turn++) {
      speeds[0].push(measureBareSteps(bare));
      for (const [i, way] of observerSetups.entries())
        speeds[i + 1].push(await measureStepsPerSecond(sessions[i], way));
    }
    const best = speeds.map((each) => Math.max(...each));
    const share = (i: number, of: number): string => `${formatRounded(100 * (best[of] / best[i] - 1))} %`;
    rows.push([
      workload.name,
      formatRounded(median(speeds[0])),
      ...best.slice(1).map(formatRounded),
      share(1, 0),
      share(2, 1),
      share(3, 1),
    ]);
  }
  console.log(
    formatTable(
      [
        'steps a second',
        'steps alone',
        ...observerSetups.map(({ name }) => name),
        'a runner costs',
        'probes cost',
        'with ridges',
      ],
      rows,
    ),
  );
  console.log(`\nThe fastest of ${ROUNDS} turns of ${MILLISECONDS} ms each. Goal: probes cost at most 10 %.`);
  threadPool.terminate();
}

void main();
