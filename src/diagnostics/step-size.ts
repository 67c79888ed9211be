// Rates, momentum, weight decay and clipping that make steps uselessly small or large.
import { pluralize } from '../engine/format-count';
import { learningRate } from '../engine/schedules/learning-rate';
import { structureOf } from '../engine/network-model';
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { Problem, QuickFix } from '../protocol/problem';
import { formatRounded } from './format';
import { resetOption, setLearningRate, setOption, standardizeInputs } from './quick-fixes';
import { sampleTrainingSplit } from './training-sample';
import { hasHiddenLayer, warningAt } from './warnings';

/** The optimizer options that the rules below read; undefined if the optimizer lacks them. */
interface StepOptions {
  readonly lr: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weight_decay?: number;
  readonly eps?: number;
  readonly lr_decay?: number;
  readonly betas?: readonly [number, number];
}

const stepOptions = ({ spec }: Resolved): StepOptions => spec.optimizer.options as StepOptions;

const setMomentum = ({ spec }: Resolved, momentum: number): QuickFix => ({
  title: `Set momentum to ${momentum}`,
  changes: [setOption(spec, ['optimizer'], spec.optimizer.type, 'momentum', momentum)],
});

/**
 * Weights settle where the loss's gradient equals the decay: above the threshold they hardly leave 0. Usual values are
 * 1e-4 to 1e-2: Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 7.1.
 */
export const strongWeightDecay: SpecRule = {
  id: 'strong-weight-decay',
  summary: 'The weight decay or the penalty outweighs most losses.',
  threshold: {
    value: 0.1,
    quantity: 'weight_decay, l1 or l2; times 10 · lr for adamw',
    source: 'Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 7.1: usual values are 1e-4 to 1e-2',
  },
  check(resolved, threshold) {
    const { weight_decay = 0, lr } = stepOptions(resolved);
    const decoupled = resolved.spec.optimizer.type === 'adamw';
    const { l1, l2 } = resolved.spec.penalty;
    const found = (section: 'optimizer' | 'penalty', name: string, value: number): Problem =>
      warningAt(
        resolved,
        [section, name],
        'strong-weight-decay',
        `${name} ${value} pulls every weight to 0 harder than most losses pull it away: the output stays almost constant.`,
        `Lower "${name}" to 0.0001 … 0.01.`,
        { title: `Set ${name} to 0.0001`, changes: [{ path: [section, name], value: 0.0001 }] },
      );
    return [
      ...((decoupled ? 10 * lr * weight_decay >= threshold : weight_decay >= threshold)
        ? [found('optimizer', 'weight_decay', weight_decay)]
        : []),
      ...(l2 >= threshold ? [found('penalty', 'l2', l2)] : []),
      ...(l1 >= threshold ? [found('penalty', 'l1', l1)] : []),
    ];
  },
};

const USUAL_MOMENTUM = 0.9;
const USUAL_EFFECTIVE_RATE = 20;

/**
 * With momentum μ, a steady gradient adds up to 1 / (1 - μ) times one step. Source: Goh, "Why momentum really works",
 * Distill, 2017.
 */
