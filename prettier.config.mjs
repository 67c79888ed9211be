/** @type {import('prettier').Config} */
export default {
  printWidth: 120,
  singleQuote: true,
  overrides: [
    { files: '*.md', options: { proseWrap: 'always', embeddedLanguageFormatting: 'off' } },
    {
      files: 'assembly/*.ts',
      options: { parser: 'assemblyscript', plugins: [import.meta.resolve('./scripts/prettier-assemblyscript.mjs')] },
    },
  ],
};
