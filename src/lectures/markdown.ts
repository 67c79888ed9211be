// Markdown of a lecture as HTML. The text comes from a file that anybody may have written, so the result has only
// headings, paragraphs, lists, quotes, code, emphasis and links: no raw HTML, images, scripts, styles or ids.
import MarkdownIt from 'markdown-it';

/** An image would load from elsewhere, tables have style attributes, and raw HTML stays text. */
const renderer = new MarkdownIt({ html: false, linkify: false }).disable([
  'image',
  'table',
  'html_block',
  'html_inline',
]);
// Everything else, such as `javascript:` and `command:`, stays text.
renderer.validateLink = (url) => /^https?:\/\//i.test(url.trim());

export const markdownToHtml = (text: string): string => renderer.render(text);
