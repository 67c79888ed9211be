// The gradient check of a network with a custom layer from a template.
import { createCustomLayer } from '../../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { Random } from '../../../src/engine/random';
import { GradientCheck } from '../../../src/gradcheck';
import { loadRun } from '../../../src/model-spec';
import type { CheckReport } from '../../../src/protocol/check-report';
import { TrainingSession } from '../../../src/session/session';
import { noFiles } from '../../support/data-files';
import { type Disguise, disguise, type Template } from './layer-templates';

export interface TemplateOutcome {
  readonly report: CheckReport;
  /** Whether the check fails and names the layer. */
  readonly isCaught: boolean;
  /** Whether layer, tensor and cause named first are those that were planted. */
  readonly isNamed: boolean;
}

const unwatched = { enter: () => undefined, leave: () => undefined };

export function checkTemplate(
  template: Template,
  mistake: string | null,
  seed: number,
  options: Disguise,
): TemplateOutcome {
  const random = new Random(seed, `${template.name} ${mistake ?? ''}`);
  const input = template.input(random);
  const { layer, nameOf } = disguise(template.make(random, input, mistake), options, random);
  const isImage = input.length > 1;
  const features = input[0];
  const custom = { type: 'custom', name: 'mine', module: './mine.layer.ts' };
  const text = JSON.stringify({
    seed,
    data: isImage
      ? { type: 'images', size: input[1], channels: 1, classes: 3, samples: 40 }
      : { type: 'blobs', features: 5, centers: 3, samples: 60 },
    layers: isImage
      ? [
          { type: 'conv2d', out_channels: input[0], kernel_size: 3, padding: 1 },
          custom,
          'flatten',
          'tanh',
          { type: 'linear', out_features: 3 },
        ]
      : [{ type: 'linear', out_features: features }, custom, 'tanh', { type: 'linear', out_features: 3 }],
    loss: 'cross_entropy',
    batch_size: 5 + (seed % 3),
  });
  const definition = createCustomLayer(
    { name: 'mine', index: 1 },
    { defaultExport: layer, locate: () => ({ file: '/mine.layer.ts', line: null, column: null }) },
    unwatched,
  ) as LayerDefinition;
  const { run, problems } = loadRun(text, noFiles, { customLayers: { getDefinition: () => definition } });
  if (!run) throw new Error(JSON.stringify(problems));
  const session = new TrainingSession(run, text);
  const check = new GradientCheck({
    network: session.network,
    pass: session.passToCheck(),
    step: 0,
    options: run.gradientCheck,
  });
  while (check.advance(100));
  const report = check.report();
  const { diagnosis } = report;
  const expected = mistake === null ? null : template.mistakes[mistake];
  const isCaught = !report.passed && diagnosis?.layer === 'mine';
  return {
    report,
    isCaught,
    isNamed:
      isCaught &&
      expected !== null &&
      expected.causes.includes(diagnosis.cause) &&
      expected.tensors.some((tensor) => nameOf(tensor) === diagnosis.tensor),
  };
}