export const largeEffectiveRate: SpecRule = {
  id: 'large-effective-rate',
  summary: 'The learning rate, momentum included, is too large for most networks.',
  threshold: {
    value: USUAL_EFFECTIVE_RATE,
    quantity: 'lr / (1 - momentum) of sgd, times the factor of the loss',
    source: 'Goh, "Why momentum really works", Distill, 2017, for losses that are means and inputs near 1',
  },
  check(resolved, threshold) {
    const { type } = resolved.spec.optimizer;
    const { lr, momentum = 0 } = stepOptions(resolved);
    if (type !== 'sgd' && momentum > 0) return adaptiveMomentum(resolved, threshold);
    // A factor of the loss is one of the rate.
    const { definition, options } = resolved.model.loss;
    const scale = definition.scaledBy?.(options);
    const effective = (lr / (1 - momentum)) * Math.max(1, (scale?.value ?? 0) / 2);
    if (type !== 'sgd' || resolved.spec.clip.norm !== undefined || resolved.spec.clip.value !== undefined) return [];
    if (momentum >= 1)
      return [
        warningAt(
          resolved,
          ['optimizer', 'momentum'],
          'large-effective-rate',
          `momentum ${momentum} never forgets an update: the steps grow without end.`,
          'Use "momentum": 0.9.',
          setMomentum(resolved, USUAL_MOMENTUM),
        ),
      ];
    if (effective <= threshold || (momentum === 0 && !hasHiddenLayer(resolved))) return [];
    if (scale && lr / (1 - momentum) <= threshold)
      return [
        warningAt(
          resolved,
          ['loss', scale.option],
          'large-effective-rate',
          `The ${scale.option} of ${definition.kind} makes its gradients ${formatRounded(scale.value / 2, 3)} times as large, so lr ${lr} acts like ${formatRounded(effective, 3)}: steps overshoot, or the loss diverges.`,
          `Leave "${scale.option}" at its default, or lower "lr" by as much.`,
          resetOption(`Use the default ${scale.option}`, ['loss', scale.option]),
        ),
      ];
    const suggested = formatRounded(lr * Math.min(0.1, 1 - momentum), 2);
    return [
      momentum >= 0.5
        ? warningAt(
            resolved,
            ['optimizer', 'momentum'],
            'large-effective-rate',
            `momentum ${momentum} makes steady steps ${formatRounded(1 / (1 - momentum), 3)} times as large, so lr ${lr} acts like ${formatRounded(effective, 3)}. The loss oscillates or diverges.`,
            `Lower "lr" to ${suggested}, or "momentum" to 0.9 or less.`,
            lr / (1 - USUAL_MOMENTUM) <= threshold
              ? setMomentum(resolved, USUAL_MOMENTUM)
              : setLearningRate(resolved.spec, Number(suggested)),
          )
        : warningAt(
            resolved,
            ['optimizer', 'lr'],
            'large-effective-rate',
            `lr ${lr} is too large for most networks: steps overshoot, units die or saturate, or the loss diverges.`,
            `Lower "lr" to ${suggested}.`,
            setLearningRate(resolved.spec, Number(suggested)),
          ),
    ];
  },
};

/** Steps of an adaptive optimizer are about lr, and momentum adds them up. */
const MAX_ADAPTIVE_STEP = 0.2;

function adaptiveMomentum(resolved: Resolved, threshold: number): Problem[] {
  const { lr, momentum = 0 } = stepOptions(resolved);
  const effective = lr / (1 - momentum);
  if (momentum < 1 && effective <= MAX_ADAPTIVE_STEP * (threshold / USUAL_EFFECTIVE_RATE)) return [];
  return [
    warningAt(
      resolved,
      ['optimizer', 'momentum'],
      'large-effective-rate',
      momentum >= 1
        ? `momentum ${momentum} never forgets an update: the steps grow without end.`
        : `momentum ${momentum} makes steady steps ${formatRounded(1 / (1 - momentum), 3)} times as large, so ${resolved.spec.optimizer.type} moves weights by up to ${formatRounded(effective, 2)} a step. The loss oscillates or diverges.`,
      'Lower "momentum" to 0.9 or less, or leave it out.',
      { title: 'Remove momentum', changes: [{ path: ['optimizer', 'momentum'] }] },
    ),
  ];
}

/** Kingma, Ba, "Adam", 2015, section 2: 0.9 of the gradient, 0.999 of its square. */
export const unusualBetas: SpecRule = {
  id: 'unusual-betas',
  summary: 'The decay rates of adam are in the wrong order, or it forgets past gradients too slowly.',
  threshold: {
    value: 0.99,
    quantity: 'decay rate of the mean gradient',
    source: 'Kingma, Ba, "Adam", 2015: 0.9 and 0.999; it converges only if β1² < √β2',
  },
  check(resolved, threshold) {
    const { betas } = stepOptions(resolved);
    if (!betas || (betas[0] <= threshold && betas[0] <= betas[1])) return [];
    const areSwapped = betas[0] > betas[1];
    return [
      warningAt(
        resolved,
        ['optimizer', 'betas'],
        'unusual-betas',
        areSwapped
          ? `betas [${betas.join(', ')}] look swapped: ${resolved.spec.optimizer.type} averages the gradient over about ${formatRounded(1 / (1 - betas[0]), 2)} steps, and divides it by its size over the last ${formatRounded(1 / (1 - betas[1]), 2)} only.`
          : `With betas [${betas.join(', ')}], ${resolved.spec.optimizer.type} averages gradients over about ${formatRounded(1 / (1 - betas[0]), 2)} steps: it goes on in a direction long after it was right.`,
        'Leave "betas" at [0.9, 0.999].',
        resetOption('Use the default betas', ['optimizer', 'betas']),
      ),
    ];
  },
};

