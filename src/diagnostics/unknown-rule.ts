// Rules that a spec silences or tunes but that do not exist.
import { didYouMean, plainNames, type SpecRule, type Threshold } from '../model-spec';
import type { Problem } from '../protocol/problem';

/** What a spec may name in "rules". */
interface NamedRule {
  readonly id: string;
  readonly codes?: readonly string[];
  readonly threshold?: Threshold;
}

export const unknownRule = (rules: readonly NamedRule[]): SpecRule => ({
  id: 'unknown-rule',
  summary: 'The key "rules" names a rule that does not exist, or gives a threshold to a rule without one.',
  check({ spec }) {
    const codes = new Set(rules.flatMap(({ id, codes: own = [] }) => [id, ...own]));
    return Object.entries(spec.rules).flatMap(([name, setting]): Problem[] => {
      const problem = (message: string, remedy: string): Problem[] => [
        { code: 'unknown-rule', severity: 'warning', ...spec.source.locateKey(['rules', name]), message, remedy },
      ];
      if (!codes.has(name)) return problem(`There is no rule ${name}.`, didYouMean(name, plainNames([...codes])));
      const isTunable = rules.some(({ id, threshold }) => id === name && threshold);
      return setting === 'off' || isTunable
        ? []
        : problem(`The rule ${name} has no threshold.`, 'Write "off" to silence it, or remove this.');
    });
  },
});
