// LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998: outputs of variance 1 for inputs of variance 1.
import { noOptions } from '../option-schemas';
import { defineInitializer } from './initializer';

export const lecunUniform = defineInitializer({
  kind: 'lecun_uniform',
  summary: 'LeCun: uniform in ±√(3/fan_in).',
  options: noOptions,
  draw: (random, { fanIn }) => Math.sqrt(3 / fanIn) * random.uniform(-1, 1),
});

export const lecunNormal = defineInitializer({
  kind: 'lecun_normal',
  aliases: ['lecun'],
  summary: 'LeCun: normal with standard deviation √(1/fan_in).',
  options: noOptions,
  draw: (random, { fanIn }) => random.normal(0, Math.sqrt(1 / fanIn)),
});
