// Sets style properties one by one. Lit's own styleMap first writes a style attribute, which the page's content
// security policy forbids.
import { noChange } from 'lit/html.js';
import { Directive, directive, type ElementPart } from 'lit/directive.js';

class StylePropertiesDirective extends Directive {
  override render(_styles: Readonly<Record<string, string>>): typeof noChange {
    return noChange;
  }

  override update({ element }: ElementPart, [styles]: [Readonly<Record<string, string>>]): typeof noChange {
    for (const [name, value] of Object.entries(styles)) (element as HTMLElement).style.setProperty(name, value);
    return noChange;
  }
}

/** For an element: `<i ${styleProperties({ left: '10%' })}></i>`. */
export const styleProperties = directive(StylePropertiesDirective);
