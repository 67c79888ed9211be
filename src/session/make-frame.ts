// Builds the frame of a session's current position, with the new values of the history.
import type { GradientStats, LayerStats, ProbeId } from '../protocol/layer-stats';
import type { Frame, NonFinite, RunStatus } from '../protocol/frame';
import type { Query, QueryResult } from '../protocol/queries';
import { seriesName } from '../history/history';
import { MAX_CHUNK_BYTES } from '../chunking/chunks';
import { messageSize } from '../chunking/message-size';
import { runQuery } from './queries';
import { collectLayerStats } from './layer-stats';
import type { TrainingSession } from './session';
import type { RoundRobin } from './round-robin';

export interface FrameRequest {
  readonly sequence: number;
  readonly status: RunStatus;
  readonly target: number | null;
  readonly probes: ReadonlySet<ProbeId>;
  readonly views: RoundRobin;
  /** Whether to answer the queries of all views, not only of those whose turn it is. */
  readonly allViews: boolean;
  readonly nonFinite: NonFinite | null;
  readonly truncatedTo: number | null;
  readonly stepsPerSecond: number | null;
  /** A query failed: its value is null. By default, the error is thrown. */
  readonly onQueryError?: (error: unknown) => void;
}

/** Bytes of a frame that are reserved for the history, and for the names in it. */
const [FOR_HISTORY, FOR_NAMES] = [16_000, 1_000];

/** Series with a value at every step, or at every evaluation. */
const PER_STEP_SERIES = [
  seriesName.batchLoss,
  ...(['train', 'validation', 'test'] as const).flatMap((part) => [
    seriesName.loss(part),
    seriesName.accuracy(part),
    seriesName.perplexity(part),
  ]),
];

export function makeFrame(session: TrainingSession, request: FrameRequest): Frame {
  const { network, pass, progress } = session;
  const layers = collectLayerStats(network, pass, progress, request.probes, session.updateRatios);
  const { accuracy, loss } = session;
  addStatsToHistory(session, layers, accuracy);
  const figures = {
    sequence: request.sequence,
    status: request.status,
    target: request.target,
    position: session.position,
    furthestStep: session.furthestStep,
    batchPosition: session.batchPosition,
    lr: session.lr,
    loss,
    ...(session.model.losses && { losses: session.losses }),
    accuracy,
    evaluation: session.evaluation,
    layers,
    nonFinite: request.nonFinite,
    findings: session.monitor.findings,
    truncatedTo: request.truncatedTo,
    stepsPerSecond: request.stepsPerSecond,
  };
  // At full speed, what does not fit waits for the next frame. Statistics of many layers leave room for half as much
  // again.
  const frameBytes = messageSize(figures);
  const maxBytes = request.allViews ? Infinity : Math.max(MAX_CHUNK_BYTES - FOR_NAMES - frameBytes, frameBytes / 2);
  const { results: queryResults, size, partial } = runViewQueries(session, request, maxBytes - FOR_HISTORY);
  session.pendingHistory.coarsen(PER_STEP_SERIES, session.furthestStep);
  const history = session.pendingHistory.takeUpTo(
    (series) => messageSize(series),
    Math.max(FOR_HISTORY, maxBytes - size),
  );
  return { ...figures, queryResults, history, partial: partial || session.pendingHistory.size > 0 };
}

/** Answers all queries of a view or none: as many views as fit, and at least one. */
function runViewQueries(
  session: TrainingSession,
  { views, allViews, onQueryError }: FrameRequest,
  maxBytes: number,
): { results: readonly QueryResult[]; size: number; partial: boolean } {
  const answer = (query: Query): QueryResult => {
    try {
      return runQuery(session, query);
    } catch (error) {
      if (!onQueryError) throw error;
      onQueryError(error);
      return { query, position: session.position, value: null };
    }
  };
  const results: QueryResult[] = [];
  let [size, count] = [0, 0];
  for (const view of views.next(allViews)) {
    const viewResults = view.map(answer);
    const bytes = messageSize(viewResults);
    if (count > 0 && size + bytes > maxBytes) break;
    results.push(...viewResults);
    size += bytes;
    count++;
  }
  return { results, size, partial: views.rotate(count) };
}

/** Adds the statistics of a step without a frame to the history. */
export function recordLayerStats(session: TrainingSession, probes: ReadonlySet<ProbeId>): void {
  const { network, pass, progress, updateRatios } = session;
  addStatsToHistory(session, collectLayerStats(network, pass, progress, probes, updateRatios), session.accuracy);
}

/** Adds this frame's statistics to the history, at the step that they belong to. */
function addStatsToHistory(session: TrainingSession, layers: readonly LayerStats[], accuracy: number | null): void {
  const { pendingHistory, shownStep: step } = session;
  const gradient = (of: string | number, norm: string, reading: GradientStats | null): void => {
    if (!reading) return;
    pendingHistory.add(norm, step, reading.norm);
    pendingHistory.add(seriesName.gradientMean(of), step, reading.mean);
    pendingHistory.add(seriesName.gradientStd(of), step, reading.std);
  };
  if (accuracy !== null) pendingHistory.add(seriesName.batchAccuracy, step, accuracy);
  layers.forEach(({ activation, outputGradient, parameters }, layer) => {
    if (activation) {
      pendingHistory.add(seriesName.activationMean(layer), step, activation.mean);
      pendingHistory.add(seriesName.activationStd(layer), step, activation.std);
      if (activation.idle !== null) pendingHistory.add(seriesName.idle(layer), step, activation.idle);
    }
    gradient(layer, seriesName.outputGradient(layer), outputGradient);
    for (const { name, gradient: own, updateRatio } of parameters) {
      gradient(name, seriesName.parameterGradient(name), own);
      if (updateRatio !== null) pendingHistory.add(seriesName.updateRatio(name), step, updateRatio);
    }
  });
  const ratio = firstToLastGradientRatio(layers);
  if (ratio !== null) pendingHistory.add(seriesName.firstToLast, step, ratio);
  if (session.position.phase === 0 && layers.some(({ parameters }) => parameters.some(({ gradient: own }) => own)))
    session.gradientHistograms.add(step, session.network.parameters);
}

/** Gradient ratio of the first and the last layer with parameters; null if that is the same layer, or unknown. */
function firstToLastGradientRatio(layers: readonly LayerStats[]): number | null {
  const own = layers.flatMap(({ parameters }) => parameters.slice(0, 1));
  const [first, last] = [own[0]?.gradient, own[own.length - 1]?.gradient];
  return own.length > 1 && first && last && last.meanAbsolute > 0 ? first.meanAbsolute / last.meanAbsolute : null;
}
