// The debugger's keys while the panel has the focus. Handled and stopped here, so that the editor, which listens at the
// window, does not handle the same key again.
import type { Frame, SessionCommand } from '../../src/protocol/panel';
import type { PanelData } from '../state/store';

export type DebugAction = 'step' | 'backStep' | 'stepPhase' | 'backPhase' | 'toggleRun' | 'reset';

export const keybindings: Record<Exclude<DebugAction, 'reset'>, string> = {
  toggleRun: 'F5',
  step: 'F10',
  backStep: 'Shift+F10',
  stepPhase: 'F11',
  backPhase: 'Shift+F11',
};

type KeyPress = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;

export function actionOf({ key, shiftKey, ctrlKey, altKey, metaKey }: KeyPress): DebugAction | null {
  if (ctrlKey || altKey || metaKey) return null;
  const name = shiftKey ? `Shift+${key}` : key;
  const found = Object.entries(keybindings).find(([, keys]) => keys === name);
  return found ? (found[0] as DebugAction) : null;
}

const isBusy = (frame: Frame): boolean => frame.status === 'running' || frame.status === 'seeking';

/** Whether an action is possible now. */
export function isEnabled(action: DebugAction, { state, frame, model, checking }: PanelData): boolean {
  if (state?.kind !== 'run' || !frame || !model) return false;
  const { step, phase } = frame.position;
  const ahead = frame.status !== 'diverged' && step < model.totalSteps;
  switch (action) {
    case 'step':
    case 'stepPhase':
      return ahead && !isBusy(frame) && !checking;
    case 'backStep':
    case 'backPhase':
      return (step > 0 || phase > 0) && !isBusy(frame) && !checking;
    case 'toggleRun':
      return isBusy(frame) || (ahead && !checking);
    case 'reset':
      return frame.furthestStep > 0 || step > 0 || phase > 0;
  }
}

export function commandOf(action: DebugAction, frame: Frame | null): SessionCommand {
  if (action === 'toggleRun') return { type: frame && isBusy(frame) ? 'pause' : 'run' };
  return { type: action };
}
