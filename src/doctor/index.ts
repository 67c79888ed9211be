// Diagnosis of a spec: the classic checks of a network that does not learn, and fixes that were tried.
export type { LoadVariant } from './attempt';
export { diagnose, hasFailed, type RunnableSpec } from './diagnose';
export { repair, type Repair } from './repair';
export { type DoctorContext, DoctorCancelledError, openTrial, runTrial, scoreOf } from './trial';
