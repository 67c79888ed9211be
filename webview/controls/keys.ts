// The debugger's keys while the panel has the focus. Handled here and stopped, so that the editor, which listens at
// the window, does not carry out the same key a second time.
import type { Frame, SessionCommand } from '../../src/protocol/panel';
import type { PanelData } from '../store';

export type Action = 'step' | 'backStep' | 'stepPhase' | 'backPhase' | 'toggleRun' | 'reset';

export const keyNames: Record<Exclude<Action, 'reset'>, string> = {
  toggleRun: 'F5', step: 'F10', backStep: 'Shift+F10', stepPhase: 'F11', backPhase: 'Shift+F11',
};

type Keys = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;

export function actionOf({ key, shiftKey, ctrlKey, altKey, metaKey }: Keys): Action | null {
  if (ctrlKey || altKey || metaKey) return null;
  const name = shiftKey ? `Shift+${key}` : key;
  const found = Object.entries(keyNames).find(([, keys]) => keys === name);
  return found ? (found[0] as Action) : null;
}

const busy = (frame: Frame): boolean => frame.status === 'running' || frame.status === 'seeking';

/** What can be done as things stand. */
export function canDo(action: Action, { state, frame, model, checking }: PanelData): boolean {
  if (state?.kind !== 'run' || !frame || !model) return false;
  const { step, phase } = frame.position;
  const ahead = frame.status !== 'diverged' && step < model.totalSteps;
  switch (action) {
    case 'step':
    case 'stepPhase':
      return ahead && !busy(frame) && !checking;
    case 'backStep':
    case 'backPhase':
      return (step > 0 || phase > 0) && !busy(frame) && !checking;
    case 'toggleRun':
      return busy(frame) || (ahead && !checking);
    case 'reset':
      return frame.frontier > 0 || step > 0 || phase > 0;
  }
}

export function commandOf(action: Action, frame: Frame | null): SessionCommand {
  if (action === 'toggleRun') return { type: frame && busy(frame) ? 'pause' : 'run' };
  return { type: action };
}
