// The debugger of runs: its adapter for the Debug Adapter Protocol. docs/debugger.md describes it for users.
export { NablascopeDebugSession } from './adapter';
export type { DebuggedRun, DebuggedRunEvents, LaunchConfiguration, LaunchRun } from './debugged-run';
export type { InlineValues } from './inline-values';
export { launchEngine } from './launch-engine';
