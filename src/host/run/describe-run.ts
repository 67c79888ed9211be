// One line about where a run is, for the status bar and the side bar.
import type { RunViewModel } from './run-view-model';

export function describeRun({ state, frame }: Pick<RunViewModel, 'state' | 'frame'>): string {
  switch (state.kind) {
    case 'problems':
      return 'the spec has problems';
    case 'code':
      return 'custom layers need permission';
    case 'loading':
      return 'loading';
    case 'stopped':
      return 'engine stopped';
    case 'run': {
      if (!frame) return 'ready';
      const { step: completedSteps, phase } = frame.position;
      const step = phase > 0 ? `in step ${completedSteps + 1}` : `step ${completedSteps}`;
      const loss = frame.loss === null ? '' : ` · loss ${frame.loss.toPrecision(4)}`;
      return `${step}${loss}${frame.status === 'diverged' ? ' · diverged' : ''}`;
    }
    default:
      return state satisfies never;
  }
}
