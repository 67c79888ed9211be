// Tries a custom loss on a few made-up samples: whether it is the mean or the sum of the losses of single samples, as
// it declares, and whether right predictions have a lower loss than wrong ones.
import { CustomLayerError, formatLocation } from '../engine/custom/custom-layer-error';
import type { Tensor } from '../engine/kernels/tensor';
import type { OperationGraph } from '../engine/layers/layer';
import type { CustomLossContext } from '../engine/losses/loss';
import { Random } from '../engine/random';
import type { Resolved, SpecRule } from '../model-spec';
import type { Problem } from '../protocol/problem';
import { formatRounded } from './format';
import { lossWarning } from './warnings';

/** Two losses are equal if they differ by less than this share. */
const TOLERANCE = 1e-5;

/** Shares of a prediction that are right, ever less. */
const WRONG_SHARES = [0.75, 0.5, 0.25, 0];
/** Of made-up probabilities, which stay away from 0 and 1. */
const SURE = 0.9;

/** Made-up outputs and targets. */
interface Samples {
  readonly outputs: Float64Array;
  readonly targets: Float64Array;
}

export const customLoss: SpecRule = {
  id: 'custom-loss',
  codes: ['loss-reduction', 'loss-mixes-samples', 'loss-ignores-target', 'loss-rewards-errors'],
  summary:
    'A custom loss is not the mean or sum of the losses of single samples that it declares to be, or is no lower for right predictions.',
  check(resolved) {
    if (!resolved.model.loss.definition.sourceLocations) return [];
    try {
      return new LossTrial(resolved).problems();
    } catch (error) {
      // The run reports it, with numbers that are not made up.
      if (error instanceof CustomLayerError) return [];
      throw error;
    }
  },
};

class LossTrial {
  readonly #resolved: Resolved;
  readonly #width: number;
  readonly #count: number;
  readonly #definition: Resolved['model']['loss']['definition'];

  constructor(resolved: Resolved) {
    this.#resolved = resolved;
    const { definition } = resolved.model.loss;
    this.#definition = definition;
    this.#width = resolved.targetWidth;
    // No other size, so that the axis of the samples is known by its length.
    this.#count = this.#width === 5 ? 7 : 5;
  }

