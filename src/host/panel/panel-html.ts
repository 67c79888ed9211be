// The HTML of a panel. Its content security policy allows only the named script and style.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Folders that a panel may read. */
export const panelResourceRoots = (extensionUri: vscode.Uri): vscode.Uri[] => [
  vscode.Uri.joinPath(extensionUri, 'dist'),
  vscode.Uri.joinPath(extensionUri, 'media'),
];

export function panelHtml(webview: vscode.Webview, extensionUri: vscode.Uri, specUri: string): string {
  const nonce = randomBytes(16).toString('base64');
  const { cspSource } = webview;
  const distUri = (name: string): string =>
    escapeHtml(webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', name)).toString());
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${distUri('webview.css')}" nonce="${nonce}">
<title>Nablascope</title>
</head>
<body data-uri="${escapeHtml(specUri)}">
<div id="panel"></div>
<script nonce="${nonce}" src="${distUri('webview.js')}"></script>
</body>
</html>`;
}

const HTML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character]!);
