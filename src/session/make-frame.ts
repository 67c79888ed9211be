// Makes the frame of a session's current position, and hands over what the history gained.
import { seriesName } from '../history/history';
import { MOST_BYTES } from '../parts/parts';
import { sizeOf } from '../parts/size';
import type { Frame, GradientReading, LayerReading, NonFinite, ProbeId, RunStatus } from './frame';
import { type Answered, answerTo } from './questions';
import { readLayers } from './readings';
import type { TrainingSession } from './session';
import type { ViewTurns } from './view-turns';

export interface FrameRequest {
  readonly sequence: number;
  readonly status: RunStatus;
  readonly target: number | null;
  readonly probes: ReadonlySet<ProbeId>;
  readonly views: ViewTurns;
  /** Whether to answer all views, and not only whose turn it is. */
  readonly all: boolean;
  readonly nonFinite: NonFinite | null;
  readonly truncatedTo: number | null;
  readonly stepsPerSecond: number | null;
}

/** Bytes of a frame that are kept for the history, and for the names of what it holds. */
const [FOR_HISTORY, FOR_NAMES] = [16_000, 1_000];

/** Series with a value at every step, or at every evaluation. */
const DENSE = [seriesName.batchLoss, ...(['train', 'validation', 'test'] as const).flatMap((part) => [seriesName.loss(part), seriesName.accuracy(part)])];

export function makeFrame(session: TrainingSession, request: FrameRequest): Frame {
  const { network, pass, progress } = session;
  const layers = readLayers(network, pass, progress, request.probes, session.updateRatios);
  const { accuracy, loss } = session;
  logReadings(session, layers, accuracy);
  const figures = {
    sequence: request.sequence,
    status: request.status,
    target: request.target,
    position: session.position,
    frontier: session.frontier,
    place: session.place,
    lr: session.lr,
    loss,
    accuracy,
    evaluation: session.evaluation,
    layers,
    nonFinite: request.nonFinite,
    truncatedTo: request.truncatedTo,
    stepsPerSecond: request.stepsPerSecond,
  };
  // At full speed what does not fit waits for the next; the readings of many layers leave room for half as much again.
  const own = sizeOf(figures);
  const room = request.all ? Infinity : Math.max(MOST_BYTES - FOR_NAMES - own, own / 2);
  const { answers, size, partial } = answerViews(session, request, room - FOR_HISTORY);
  session.pending.coarsen(DENSE, session.frontier);
  const history = session.pending.take((series) => sizeOf(series), Math.max(FOR_HISTORY, room - size));
  return { ...figures, answers, history, partial: partial || session.pending.size > 0 };
}

/** Of each view all answers or none, as many as fit, and one at least. */
function answerViews(session: TrainingSession, { views, all }: FrameRequest, room: number): { answers: readonly Answered[]; size: number; partial: boolean } {
  const answers: Answered[] = [];
  let [size, count] = [0, 0];
  for (const view of views.next(all)) {
    const own = view.map((question) => answerTo(session, question));
    const more = sizeOf(own);
    if (count > 0 && size + more > room) break;
    answers.push(...own);
    size += more;
    count++;
  }
  return { answers, size, partial: views.answered(count) };
}

/** Adds the readings of a step that gets no frame to the history. */
export function sampleReadings(session: TrainingSession, probes: ReadonlySet<ProbeId>): void {
  const { network, pass, progress, updateRatios } = session;
  logReadings(session, readLayers(network, pass, progress, probes, updateRatios), session.accuracy);
}

/** Adds this frame's readings to the history, at the step they belong to. */
function logReadings(session: TrainingSession, layers: readonly LayerReading[], accuracy: number | null): void {
  const { pending, shownStep: step } = session;
  const gradient = (of: string | number, norm: string, reading: GradientReading | null): void => {
    if (!reading) return;
    pending.add(norm, step, reading.norm);
    pending.add(seriesName.gradientMean(of), step, reading.mean);
    pending.add(seriesName.gradientStd(of), step, reading.std);
  };
  if (accuracy !== null) pending.add(seriesName.batchAccuracy, step, accuracy);
  layers.forEach(({ activation, outputGradient, parameters }, layer) => {
    if (activation) {
      pending.add(seriesName.activationMean(layer), step, activation.mean);
      pending.add(seriesName.activationStd(layer), step, activation.std);
      if (activation.idle !== null) pending.add(seriesName.idle(layer), step, activation.idle);
    }
    gradient(layer, seriesName.outputGradient(layer), outputGradient);
    for (const { name, gradient: own, updateRatio } of parameters) {
      gradient(name, seriesName.parameterGradient(name), own);
      if (updateRatio !== null) pending.add(seriesName.updateRatio(name), step, updateRatio);
    }
  });
  const ratio = firstToLast(layers);
  if (ratio !== null) pending.add(seriesName.firstToLast, step, ratio);
  if (session.position.phase === 0 && layers.some(({ parameters }) => parameters.some(({ gradient: own }) => own))) session.ridges.add(step, session.network.parameters);
}

/** Of the first parameters of the first and the last layer that have any; null where that is one layer, or not known. */
function firstToLast(layers: readonly LayerReading[]): number | null {
  const own = layers.flatMap(({ parameters }) => parameters.slice(0, 1));
  const [first, last] = [own[0]?.gradient, own[own.length - 1]?.gradient];
  return own.length > 1 && first && last && last.meanAbsolute > 0 ? first.meanAbsolute / last.meanAbsolute : null;
}
