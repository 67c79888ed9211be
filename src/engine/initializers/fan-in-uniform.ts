import { noOptions } from '../option-schemas';
import { defineInitializer } from './initializer';

export const fanInUniform = defineInitializer({
  kind: 'fan_in_uniform',
  aliases: ['default', 'pytorch'],
  summary: 'Uniform in ±1/√fan_in: the default of `torch.nn.Linear` for weights and biases.',
  options: noOptions,
  draw: (random, { fanIn }) => random.uniform(-1, 1) / Math.sqrt(fanIn),
});
