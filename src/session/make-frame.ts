// Makes the frame of a session's current position, and hands over what the history gained.
import { seriesName } from '../history/history';
import type { Frame, LayerReading, NonFinite, ProbeId, RunStatus } from './frame';
import { answerTo, type Question } from './questions';
import { readLayers } from './readings';
import type { TrainingSession } from './session';

export interface FrameRequest {
  readonly sequence: number;
  readonly status: RunStatus;
  readonly target: number | null;
  readonly probes: ReadonlySet<ProbeId>;
  readonly questions: readonly Question[];
  readonly nonFinite: NonFinite | null;
  readonly truncatedTo: number | null;
  readonly stepsPerSecond: number | null;
}

export function makeFrame(session: TrainingSession, request: FrameRequest): Frame {
  const { network, pass, progress } = session;
  const layers = readLayers(network, pass, progress, request.probes, session.updateRatios);
  const { accuracy, loss } = session;
  logReadings(session, layers, accuracy);
  const history = session.pending.data();
  session.pending.clear();
  return {
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
    answers: request.questions.map((question) => answerTo(session, question)),
    nonFinite: request.nonFinite,
    history,
    truncatedTo: request.truncatedTo,
    stepsPerSecond: request.stepsPerSecond,
  };
}

/** Adds the readings of a step that gets no frame to the history. */
export function sampleReadings(session: TrainingSession, probes: ReadonlySet<ProbeId>): void {
  const { network, pass, progress, updateRatios } = session;
  logReadings(session, readLayers(network, pass, progress, probes, updateRatios), session.accuracy);
}

/** Adds this frame's readings to the history, at the step they belong to. */
function logReadings({ pending, shownStep: step }: TrainingSession, layers: readonly LayerReading[], accuracy: number | null): void {
  if (accuracy !== null) pending.add(seriesName.batchAccuracy, step, accuracy);
  layers.forEach(({ activation, outputGradient, parameters }, layer) => {
    if (activation) {
      pending.add(seriesName.activationMean(layer), step, activation.mean);
      pending.add(seriesName.activationStd(layer), step, activation.std);
      if (activation.idle !== null) pending.add(seriesName.idle(layer), step, activation.idle);
    }
    if (outputGradient) pending.add(seriesName.outputGradient(layer), step, outputGradient.norm);
    for (const { name, gradient, updateRatio } of parameters) {
      if (gradient) pending.add(seriesName.parameterGradient(name), step, gradient.norm);
      if (updateRatio !== null) pending.add(seriesName.updateRatio(name), step, updateRatio);
    }
  });
}
