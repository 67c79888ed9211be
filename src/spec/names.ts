// What people are likely to have meant by a name that is not known: typing slips, and names from elsewhere.
import { nearest } from '../engine/nearest';

/** Names of other libraries and of textbooks, simplified, and what they are called here. */
const ALIASES: Readonly<Record<string, string>> = {
  dense: 'linear', fc: 'linear', fullyconnected: 'linear', affine: 'linear', logistic: 'sigmoid',
  rectifier: 'relu', swish: 'silu', lrelu: 'leaky_relu', none: 'identity', linearactivation: 'identity', hyperbolictangent: 'tanh',
  crossentropyloss: 'cross_entropy', categoricalcrossentropy: 'cross_entropy_on_probabilities', ce: 'cross_entropy',
  softmaxcrossentropy: 'cross_entropy', nllloss: 'nll', negativeloglikelihood: 'nll',
  mseloss: 'mse', meansquarederror: 'mse', sse: 'sum_squared_error', l2: 'sum_squared_error', squarederror: 'sum_squared_error',
  l1: 'mae', l1loss: 'mae', meanabsoluteerror: 'mae', huberloss: 'huber', smoothl1: 'huber', rbf: 'kernel', kernelmap: 'kernel', nystroem: 'kernel', hingeloss: 'hinge', svm: 'hinge',
  multimarginloss: 'multi_margin', crammersinger: 'multi_margin', multiclasshinge: 'multi_margin',
  bceloss: 'bce', binarycrossentropy: 'bce', bcewithlogitsloss: 'bce_with_logits',
  gd: 'sgd', adamoptimizer: 'adam', gradientdescent: 'sgd',
  sine: 'noisy_sine', sinus: 'noisy_sine', sin: 'noisy_sine', makecircles: 'circles', makemoons: 'moons', spiral: 'spirals', makeblobs: 'blobs', clusters: 'blobs', makeregression: 'linear', file: 'csv',
  he: 'kaiming_normal', glorot: 'xavier_uniform', xavier: 'xavier_uniform', kaiming: 'kaiming_uniform', lecun: 'lecun_normal', orthogonalinit: 'orthogonal', zero: 'zeros', gaussian: 'normal',
  units: 'out_features', outputs: 'out_features', size: 'out_features', neurons: 'out_features', inputs: 'in_features',
  learningrate: 'lr', rate: 'lr', eta: 'lr', batch: 'batch_size', iterations: 'epochs', randomstate: 'seed',
  dataset: 'data', network: 'layers', model: 'layers', criterion: 'loss', dtype: 'precision', weights: 'weight', biases: 'bias',
  float: 'float32', single: 'float32', double: 'float64', target: 'targets', label: 'labels', x: 'inputs', y: 'targets',
  steplr: 'step', exponentiallr: 'exponential', cosineannealing: 'cosine', cosineannealinglr: 'cosine', linearlr: 'linear', tmax: 'T_max', stepsize: 'step_size',
  lrscheduler: 'schedule', scheduler: 'schedule', gradientclipping: 'clip', maxnorm: 'norm', clipvalue: 'value', regularization: 'penalty', regularizer: 'penalty',
  weightdecay: 'weight_decay', warmupsteps: 'warmup', nsamples: 'samples', n: 'samples', value: 'val', kind: 'type',
};

/** The known name that was meant; undefined where none is near. */
export function meant(name: string, known: readonly string[]): string | undefined {
  const simplified = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const alias = Object.hasOwn(ALIASES, simplified) ? ALIASES[simplified] : undefined;
  if (alias !== undefined && known.includes(alias)) return alias;
  return nearest(name, known);
}

/** `Did you mean "tanh"?`, or the list of what there is. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = meant(name, known);
  return near ? `Did you mean "${near}"?` : `Known here: ${known.join(', ')}.`;
}