/** A schedule lowers the rate; a factor above 1, or a lowest rate above the first, raises it. */
export const growingRate: SpecRule = {
  id: 'growing-rate',
  summary: 'The schedule raises the learning rate to many times lr.',
  threshold: {
    value: 5,
    quantity: 'largest rate of the run, divided by lr',
    source: 'PyTorch, torch.optim.lr_scheduler: gamma is below 1, and eta_min is the lowest rate',
  },
  checkData(resolved, run, threshold) {
    const { lr } = stepOptions(resolved);
    const { rates } = sumOfRates(run);
    const largest = Math.max(...rates);
    if (lr === 0 || !(largest > threshold * lr)) return [];
    const { gamma, eta_min: lowest } = resolved.spec.schedule.options as {
      readonly gamma?: number;
      readonly eta_min?: number;
    };
    const option = gamma !== undefined ? 'gamma' : 'eta_min';
    return [
      warningAt(
        resolved,
        ['schedule', option],
        'growing-rate',
        `The schedule raises the rate from ${lr} to ${formatRounded(largest, 3)}: ${gamma !== undefined ? `a gamma of ${gamma} is above 1, so it grows instead of falling` : `its lowest rate, eta_min ${lowest ?? ''}, is above lr`}. Steps become too large, and the loss diverges.`,
        gamma !== undefined ? 'Use a "gamma" below 1, such as 0.95.' : 'Use an "eta_min" below lr.',
        gamma !== undefined && gamma > 1
          ? { title: 'Keep the rate constant', changes: [{ path: ['schedule'] }] }
          : { title: 'Remove eta_min', changes: [{ path: ['schedule', 'eta_min'] }] },
      ),
    ];
  },
};

/** Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2: a warm-up of 5 epochs of 90. */
export const longWarmup: SpecRule = {
  id: 'long-warmup',
  summary: 'The warm-up takes most of the run, so the learning rate hardly comes up to lr.',
  threshold: {
    value: 0.5,
    quantity: 'share of the run that the warm-up takes',
    source: 'Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2: 5 epochs of 90',
  },
  checkData(resolved, run, threshold) {
    const { per, warmup } = run.schedule;
    const length = per === 'step' ? run.epochs * Math.ceil(run.split.train.length / run.batchSize) : run.epochs;
    if (warmup === 0 || !(warmup > threshold * length)) return [];
    const suggested = Math.floor(length / 20);
    const unit = per === 'step' ? 'step' : 'epoch';
    const { lr } = stepOptions(resolved);
    const reached = Math.min(lr, (lr * length) / (warmup + 1));
    return [
      warningAt(
        resolved,
        ['schedule', 'warmup'],
        'long-warmup',
        `The warm-up takes ${pluralize(warmup, unit)} of a run of ${length}: the rate ${reached < lr ? `only comes up to ${formatRounded(reached, 2)}, not to lr ${lr}` : `is below lr ${lr} for most of it`}.`,
        `Shorten "warmup", for example to ${pluralize(suggested, unit)}.`,
        {
          title: `Set warmup to ${suggested}`,
          changes: [{ path: ['schedule', 'warmup'], ...(suggested > 0 && { value: suggested }) }],
        },
      ),
    ];
  },
};

const ADAPTIVE: readonly string[] = ['adam', 'adamw', 'rmsprop'];

/** Adam's steps are about lr regardless of the gradient, so a large rate moves weights by more than their size. */
export const largeAdaptiveRate: SpecRule = {
  id: 'large-adaptive-rate',
  summary: 'The learning rate of an adaptive optimizer is as large as the weights.',
  threshold: {
    value: 0.1,
    quantity: 'lr of an adaptive optimizer',
    source: 'Kingma, Ba, "Adam", 2015, section 2.1: the size of a step is bounded by about the rate',
  },
  check(resolved, threshold) {
    const { type } = resolved.spec.optimizer;
    const { lr } = stepOptions(resolved);
    if (!ADAPTIVE.includes(type) || lr <= threshold || !hasHiddenLayer(resolved)) return [];
    return [
      warningAt(
        resolved,
        ['optimizer', 'lr'],
        'large-adaptive-rate',
        `${type} moves every weight by about lr at each step, and ${lr} is as large as the weights themselves.`,
        'Lower "lr" to 0.001, the usual start.',
        setLearningRate(resolved.spec, 0.001),
      ),
    ];
  },
};

