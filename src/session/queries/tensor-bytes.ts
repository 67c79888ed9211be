// The bytes of a tensor as they are in memory; of a computed one, of its numbers in float64.
import { bindExpression, ExpressionError, parseExpression } from '../../expressions';
import type { TensorBytes, TensorBytesRequest } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { StepValues } from '../step-values';
import { defineQuery } from './query';

/** Of one answer. */
const MAX_BYTES = 2 ** 20;

export const tensorBytes = defineQuery({
  type: 'tensor_bytes',
  resolve(session: TrainingSession, { expression, from, count }: TensorBytesRequest): TensorBytes | null {
    const values = new StepValues(session);
    try {
      const { data, size, prepare, at } = bindExpression(
        parseExpression(expression),
        values.scopeAt(values.currentPhase),
      );
      const entryBytes = data?.BYTES_PER_ELEMENT ?? Float64Array.BYTES_PER_ELEMENT;
      const total = size * entryBytes;
      const start = Math.min(total, Math.max(0, Math.trunc(from)));
      const end = Math.min(total, start + Math.min(MAX_BYTES, Math.max(0, Math.trunc(count))));
      if (data) return { total, bytes: new Uint8Array(data.buffer, data.byteOffset + start, end - start).slice() };
      prepare();
      const [first, last] = [Math.floor(start / entryBytes), Math.ceil(end / entryBytes)];
      const entries = Float64Array.from({ length: last - first }, (_, i) => at(first + i));
      const offset = start - first * entryBytes;
      return { total, bytes: new Uint8Array(entries.buffer).slice(offset, offset + end - start) };
    } catch (error) {
      if (error instanceof ExpressionError) return null;
      throw error;
    }
  },
});
