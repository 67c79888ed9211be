// Sets style properties one by one. Lit's own styleMap writes a style attribute the first time, which the page's
// content security policy refuses.
import { noChange } from 'lit/html.js';
import { Directive, directive, type ElementPart } from 'lit/directive.js';

class Placed extends Directive {
  override render(_styles: Readonly<Record<string, string>>): typeof noChange {
    return noChange;
  }

  override update({ element }: ElementPart, [styles]: [Readonly<Record<string, string>>]): typeof noChange {
    for (const [name, value] of Object.entries(styles)) (element as HTMLElement).style.setProperty(name, value);
    return noChange;
  }
}

/** For an element: `<i ${placed({ left: '10%' })}></i>`. */
export const placed = directive(Placed);
