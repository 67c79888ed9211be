// The page of a panel: names the script and style that may run, and nothing else may.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Folders that a panel may read. */
export const panelRoots = (extensionUri: vscode.Uri): vscode.Uri[] => [
  vscode.Uri.joinPath(extensionUri, 'dist'),
  vscode.Uri.joinPath(extensionUri, 'media'),
];

export function panelHtml(webview: vscode.Webview, extensionUri: vscode.Uri, document: string): string {
  const nonce = randomBytes(16).toString('base64');
  const { cspSource } = webview;
  const inDist = (name: string): string =>
    escape(webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', name)).toString());
  const policy = [
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
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${inDist('webview.css')}" nonce="${nonce}">
<title>Nablascope</title>
</head>
<body data-uri="${escape(document)}">
<div id="panel"></div>
<script nonce="${nonce}" src="${inDist('webview.js')}"></script>
</body>
</html>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]);
