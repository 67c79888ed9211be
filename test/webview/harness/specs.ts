// Specs that bring a run into the states that tests need.

/** Its loss grows until a value overflows float32, within some forty steps. */
export const diverging = `{
  "data": { "type": "noisy_sine" },
  "layers": [{ "type": "linear", "out_features": 8 }, "relu", { "type": "linear", "out_features": 1 }],
  "loss": "mse", "optimizer": { "type": "sgd", "lr": 5 }, "batch_size": 16, "epochs": 50
}`;

/** So confident and wrong that the guard in BCE's gradient shows: the check calls it wrong. */
export const guarded = JSON.stringify({
  data: { type: 'inline', inputs: [[1]], targets: [[1]] },
  layers: [{ type: 'linear', weight: [[-15]], bias: [-15] }, 'sigmoid'],
  loss: 'bce',
  batch_size: 1,
  precision: 'float64',
});

/** Trains for minutes. */
export const long = (circles: string): string => circles.replace(/"epochs": \d+/, '"epochs": 1000000');

/** Ten linear layers with sigmoids between: gradients vanish toward the input. */
export const deep = `{
  "data": "circles",
  "layers": [${'{ "type": "linear", "out_features": 24 }, "sigmoid", '.repeat(9)}{ "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 }, "batch_size": 100, "epochs": 50
}`;

/** Wide enough that tensors are reduced. */
export const wide = `{
  "data": "circles",
  "layers": [{ "type": "linear", "out_features": 200 }, "relu", { "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 }, "batch_size": 240, "epochs": 5
}`;

/** Names that would be markup if they were not escaped. */
export const hostileName = '<img src=x onerror="window.broken=1"><b>${alert(1)}</b>';

export const hostile = JSON.stringify({
  name: hostileName,
  data: 'circles',
  layers: [
    { type: 'linear', out_features: 4, name: hostileName },
    { type: 'tanh', name: '</script><script>window.broken=1</script>' },
    { type: 'linear', out_features: 2, name: 'a'.repeat(100) },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 100,
});

/** Twenty linear layers, each with an activation. */
export const deepest = `{
  "data": "circles",
  "layers": [${'{ "type": "linear", "out_features": 8 }, "tanh", '.repeat(19)}{ "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.05 }, "batch_size": 60, "epochs": 50
}`;

/** A layer with a thousand units. */
export const widest = `{
  "data": "circles",
  "layers": [{ "type": "linear", "out_features": 1000 }, "relu", { "type": "linear", "out_features": 1000 }, "relu", { "type": "linear", "out_features": 2 }],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.1 }, "batch_size": 40, "epochs": 5
}`;

/** A small convolutional network. */
export const images = `{
  "data": { "type": "images", "samples": 120 },
  "layers": [
    { "type": "conv2d", "out_channels": 6, "kernel_size": 5, "padding": 2 }, "relu", { "type": "max_pool2d", "kernel_size": 4 },
    { "type": "conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1 }, "relu", { "type": "max_pool2d", "kernel_size": 4 }, "flatten",
    { "type": "linear", "out_features": 10 }
  ],
  "loss": "cross_entropy", "optimizer": { "type": "sgd", "lr": 0.05 }, "batch_size": 20, "epochs": 5
}`;

const longName = (from: string): string =>
  `${from} with the quite long name that somebody gave it so that everybody knows`;

export const longNames = JSON.stringify({
  name: longName('a network'),
  data: {
    type: 'inline',
    inputs: [
      [0, 1],
      [1, 0],
      [1, 1],
      [0, 0],
    ],
    labels: ['first', 'second', 'third', 'first'].map((each) => longName(`the ${each} class`)),
    classes: ['first', 'second', 'third'].map((each) => longName(`the ${each} class`)),
    feature_names: ['one', 'other'].map((each) => longName(`the ${each} feature`)),
  },
  layers: [
    { type: 'linear', out_features: 5, name: longName('a linear layer') },
    { type: 'tanh', name: longName('a hyperbolic tangent') },
    { type: 'linear', out_features: 3, name: 'WithoutASinglePlaceToBreakTheLineAtBecauseItIsOneWord' },
  ],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 2,
  epochs: 30,
});
