// Verdicts of the gradient check in words.
import type { ParameterCheck, Verdict } from '../protocol/check-report';

export const verdictLabels: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  wrong: 'wrong',
  kink: 'kink',
  below_noise: 'below noise',
};

export const verdictDescriptions: Readonly<Record<Verdict, string>> = {
  pass: 'Backprop and the numeric derivative agree within the tolerance.',
  wrong: 'They differ by more than the tolerance, and no kink explains it. Backprop is wrong here.',
  kink: 'The loss has a corner between the two points of the difference, such as a ReLU that switches. No derivative exists there to compare with.',
  below_noise:
    'Both values are smaller than round-off lets the numeric derivative resolve, so they cannot be compared.',
};

export const verdictLabel = ({ checked, verdict }: Pick<ParameterCheck, 'checked' | 'verdict'>): string =>
  checked === 0 ? 'not checked' : verdictLabels[verdict];