/**
 * An adaptive optimizer divides a gradient by its size plus eps: if eps is larger, it divides by eps instead, and steps
 * are lr / eps times the gradient.
 */
export const largeEps: SpecRule = {
  id: 'large-eps',
  summary: 'The eps of an adaptive optimizer is larger than gradients are, so that steps are tiny.',
  threshold: {
    value: 1,
    quantity: 'eps of an adaptive optimizer',
    source:
      'TensorFlow, tf.keras.optimizers.Adam: 1e-7 by default, up to 1 for some networks; gradients are rarely larger',
  },
  check(resolved, threshold) {
    const { lr, eps = 0 } = stepOptions(resolved);
    if (eps <= threshold) return [];
    return [
      warningAt(
        resolved,
        ['optimizer', 'eps'],
        'large-eps',
        `eps ${eps} is larger than gradients are, so ${resolved.spec.optimizer.type} divides by it instead of by their size: steps are at most about ${formatRounded(lr / eps, 2)} times the gradient.`,
        'Leave "eps" at its default, a tiny number that only avoids division by 0.',
        resetOption('Use the default eps', ['optimizer', 'eps']),
      ),
    ];
  },
};

/** Adagrad's own decay, which divides the rate of step t by 1 + (t - 1) lr_decay. */
export const fastRateDecay: SpecRule = {
  id: 'fast-rate-decay',
  summary: 'The decay of the optimizer lowers the learning rate to almost 0 within a few steps.',
  threshold: {
    value: 0.01,
    quantity: 'mean rate of the run without its schedule, divided by lr',
    source: 'PyTorch, torch.optim.Adagrad: no decay by default',
  },
  checkData(resolved, run, threshold) {
    const { lr, lr_decay: decay = 0 } = stepOptions(resolved);
    const steps = run.epochs * Math.ceil(run.split.train.length / run.batchSize);
    // The integral of 1 / (1 + decay t): a little less than the sum.
    const mean = decay > 0 ? (1 + Math.log1p(decay * (steps - 1)) / decay) / steps : 1;
    if (mean >= threshold) return [];
    return [
      warningAt(
        resolved,
        ['optimizer', 'lr_decay'],
        'fast-rate-decay',
        `lr_decay ${decay} divides the rate by ${formatRounded(1 + decay, 3)} in step 2 and by ${formatRounded(1 + decay * (steps - 1), 3)} in the last one, from lr ${lr}: learning stops almost at once.`,
        'Remove "lr_decay": adagrad lowers its steps by itself.',
        resetOption('Remove lr_decay', ['optimizer', 'lr_decay']),
      ),
    ];
  },
};

