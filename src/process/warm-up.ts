// A first small run, so that code is compiled and loaded before anyone waits for it.
import { preloadTypeScriptSupport } from '../custom-layers/import-custom-layers';
import { withDataFiles } from '../data-files/data-files';
import { openSpec } from '../session/open-spec';
import { TrainingSession } from '../session/session';

const WARM_UP_SPEC = `{ "data": "xor", "layers": [{ "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }`;

export async function warmUp(): Promise<void> {
  await preloadTypeScriptSupport();
  const { run } = withDataFiles({ folder: '', root: null }, (files) => openSpec(WARM_UP_SPEC, files));
  if (run) new TrainingSession(run, WARM_UP_SPEC).step();
}
