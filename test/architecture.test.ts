// Who may import whom. The table is the one of docs/architecture.md; a new room is a new line here.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(__dirname, '..');

interface Rule {
  /** Rooms below src that may be imported, beside the room itself. */
  readonly rooms: readonly string[];
  /** Rooms of which only types may be imported. */
  readonly types?: readonly string[];
  /** Packages and `node:` modules. */
  readonly packages?: readonly (string | RegExp)[];
}

const rules: Readonly<Record<string, Rule>> = {
  engine: { rooms: [], packages: ['zod/mini'] },
  history: { rooms: [] },
  parts: { rooms: [] },
  gradcheck: { rooms: ['engine'] },
  spec: { rooms: ['engine'], types: ['gradcheck'], packages: ['zod/mini', 'zod/v4/core', 'jsonc-parser'] },
  health: { rooms: ['engine', 'spec'] },
  session: { rooms: ['engine', 'gradcheck', 'spec', 'health', 'history', 'parts'] },
  sweep: { rooms: ['session', 'spec'] },
  report: { rooms: ['gradcheck', 'history'], types: ['session'], packages: ['node:crypto'] },
  protocol: { rooms: [], types: ['engine', 'gradcheck', 'spec', 'health', 'session', 'history', 'parts', 'sweep'] },
  files: { rooms: ['engine'], packages: [/^node:/] },
  machine: { rooms: ['engine'], packages: [/^node:/] },
  code: { rooms: ['engine', 'files'], types: ['spec'], packages: [/^node:/] },
  process: { rooms: ['parts', 'session', 'spec', 'health', 'protocol', 'engine', 'files', 'sweep', 'machine', 'code'], types: ['gradcheck'], packages: ['birpc', /^node:/] },
  host: { rooms: ['process', 'spec', 'health', 'protocol', 'history', 'parts', 'report'], types: ['session', 'gradcheck', 'engine'], packages: ['vscode', /^node:/] },
  testing: { rooms: ['parts', 'host', 'process', 'spec', 'protocol', 'gradcheck', 'session'], types: ['engine'], packages: ['vscode'] },
  cli: { rooms: ['report', 'session', 'spec', 'health', 'gradcheck', 'engine', 'history', 'files', 'sweep', 'process', 'machine', 'code'], packages: [/^node:/] },
  webview: {
    rooms: ['history', 'parts', 'protocol'],
    types: ['session', 'gradcheck', 'engine'],
    packages: [/^lit($|\/)/, /^chart\.js/, 'temml', /^@vscode\/codicons\//],
  },
  'extension.ts': { rooms: ['host', 'testing'], packages: ['vscode'] },
};

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
}

/** Static imports and exports-from, and dynamic imports, as the compiler reads them. */
function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const clause = ts.isImportDeclaration(node) ? node.importClause : undefined;
      const named = ts.isImportDeclaration(node)
        ? clause?.namedBindings && ts.isNamedImports(clause.namedBindings) && !clause.name
          ? clause.namedBindings.elements
          : undefined
        : node.exportClause && ts.isNamedExports(node.exportClause)
          ? node.exportClause.elements
          : undefined;
      const typeOnly =
        (ts.isExportDeclaration(node) ? node.isTypeOnly : clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
        (named !== undefined && named.length > 0 && [...named].every((element) => element.isTypeOnly));
      found.push({ from: (node.moduleSpecifier as ts.StringLiteral).text, typeOnly });
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      // What is computed is a file of the user's own.
      if (ts.isStringLiteral(node.arguments[0])) found.push({ from: node.arguments[0].text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function roomOf(path: string): string {
  const [first, second] = relative(root, path).split(sep);
  return first === 'src' ? second : first;
}

function complaints(file: string): string[] {
  const room = roomOf(file);
  const rule = rules[room];
  const name = relative(root, file);
  if (!rule) return [`${name} is in a room without a rule`];
  return importsOf(file).flatMap(({ from, typeOnly }) => {
    if (from.startsWith('.')) {
      const target = roomOf(resolve(dirname(file), from));
      const allowed = target === room || rule.rooms.includes(target) || (typeOnly && rule.types?.includes(target));
      return allowed ? [] : [`${name} imports ${typeOnly ? 'a type of ' : ''}${target}`];
    }
    if (from.endsWith('.css')) return [];
    const allowed = rule.packages?.some((p) => (typeof p === 'string' ? p === from : p.test(from)));
    return allowed ? [] : [`${name} imports the package ${from}`];
  });
}

const files = [...filesBelow(join(root, 'src')), ...filesBelow(join(root, 'webview'))];

describe('architecture', () => {
  it('finds the rooms', () => {
    expect(new Set(files.map(roomOf))).toEqual(new Set(Object.keys(rules)));
  });

  it('imports only what the table allows', () => {
    expect(files.flatMap(complaints)).toEqual([]);
  });

  it('keeps the pure rooms free of clocks, chance and globals', () => {
    const pure = files.filter((file) => ['engine', 'gradcheck', 'spec', 'health', 'history', 'parts', 'session', 'sweep'].includes(roomOf(file)));
    const offences = pure.flatMap((file) => {
      const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      return [...text.matchAll(/\b(Math\.random|Date\.now|performance\.now|new Date|process\.|setTimeout|globalThis)\b/g)].map(
        ([match]) => `${relative(root, file)}: ${match}`,
      );
    });
    expect(offences).toEqual([]);
  });

  it('keeps Chart.js to one folder of the webview', () => {
    const users = files.filter((file) => importsOf(file).some(({ from }) => /^chart/.test(from)));
    expect(users.every((file) => relative(root, file).startsWith(join('webview', 'charts')))).toBe(true);
  });

  it('keeps files to one idea: at most 400 lines', () => {
    const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 400).map((file) => relative(root, file));
    expect(long).toEqual([]);
  });
});
