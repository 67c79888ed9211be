// Custom layers in a process or thread that the user can end: no watchdog stops a layer that hangs.
import { importCustomLayers } from '../custom-layers/import-custom-layers';
import type { ReadableFolders } from '../data-files/data-files';
import type { CustomLayerWatch } from './custom-layer-watch';
import { type CustomLayerProvider, listCustomLayers, type ParseResult } from '../model-spec';

const NO_OBSERVER = { enter: () => undefined, leave: () => undefined };

/**
 * The custom layers of a spec whose code may run; undefined if it has none.
 * @param watch attributes what the layers do outside of their functions
 */
export async function loadUnwatchedLayers(
  { spec }: ParseResult,
  folders: ReadableFolders,
  watch?: CustomLayerWatch,
): Promise<CustomLayerProvider | undefined> {
  if (!spec || listCustomLayers(spec).length === 0) return undefined;
  watch?.registerLayers(spec, folders);
  return importCustomLayers(spec, folders, watch ?? NO_OBSERVER);
}