/** A rate, schedule, loss or clip that keeps every step near 0. */
export const tinySteps: SpecRule = {
  id: 'tiny-steps',
  codes: ['zero-rate', 'tiny-rate', 'tiny-clip', 'tiny-loss'],
  summary: 'The learning rate, its schedule, the scale of the loss or the clip keeps every step near 0.',
  threshold: {
    value: 1e-3,
    quantity: 'sum of the rates of all steps, times the scale of the loss and the clip of sgd',
    source: 'weights of a size near 1 that move by less in a whole run stay as they were drawn',
  },
  checkData(resolved, run, threshold) {
    const { spec } = resolved;
    const { lr, momentum = 0 } = stepOptions(resolved);
    if (lr === 0)
      return [
        warningAt(
          resolved,
          ['optimizer', 'lr'],
          'zero-rate',
          'lr is 0: no step changes a weight.',
          'Set "lr" above 0, such as 0.01.',
          setLearningRate(spec, usualRate(resolved)),
        ),
      ];
    const { sum, steps, rates } = sumOfRates(run);
    const { norm, value } = spec.clip;
    const clip = norm ?? value;
    const { eps } = stepOptions(resolved);
    // Only a gradient that is larger than eps is divided by its size.
    if (clip !== undefined && eps !== undefined && eps > 0 && clip < eps)
      return [
        warningAt(
          resolved,
          ['clip'],
          'tiny-clip',
          `clip holds gradients at ${clip}, below the eps ${eps} of ${spec.optimizer.type}, which then divides by eps instead of by their size: steps are almost 0.`,
          'Raise the clip to about 1, or remove it.',
          {
            title: 'Set the clip to 1',
            changes: [{ path: ['clip', norm === undefined ? 'value' : 'norm'], value: 1 }],
          },
        ),
      ];
    // Half of a run at almost no rate is a run of half that length.
    const end = rates.findLastIndex((rate) => rate > ENDED * lr) + 1;
    if (end < rates.length / 2 && end > 0)
      return [
        warningAt(
          resolved,
          ['schedule'],
          'tiny-rate',
          `The schedule lowers the rate to almost 0 within ${formatRounded((100 * end) / rates.length, 2)} % of the run: after that, nothing is learned.`,
          'Let the schedule fall more slowly.',
          { title: 'Keep the rate constant', changes: [{ path: ['schedule'] }] },
        ),
      ];
    // Adam and similar optimizers divide by the gradient's size, so neither its scale nor clipping bounds their steps.
    const followsGradient = spec.optimizer.type === 'sgd';
    const clipped = clip !== undefined && clip < 1 && followsGradient;
    const { definition, options } = resolved.model.loss;
    const scaledBy = followsGradient ? definition.scaledBy?.(options) : undefined;
    const distance = sum / (1 - Math.min(momentum, 0.999));
    if (scaledBy && distance >= threshold && distance * scaledBy.value < threshold) {
      const path = ['loss', scaledBy.option];
      return [
        warningAt(
          resolved,
          path,
          'tiny-loss',
          `With this ${scaledBy.option}, an error of 1 gives ${definition.kind} a gradient of only ${formatRounded(scaledBy.value, 2)}: the updates of the whole run are too small to learn, although lr is ${lr}.`,
          `Leave "${scaledBy.option}" at its default, or raise "lr" by as much.`,
          resetOption(`Use the default ${scaledBy.option}`, path),
        ),
      ];
    }
    // Steps of adaptive optimizers are at most about lr, and many go back; those of adagrad shrink with time.
    const { lr_decay: decaying } = stepOptions(resolved);
    const slowed = decaying !== undefined ? 2 / Math.sqrt(steps) : 1;
    const travel = distance * (clipped ? clip : 1) * (followsGradient ? 1 : slowed / ADAPTIVE_DETOUR);
    if (travel >= threshold) return [];
    if (clipped && sum >= threshold)
      return [
        warningAt(
          resolved,
          ['clip'],
          'tiny-clip',
          `clip holds every gradient at ${clip}, so the whole run moves the weights by at most ${formatRounded(travel, 2)}.`,
          `Raise the clip to about 1, or remove it.`,
          {
            title: 'Set the clip to 1',
            changes: [{ path: ['clip', norm === undefined ? 'value' : 'norm'], value: 1 }],
          },
        ),
      ];
    const scheduled = sum < (lr * steps) / 100;
    return [
      scheduled
        ? warningAt(
            resolved,
            ['schedule'],
            'tiny-rate',
            `The schedule holds the rate near 0: on average ${formatRounded(sum / steps, 2)}, and lr is ${lr}.`,
            'Let the schedule fall more slowly, or shorten its warm-up.',
            { title: 'Keep the rate constant', changes: [{ path: ['schedule'] }] },
          )
        : warningAt(
            resolved,
            ['optimizer', 'lr'],
            'tiny-rate',
            `lr ${lr} is so small that the weights move by about ${formatRounded(travel, 2)} in ${pluralize(steps, 'step')}: the loss hardly changes.`,
            `Raise "lr", for example to ${usualRate(resolved)}.`,
            setLearningRate(spec, usualRate(resolved)),
          ),
    ];
  },
};

/** The way of a weight under an adaptive optimizer, divided by how far it comes. */
const ADAPTIVE_DETOUR = 5;

/** A rate below this share of lr moves nothing. */
const ENDED = 1e-3;

/** A usual rate of the optimizer. */
const usualRate = ({ spec }: Resolved): number => (ADAPTIVE.includes(spec.optimizer.type) ? 0.01 : 0.1);

