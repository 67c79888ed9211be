// Opens a run in an engine process of its own, for a debug adapter outside of VS Code.
import { ENGINE_RESPONSE_TIMEOUT_MS, ProcessClient } from '../process/process-client';
import type { OpenRequest } from '../protocol/engine';
import type { DebuggedRun, DebuggedRunEvents } from './debugged-run';

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
      // The adapter asks for what it shows.
      frame: () => Promise.resolve(),
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
  return { file, text: request.text, model: result.model, calls: client.calls, dispose: () => client.dispose() };
}
