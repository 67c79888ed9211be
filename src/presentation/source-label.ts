// Where a wrong gradient is defined, as short as a link.
import type { Diagnosis } from '../protocol/check-report';

/** `mine.layer.ts:18` for a custom layer, otherwise `line 6` of the spec; `the spec` if its line is not known. */
export function sourceLabel(diagnosis: Pick<Diagnosis, 'place' | 'line'> | null): string {
  const { place, line } = diagnosis ?? {};
  if (!place) return line === null || line === undefined ? 'the spec' : `line ${line}`;
  const file = place.file.split(/[/\\]/).pop() ?? place.file;
  return place.line === null ? file : `${file}:${place.line}`;
}
