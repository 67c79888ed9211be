// Runs adversarial layers in the real engine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdversarialLayer } from '../support/adversarial-layers';
import { TestEngine } from './built-engine';

const SPEC = JSON.stringify({
  data: 'circles',
  seed: 3,
  layers: [
    { type: 'linear', out_features: 4 },
    { type: 'custom', module: './own.layer.mjs' },
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
});
const STEP = 40;
const WELL_BEHAVED = 'export default { forward: ({ x, ops }) => ops.tanh(x) };';
/** Characters of output that may reach the host: one budget for each second that a run takes, generously. */
const MAX_OUTPUT_CHARS = 2 ** 20;

export interface AdversaryOutcome {
  /** The kind of report, as in AdversarialLayer.expected. */
  readonly reported: AdversarialLayer['expected'];
  readonly message: string;
  /** The layer that was blamed. */
  readonly layer: string | null;
  /** Milliseconds from the start of training to the report. */
  readonly milliseconds: number;
  /** Loss at the step that the run reached, with well-behaved code after a report. */
  readonly loss: number | null;
  readonly outputChars: number;
  readonly forgedReports: number;
}

/** Trains to a step with this layer; if it is stopped, with a well-behaved one from there. */
export async function attack(
  engineFile: string,
  { source }: AdversarialLayer,
  now = () => 0,
): Promise<AdversaryOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nablascope-adversary-'));
  const file = join(folder, 'own.layer.mjs');
  const request = { text: SPEC, folder, root: folder, allowCustomLayers: true };
  writeFileSync(file, source);
  let engine = new TestEngine(engineFile);
  const isStopped = (): boolean => engine.faults.length > 0 || engine.exits.length > 0;
  const hasArrived = (): boolean => engine.last?.position.step === STEP && engine.last.target === null;
  try {
    const before = now();
    const opened = await engine.client.calls.open(request);
    if (!opened.ok) {
      const [problem] = opened.problems;
      return {
        reported: 'problem',
        message: problem?.message ?? '',
        layer: 'own1',
        milliseconds: now() - before,
        loss: null,
        outputChars: engine.outputChars,
        forgedReports: engine.reports.length,
      };
    }
    const started = now();
    engine.client.calls.command({ type: 'runToStep', step: STEP }).catch(() => undefined);
    await engine.until(() => isStopped() || hasArrived());
    // What a callback does comes after the step.
    if (!isStopped()) await engine.client.calls.captureRecord().catch(() => undefined);
    const milliseconds = now() - started;
    const { faults, exits, exitFault, records, reports } = engine;
    const fault = faults[0] ?? exitFault;
    const { outputChars } = engine;
    const reported = fault ? (fault.call as AdversarialLayer['expected']) : exits.length > 0 ? 'exit' : null;
    if (isStopped()) {
      writeFileSync(file, WELL_BEHAVED);
      if (exits.length > 0) {
        const record = records[records.length - 1];
        engine = new TestEngine(engineFile);
        const reopened = await engine.client.calls.open({ ...request, record });
        if (!reopened.ok) throw new Error(JSON.stringify(reopened.problems));
      } else {
        const reloaded = await engine.client.calls.reload();
        if (!reloaded.ok) throw new Error(JSON.stringify(reloaded.problems));
      }
      await engine.client.calls.command({ type: 'runToStep', step: STEP });
      await engine.until(hasArrived);
    }
    return {
      reported,
      message: fault?.message ?? exits[0] ?? '',
      layer: fault?.layer ?? null,
      milliseconds,
      loss: engine.last?.loss ?? null,
      outputChars,
      forgedReports: reports.length,
    };
  } finally {
    await engine.client.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is wrong with an outcome; null if nothing. @param loss of the same steps with a well-behaved layer */
export function judge(kind: AdversarialLayer, outcome: AdversaryOutcome, loss: number): string | null {
  const { reported, message, layer, forgedReports, outputChars } = outcome;
  if (reported !== kind.expected && (kind.or === undefined || reported !== kind.or))
    return `reported ${reported} instead of ${kind.expected}: ${message}`;
  if (kind.message && reported === kind.expected && !kind.message.test(message)) return `the message is: ${message}`;
  if (reported !== null && reported !== 'exit' && layer !== 'own1') return `blames ${layer}`;
  if (reported !== null && message.length > 2000) return `the message has ${message.length} characters`;
  if (reported === 'exit' && !/custom layers/.test(message)) return `does not mention custom layers: ${message}`;
  if (forgedReports > 0) return 'a forged report arrived';
  if (outputChars > MAX_OUTPUT_CHARS) return `${outputChars} characters of output arrived`;
  if (reported !== 'problem' && outcome.loss !== loss) return `the loss is ${outcome.loss} instead of ${loss}`;
  return null;
}

/** The loss of a layer that does nothing wrong. */
export const referenceLoss = async (engineFile: string): Promise<number> =>
  (await attack(engineFile, { name: 'none', source: WELL_BEHAVED, expected: null })).loss!;
