// The keys of presentation mode, among them those that presenters send. Only while presenting, and only where what has
// the focus has no use for them.

export type PresentationAction = 'next' | 'back' | 'first' | 'last' | 'nextTerm' | 'previousTerm' | 'leave';

const actions: Readonly<Record<string, PresentationAction>> = {
  ArrowRight: 'next',
  PageDown: 'next',
  ' ': 'next',
  ArrowLeft: 'back',
  PageUp: 'back',
  Home: 'first',
  End: 'last',
  ArrowDown: 'nextTerm',
  ArrowUp: 'previousTerm',
  Escape: 'leave',
};

export function presentationActionOf(event: KeyboardEvent): PresentationAction | null {
  const { key, target, defaultPrevented, ctrlKey, altKey, metaKey, shiftKey } = event;
  if (defaultPrevented || ctrlKey || altKey || metaKey || shiftKey) return null;
  const action = actions[key] ?? null;
  const element = target instanceof Element ? target : null;
  if (key !== 'Escape' && element?.closest('input, select, textarea')) return null;
  if (key === ' ' && element?.closest('button, summary, a[href]')) return null;
  return action;
}
