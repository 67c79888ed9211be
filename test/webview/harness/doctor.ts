// The diagnosis of a small network with a learning rate that is far too low, as the panel gets it.
import { specRules } from '../../../src/diagnostics';
import { diagnose } from '../../../src/doctor';
import { loadRun } from '../../../src/model-spec';
import type { DoctorReport } from '../../../src/protocol/doctor-report';
import type { PanelDoctor } from '../../../src/protocol/panel';
import { noFiles } from '../../support/data-files';

const lowRate = JSON.stringify({
  data: { type: 'circles', samples: 80 },
  layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 1e-6 },
  batch_size: 16,
  epochs: 10,
});

export async function diagnoseLowRate(): Promise<DoctorReport> {
  const load = (text: string) => loadRun(text, noFiles, { rules: specRules });
  const { run, spec, problems } = load(lowRate);
  if (!run || !spec) throw new Error(problems.map(({ message }) => message).join(' '));
  return diagnose(lowRate, { run, spec, problems }, (text) => Promise.resolve(load(text)), {
    isCancelled: () => false,
    yieldToEventLoop: () => Promise.resolve(),
    now: () => performance.now(),
    onProgress: () => undefined,
  });
}

export const doneWith = (report: DoctorReport, isOutdated = false): PanelDoctor => ({
  kind: 'done',
  report,
  lines: report.findings.map(({ range }) => (range ? 1 : null)),
  isOutdated,
});
