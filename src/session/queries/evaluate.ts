// The values of expressions at the current position, each with a summary and some of its entries.
import { type Bound, bindExpression, ExpressionError, parseExpression, pastUsesIn } from '../../expressions';
import type { Evaluated, EvaluateRequest, PendingValue } from '../../protocol/queries';
import { PastReader } from '../past-reader';
import type { TrainingSession } from '../session';
import { summarizeTensor } from '../tensor-summary';
import { StepValues } from '../step-values';
import { forkSession } from './fork';
import { defineQuery } from './query';

/** Entries that one answer holds at most. */
const MAX_ENTRIES = 10_000;

const pastReaders = new WeakMap<TrainingSession, PastReader>();

export const evaluate = defineQuery({
  type: 'evaluate',
  resolve(run: TrainingSession, { expressions, fork }: EvaluateRequest): readonly (Evaluated | PendingValue)[] {
    const session = fork ? forkSession(run, fork) : run;
    if (!session)
      return expressions.map(() => ({ kind: 'error', message: 'This fork no longer exists.', start: 0, end: 0 }));
    const values = new StepValues(session);
    const scope = values.scopeAt(values.currentPhase);
    return expressions.map(({ text, from = 0, count = 0 }) => {
      try {
        const expression = parseExpression(text);
        if (pastUsesIn(expression).length > 0) {
          let reader = pastReaders.get(session);
          if (!reader) pastReaders.set(session, (reader = new PastReader(session)));
          const past = reader.read(text, expression);
          if ('step' in past) return { kind: 'pending', step: past.step };
          const bound = bindExpression(past.expression, { ...scope, past: past.readPast });
          bound.prepare();
          return describe(bound, from, count);
        }
        const bound = bindExpression(expression, scope);
        bound.prepare();
        return describe(bound, from, count);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        const { message, start, end } = error;
        return { kind: 'error', message, start, end };
      }
    });
  },
});

function describe(bound: Bound, from: number, count: number): Evaluated {
  const { type, shape, size, at, data } = bound;
  const isSingle = shape.length === 0;
  const first = isSingle ? 0 : Math.min(size, Math.max(0, Math.trunc(from)));
  const length = isSingle ? 1 : Math.min(size - first, MAX_ENTRIES, Math.max(0, Math.trunc(count)));
  return {
    kind: 'value',
    type,
    shape,
    precision: data ? (data instanceof Float64Array ? 'float64' : 'float32') : null,
    summary: isSingle ? null : summarizeTensor(bound),
    entries: Float64Array.from({ length }, (_, i) => at(first + i)),
  };
}
