// A formula of LaTeX as MathML, made once and copied; a copy stays in its place as long as the formula does. `\d{x}` stands
// for the gradient of the loss with respect to x.
import type { DirectiveResult } from 'lit/directive.js';
import { guard } from 'lit/directives/guard.js';
import temml from 'temml';

const made = new Map<string, HTMLElement>();
const macros = { '\\d': '\\frac{\\partial L}{\\partial #1}' };

/** @param latex the product's own text, never a person's. */
export const formula = (latex: string): DirectiveResult => guard([latex], () => copyOf(latex));

function copyOf(latex: string): Node {
  let known = made.get(latex);
  if (!known) {
    known = document.createElement('span');
    known.className = 'formula';
    temml.render(latex, known, { macros: { ...macros }, displayMode: true });
    made.set(latex, known);
  }
  return known.cloneNode(true);
}