  problems(): readonly Problem[] {
    const samples = this.#makeSamples();
    const loss = this.#loss(samples);
    const single = Array.from({ length: this.#count }, (_, i) => this.#loss(this.#rows(samples, i, i + 1)));
    const sum = single.reduce((a, b) => a + b, 0);
    const mean = sum / this.#count;
    // A loss that draws random numbers or keeps state is the business of the gradient check.
    if (![loss, sum].every(Number.isFinite) || !Object.is(this.#loss(samples), loss)) return [];
    const isClose = (value: number): boolean =>
      Math.abs(loss - value) <= TOLERANCE * Math.max(Math.abs(value), Math.abs(loss), ...single.map(Math.abs));
    const { kind, reduction = 'mean' } = this.#definition;
    if (isClose(reduction === 'mean' ? mean : sum)) return this.#directionProblems(samples);
    if (isClose(reduction === 'mean' ? sum : mean))
      return [
        lossWarning(
          this.#resolved,
          'loss-reduction',
          reduction === 'mean'
            ? `${kind} returns the sum over the samples of a batch, but the mean is expected: the losses of whole splits come out too large, and the gradient grows with the batch.`
            : `${kind} declares reduction: "sum", but returns the mean over the samples of a batch: the losses of whole splits come out too small.`,
          reduction === 'mean'
            ? 'Divide by the number of samples, outputs.shape[0], in forward and in backward, or declare reduction: "sum".'
            : 'Return the sum, or remove the declaration.',
        ),
      ];
    return [this.#mixingProblem(samples, loss, reduction === 'mean' ? mean : sum)];
  }

  /** Whether the loss depends on the targets, and falls towards them. */
  #directionProblems({ targets }: Samples): Problem[] {
    const { kind } = this.#definition;
    const right = this.#predict(targets, 1);
    const own = this.#singleLosses({ outputs: right, targets });
    const ofOthers = this.#singleLosses({ outputs: right, targets: this.#shift(targets) });
    if (![...own, ...ofOthers].every(Number.isFinite)) return [];
    if (own.every((value, i) => Object.is(value, ofOthers[i])))
      return [
        lossWarning(
          this.#resolved,
          'loss-ignores-target',
          `${kind} does not depend on the targets: with the targets of other samples it is the same, ${formatRounded(own[0]!, 4)} for the first one.`,
          'Compare outputs with targets.',
        ),
      ];
    const isOther = own.map((_, i) =>
      this.#rows({ outputs: right, targets }, i, i + 1).targets.some(
        (value, j) => value !== targets[((i + 1) % this.#count) * this.#width + j],
      ),
    );
    // The further off, the better: at no distance is a right prediction as good.
    const wrong = WRONG_SHARES.map((share) => this.#singleLosses({ outputs: this.#predict(targets, share), targets }));
    const isReward = [own, ...wrong].every(
      (losses, i, all) => i === 0 || losses.every((value, sample) => !isOther[sample] || value < all[i - 1]![sample]!),
    );
    if (!isReward) return [];
    return [
      lossWarning(
        this.#resolved,
        'loss-rewards-errors',
        `${kind} falls as predictions get worse: it is ${formatRounded(own[0]!, 4)} for a right one and ${formatRounded(wrong.at(-1)![0]!, 4)} for a wrong one. Minimizing it drives the network away from the targets.`,
        'Change its sign.',
      ),
    ];
  }

  #singleLosses(samples: Samples): number[] {
    return Array.from({ length: this.#count }, (_, i) => this.#loss(this.#rows(samples, i, i + 1)));
  }

  /** The targets of the samples after. */
  #shift(targets: Float64Array): Float64Array {
    const width = this.#width;
    return targets.map((_, i) => targets[(i + width) % targets.length]!);
  }

  /** Valid outputs. @param share of what is right; the rest goes to other samples' targets, or away from values */
  #predict(targets: Float64Array, share: number): Float64Array {
    const others = this.#shift(targets);
    const isClass = this.#resolved.encoding !== 'values';
    return targets.map((value, i) =>
      isClass
        ? SURE * (share * value + (1 - share) * others[i]!) + (1 - SURE) / 2
        : value + (1 - share) * (i % 2 ? -1 : 1),
    );
  }

  #mixingProblem(samples: Samples, loss: number, expected: number): Problem {
    const { kind, reduction = 'mean' } = this.#definition;
    const found = this.#findMixingOperation(samples);
    const what = `For ${this.#count} samples it is ${formatRounded(loss, 4)}, but the ${reduction} of their own losses is ${formatRounded(expected, 4)}`;
    const silence = 'If it is intended, silence this rule.';
    if (!found)
      return lossWarning(
        this.#resolved,
        'loss-mixes-samples',
        `${kind} is not the ${reduction} of the losses of single samples. ${what}, so the losses of whole splits depend on how samples are grouped.`,
        `Compute a loss for each sample first, and return ${reduction === 'mean' ? 'ops.mean' : 'ops.sum'} of these. ${silence}`,
      );
    const { node, location, isBroadcast } = found;
    const where = `${node.operation}${location ? ` (${formatLocation(location)})` : ''}`;
    const problem = lossWarning(
      this.#resolved,
      'loss-mixes-samples',
      isBroadcast
        ? `${kind} compares each sample with every other one: ${where} broadcasts ${node.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')} to [${node.output.shape.join(', ')}] for ${this.#count} samples. ${what}.`
        : `${kind} mixes samples: the result of ${where} for one sample depends on the others. ${what}.`,
      isBroadcast
        ? `Give both operands the same shape, [batch, outputs]. ${silence}`
        : `Use the axis of the outputs, not axis 0, which is the batch. ${silence}`,
    );
    return location ? { ...problem, place: location } : problem;
  }

  /** The first operation whose result for one sample changes with another sample. */
  #findMixingOperation(samples: Samples) {
    const graph = this.#graph(samples);
    const changed = this.#graph(this.#withOtherFirstSample(samples));
    if (!graph || graph.nodes.length !== changed?.nodes.length) return null;
    for (const [i, node] of graph.nodes.entries()) {
      const { shape, data } = node.output;
      if (shape[0] !== this.#count) continue;
      const other = changed.nodes[i]!.output.data;
      const row = data.length / this.#count;
      // The first sample may also come in along another axis, by broadcasting.
      if (!data.some((value, at) => at >= row && !Object.is(value, other[at]))) continue;
      const isBroadcast = node.inputs.length === 2 && node.inputs.every((input) => input.data.length < data.length);
      return { node, location: graph.locate(node), isBroadcast };
    }
    return null;
  }

  #withOtherFirstSample({ outputs, targets }: Samples): Samples {
    const width = this.#width;
    // The target of the second sample is a valid one, and another.
    return {
      outputs: outputs.map((value, i) => (i < width ? 0.9 * value : value)),
      targets: targets.map((value, i) => (i < width ? targets[width + i]! : value)),
    };
  }

  /** Outputs that are valid as values, logits, and probabilities that sum to 1. */
  #makeSamples(): Samples {
    const random = new Random(0, 'trial of a custom loss');
    const [count, width] = [this.#count, this.#width];
    const { encoding } = this.#resolved;
    const outputs = Float64Array.from({ length: count * width }, () => random.uniform(0.2, 0.8));
    if (width > 1)
      for (let row = 0; row < count; row++) {
        const own = outputs.subarray(row * width, (row + 1) * width);
        const sum = own.reduce((a, b) => a + b, 0);
        for (let i = 0; i < width; i++) own[i]! /= sum;
      }
    const targets = Float64Array.from({ length: count * width }, (_, i) => {
      const row = Math.floor(i / width);
      if (encoding === 'one_hot') return i % width === row % width ? 1 : 0;
      return encoding === 'column' ? row % 2 : random.uniform(0.2, 0.8);
    });
    return { outputs, targets };
  }

  #rows({ outputs, targets }: Samples, from: number, to: number): Samples {
    const width = this.#width;
    return {
      outputs: outputs.subarray(from * width, to * width),
      targets: targets.subarray(from * width, to * width),
    };
  }

  #context({ outputs, targets }: Samples): CustomLossContext<unknown> {
    const tensor = (data: Float64Array): Tensor => ({ shape: [data.length / this.#width, this.#width], data });
    const { options } = this.#resolved.model.loss;
    return { options, prediction: tensor(outputs), target: tensor(targets) };
  }

  #loss(samples: Samples): number {
    return this.#definition.customValue?.(this.#context(samples)) ?? NaN;
  }

  #graph(samples: Samples): OperationGraph | null {
    return this.#definition.operationGraph?.(this.#context(samples)) ?? null;
  }
}
