// The part of VS Code's API that modules without a window use, for tests outside of VS Code: messages in English.

const fillIn = (message: string, values: readonly (string | number | boolean)[]): string =>
  message.replace(/\{(\d+)\}/g, (placeholder, index: string) => String(values[Number(index)] ?? placeholder));

export const l10n = {
  t: (message: string, ...values: (string | number | boolean)[]): string => fillIn(message, values),
};
