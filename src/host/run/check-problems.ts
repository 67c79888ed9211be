// What a gradient check found wrong, as a problem at the layer in the spec and at its place in the layer's file.
import type { CheckReport } from '../../protocol/check-report';
import type { Problem } from '../../protocol/problem';
import type { Spec } from '../../model-spec';

export function problemsOfCheck(spec: Spec | undefined, report: CheckReport | null): Problem[] {
  const diagnosis = report?.diagnosis;
  if (!spec || !report || !diagnosis) return [];
  const { layer, place, sentence } = diagnosis;
  const part = layer === null ? spec.loss : spec.layers.find(({ name }) => name === layer);
  if (!part) return [];
  return [
    {
      code: 'wrong-gradient',
      severity: 'error',
      ...part.range,
      message: sentence,
      remedy: place
        ? 'Correct the code and save it: the check then runs again.'
        : 'Open the view Check for the numbers.',
      ...(place && { place }),
    },
  ];
}
