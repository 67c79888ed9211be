// Diagnosis of a spec: the classic checks of a network that does not learn, and fixes that were tried.
export { diagnose, type LoadVariant } from './diagnose';
export { type DoctorContext, DoctorCancelledError, openTrial, runTrial } from './trial';
