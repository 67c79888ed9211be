// What breakpoints cost, and whether going anywhere with them stays exact. A condition that never holds is evaluated
// after every step; the goal is 10 % of the time of training, for reductions over tensors of the layer. It is processor
// time, so that other load on the machine matters less.
import { setImmediate } from 'node:timers/promises';
import { Random } from '../src/engine/random';
import type { RunState } from '../src/protocol/breakpoints';
import type { SessionCommand } from '../src/protocol/command';
import { Runner } from '../src/session/runner';
import { evaluate } from '../src/session/queries/evaluate';
import { TrainingSession } from '../src/session/session';
import { compileRun, createSession, smallSpec } from '../test/support/session-fixtures';
import { formatRounded, formatTable, median, percentile } from './measure';

/** Of each kind. The third part of the turns that was disturbed least counts. */
const TURNS = 30;
/** Until everything is compiled. */
const WARM_UP_STEPS = 12_000;
const LARGE_TENSOR_TURNS = 3;
const SEQUENCES = 1000;
const MOVES_PER_SEQUENCE = 6;

function createRunner(session: TrainingSession) {
  let state: RunState | null = null;
  let wake = (): void => undefined;
  const runner = new Runner({
    session,
    now: () => performance.now(),
    sleep: () => setImmediate(),
    emit: () => Promise.resolve(),
    onError: (error) => {
      throw error;
    },
    onState: (next) => {
      state = next;
      wake();
    },
  });
  runner.subscribe([], []);
  const isBusy = (): boolean => state?.status === 'running' || state?.status === 'seeking';
  /** Runs a command, and waits until the run is idle. */
  const move = async (command: SessionCommand): Promise<RunState> => {
    await runner.command(command);
    while (isBusy()) await new Promise<void>((resolve) => (wake = resolve));
    return state!;
  };
  return { runner, move };
}

// Overhead

function specOf(sizes: readonly [number, ...number[]], batch: number): object {
  const [features, ...units] = sizes;
  const classes = units.at(-1)!;
  const random = new Random(1, 'bench');
  const samples = Math.max(batch * 4, 100);
  return {
    data: {
      type: 'inline',
      inputs: Array.from({ length: samples }, () => Array.from({ length: features }, () => random.normal())),
      labels: Array.from({ length: samples }, (_, i) => i % classes),
    },
    layers: units.flatMap((out_features, i) => [
      { type: 'linear', out_features },
      ...(i < units.length - 1 ? ['tanh'] : []),
    ]),
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr: 0.01 },
    batch_size: batch,
    epochs: 1_000_000,
  };
}

const workloads: readonly { name: string; spec: object; steps: number }[] = [
  { name: '2-4-2, batch 32', spec: specOf([2, 4, 2], 32), steps: 10_000 },
  { name: '2-16-16-2, batch 32', spec: specOf([2, 16, 16, 2], 32), steps: 5000 },
  {
    name: '2-16-16-2, Adam',
    spec: { ...specOf([2, 16, 16, 2], 32), optimizer: { type: 'adam', lr: 1e-5 } },
    steps: 5000,
  },
  { name: '64-64-10, batch 64', spec: specOf([64, 64, 10], 64), steps: 200 },
  { name: '784-300-10, batch 50', spec: specOf([784, 300, 10], 50), steps: 6 },
];
const conditions = [
  'norm(grad(linear1.weight)) > 1e9',
  'mean(linear1.output) > 1e9',
  'norm(linear1.weight) > 1e9',
  'any(isnan(linear1.output))',
  'max(abs(update(linear1.weight))) > 1e9',
];

