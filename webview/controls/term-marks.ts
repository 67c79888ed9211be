// Marks a term in a formula on the page, by the symbol that the formula has for it.

/** The text of an element without spaces and invisible operators. */
const plainText = (element: Element): string => element.textContent.replace(/[\s\u2061-\u2064]/g, '');

const CLASS = 'laser';

/** @param symbol what formulas call the term; for a gradient, what it is the gradient of */
export function markTerm(formulas: Iterable<Element>, symbol: string, isGradient: boolean): void {
  const wanted = symbol.replace(/\s/g, '');
  for (const formula of formulas) {
    for (const element of formula.querySelectorAll(`.${CLASS}`)) element.classList.remove(CLASS);
    const fractions = [...formula.querySelectorAll('mfrac')];
    if (isGradient) {
      for (const fraction of fractions)
        if (plainText(fraction) === `∂l∂${wanted}` || plainText(fraction) === `∂L∂${wanted}`)
          fraction.classList.add(CLASS);
      continue;
    }
    for (const element of formula.querySelectorAll('mi, mtext, msub')) {
      if (plainText(element) !== wanted || element.parentElement?.closest(`.${CLASS}`)) continue;
      // Below the line of a derivative it is not the term itself.
      if (!fractions.some((each) => each.contains(element) && plainText(each).startsWith('∂')))
        element.classList.add(CLASS);
    }
  }
}
