export type { CompiledRun, GradientCheckOptions } from './compiled';