/** Processor time of this thread, in seconds, of training with and without each condition, in turns. */
async function measureOverhead(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, spec, steps } of workloads) {
    const session = new TrainingSession(compileRun(spec), '');
    const { runner, move } = createRunner(session);
    const { phases } = session.model;
    const own = phases.flatMap((phase, i) =>
      phase.kind === 'update' || ('layer' in phase && phase.layer === 0) ? i : [],
    );
    const secondsWith = async (condition: string | null, count = steps): Promise<number> => {
      const statuses = await runner.setBreakpoints(
        condition === null ? [] : [{ id: 1, on: { phases: own }, condition }],
      );
      if (statuses.some(({ isVerified }) => !isVerified)) throw new Error(statuses[0]!.message);
      const start = process.threadCpuUsage();
      const { hitBreakpoints } = await move({ type: 'runToStep', step: session.position.step + count });
      if (hitBreakpoints.length > 0) throw new Error('the condition held');
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1e6;
    };
    const kinds = [null, ...conditions];
    for (const kind of kinds) await secondsWith(kind, Math.min(WARM_UP_STEPS, 100 * steps));
    const seconds = kinds.map((): number[] => []);
    for (let turn = 0; turn < TURNS; turn++) {
      // All of them see the same load, in another order in each turn.
      const order = kinds.map((_, i) => (i * (turn % 2 === 0 ? 1 : 5) + turn) % kinds.length);
      for (const i of order) seconds[i]!.push(await secondsWith(kinds[i]!));
    }
    const [plain, ...others] = seconds.map((each) => percentile(each, 1 / 3)) as [number, ...number[]];
    rows.push([
      name,
      formatRounded(steps / plain),
      ...others.map((each) => `${(100 * (each / plain - 1)).toFixed(1)} %`),
    ]);
  }
  console.log('Slowdown by a breakpoint on all phases of the first layer, with a condition that never holds:');
  console.log(formatTable(['network', 'steps per processor second', ...conditions], rows));
}

// Exactness

async function checkSequences(): Promise<void> {
  const straight = createSession(smallSpec);
  const hashes = [straight.stateHash()];
  while (straight.position.step < straight.totalSteps) {
    straight.step();
    hashes.push(straight.stateHash());
  }
  const random = new Random(20, 'sequences');
  const kinds = ['run', 'run', 'stepPhase', 'finishPass', 'backPhase', 'step', 'backStep', 'reverseContinue'] as const;
  let [wrong, stops, reversed, wrongReversed] = [0, 0, 0, 0];
  const start = performance.now();
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const { runner, move } = createRunner(createSession(smallSpec));
    const { session } = runner;
    const limit = 0.001 + 0.2 * random.uniform();
    await runner.setBreakpoints([
      { id: 1, on: { phases: [2, 5, 7, 9] }, condition: `norm(grad(tanh1.output)) > ${limit}` },
      { id: 2, on: { data: 'linear1.weight[0, 0]' }, condition: `crosses(${random.normal()})` },
    ]);
    await move({ type: 'runToStep', step: 1 + random.integerBelow(20) });
    for (let i = 0; i < MOVES_PER_SEQUENCE; i++) {
      const { position } = session;
      if (position.step >= session.totalSteps) await move({ type: 'seek', step: random.integerBelow(position.step) });
      else await move({ type: kinds[random.integerBelow(kinds.length)]! });
      if (session.position.phase === 0 && session.stateHash() !== hashes[session.position.step]) wrong++;
      stops++;
    }
    // Two stops, then back: it lands at the first of them.
    if (session.position.step >= session.totalSteps) await move({ type: 'seek', step: 1 });
    const first = await move({ type: 'run' });
    const second = await move({ type: 'run' });
    if (first.hitBreakpoints.length === 0 || second.hitBreakpoints.length === 0) continue;
    const back = await move({ type: 'reverseContinue' });
    reversed++;
    if (JSON.stringify(back.position) !== JSON.stringify(first.position)) wrongReversed++;
  }
  console.log(
    `\n${SEQUENCES} random sequences, ${stops} movements: ${wrong} with other bits than a straight run; ` +
      `reverse continue after two stops: ${reversed - wrongReversed} of ${reversed} at the stop before ` +
      `(${formatRounded((performance.now() - start) / 1000)} s)`,
  );
}

// A large tensor

/** What opening a weight of 10 million entries asks: its line, then a page of its rows. */
function measureLargeTensor(): void {
  const run = compileRun({
    ...specOf([2500, 4000, 2], 4),
    data: {
      type: 'inline',
      inputs: Array.from({ length: 4 }, () => Array<number>(2500).fill(1)),
      labels: [0, 1, 0, 1],
    },
  });
  const session = new TrainingSession(run, '');
  session.step();
  const rows = Array.from({ length: 100 }, (_, i) => ({ text: `linear1.weight[${i}]` }));
  const results = [[{ text: 'linear1.weight' }], rows].map((expressions) =>
    median(
      Array.from({ length: LARGE_TENSOR_TURNS }, () => {
        const start = process.cpuUsage();
        evaluate.resolve(session, { type: 'evaluate', expressions });
        const { user, system } = process.cpuUsage(start);
        return (user + system) / 1000;
      }),
    ),
  );
  const [line, page] = results.map(formatRounded);
  console.log(`\nA tensor of 10 million entries: ${line} ms for its line, ${page} ms for a page of 100 rows.`);
}

void measureOverhead().then(checkSequences).then(measureLargeTensor);
