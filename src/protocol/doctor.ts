// The calls between the extension host and the process that diagnoses a spec.
import type { DoctorReport } from './doctor-report';
import type { OpenRequest } from './engine';
import type { Problem } from './problem';

export type DoctorRequest = Pick<
  OpenRequest,
  'text' | 'folder' | 'root' | 'allowed' | 'ruleSettings' | 'allowCustomLayers'
>;

export type DoctorResult =
  | { readonly kind: 'report'; readonly report: DoctorReport }
  /** The spec cannot run. */
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Answered by the process. To cancel, end it: a custom layer may hang. */
export interface DoctorCalls {
  diagnose(request: DoctorRequest): Promise<DoctorResult>;
}

export interface DoctorEvents {
  /** @param stage what is measured, as a phrase. @param share of the stage, 0 to 1 */
  progress(stage: string, share: number): void;
}
