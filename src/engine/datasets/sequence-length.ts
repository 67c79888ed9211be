// The option that all generated sequences share.
import * as z from 'zod/mini';
import { alias } from '../option-schemas';

export const sequenceLength = (atLeast: number, byDefault: number, what = 'Time steps of a sequence.') =>
  z._default(
    z
      .int()
      .check(
        z.gte(atLeast),
        z.lte(10_000),
        z.describe(what),
        alias('time_steps', 'steps', 'sequence_length', 'seq_len'),
      ),
    byDefault,
  );
