// How large frames are, as they are sent: a process gets them as structured clones, the panel as JSON with typed arrays
// beside it. What does not fit comes later, and nothing is lost on the way.
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { pack } from '../../src/protocol/channel';
import { History, seriesName } from '../../src/history/history';
import type { Frame, ProbeId } from '../../src/session/frame';
import { makeFrame } from '../../src/session/make-frame';
import type { Asking } from '../../src/session/questions';
import type { TrainingSession } from '../../src/session/session';
import { sizeOf } from '../../src/session/size';
import { ViewTurns } from '../../src/session/view-turns';
import { sessionOf } from '../support/run';

const LIMIT = 100 * 1024;
const ALL: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);

const linear = (out_features: number): object => ({ type: 'linear', out_features });
const specs = {
  'a wide network': { data: 'circles', layers: [linear(300), 'tanh', linear(200), 'relu', linear(2)], loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.01 }, batch_size: 2, epochs: 100_000 },
  'a network of nine layers': { data: 'circles', layers: [...Array.from({ length: 4 }, () => [linear(12), 'tanh']).flat(), linear(2)], loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.01 }, batch_size: 16, epochs: 100_000 },
};

/** What six views ask, and three whose answers are the largest. */
const asked = ({ network }: TrainingSession): readonly Asking[] => {
  const parameter = network.parameters[0].name;
  return [
    [{ about: 'nodes', sample: null }],
    [{ about: 'picture', sample: null, edges: 'weight', maps: true }],
    [{ about: 'fitted' }, { about: 'predictions', part: 'train' }],
    [{ about: 'ridges', parameter }, { about: 'other_rates' }],
    [{ about: 'tensor', layer: 0, kind: 'output' }],
    [{ about: 'tensor', layer: 2, kind: 'parameter', parameter: 'weight' }],
    [{ about: 'tensor', layer: 2, kind: 'parameter_gradient', parameter: 'weight' }],
  ];
};

/** As VS Code writes it: JSON, with a typed array named where it stands, and its bytes beside. */
function sentTo(panel: Frame): number {
  let beside = 0;
  const text = JSON.stringify(pack(panel), (_, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    beside += value.byteLength;
    return { $$vscode_array_buffer_reference$$: true, index: 100, view: { type: 10, byteLength: value.byteLength, byteOffset: 0 } };
  });
  return Buffer.byteLength(text) + beside;
}

describe.each(Object.entries(specs))('frames of %s', (_, spec) => {
  it('stay below 100 KB with all views open, over bursts of 500 steps and at rest, and nothing is lost', () => {
    const session = sessionOf(spec);
    const whole = new History();
    const received = new History();
    let time = 0;
    let sequence = 0;
    const views = new ViewTurns(() => time);
    const all = asked(session);
    views.set(all);
    const about = new Map<string, number>();
    const take = (atRest: boolean): Frame => {
      const frame = makeFrame(session, { sequence: ++sequence, status: atRest ? 'paused' : 'running', target: null, probes: ALL, views, all: atRest, nonFinite: null, truncatedTo: null, stepsPerSecond: null });
      const sizes = [serialize(frame).length, sentTo(frame)];
      expect(Math.max(...sizes)).toBeLessThan(LIMIT);
      // The estimate that the cap goes by is never below what is sent.
      expect(sizeOf(frame)).toBeGreaterThanOrEqual(Math.max(...sizes));
      received.merge(frame.history);
      for (const { question, position } of frame.answers) {
        expect(position).toEqual(frame.position);
        about.set(JSON.stringify(question), (about.get(JSON.stringify(question)) ?? 0) + 1);
      }
      return frame;
    };
    for (let burst = 0; burst < 12; burst++) {
      for (let step = 0; step < 500; step++) {
        session.step(step === 499);
        whole.add(seriesName.batchLoss, session.position.step, session.loss ?? NaN);
        // A small run is evaluated and measured often.
        if (step % 25 === 0) session.pending.add(seriesName.loss('train'), session.position.step, session.loss ?? NaN);
      }
      time += 33;
      take(false);
    }
    // Each view had about as many turns as the others, and a frame is not there for one alone.
    const counts = all.flat().map((question) => about.get(JSON.stringify(question)) ?? 0);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    about.clear();
    for (let more = 0; take(true).partial; more++) expect(more).toBeLessThan(5);
    // At rest all are answered, at last.
    expect([...about.keys()].sort()).toEqual(all.flat().map((question) => JSON.stringify(question)).sort());
    const [sent, own] = [received, whole].map((history) => history.get(seriesName.batchLoss)?.data());
    expect(sent?.steps.length).toBeGreaterThan(1000);
    expect([Math.min(...(sent?.low ?? [])), Math.max(...(sent?.high ?? []))]).toEqual([Math.min(...(own?.low ?? [])), Math.max(...(own?.high ?? []))]);
  });
});

describe('the turns of views', () => {
  const [a, b, c]: Asking[] = [[{ about: 'fitted' }], [{ about: 'other_rates' }], [{ about: 'predictions', part: 'test' }]];

  it('go round, the longest waiting first; who did not fit is the next', () => {
    let time = 0;
    const views = new ViewTurns(() => time);
    views.set([a, b, c]);
    const turn = (fit: number): readonly Asking[] => {
      time += 30;
      const due = views.next(false);
      expect(views.answered(fit, false)).toBe(true);
      return due;
    };
    expect([turn(1), turn(1), turn(0), turn(1), turn(1)]).toEqual([[a], [b], [c], [c], [a]]);
    // At rest each once, until the run stands elsewhere.
    expect(views.next(true)).toEqual([b, c, a]);
    expect(views.answered(2, true)).toBe(true);
    expect(views.next(true)).toEqual([a]);
    expect(views.answered(1, true)).toBe(false);
    views.renew();
    expect(views.next(true)).toHaveLength(3);
  });

  it('are taken together where frames are far apart', () => {
    let time = 0;
    const views = new ViewTurns(() => time);
    views.set([a, b, c]);
    time = 90;
    expect(views.next(false)).toHaveLength(3);
    time += 50;
    expect(views.next(false)).toHaveLength(2);
  });
});
