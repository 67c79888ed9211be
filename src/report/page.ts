// The frame of every report: one HTML file without scripts, and a content security policy that allows no more than it
// needs.
import { createHash } from 'node:crypto';
import { html, Html } from './html';
import { styleSheet } from './style';

export interface ReportPage {
  readonly title: string;
  readonly main: Html;
  /** Whether it contains pictures, as data. */
  readonly hasPictures?: boolean;
}

export function reportPage({ title, main, hasPictures = false }: ReportPage): string {
  const hash = createHash('sha256').update(styleSheet).digest('base64');
  // As one string, since the policy contains its hash.
  const styleElement = new Html(`<style>${styleSheet}</style>`);
  const pictures = hasPictures ? ' img-src data:;' : '';
  const policy = `default-src 'none'; style-src 'sha256-${hash}';${pictures} base-uri 'none'; form-action 'none'`;
  const page = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${styleElement}
      </head>
      <body>
        <main>${main}</main>
      </body>
    </html> `;
  return page.text;
}
