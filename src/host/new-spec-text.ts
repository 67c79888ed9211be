// What a new spec says: small, complete, and ready to train.

export const newSpecText = `{
  // Two rings of points: which ring does a point belong to?
  "name": "circles",
  "data": "circles",
  "layers": [
    { "type": "linear", "out_features": 16 },
    "tanh",
    { "type": "linear", "out_features": 2 }
  ],
  "loss": "cross_entropy",
  "optimizer": { "type": "sgd", "lr": 0.1, "momentum": 0.9 },
  "batch_size": 16,
  "epochs": 100
}
`;
