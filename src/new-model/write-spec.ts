// From the answers to the text of a spec that trains.
import type { ModelData } from './model-data';
import { hasScaledOutput, layersOf, type NetworkKind } from './networks';

/** Steps of a run: enough to learn, and a few seconds for a small network. */
const USUAL_STEPS = 1500;
const MIN_EPOCHS = 5;
const MAX_EPOCHS = 200;
const BATCH = 32;
const SMALL_BATCH = 16;
/** The part of the data that is trained on unless the spec says otherwise. */
const TRAIN_SHARE = 0.6;
const LINE = 100;

/** Adam's rates: recurrent networks take larger ones, deep convolutions smaller ones. */
const rates: Readonly<Partial<Record<NetworkKind, number>>> = { convolution: 0.003, 'deep-convolution': 0.003 };

/** @returns JSON with comments */
export function writeSpec(model: ModelData, network: NetworkKind): string {
  const { name, about, data, transforms, samples, goal } = model;
  const trained = Math.max(1, Math.floor(samples * TRAIN_SHARE));
  const batchSize = trained < 10 * BATCH ? Math.min(SMALL_BATCH, trained) : BATCH;
  const epochs = Math.round(USUAL_STEPS / Math.ceil(trained / batchSize));
  const isRecurrent = /gru|lstm/.test(network);
  const spec = {
    name,
    data,
    ...(transforms.length > 0 && { transforms }),
    layers: layersOf(network, model),
    loss: goal.kind === 'number' ? 'mse' : 'cross_entropy',
    optimizer: { type: 'adam', lr: rates[network] ?? 0.01 },
    // Gradients through many time steps are large now and then.
    ...(isRecurrent && { clip: { norm: 1 } }),
    batch_size: batchSize,
    epochs: Math.min(MAX_EPOCHS, Math.max(MIN_EPOCHS, epochs)),
  };
  const scaled = hasScaledOutput(model) ? ' The fixed last layer scales the output to the target.' : '';
  return `${comment(about + scaled)}{\n${Object.entries(spec)
    .map(([key, value]) => `  ${JSON.stringify(key)}: ${formatValue(value, '  ')}`)
    .join(',\n')}\n}\n`;
}

/** As one line if it fits, else an item per line. */
function formatValue(value: unknown, indent: string): string {
  const line = formatLine(value);
  const isLayers = Array.isArray(value) && indent === '  ' && value.length > 1;
  if (typeof value !== 'object' || value === null || (line.length + indent.length <= LINE && !isLayers)) return line;
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((item) => formatValue(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatValue(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${indent}${close}`;
}

function formatLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatLine(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Comment lines of words; a name from a file may contain a line break, which would end them. */
function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/u)) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length + 4 > LINE) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `// ${line}\n`).join('');
}
