// What the rest of the project uses of the gradient check.
export { GradientCheck } from './gradient-check';
export type { CheckOptions, CheckRequest } from './options';
export type { CheckProgress, CheckReport, Comparison, Diagnosis, EntryReport, ParameterCheck, Verdict } from './report';
export { MAX_POINTS, VERDICTS } from './report';
