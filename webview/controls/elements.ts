type TagName = keyof HTMLElementTagNameMap;

/** A new element of each tag, to be destructured. */
export function createElements<const Tags extends readonly TagName[]>(...tags: Tags) {
  const elements: unknown = tags.map((tag) => document.createElement(tag));
  return elements as { [Index in keyof Tags]: HTMLElementTagNameMap[Tags[Index]] };
}
