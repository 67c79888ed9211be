// The list of examples that the extension shows: written as media/examples.json from the examples themselves.
import fs from 'node:fs';
import path from 'node:path';
import type { ListedExample } from '../../src/host/home/example-files';
import { checkSpec, listCustomLayers, parseSpec, type Spec } from '../../src/model-spec';
import { folderFiles } from './data-files';

/** Tests and scripts run in the folder of the repository. */
const folder = path.resolve('examples');

export function renderExampleList(): string {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.nabla.json'));
  return `${JSON.stringify(files.sort().map(describe), null, 2)}\n`;
}

function describe(file: string): ListedExample {
  const text = fs.readFileSync(path.join(folder, file), 'utf8');
  const { spec } = parseSpec(text);
  if (!spec) throw new Error(`${file} has errors`);
  return { file, name: spec.name, about: leadingComment(text), topic: topicOf(spec, text) };
}

const leadingComment = (text: string): string =>
  text
    .slice(0, text.indexOf('\n{'))
    .split('\n')
    .map((line) => line.replace(/^\s*\/\/ ?/, ''))
    .join(' ')
    .trim();

function topicOf(spec: Spec, text: string): string {
  if (listCustomLayers(spec).length > 0) return 'Custom Layers and Losses';
  const { resolved } = checkSpec(text, folderFiles(folder));
  if (!resolved) throw new Error(`The shapes of ${spec.name} do not follow from its text`);
  const { layers } = resolved.model;
  if (layers.some(({ definition }) => definition.positionsAs !== undefined)) return 'Sequences';
  if (layers[0]!.inputShape.length === 3) return 'Images';
  return resolved.data.classes === undefined ? 'Regression' : 'Classification';
}
