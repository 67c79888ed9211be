// A look at the training split, as the network gets it.
import { numel } from '../engine/kernels/tensor';
import { countClasses, largestClassShares } from '../engine/datasets/count-classes';
import type { CompiledRun } from '../model-spec';
import type { DataLook } from '../protocol/doctor-report';

export function examineData(run: CompiledRun): DataLook {
  const { dataset, split, targets, targetWidth, labels } = run;
  const { train } = split;
  const inputs = numel(dataset.inputShape);
  const squares = new Float64Array(inputs);
  let [sum, square, min, max] = [0, 0, Infinity, -Infinity];
  for (const sample of train) {
    for (let j = 0; j < inputs; j++) squares[j]! += dataset.inputs[sample * inputs + j]! ** 2;
    for (let j = 0; j < targetWidth; j++) {
      const value = targets[sample * targetWidth + j]!;
      sum += value;
      square += value * value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  const scales = squares.map((each) => Math.sqrt(each / train.length));
  const count = train.length * targetWidth;
  const counts = countClasses(run, train);
  const labeled = counts?.reduce((a, b) => a + b, 0) ?? 0;
  return {
    samples: { train: train.length, validation: split.validation.length, test: split.test.length },
    inputs,
    inputScale: {
      smallest: scales.reduce((a, b) => Math.min(a, b), Infinity),
      largest: scales.reduce((a, b) => Math.max(a, b), 0),
    },
    target: labels
      ? null
      : { mean: sum / count, std: Math.sqrt(Math.max(0, square / count - (sum / count) ** 2)), min, max },
    classes: labels && labels.map((name, i) => ({ name, share: (counts?.[i] ?? 0) / labeled })),
    largestClass: largestClassShares(run),
  };
}
