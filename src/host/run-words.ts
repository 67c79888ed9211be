// What a run says when something cannot be done.

/** Why a command cannot be carried out, by state. */
export const NOT_NOW = {
  problems: 'The spec has problems; solve them first.',
  loading: 'The run is still being loaded.',
  run: 'The engine has stopped.',
  code: 'The layers of your own are not allowed to run yet.',
  stopped: 'The engine has stopped. Restore the run, or start over.',
} as const;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
