// Opens a run in an engine process of its own, for a debug adapter outside of VS Code.
import { ENGINE_RESPONSE_TIMEOUT_MS, ProcessClient } from '../process/process-client';
import { isManualChange, undoLabelOf } from '../protocol/command';
import type { OpenRequest } from '../protocol/engine';
import type { RunRecord } from '../protocol/run-record';
import type { DebuggedRun, DebuggedRunEvents } from './debugged-run';

/** Each holds a copy of the weights. */
const MAX_CHANGES = 8;

/** A manual change, with the run before it. */
interface ManualChange {
  readonly record: RunRecord;
  readonly label: string;
}

/**
 * @param engineFile dist/engine-process.js
 * @param file path of the spec, absolute
 */
export async function launchEngine(
  engineFile: string,
  file: string,
  request: OpenRequest,
  events: DebuggedRunEvents,
): Promise<DebuggedRun> {
  let announce = (): void => undefined;
  const announced = new Promise<void>((resolve) => (announce = resolve));
  const client: ProcessClient = new ProcessClient({
    file: engineFile,
    events: {
      // The adapter asks for what it shows, except for how far a replay is.
      frame: (frame) => {
        if ('status' in frame && frame.status === 'seeking' && frame.target !== null)
          events.onReplay?.(frame.position.step, frame.target);
        return Promise.resolve();
      },
      checkProgress: () => undefined,
      checkFinished: () => undefined,
      checkpoint: () => undefined,
      simd256Enabled: () => undefined,
      loading: () => undefined,
      fault: ({ message, remedy }) => events.onOutput(`${message} ${remedy}\n`),
      log: (_level, text, source) => events.onOutput(source === null ? `${text}\n` : `${source}: ${text}\n`),
      stateChanged: (state) => {
        events.onState(state);
        announce();
      },
      logpoints: (messages) => events.onLogpoints(messages),
    },
    responseTimeout: ENGINE_RESPONSE_TIMEOUT_MS,
    onExit: (reason) => events.onExit(reason),
  });
  const result = await client.calls.open(request);
  if (!result.ok) {
    await client.dispose();
    const errors = result.problems.filter(({ severity }) => severity === 'error');
    throw new Error(errors.map(({ message, remedy }) => `${message} ${remedy}`).join('\n'));
  }
  // A run announces its first state after it was opened. Later, that would look like the end of the first movement.
  await Promise.race([announced, client.exited]);
  const { model } = result;
  const { calls } = client;
  let changes: readonly ManualChange[] = [];
  return {
    file,
    text: request.text,
    model,
    calls: {
      query: (query) => calls.query(query),
      setBreakpoints: (breakpoints) => calls.setBreakpoints(breakpoints),
      command: async (command) => {
        const record = isManualChange(command) ? await calls.captureRecord() : null;
        await calls.command(command);
        if (!record) return;
        const { step } = record.position;
        const label = undoLabelOf(command, step, record.frontier <= step);
        if (label !== null) changes = [...changes, { record, label }].slice(-MAX_CHANGES);
      },
    },
    undo: async () => {
      const last = changes.at(-1);
      if (!last) return null;
      changes = changes.slice(0, -1);
      const reopened = await calls.open({ ...request, record: last.record });
      if (!reopened.ok) throw new Error('The run could not be opened again.');
      return last.label;
    },
    dispose: () => client.dispose(),
  };
}
