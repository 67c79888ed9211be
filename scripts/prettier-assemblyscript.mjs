// A parser for Prettier: TypeScript with AssemblyScript's decorators of functions, which TypeScript's grammar does not
// allow. They are parsed as comments of the same length; comments are printed from the original text.
import { parsers as typescriptParsers } from 'prettier/plugins/typescript';

const { typescript } = typescriptParsers;

/** @type {Record<string, import('prettier').Parser>} */
export const parsers = {
  assemblyscript: {
    ...typescript,
    parse: (text, options) =>
      typescript.parse(
        text.replace(/^(\s*)@(\w+)$/gm, (_, indent, name) => `${indent}//${'-'.repeat(name.length - 1)}`),
        options,
      ),
  },
};
