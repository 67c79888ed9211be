import { noOptions } from '../options';
import { defineSchedule } from './schedule';

export const constant = defineSchedule({
  kind: 'constant',
  summary: 'The same rate all along, after a `warmup` if there is one.',
  options: noOptions,
  rate: (base) => base,
});
