// How large frames are, as they are sent: a process gets them as structured clones, the panel as JSON with typed arrays
// beside it. What is large is on its way in parts, what does not fit at full speed comes later, and nothing is lost.
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { History, seriesName } from '../../src/history/history';
import { cut, joining } from '../../src/parts/parts';
import { sizeOf } from '../../src/parts/size';
import type { Frame, ProbeId } from '../../src/session/frame';
import { makeFrame } from '../../src/session/make-frame';
import type { Asking } from '../../src/session/questions';
import type { TrainingSession } from '../../src/session/session';
import { readLayers } from '../../src/session/readings';
import { ViewTurns } from '../../src/session/view-turns';
import { sessionOf } from '../support/run';
import { weigh } from '../support/weigh';

const LIMIT = 100 * 1024;
const ALL: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);

const linear = (out_features: number): object => ({ type: 'linear', out_features });
const deep = (pairs: number): object => ({
  data: 'circles', layers: [...Array.from({ length: pairs }, () => [linear(16), 'tanh']).flat(), linear(2)], loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.01 }, batch_size: 16, epochs: 100_000,
});
/** Specs, and how many steps lie between two frames. */
const specs: Readonly<Record<string, readonly [spec: object, burst: number]>> = {
  'a wide network': [{ data: 'circles', layers: [linear(300), 'tanh', linear(200), 'relu', linear(2)], loss: 'cross_entropy', optimizer: { type: 'sgd', lr: 0.01 }, batch_size: 2, epochs: 100_000 }, 500],
  'a network of nine layers': [deep(4), 500],
  'a network of 49 layers': [deep(24), 40],
  'a network of 101 layers': [deep(50), 20],
  'a network of 201 layers': [deep(100), 10],
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

const BURSTS = 12;

describe.each(Object.entries(specs))('frames of %s', (_, [spec, burst]) => {
  it('are on their way in parts below 100 KB with all views open, over bursts of steps and at rest, and nothing is lost', () => {
    const session = sessionOf(spec);
    const whole = new History();
    const received = new History();
    let time = 0;
    let sequence = 0;
    const views = new ViewTurns(() => time);
    const all = asked(session);
    views.set(all);
    const about = new Map<string, number>();
    const arrived: Frame[] = [];
    const arrive = joining((frame: Frame) => void arrived.push(frame));
    const take = (atRest: boolean): Frame => {
      const frame = makeFrame(session, { sequence: ++sequence, status: atRest ? 'paused' : 'running', target: null, probes: ALL, views, all: atRest, nonFinite: null, truncatedTo: null, stepsPerSecond: null });
      for (const part of cut(frame)) {
        const sizes = [serialize(part).length, weigh(part)];
        expect(Math.max(...sizes)).toBeLessThan(LIMIT);
        // The estimate that the cap goes by is never below what is sent.
        expect(sizeOf(part)).toBeGreaterThanOrEqual(Math.max(...sizes));
        void arrive(part);
      }
      expect(arrived[sequence - 1]).toEqual(frame);
      received.merge(frame.history);
      for (const { question, position } of frame.answers) {
        expect(position).toEqual(frame.position);
        about.set(JSON.stringify(question), (about.get(JSON.stringify(question)) ?? 0) + 1);
      }
      return frame;
    };
    for (let i = 0; i < BURSTS; i++) {
      for (let step = 1; step <= burst; step++) {
        session.step(step === burst);
        whole.add(seriesName.batchLoss, session.position.step, session.loss ?? NaN);
        // A small run is evaluated and measured often.
        if (step % 25 === 0) session.pending.add(seriesName.loss('train'), session.position.step, session.loss ?? NaN);
      }
      time += 33;
      take(false);
    }
    // Each view had about as many turns as the others, and a frame is not there for one alone.
    const counts = all.flat().map((question) => about.get(JSON.stringify(question)) ?? 0);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    about.clear();
    // At rest one frame has all: every layer's numbers as they are, and the answers to all views.
    const { layers, partial } = take(true);
    expect(partial).toBe(false);
    expect([...about.keys()].sort()).toEqual(all.flat().map((question) => JSON.stringify(question)).sort());
    const { network, pass, progress, updateRatios } = session;
    expect(layers).toEqual(readLayers(network, pass, progress, ALL, updateRatios));
    expect(layers.every(({ activation, outputGradient, parameters }) => activation && outputGradient && parameters.every(({ gradient, updateRatio }) => gradient && updateRatio !== null))).toBe(true);
    // And so has the history of every layer.
    layers.forEach(({ activation }, layer) => {
      const { steps = [], low = [], high = [] } = received.get(seriesName.activationMean(layer))?.data() ?? {};
      expect(steps.at(-1)).toBe(session.position.step);
      expect([low.at(-1), high.at(-1)]).toEqual([activation?.mean, activation?.mean]);
    });
    const [sent, own] = [received, whole].map((history) => history.get(seriesName.batchLoss)?.data());
    expect(sent?.steps.length).toBeGreaterThan(BURSTS * burst / 6);
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
      expect(views.answered(fit)).toBe(true);
      return due;
    };
    expect([turn(1), turn(1), turn(0), turn(1), turn(1)]).toEqual([[a], [b], [c], [c], [a]]);
    // At rest all.
    expect(views.next(true)).toEqual([b, c, a]);
    expect(views.answered(3)).toBe(false);
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
