// Writes examples/data/digits-images.idx.gz and digits-labels.idx.gz: 600 digits of 8x8 pixels, drawn with strokes that
// are randomly shifted, rotated, slanted and made thicker or thinner. digits-placed-images.idx.gz has 300 of 12x12
// pixels: such a digit in a random corner. Synthetic, and the same images every time.
import fs from 'node:fs';
import zlib from 'node:zlib';

const SIZE = 8;
const COUNT = 600;

const arc = (x, y, rx, ry, from, to) =>
  Array.from({ length: 13 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 12) * Math.PI) / 180;
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });

// Strokes in a box from 0 to 1, y downwards.
const digits = [
  [arc(0.5, 0.5, 0.28, 0.42, 0, 360)],
  [
    [
      [0.35, 0.25],
      [0.55, 0.08],
      [0.55, 0.92],
    ],
  ],
  [[...arc(0.5, 0.3, 0.26, 0.22, 180, 380), [0.24, 0.92], [0.78, 0.92]]],
  [[...arc(0.48, 0.29, 0.25, 0.21, 200, 450)], [...arc(0.48, 0.71, 0.27, 0.21, 270, 520)]],
  [
    [
      [0.62, 0.92],
      [0.62, 0.08],
      [0.22, 0.64],
      [0.82, 0.64],
    ],
  ],
  [[[0.76, 0.08], [0.3, 0.08], [0.28, 0.46], ...arc(0.48, 0.66, 0.27, 0.26, 230, 510)]],
  [[[0.66, 0.08], [0.36, 0.4], ...arc(0.5, 0.68, 0.25, 0.24, 200, 560)]],
  [
    [
      [0.22, 0.08],
      [0.78, 0.08],
      [0.42, 0.92],
    ],
  ],
  [arc(0.5, 0.29, 0.21, 0.2, 0, 360), arc(0.5, 0.71, 0.25, 0.21, 0, 360)],
  [[...arc(0.5, 0.32, 0.25, 0.24, 20, 380), [0.64, 0.6], [0.36, 0.92]]],
];

// Park and Miller's generator; good enough for synthetic images.
let state = 20240229;
const uniform = (low, high) => {
  state = (state * 48271) % 2147483647;
  return low + ((high - low) * state) / 2147483647;
};

/** @type {(point: number[], start: number[], end: number[]) => number} */
const distance = ([px, py], [ax, ay], [bx, by]) => {
  const [dx, dy] = [bx - ax, by - ay];
  const t = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
};

function draw(digit) {
  const turn = uniform(-0.2, 0.2);
  const slant = uniform(-0.2, 0.2);
  const [wide, high] = [uniform(0.8, 1.1), uniform(0.85, 1.05)];
  const [right, down] = [uniform(-0.07, 0.07), uniform(-0.07, 0.07)];
  const thickness = uniform(0.05, 0.1);
  /** @type {(point: number[]) => number[]} */
  const move = ([x, y]) => {
    const [u, v] = [(x - 0.5) * wide - slant * (y - 0.5), (y - 0.5) * high];
    return [
      0.5 + right + Math.cos(turn) * u - Math.sin(turn) * v,
      0.5 + down + Math.sin(turn) * u + Math.cos(turn) * v,
    ];
  };
  const strokes = digits[digit].map((stroke) => stroke.map(move));
  const pixels = [];
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const centre = [(x + 0.5) / SIZE, (y + 0.5) / SIZE];
      const near = Math.min(
        ...strokes.flatMap((stroke) => stroke.slice(1).map((end, i) => distance(centre, stroke[i], end))),
      );
      // Sixteen levels, as at the edge of a pen stroke.
      const ink = Math.max(0, Math.min(1, 0.5 + (thickness - near) * SIZE));
      pixels.push(Math.round(ink * 15) * 17);
    }
  }
  return pixels;
}

const idx = (shape, values) => {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([header, Buffer.from(values)]);
};
const write = (name, bytes) =>
  fs.writeFileSync(new URL(`../examples/data/${name}.idx.gz`, import.meta.url), zlib.gzipSync(bytes, { level: 9 }));

const labels = Array.from({ length: COUNT }, (_, i) => i % 10);
write('digits-images', idx([COUNT, SIZE, SIZE], labels.flatMap(draw)));
write('digits-labels', idx([COUNT], labels));

const LARGE = 12;
function place(pixels) {
  const [down, right] = [0, 0].map(() => (LARGE - SIZE) * Math.floor(uniform(0, 2)));
  const large = Array(LARGE * LARGE).fill(0);
  pixels.forEach((ink, i) => (large[(down + Math.floor(i / SIZE)) * LARGE + right + (i % SIZE)] = ink));
  return large;
}
const placed = labels.slice(0, COUNT / 2);
write(
  'digits-placed-images',
  idx(
    [placed.length, LARGE, LARGE],
    placed.flatMap((digit) => place(draw(digit))),
  ),
);
write('digits-placed-labels', idx([placed.length], placed));
