// A first small run, for nobody: what it compiles and loads need not be compiled and loaded when somebody waits.
import { readTypeScript } from '../code/load-layers';
import { withFiles } from '../files/data-files';
import { openSpec } from '../session/load';
import { TrainingSession } from '../session/session';

const SMALL = `{ "data": "xor", "layers": [{ "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }`;

export async function warmUp(): Promise<void> {
  await readTypeScript();
  const { run } = withFiles({ folder: '', root: null }, (files) => openSpec(SMALL, files));
  if (run) new TrainingSession(run, SMALL).step();
}