/** Steps at which the schedule is evaluated; in between it is interpolated linearly. */
const MAX_RATES = 200;

function sumOfRates(run: CompiledRun): {
  readonly sum: number;
  readonly steps: number;
  /** At evenly spaced steps. */
  readonly rates: readonly number[];
} {
  const batchesPerEpoch = Math.ceil(run.split.train.length / run.batchSize);
  const steps = run.epochs * batchesPerEpoch;
  const points = Math.min(MAX_RATES, steps);
  const rates = Array.from({ length: points }, (_, i) =>
    learningRate(run.schedule, run.optimizer.options.lr, Math.floor((i * steps) / points), {
      epochs: run.epochs,
      batchesPerEpoch,
    }),
  );
  return { sum: (rates.reduce((a, b) => a + b, 0) * steps) / points, steps, rates };
}

/**
 * Gradient descent on a quadratic loss diverges for lr > 2 (1 + μ) / λ, λ the largest eigenvalue of its Hessian.
 * Source: LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 5; with momentum μ: Polyak, 1964.
 */
export const unstableLinearRegression: SpecRule = {
  id: 'unstable-rate',
  summary: 'The learning rate is above the stability limit of a linear regression.',
  checkData(resolved, run) {
    const { spec, model } = resolved;
    const { lr, momentum = 0, nesterov = false } = stepOptions(resolved);
    const layers = model.layers.filter(({ definition }) => !definition.passThrough);
    const clipped = spec.clip.norm !== undefined || spec.clip.value !== undefined;
    if (layers.length !== 1 || structureOf(layers[0]!) !== 'weighted_sum' || spec.optimizer.type !== 'sgd' || clipped)
      return [];
    // Another loss adds a curvature of its own.
    if (model.auxiliaryLosses) return [];
    const curvature = quadraticFactor(resolved);
    if (curvature === null || lr === 0) return [];
    const largest = curvature * largestSecondMoment(run);
    const limit = nesterov ? (2 + 2 * momentum) / ((1 + 2 * momentum) * largest) : (2 + 2 * momentum) / largest;
    if (!(lr > limit)) return [];
    return [
      warningAt(
        resolved,
        ['optimizer', 'lr'],
        'unstable-rate',
        `lr ${lr} is above ${formatRounded(limit, 2)}, from which this linear regression diverges: 2 over the largest curvature of its loss, ${formatRounded(largest, 3)}.`,
        `Write "transforms": ["standardize"] to scale the inputs, or lower "lr" below ${formatRounded(limit, 2)}.`,
        largest > MAX_STANDARDIZED_CURVATURE
          ? standardizeInputs(spec)
          : setLearningRate(spec, Number(formatRounded(limit / 4, 1))),
      ),
    ];
  },
};

/** Above this the inputs are larger than standardized ones would be. */
const MAX_STANDARDIZED_CURVATURE = 20;

/** The Hessian of a squared loss is this times E[x xᵀ]; null for other losses. */
function quadraticFactor({ spec, targetWidth }: Resolved): number | null {
  const options = spec.loss.options as { readonly reduction?: string; readonly scale?: number };
  if (spec.loss.type === 'mse' && options.reduction !== 'sum') return 2 / targetWidth;
  return spec.loss.type === 'sum_squared_error' ? 2 * (options.scale ?? 1) : null;
}

/** The largest eigenvalue of E[x xᵀ] over the training samples, x with a 1 for the bias, by power iteration. */
function largestSecondMoment(run: CompiledRun): number {
  const { inputs, width, samples } = sampleTrainingSplit(run);
  const size = width + 1;
  let vector = new Float64Array(size).fill(1 / Math.sqrt(size));
  let eigenvalue = 0;
  for (let iteration = 0; iteration < 50; iteration++) {
    const next = new Float64Array(size);
    for (let i = 0; i < samples; i++) {
      let dot = vector[width]!;
      for (let j = 0; j < width; j++) dot += inputs[i * width + j]! * vector[j]!;
      for (let j = 0; j < width; j++) next[j]! += (dot * inputs[i * width + j]!) / samples;
      next[width]! += dot / samples;
    }
    eigenvalue = Math.hypot(...next);
    if (!(eigenvalue > 0) || !Number.isFinite(eigenvalue)) return 0;
    vector = next.map((value) => value / eigenvalue);
  }
  return eigenvalue;
}
