import { noOptions } from '../options';
import { defineInitializer } from './initializer';

export const fanInUniform = defineInitializer({
  kind: 'fan_in_uniform',
  summary: 'Uniform in ±1/√fan_in, what `torch.nn.Linear` does for weights and biases.',
  options: noOptions,
  draw: (random, { fanIn }) => random.uniform(-1, 1) / Math.sqrt(fanIn),
});
