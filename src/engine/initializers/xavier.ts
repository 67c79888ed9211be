// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
import * as z from 'zod/mini';
import { positiveNumber } from '../option-schemas';
import { defineInitializer } from './initializer';

const options = z.strictObject({ gain: z._default(positiveNumber('Factor for the activation that follows.'), 1) });

export const xavierUniform = defineInitializer({
  kind: 'xavier_uniform',
  aliases: ['xavier', 'glorot', 'glorot_uniform'],
  summary: 'Glorot: uniform in ±gain √(6/(fan_in + fan_out)).',
  options,
  gain: ({ gain }) => gain,
  draw: (random, { fanIn, fanOut }, { gain }) => gain * Math.sqrt(6 / (fanIn + fanOut)) * random.uniform(-1, 1),
});

export const xavierNormal = defineInitializer({
  kind: 'xavier_normal',
  aliases: ['glorot_normal'],
  summary: 'Glorot: normal with standard deviation gain √(2/(fan_in + fan_out)).',
  options,
  gain: ({ gain }) => gain,
  draw: (random, { fanIn, fanOut }, { gain }) => random.normal(0, gain * Math.sqrt(2 / (fanIn + fanOut))),
});
