// An input as an image: [height, width] and [1, height, width] in gray, [3, height, width] in color. Each is scaled
// from its minimum to its maximum.

/** Channels, height and width; an image of two dimensions has one channel. */
const imageShape = (shape: readonly number[]) =>
  (shape.length === 2 ? [1, ...shape] : shape) as readonly [number, number, number];

/** Whether an input can be shown as an image. */
export function isImage(shape: readonly number[]): boolean {
  if (shape.length !== 2 && shape.length !== 3) return false;
  const [channels, height, width] = imageShape(shape);
  return (channels === 1 || channels === 3) && height > 1 && width > 1;
}

export function drawInputImage(canvas: HTMLCanvasElement, input: Float32Array, shape: readonly number[]): void {
  if (!isImage(shape)) return;
  const [channels, height, width] = imageShape(shape);
  let [low, high] = [Infinity, -Infinity];
  for (const one of input) [low, high] = [Math.min(low, one), Math.max(high, one)];
  const image = new ImageData(width, height);
  const size = width * height;
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const one = input[(channels === 3 ? channel : 0) * size + i]!;
      image.data[i * 4 + channel] = high > low ? (255 * (one - low)) / (high - low) : 128;
    }
    image.data[i * 4 + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
