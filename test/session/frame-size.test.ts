// The size of frames as they are sent: structured clones to a process, JSON with separate typed arrays to the panel.
// Large frames are sent in chunks, what does not fit at full speed comes later, and nothing is lost.
import type { ProbeId } from '../../src/protocol/layer-stats';
import type { Frame } from '../../src/protocol/frame';
import type { ViewQueries } from '../../src/protocol/queries';
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { History, seriesName } from '../../src/history/history';
import { splitMessage, createAssembler } from '../../src/chunking/chunks';
import { messageSize } from '../../src/chunking/message-size';
import { makeFrame } from '../../src/session/make-frame';
import type { TrainingSession } from '../../src/session/session';
import { collectLayerStats } from '../../src/session/layer-stats';
import { RoundRobin } from '../../src/session/round-robin';
import { createSession } from '../support/session-fixtures';
import { postedBytes } from '../support/posted-bytes';

const LIMIT = 100 * 1024;
const ALL: ReadonlySet<ProbeId> = new Set(['activations', 'gradients', 'updates']);

const linear = (out_features: number): object => ({ type: 'linear', out_features });
const deep = (pairs: number): object => ({
  data: 'circles',
  layers: [...Array.from({ length: pairs }, () => [linear(16), 'tanh']).flat(), linear(2)],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.01 },
  batch_size: 16,
  epochs: 100_000,
});
/** Specs, and the number of steps between two frames. */
const specs: Readonly<Record<string, readonly [spec: object, burst: number]>> = {
  'a wide network': [
    {
      data: 'circles',
      layers: [linear(300), 'tanh', linear(200), 'relu', linear(2)],
      loss: 'cross_entropy',
      optimizer: { type: 'sgd', lr: 0.01 },
      batch_size: 2,
      epochs: 100_000,
    },
    500,
  ],
  'a network of nine layers': [deep(4), 500],
  'a network of 49 layers': [deep(24), 40],
  'a network of 101 layers': [deep(50), 20],
  'a network of 201 layers': [deep(100), 10],
};

/** The queries of six views, and the three with the largest results. */
const queriesFor = ({ network }: TrainingSession): readonly ViewQueries[] => {
  const parameter = network.parameters[0].name;
  return [
    [{ type: 'step_graph', sample: null }],
    [{ type: 'network_graph', sample: null, edges: 'weight', maps: true }],
    [{ type: 'decision_surface' }, { type: 'predictions', split: 'train' }],
    [{ type: 'gradient_histograms', parameter }, { type: 'lr_scan' }],
    [{ type: 'tensor', layer: 0, kind: 'output' }],
    [{ type: 'tensor', layer: 2, kind: 'parameter', parameter: 'weight' }],
    [{ type: 'tensor', layer: 2, kind: 'parameter_gradient', parameter: 'weight' }],
  ];
};

const BURSTS = 12;

describe.each(Object.entries(specs))('frames of %s', (_, [spec, burst]) => {
  it('are sent in chunks below 100 KB with all views open, during bursts and when idle, without loss', () => {
    const session = createSession(spec);
    const whole = new History();
    const received = new History();
    let time = 0;
    let sequence = 0;
    const views = new RoundRobin(() => time);
    const all = queriesFor(session);
    views.set(all);
    const about = new Map<string, number>();
    const arrived: Frame[] = [];
    const arrive = createAssembler((frame: Frame) => void arrived.push(frame));
    const take = (atRest: boolean): Frame => {
      const frame = makeFrame(session, {
        sequence: ++sequence,
        status: atRest ? 'paused' : 'running',
        target: null,
        probes: ALL,
        views,
        allViews: atRest,
        nonFinite: null,
        truncatedTo: null,
        stepsPerSecond: null,
      });
      for (const part of splitMessage(frame)) {
        const sizes = [serialize(part).length, postedBytes(part)];
        expect(Math.max(...sizes)).toBeLessThan(LIMIT);
        // The estimate for the limit is never below the actual size.
        expect(messageSize(part)).toBeGreaterThanOrEqual(Math.max(...sizes));
        void arrive(part);
      }
      expect(arrived[sequence - 1]).toEqual(frame);
      received.merge(frame.history);
      for (const { query, position } of frame.queryResults) {
        expect(position).toEqual(frame.position);
        about.set(JSON.stringify(query), (about.get(JSON.stringify(query)) ?? 0) + 1);
      }
      return frame;
    };
    for (let i = 0; i < BURSTS; i++) {
      for (let step = 1; step <= burst; step++) {
        session.step(step === burst);
        whole.add(seriesName.batchLoss, session.position.step, session.loss ?? NaN);
        // A small run is evaluated and measured frequently.
        if (step % 25 === 0)
          session.pendingHistory.add(seriesName.loss('train'), session.position.step, session.loss ?? NaN);
      }
      time += 33;
      take(false);
    }
    // All views had about the same number of turns, and frames contain more than one view.
    const counts = all.flat().map((question) => about.get(JSON.stringify(question)) ?? 0);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    about.clear();
    // When idle, one frame contains everything: the statistics of every layer, and the results of all views.
    const { layers, partial } = take(true);
    expect(partial).toBe(false);
    expect([...about.keys()].sort()).toEqual(
      all
        .flat()
        .map((question) => JSON.stringify(question))
        .sort(),
    );
    const { network, pass, progress, updateRatios } = session;
    expect(layers).toEqual(collectLayerStats(network, pass, progress, ALL, updateRatios));
    expect(
      layers.every(
        ({ activation, outputGradient, parameters }) =>
          activation &&
          outputGradient &&
          parameters.every(({ gradient, updateRatio }) => gradient && updateRatio !== null),
      ),
    ).toBe(true);
    // So does the history of every layer.
    layers.forEach(({ activation }, layer) => {
      const { steps = [], low = [], high = [] } = received.get(seriesName.activationMean(layer))?.data() ?? {};
      expect(steps.at(-1)).toBe(session.position.step);
      expect([low.at(-1), high.at(-1)]).toEqual([activation?.mean, activation?.mean]);
    });
    const [sent, own] = [received, whole].map((history) => history.get(seriesName.batchLoss)?.data());
    expect(sent?.steps.length).toBeGreaterThan((BURSTS * burst) / 6);
    expect([Math.min(...(sent?.low ?? [])), Math.max(...(sent?.high ?? []))]).toEqual([
      Math.min(...(own?.low ?? [])),
      Math.max(...(own?.high ?? [])),
    ]);
  });
});

describe('round-robin of views', () => {
  const [a, b, c]: ViewQueries[] = [
    [{ type: 'decision_surface' }],
    [{ type: 'lr_scan' }],
    [{ type: 'predictions', split: 'test' }],
  ];

  it('starts with the longest waiting view; what did not fit comes next', () => {
    let time = 0;
    const views = new RoundRobin(() => time);
    views.set([a, b, c]);
    const turn = (fit: number): readonly ViewQueries[] => {
      time += 30;
      const due = views.next(false);
      expect(views.rotate(fit)).toBe(true);
      return due;
    };
    expect([turn(1), turn(1), turn(0), turn(1), turn(1)]).toEqual([[a], [b], [c], [c], [a]]);
    // All when idle.
    expect(views.next(true)).toEqual([b, c, a]);
    expect(views.rotate(3)).toBe(false);
  });

  it('answers all views if frames are far apart', () => {
    let time = 0;
    const views = new RoundRobin(() => time);
    views.set([a, b, c]);
    time = 90;
    expect(views.next(false)).toHaveLength(3);
    time += 50;
    expect(views.next(false)).toHaveLength(2);
  });
});
