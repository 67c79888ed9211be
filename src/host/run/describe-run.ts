// One line about where a run is, for the status bar and the side bar.
import { l10n } from 'vscode';
import type { RunViewModel } from './run-view-model';

export function describeRun({ state, frame }: Pick<RunViewModel, 'state' | 'frame'>): string {
  switch (state.kind) {
    case 'problems':
      return l10n.t('the spec has problems');
    case 'code':
      return l10n.t('custom layers need permission');
    case 'loading':
      return l10n.t('loading');
    case 'stopped':
      return l10n.t('engine stopped');
    case 'run': {
      if (!frame) return l10n.t('ready');
      const { step: completedSteps, phase } = frame.position;
      const step = phase > 0 ? l10n.t('in step {0}', completedSteps + 1) : l10n.t('step {0}', completedSteps);
      const loss = frame.loss === null ? '' : ` · ${l10n.t('loss {0}', frame.loss.toPrecision(4))}`;
      return `${step}${loss}${frame.status === 'diverged' ? ` · ${l10n.t('diverged')}` : ''}`;
    }
    default:
      return state satisfies never;
  }
}
