// The part of markdown-it that is used; the package has no types.
declare module 'markdown-it' {
  export default class MarkdownIt {
    constructor(options: { readonly html: boolean; readonly linkify: boolean });
    disable(rules: readonly string[]): this;
    validateLink: (url: string) => boolean;
    render(text: string): string;
  }
}
