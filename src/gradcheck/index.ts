// The public interface of the gradient check.
export { MAX_POINTS } from './build-report';
export { GradientCheck } from './gradient-check';
export type { CheckOptions, CheckRequest } from './options';
