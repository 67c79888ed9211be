// What goes wrong where gradients are summed over the batch, or made from what a layer keeps.
import type { Guess } from './guess';
import type { Change, LayerTrial, Trial } from './trial';

export function* samples({ of, numeric, layer, tensor }: Trial): Iterable<Guess> {
  if (!layer) return;
  const { upstream, input, before } = layer;
  const width = upstream.length / layer.samples;
  const changed = function* (change: Change, cause: Guess['cause'], words: string): Iterable<Guess> {
    const values = layer.numericWith(change);
    if (values) yield { cause, words, values };
  };
  const only = (keep: (sample: number) => boolean): Change => ({ upstream: upstream.map((u, i) => (keep(Math.floor(i / width)) ? u : 0)) });
  const last = layer.samples - 1;
  const bias = tensor === 'bias' ? ': it is not summed over the batch' : '';
  yield* changed(only((sample) => sample === 0), 'one_sample', `comes from the first sample alone${bias}`);
  yield* changed(only((sample) => sample === last), 'one_sample', `comes from the last sample alone${bias}`);
  yield* changed(only((sample) => sample !== last), 'sample_missing', 'leaves the last sample out');
  yield* changed(only((sample) => sample !== 0), 'sample_missing', 'leaves the first sample out');
  yield* changed(only((sample) => sample % 2 === 0), 'sample_missing', 'leaves every second sample out');
  yield* changed(only((sample) => sample % 2 === 1), 'sample_missing', 'leaves every second sample out');
  yield* switched(layer);
  if (of === 'parameter') {
    yield* changed({ upstream: upstream.map(() => 1) }, 'upstream_ignored', 'ignores the arriving gradient');
    yield* changed({ input: input.map(() => 1) }, 'input_ignored', "does not depend on the layer's input");
    yield* changed({ input: layer.output }, 'derivative_at_output', "is made with the layer's output in place of its input");
  }
  if (layer.defaults !== null) yield* changed({ options: layer.defaults }, 'options_ignored', 'ignores the options: it is that of the layer with the options that it has unless told');
  if (of === 'parameter') {
    for (const [by, other] of [[width, 'next'], [-width, 'previous']] as const) {
      const rolled = upstream.map((_, i) => upstream[(i + by + upstream.length) % upstream.length]);
      yield* changed({ upstream: rolled }, 'samples_mixed', `pairs each sample with the arriving gradient of the ${other} one`);
    }
    if (numeric.length === width && width > 1) {
      const sums = numeric.map((_, j) => upstream.subarray((j % layer.samples) * width, ((j % layer.samples) + 1) * width).reduce((a, b) => a + b, 0));
      yield { cause: 'wrong_sum', words: 'is summed over the units, and should be summed over the samples', values: sums };
    }
  }
  yield* changed({ input: before.input }, 'from_earlier_call', 'is made with the input of an earlier step');
  yield* changed({ upstream: before.upstream }, 'from_earlier_call', 'is made with the arriving gradient of an earlier step');
  yield* changed(before, 'from_earlier_call', 'is that of an earlier step');
  if (numeric.length < 2) return;
  // As a share of itself: a sample's own weight in the sum cannot be told from one number.
  yield* changed({ upstream: upstream.map(Math.abs) }, 'absolute_value', 'has lost the signs of the arriving gradient');
}

/** As if an option that is on were off, or the other way round. */
function* switched({ options, numericWith }: LayerTrial): Iterable<Guess> {
  if (typeof options !== 'object' || options === null) return;
  for (const [name, on] of Object.entries(options)) {
    if (typeof on !== 'boolean') continue;
    const values = numericWith({ options: { ...options, [name]: !on } });
    if (values) yield { cause: 'options_ignored', words: `is made as if "${name}" were ${String(!on)}`, values };
  }
}
