// The files of custom layers in the extension host: only small regular files in the workspace are read, and none of
// them before the user has allowed the layers to run.
import { execFileSync } from 'node:child_process';
import fs, { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LayerFileSnapshot } from '../../../src/host/custom-layers/layer-files';
import { analyzeSpec } from '../../../src/host/model-spec/analyze-spec';
import { RunController } from '../../../src/host/run/run-controller';
import type { RunControllerOptions } from '../../../src/host/run/run-options';
import { RunStore } from '../../../src/host/run/run-store';

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'nablascope-layer-files-'));
  folder = join(parent, 'workspace');
  await mkdir(folder);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(parent, { recursive: true });
});

const textOf = (...modules: string[]): string =>
  JSON.stringify({
    data: 'circles',
    layers: [...modules.map((module) => ({ type: 'custom', module })), { type: 'linear', out_features: 2 }],
    loss: 'cross_entropy',
  });
const location = () => ({ uri: 'file:///s', file: 's', folder, root: folder });

it('detects changes of a file in the workspace, and of one that it imports', async () => {
  await writeFile(join(folder, 'own.layer.mjs'), "import './helper.mjs';");
  await writeFile(join(folder, 'helper.mjs'), 'one');
  const spec = analyzeSpec(textOf('./own.layer.mjs')).spec!;
  const files = new LayerFileSnapshot();
  await files.capture(spec, location());
  const helper = join(folder, 'helper.mjs');
  expect(await files.updateIfChanged(helper, spec, location())).toBe(false);
  await writeFile(helper, 'two');
  expect(await files.updateIfChanged(helper, spec, location())).toBe(true);
  expect(await files.updateIfChanged(helper, spec, location())).toBe(false);
});

it.skipIf(process.platform === 'win32')('reads no device, no pipe, and nothing outside of the workspace', async () => {
  const outside = join(parent, 'outside.mjs');
  await writeFile(outside, 'one');
  execFileSync('mkfifo', [join(folder, 'pipe.mjs')]);
  const modules = ['/dev/zero', './pipe.mjs', '../outside.mjs', outside];
  const spec = analyzeSpec(textOf(...modules)).spec!;
  const files = new LayerFileSnapshot();
  await files.capture(spec, location());
  await writeFile(outside, 'two');
  expect(await files.updateIfChanged(outside, spec, location())).toBe(false);
});

it.each(['ask', 'untrusted', 'allowed'] as const)(
  'with the permission "%s", reads files only if that is "allowed"',
  async (permission) => {
    const file = join(folder, 'own.layer.mjs');
    await writeFile(file, 'one');
    const opening = vi.spyOn(fs, 'open');
    const options = {
      location: location(),
      store: new RunStore(join(parent, 'store'), () => undefined),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined },
      permissionOf: () => permission,
      engineFile: join(folder, 'none.js'),
      dataFolders: () => [],
      analyzeSpec,
      postToPanel: () => undefined,
      showFrame: () => Promise.resolve(),
      onOpenProblems: () => undefined,
    } satisfies Partial<RunControllerOptions>;
    const controller = new RunController(
      options as unknown as RunControllerOptions,
      analyzeSpec(textOf('./own.layer.mjs')),
    );
    await controller.handleFileChange(file);
    expect(opening.mock.calls.length > 0).toBe(permission === 'allowed');
    await controller.dispose();
  },
);
