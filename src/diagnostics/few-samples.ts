// Too few training samples for the network, where the spec leaves others unused.
import { ownParameters } from '../engine/network-model';
import { numel } from '../engine/kernels/tensor';
import type { CompiledRun, Resolved, Spec, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { valueAt } from './quick-fixes';
import { warningAt } from './warnings';

/** A generated dataset can have as many samples as one asks for. */
const MORE_SAMPLES = 8;
const USUAL_HOLDOUT = 0.2;
/** More than this is held out for another reason than to measure. */
const LARGE_HOLDOUT = 0.4;

/** What gives the network more training samples: all of the file, a smaller part held out, more of a generator. */
export function moreSamples(spec: Spec): QuickFix[] {
  const options = (valueAt(spec.source.value, ['data']) ?? {}) as Readonly<Record<string, unknown>>;
  const { validation, test } = spec.data.split;
  return [
    ...(typeof options.limit === 'number'
      ? [{ title: 'Use all samples', changes: [{ path: ['data', 'limit'] }] }]
      : []),
    ...(validation + test > LARGE_HOLDOUT && spec.source.has(['data', 'split'])
      ? [
          {
            title: 'Hold fewer samples out',
            changes: [{ path: ['data', 'split'], value: { validation: USUAL_HOLDOUT, test: 0 } }],
          },
        ]
      : []),
    ...(Number(options.samples) > 0
      ? [
          {
            title: `Use ${MORE_SAMPLES * Number(options.samples)} samples`,
            changes: [{ path: ['data', 'samples'], value: MORE_SAMPLES * Number(options.samples) }],
          },
        ]
      : []),
  ];
}

const parameterCount = ({ model }: Resolved): number =>
  model.layers.reduce(
    (sum, layer) => sum + ownParameters(layer).reduce((total, { shape }) => total + numel(shape), 0),
    0,
  );

/** Of a file with more, and of a generated dataset, which is often small on purpose. */
const [MAX_OF_FILE, MAX_GENERATED] = [60, 30];
/** So few of a table in a file are hardly meant. */
const FEW_OF_TABLE = 30;
/** Of parameters, beside those for so few. */
const MORE_IF_USUAL = 2.5;

export const fewSamples: SpecRule = {
  id: 'few-samples',
  summary: 'There are far fewer training samples than parameters, although the spec leaves samples unused.',
  threshold: {
    value: 20,
    quantity: 'parameters for each trained target',
    source: 'Zhang et al., "Understanding deep learning requires rethinking generalization", 2017: it fits any labels',
  },
  checkData(resolved, run: CompiledRun, threshold) {
    const { spec } = resolved;
    const { train, validation, test } = run.split;
    const [fix] = moreSamples(spec);
    const targets = train.length * run.dataset.targetSize;
    const isGenerated = fix?.changes[0]?.path.at(-1) === 'samples';
    // Generated data is often small on purpose, and the weights of a convolution see each sample many times.
    const isUsual = isGenerated || run.dataset.inputShape.length > 1 || train.length > FEW_OF_TABLE;
    const least = threshold * targets * (isUsual ? MORE_IF_USUAL : 1);
    if (!fix || train.length > (isGenerated ? MAX_GENERATED : MAX_OF_FILE) || parameterCount(resolved) < least)
      return [];
    const heldOut = validation.length + test.length;
    const key = fix.changes[0]!.path;
    return [
      warningAt(
        resolved,
        spec.source.has(key) ? key : ['data'],
        'few-samples',
        `The network has ${parameterCount(resolved)} parameters and only ${train.length} training samples${heldOut > train.length ? `; ${heldOut} are held out` : ''}: it can learn them by heart without finding what they have in common.`,
        `${fix.title}, or use a smaller network.`,
        fix,
      ),
    ];
  },
};
