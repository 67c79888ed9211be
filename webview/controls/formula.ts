// A LaTeX formula as MathML, converted once and copied. A copy stays in the DOM until the formula changes. `\d{x}`
// stands for the gradient of the loss with respect to x.
import type { DirectiveResult } from 'lit/directive.js';
import { guard } from 'lit/directives/guard.js';
import temml from 'temml';

const cache = new Map<string, HTMLElement>();
const macros = { '\\d': '\\frac{\\partial L}{\\partial #1}' };

/** @param latex with the names of a user only as escaped text */
export const formula = (latex: string): DirectiveResult => guard([latex], () => renderFormula(latex));

function renderFormula(latex: string): Node {
  let known = cache.get(latex);
  if (!known) {
    known = document.createElement('span');
    known.className = 'formula';
    // The browser does not break the lines of a formula, but puts one formula below another.
    for (const rule of latex.split(String.raw`\quad `)) {
      const line = document.createElement('span');
      for (const part of splitSum(rule)) {
        const element = document.createElement('span');
        temml.render(part, element, { macros: { ...macros }, displayMode: true });
        line.append(element);
      }
      known.append(line);
    }
    cache.set(latex, known);
  }
  return known.cloneNode(true);
}

/** Before each plus that is in no group, parentheses or brackets. */
function splitSum(latex: string): string[] {
  const starts = [0];
  let depth = 0;
  for (const { 0: character, index } of latex.matchAll(/[{}()[\]+]/g)) {
    if ('{(['.includes(character)) depth++;
    else if ('})]'.includes(character)) depth--;
    else if (depth === 0 && index > 0) starts.push(index);
  }
  return starts.map((start, i) => latex.slice(start, starts[i + 1]));
}
