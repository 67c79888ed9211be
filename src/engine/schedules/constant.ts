import { noOptions } from '../option-schemas';
import { defineSchedule } from './schedule';

export const constant = defineSchedule({
  kind: 'constant',
  aliases: ['none', 'fixed'],
  summary: 'A constant rate, after a `warmup` if there is one.',
  options: noOptions,
  isConstant: true,
  rate: (base) => base,
});
