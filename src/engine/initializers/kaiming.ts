// He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015; fan_in mode with the gain of ReLU, √2.
import { noOptions } from '../option-schemas';
import { defineInitializer } from './initializer';

export const kaimingUniform = defineInitializer({
  kind: 'kaiming_uniform',
  aliases: ['kaiming', 'he_uniform'],
  summary: 'He, for ReLU: uniform in ±√(6/fan_in).',
  options: noOptions,
  draw: (random, { fanIn }) => Math.sqrt(6 / fanIn) * random.uniform(-1, 1),
});

export const kaimingNormal = defineInitializer({
  kind: 'kaiming_normal',
  aliases: ['he', 'he_normal', 'msra'],
  summary: 'He, for ReLU: normal with standard deviation √(2/fan_in).',
  options: noOptions,
  draw: (random, { fanIn }) => random.normal(0, Math.sqrt(2 / fanIn)),
});
