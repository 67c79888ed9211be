// What looking costs while training: a runner as the engine process has it, with a clock, an event loop and somebody who
// takes its frames at once, against steps one after the other. In turn, so that all see the same machine.
import type { ProbeId } from '../src/session/frame';
import { startTeam } from '../src/machine/start-team';
import type { Asking } from '../src/session/questions';
import { Runner } from '../src/session/runner';
import type { TrainingSession } from '../src/session/session';
import { median, round, table } from './measure';
import { chosen, sessionOf } from './workloads';

const MILLISECONDS = Number(process.env.MILLISECONDS ?? 700);
const WARM_UP = 400;
const TURNS = 5;
const ALL: readonly ProbeId[] = ['activations', 'gradients', 'updates'];

interface Looking {
  readonly name: string;
  readonly probes: readonly ProbeId[];
  readonly questions: (session: TrainingSession) => readonly Asking[];
}

const ways: readonly Looking[] = [
  { name: 'nobody looks', probes: [], questions: () => [] },
  { name: 'all probes', probes: ALL, questions: () => [] },
  {
    name: 'and a weight matrix with its gradient\'s sizes', probes: ALL,
    questions: ({ network }) => {
      const parameter = network.parameters[0].name;
      return [[{ about: 'ridges', parameter }]];
    },
  },
];

async function stepsASecond(session: TrainingSession, { probes, questions }: Looking): Promise<number> {
  const runner = new Runner({
    session,
    emit: () => new Promise((resolve) => setImmediate(resolve)),
    now: () => performance.now(),
    pause: (milliseconds) => new Promise((resolve) => (milliseconds > 0 ? setTimeout(resolve, milliseconds) : setImmediate(resolve))),
    fail: (error) => {
      throw error;
    },
  });
  runner.need(probes, questions(session));
  await runner.command({ type: 'run' });
  // At the start there is time for looking that was saved up before.
  await new Promise((resolve) => setTimeout(resolve, WARM_UP));
  const from = session.position.step;
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, MILLISECONDS));
  await runner.command({ type: 'pause' });
  const speed = ((session.position.step - from) * 1000) / (performance.now() - start);
  await runner.dispose();
  return speed;
}

function alone(session: TrainingSession): number {
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < MILLISECONDS) for (let i = 0; i < 8; i++, steps++) session.step();
  return (steps * 1000) / (performance.now() - start);
}

async function main(): Promise<void> {
  const team = startTeam();
  const rows: string[][] = [];
  for (const workload of chosen()) {
    const sessions = ways.map(() => sessionOf(workload, { team }));
    const bare = sessionOf(workload, { team });
    const speeds = [[], ...ways.map(() => [])] as number[][];
    for (let turn = 0; turn < TURNS; turn++) {
      speeds[0].push(alone(bare));
      for (const [i, way] of ways.entries()) speeds[i + 1].push(await stepsASecond(sessions[i], way));
    }
    const best = speeds.map((each) => Math.max(...each));
    const share = (i: number, of: number): string => `${round(100 * (best[of] / best[i] - 1))} %`;
    rows.push([workload.name, round(median(speeds[0])), ...best.slice(1).map(round), share(1, 0), share(2, 1), share(3, 1)]);
  }
  console.log(table(['steps a second', 'steps alone', ...ways.map(({ name }) => name), 'a runner costs', 'probes cost', 'with ridges'], rows));
  console.log(`\nThe fastest of ${TURNS} turns of ${MILLISECONDS} ms each. Goal: probes cost at most 10 %.`);
  team.end();
}

void main();
