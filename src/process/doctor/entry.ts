// A process that diagnoses one spec for the extension host, and ends with it.
import os from 'node:os';
import { type BirpcReturn, createBirpc } from 'birpc';
import { withDataFiles } from '../../data-files/data-files';
import { specRules } from '../../diagnostics';
import { diagnose } from '../../doctor';
import { type LoadedRun, loadRun, parseSpec } from '../../model-spec';
import type { DoctorCalls, DoctorEvents, DoctorRequest, DoctorResult } from '../../protocol/doctor';
import { hostTransport } from '../message-channel';
import { loadUnwatchedLayers } from '../unwatched-layers';

/** More frequent progress would be useless. */
const PROGRESS_MS = 100;

// The run in the panel continues meanwhile. Without permission for that, the diagnosis has normal priority.
try {
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  /* normal priority */
}

async function examine(request: DoctorRequest): Promise<DoctorResult> {
  const { text, folder, root, allowed, ruleSettings, allowCustomLayers = false } = request;
  const folders = { folder, root, allowed };
  const load = async (variant: string): Promise<LoadedRun> => {
    const parsed = parseSpec(variant);
    const customLayers = allowCustomLayers ? await loadUnwatchedLayers(parsed, folders) : undefined;
    return withDataFiles(folders, (files) => loadRun(parsed, files, { rules: specRules, customLayers, ruleSettings }));
  };
  const { run, spec, problems } = await load(text);
  if (!run || !spec) return { kind: 'problems', problems };
  let lastProgress = -Infinity;
  const report = await diagnose(text, { run, spec, problems }, load, {
    isCancelled: () => false,
    yieldToEventLoop: () => new Promise((resolve) => void setImmediate(resolve)),
    now: () => performance.now(),
    onProgress: (stage, share) => {
      const now = performance.now();
      if (now - lastProgress < PROGRESS_MS) return;
      lastProgress = now;
      void rpc.progress.asEvent(stage, share);
    },
  });
  return { kind: 'report', report };
}

const rpc: BirpcReturn<DoctorEvents, DoctorCalls> = createBirpc<DoctorEvents, DoctorCalls>(
  { diagnose: examine },
  {
    ...hostTransport(),
    bind: 'functions',
    timeout: -1,
  },
);
