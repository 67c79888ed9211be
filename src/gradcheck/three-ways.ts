// Layers with a written backward whose forward autograd can follow: the gradients three ways, each layer alone.
import type { Pass } from '../engine/network';
import { Random } from '../engine/random';
import { LayerBench } from './diagnosis/layer-bench';
import { largest } from './diagnosis/trial';
import type { AutogradComparison } from './report';

/** Difference, as a share of the largest number, that is called one. Numeric derivatives have about seven digits. */
const DIFFERS = 1e-4;
const SAMPLES = 5;

/**
 * A slice of the work at a time. The pass must hold the batch, evaluated.
 * @param trusted whether what layers say they reach has held so far.
 */
export function* threeWays(pass: Pass, trusted: boolean): Generator<void, readonly AutogradComparison[]> {
  const { layers } = pass.network.model;
  const found: AutogradComparison[] = [];
  for (const [layer, { name, definition }] of layers.entries()) {
    if (!definition.autograd) continue;
    const bench = new LayerBench(pass, layer, SAMPLES, 'outputs', new Random(layer, 'three ways'), trusted);
    for (const [tensor, gradient] of bench.autograd() ?? []) {
      yield;
      const { analytic: written, numeric } = bench.trial(tensor);
      const between = (a: Float64Array, b: Float64Array): number => {
        let most = 0;
        for (let i = 0; i < a.length; i++) if (!Number.isNaN(numeric[i])) most = Math.max(most, Math.abs(a[i] - b[i]));
        return most / Math.max(largest(numeric), largest(a), Number.MIN_VALUE);
      };
      const apart = { writtenAutograd: between(written, gradient), writtenNumeric: between(written, numeric), autogradNumeric: between(gradient, numeric) };
      found.push({ layer: name, tensor, ...apart, sentence: sentence(name, tensor, apart) });
    }
  }
  return found;
}

type Apart = Pick<AutogradComparison, 'writtenAutograd' | 'writtenNumeric' | 'autogradNumeric'>;

function sentence(layer: string, tensor: string, { writtenAutograd, writtenNumeric, autogradNumeric }: Apart): string | null {
  if (Math.max(writtenAutograd, writtenNumeric, autogradNumeric) <= DIFFERS) return null;
  const gradient = tensor === 'input' ? 'dx' : `the gradient of ${tensor}`;
  const share = `${Number((100 * writtenAutograd).toPrecision(2))} %`;
  const differ = `In ${layer}, ${gradient} by the written backward and by autograd are ${share} of the largest number apart`;
  if (autogradNumeric <= DIFFERS) return `${differ}; numeric derivatives agree with autograd, so the written backward is wrong.`;
  if (writtenNumeric <= DIFFERS) {
    return `${differ}; numeric derivatives agree with the written backward: the forward computes some of its output without ops, which autograd cannot see.`;
  }
  return writtenAutograd <= DIFFERS
    ? `In ${layer}, ${gradient} is the same by the written backward and by autograd, but numeric derivatives differ: the forward gives something else than its operations say.`
    : `${differ}; numeric derivatives agree with neither.`;
}
