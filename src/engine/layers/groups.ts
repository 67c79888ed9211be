// Groups of channels, which several layers compute with separately.
import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import type { InputMismatch } from './layer';

export const groupsOption = z._default(
  positiveInteger(
    'Groups that the channels are divided into; each output group sees one input group. As many as channels make a depthwise convolution.',
  ),
  1,
);

/** Output channels that the groups do not divide. */
export const validateGroups = z.superRefine<{ out_channels?: number | undefined; groups: number }>(
  ({ out_channels, groups }, context) => {
    if (out_channels === undefined || out_channels % groups === 0) return;
    context.addIssue({
      code: 'custom',
      path: ['groups'],
      input: groups,
      message: `${out_channels} output channels cannot be divided into ${groups} groups.`,
      params: { code: 'groups-mismatch', remedy: 'Choose a divisor of "out_channels".' },
    });
  },
);

/** Why the groups do not fit the channels of an input. @param option that gives their number */
export const checkGroups = (channels: number, groups: number, option = 'groups'): InputMismatch | undefined =>
  channels % groups === 0
    ? undefined
    : {
        requirement: `divides its channels into ${groups} groups, and gets ${channels}`,
        remedy: `Choose a divisor of ${channels} for "${option}".`,
        option,
      };
