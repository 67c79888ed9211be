// The term that is explained, and highlighted in formula, picture, spec and data: the one that was chosen at this
// position, else what the phase computed.
import type { Frame, ModelInfo } from '../../src/protocol/panel';
import { lastCompletedPhase } from '../../src/presentation/phases';
import { computedNodes, phaseNodes, type StepNodeId } from '../../src/presentation/step-nodes';
import { nodeOfTerm, termOf } from '../../src/presentation/terms';
import type { Context } from '../context';

/** Identifies a position, for a choice that holds only there. */
export const positionKey = ({ position: { step, phase } }: Pick<Frame, 'position'>): string => `${step}.${phase}`;

/** The terms of the last phase, in reading order. */
export function phaseTerms(model: ModelInfo, frame: Frame): readonly StepNodeId[] {
  const phase = lastCompletedPhase(model, frame);
  if (!phase) return [{ of: 'input' }, { of: 'target' }];
  const nodes = phaseNodes(model, phase);
  return phase.kind === 'loss' ? [...nodes, { of: 'loss' }] : nodes;
}

/** Null if nothing is. */
export function highlightedNode({ data, settings }: Pick<Context, 'data' | 'settings'>): StepNodeId | null {
  const { model, frame } = data;
  if (!settings.presenting || !model || !frame) return null;
  const { highlight } = settings;
  const chosen = highlight?.at === positionKey(frame) ? nodeOfTerm(model, highlight.term) : null;
  if (chosen) return chosen;
  const phase = lastCompletedPhase(model, frame);
  return (phase && computedNodes(model, phase)[0]) ?? phaseTerms(model, frame)[0] ?? null;
}

/** Highlights the next or the previous term of the phase. */
export function moveHighlight(context: Context, by: 1 | -1): void {
  const { model, frame } = context.data;
  if (!model || !frame) return;
  const terms = phaseTerms(model, frame).map((id) => termOf(model, id));
  const now = highlightedNode(context);
  const at = now ? terms.indexOf(termOf(model, now)) : -1;
  const term = terms[(at + by + terms.length) % terms.length];
  if (term !== undefined) context.updateSettings({ highlight: { term, at: positionKey(frame) } });
}
