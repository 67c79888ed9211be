// Hovers in a spec: of a layer its formula, shapes and live statistics, and of every name and key a link to its
// documentation. VS Code adds the description of the schema.
import * as vscode from 'vscode';
import { componentSummary, locationAt, type Spec, specReferenceAnchor } from '../../model-spec';
import { formatInteger, formatNumber, formatPercent, formatShape } from '../../presentation/numbers';
import { holdsAt } from '../../protocol/finding';
import type { OpenRun, RunManager } from '../run/run-manager';
import { escapeUiText } from '../ui/escape-ui';
import { countParameters, type LayerFacts } from './layer-facts';
import { isSpec, type SpecDocuments } from './spec-documents';
import { currentRunOf, factsOf, frameOf } from './spec-facts';

const PREVIEW = 'markdown.showPreview';

export function registerHover(extensionUri: vscode.Uri, documents: SpecDocuments, runs: RunManager): vscode.Disposable {
  return vscode.languages.registerHoverProvider(
    { pattern: '**/*.nabla.json' },
    {
      provideHover(document, position) {
        const { spec } = isSpec(document) ? documents.analysisOf(document) : {};
        const at = locationAt(document.getText(), document.offsetAt(position));
        if (!spec || !at || at.path.length === 0) return null;
        const layer = at.isKey ? undefined : layerNamedAt(spec, at.path);
        const kind = layer ? spec.layers[layer]?.type : kindOf(spec, at.path);
        const text = new vscode.MarkdownString('', true);
        text.isTrusted = { enabledCommands: [PREVIEW] };
        const facts = layer === undefined ? undefined : factsOf(document, documents, runs)[layer];
        if (layer !== undefined) describeLayer(text, spec, layer, facts, currentRunOf(document, documents, runs));
        const link = linkTo(extensionUri, specReferenceAnchor(at.path, kind)).toString();
        text.appendMarkdown(`[Documentation](${escapeUiText(link)})`);
        const { start, end } = at.range;
        return new vscode.Hover(text, new vscode.Range(document.positionAt(start), document.positionAt(end)));
      },
    },
  );
}

function linkTo(extensionUri: vscode.Uri, fragment: string): vscode.Uri {
  const page = vscode.Uri.joinPath(extensionUri, 'docs', 'spec.md').with({ fragment });
  return vscode.Uri.parse(`command:${PREVIEW}?${encodeURIComponent(JSON.stringify([page]))}`);
}

/** The layer whose name or type is written at a path. */
function layerNamedAt({ layers }: Spec, path: readonly (string | number)[]): number | undefined {
  const key = path.at(-1);
  const own = key === 'type' || key === 'name' ? path.slice(0, -1) : path;
  const found = layers.findIndex((layer) => layer.path.join('\n') === own.join('\n'));
  return found < 0 ? undefined : found;
}

/** The kind of the component around a path. */
function kindOf({ layers, ...spec }: Spec, [top, ...rest]: readonly (string | number)[]): string | undefined {
  if (top === 'layers') {
    const around = layers.filter(({ path }) => path.every((key, i) => key === [top, ...rest][i]));
    return around.sort((a, b) => b.path.length - a.path.length)[0]?.type;
  }
  const part = (spec as Readonly<Record<string, unknown>>)[String(top)];
  const component = Array.isArray(part) ? (part[Number(rest[0])] as unknown) : part;
  const type = (component as { readonly type?: unknown } | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
}

function describeLayer(
  text: vscode.MarkdownString,
  { layers }: Spec,
  index: number,
  facts: LayerFacts | undefined,
  run: OpenRun | undefined,
): void {
  const layer = layers[index];
  if (!layer) return;
  const paragraph = (content: string): void => void text.appendText(escapeUiText(content)).appendMarkdown('\n\n');
  const { name, type } = layer;
  text.appendMarkdown('**').appendText(escapeUiText(name)).appendMarkdown('** ');
  paragraph(type);
  const summary = componentSummary('layers', type);
  if (summary !== undefined) paragraph(summary);
  if (facts) {
    const { inputShape, outputShape, parameters } = facts;
    const shapes = parameters.map(({ name: parameter, shape }) => `${parameter} ${formatShape(shape)}`).join(', ');
    paragraph(
      vscode.l10n.t('One sample: {0} → {1}.', formatShape(inputShape), formatShape(outputShape)) +
        (parameters.length > 0
          ? ` ${vscode.l10n.t('{0} parameters: {1}.', formatInteger(countParameters(facts)), shapes)}`
          : ''),
    );
  }
  describeStatistics(text, index, run);
}

function describeStatistics(text: vscode.MarkdownString, index: number, run: OpenRun | undefined): void {
  const frame = frameOf(run);
  const stats = frame?.layers[index];
  const info = run?.controller.view.model?.layers[index];
  if (!frame || !stats || !info) return;
  const { activation, outputGradient, parameters } = stats;
  const { step, phase } = frame.position;
  const rows: (readonly [string, number])[] = [
    ...(activation
      ? ([
          [vscode.l10n.t('output mean'), activation.mean],
          [vscode.l10n.t('output std'), activation.std],
        ] as const)
      : []),
    ...(outputGradient ? [['‖dL/d output‖', outputGradient.norm] as const] : []),
    ...parameters.flatMap(({ name, norm, gradient, updateRatio }) => [
      [`‖${name}‖`, norm] as const,
      ...(gradient ? [[`‖dL/d ${name}‖`, gradient.norm] as const] : []),
      ...(updateRatio === null ? [] : [[`${name}: ‖update‖ / ‖w‖`, updateRatio] as const]),
    ]),
  ];
  if (rows.length > 0) {
    text.appendText(escapeUiText(vscode.l10n.t('Step {0}:', phase > 0 ? step + 1 : step))).appendMarkdown('\n\n');
    for (const [name, value] of rows)
      text
        .appendMarkdown('- ')
        .appendText(escapeUiText(`${name} = ${formatNumber(value)}`))
        .appendMarkdown('\n');
    const { idleness } = info;
    if (idleness && activation && activation.idle !== null)
      text
        .appendMarkdown('- ')
        .appendText(escapeUiText(vscode.l10n.t('{0} units: {1}', idleness.name, formatPercent(activation.idle))))
        .appendMarkdown('\n');
    text.appendMarkdown('\n');
  }
  for (const finding of frame.findings)
    if (finding.layer === index && holdsAt(finding, step))
      text
        .appendMarkdown('$(warning) ')
        .appendText(escapeUiText(`${finding.observation} ${finding.remedy}`))
        .appendMarkdown('\n\n');
}
