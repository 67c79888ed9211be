// What a gradient check found wrong, as a problem at the layer or loss in the spec, and at its place in custom code.
import { l10n } from 'vscode';
import { type CheckReport, PENALTY_NAME } from '../../protocol/check-report';
import type { Problem } from '../../protocol/problem';
import type { Spec } from '../../model-spec';

export function problemsOfCheck(spec: Spec | undefined, report: CheckReport | null): Problem[] {
  const diagnosis = report?.diagnosis;
  if (!spec || !report || !diagnosis) return [];
  const { layer, place, sentence } = diagnosis;
  // A penalty is part of the loss.
  const part =
    layer === null || layer === PENALTY_NAME
      ? spec.loss
      : [...spec.layers, ...spec.auxiliaryLosses].find(({ name }) => name === layer);
  if (!part) return [];
  return [
    {
      code: 'wrong-gradient',
      severity: 'error',
      ...part.range,
      message: sentence,
      remedy: place
        ? l10n.t('Correct the code and save it: the check then runs again.')
        : l10n.t('Open the view Check for the numbers.'),
      ...(place && { place }),
    },
  ];
}
