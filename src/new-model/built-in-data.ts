// Data that needs no file, one for each kind of network.
import type { ModelData } from './model-data';

/** Of the standard deviation √(1/12) each, the sum of two uniform numbers. */
const SUM_OF_TWO_STD = Math.sqrt(1 / 6);

const RHYME =
  'This is the house that Jack built. This is the malt that lay in the house that Jack built. ' +
  'This is the rat that ate the malt that lay in the house that Jack built. ' +
  'This is the cat that killed the rat that ate the malt that lay in the house that Jack built. ' +
  'This is the dog that worried the cat that killed the rat that ate the malt that lay in the house that Jack built.';

export const builtInData = {
  circles: {
    name: 'Circles',
    about: 'Two rings of points: which ring does a point belong to?',
    data: { type: 'circles', samples: 400 },
    transforms: [],
    samples: 400,
    inputShape: [2],
    goal: { kind: 'class', classes: 2 },
  },
  sine: {
    name: 'Noisy sine',
    about: 'A regression: the value of a noisy sine from x.',
    data: { type: 'noisy_sine', samples: 400 },
    transforms: [],
    samples: 400,
    inputShape: [1],
    goal: { kind: 'number', mean: 0, std: 1 },
  },
  images: {
    name: 'Shapes',
    about: 'Images of 16 × 16 pixels: which of four shapes do they show?',
    data: { type: 'images', samples: 800, classes: 4, size: 16, channels: 1 },
    transforms: [],
    samples: 800,
    inputShape: [1, 16, 16],
    goal: { kind: 'class', classes: 4 },
  },
  sequences: {
    name: 'Adding problem',
    about: 'Sequences of ten numbers, two of them marked: what is the sum of these two?',
    data: { type: 'adding', samples: 1000, length: 10 },
    transforms: [],
    samples: 1000,
    inputShape: [10, 2],
    goal: { kind: 'number', mean: 1, std: SUM_OF_TWO_STD },
  },
  text: {
    name: 'Nursery rhyme',
    about: 'A text: which character comes next? For a file, replace "text" by "path".',
    data: { type: 'text', text: RHYME, length: 24, stride: 4, split: { validation: 0, test: 0 } },
    transforms: [],
    samples: Math.floor((RHYME.length - 25) / 4) + 1,
    inputShape: [24],
    goal: { kind: 'next', unit: 'characters', vocabulary: new Set(RHYME).size },
  },
} as const satisfies Readonly<Record<string, ModelData>>;

export type BuiltInData = keyof typeof builtInData;
