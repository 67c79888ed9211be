// Enforces the rules of support/architecture-rules.ts: allowed imports, no import cycles, no imports that bypass an
// index.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { architecture } from './support/architecture-rules';

const root = resolve(__dirname, '..');

interface Import {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  /** The imported file of the project; undefined for a package. */
  readonly target: string | undefined;
}

interface SourceFile {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return listFiles(path);
    return /(?<!\.d)\.(ts|mts|mjs)$/.test(path) ? [path] : [];
  });
}

const paths = ['src', 'webview', 'assembly', 'scripts', 'bench'].flatMap(listFiles);
const isFile = (path: string): boolean => statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false;

function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const base = relative(root, resolve(root, dirname(from), specifier))
    .split(sep)
    .join('/');
  const found = ['.ts', '/index.ts', '', '.d.ts', '.d.mts'].map((suffix) => base + suffix).find(isFile);
  if (found === undefined) throw new Error(`${from} imports ${specifier}, which does not exist`);
  return found;
}

function parseFile(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const imports: Import[] = [];
  const add = (specifier: string, isTypeOnly: boolean): void => {
    imports.push({ specifier, isTypeOnly, target: resolveImport(path, specifier) });
  };
  const areTypes = (elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[]): boolean =>
    elements.length > 0 && elements.every((element) => element.isTypeOnly);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const { importClause: clause } = node;
      const named = clause?.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings : undefined;
      add(
        node.moduleSpecifier.text,
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
          (!clause?.name && named !== undefined && areTypes(named.elements)),
      );
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const named = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause : undefined;
      add(node.moduleSpecifier.text, node.isTypeOnly || (named !== undefined && areTypes(named.elements)));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      // A computed specifier names a custom layer or a bundle.
      const [argument] = node.arguments;
      if (ts.isStringLiteral(argument)) add(argument.text, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      if (ts.isStringLiteral(node.argument.literal)) add(node.argument.literal.text, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022));
  return { path, text, imports };
}

// Compiled kernels: a megabyte of text without imports.
const files = paths.filter((path) => path !== 'src/engine/kernels/wasm-modules.ts').map(parseFile);
const byPath = new Map(files.map((file) => [file.path, file]));

/** `src/engine` for a file of src, otherwise the top-level folder. */
function folderOf(path: string): string {
  const [first, second] = path.split('/');
  return first === 'src' ? `${first}/${second}` : first;
}

const matchesPackage = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function violations({ path, imports }: SourceFile): string[] {
  const folder = folderOf(path);
  const { imports: folders, typeImports = [], packages = [] } = architecture[folder];
  return imports.flatMap(({ specifier, isTypeOnly, target }) => {
    if (target === undefined) {
      return packages.some((pattern) => matchesPackage(pattern, specifier)) ? [] : [`${path} imports ${specifier}`];
    }
    const other = folderOf(target);
    const isAllowed =
      other === folder ||
      target.endsWith('.css') ||
      folders.includes(other) ||
      (folders.includes('*') && other in architecture) ||
      (isTypeOnly && typeImports.includes(other));
    return isAllowed ? [] : [`${path} imports ${isTypeOnly ? 'a type of ' : ''}${other}`];
  });
}

/** Strongly connected components of the import graph with more than one file, by Tarjan's algorithm. */
function importCycles(): string[][] {
  const cycles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    let low = order.get(path) ?? 0;
    stack.push(path);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target === undefined || !byPath.has(target)) continue;
      if (!order.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      low = Math.min(low, lowest.get(target) ?? order.get(target) ?? Infinity);
    }
    lowest.set(path, low);
    if (low !== order.get(path)) return;
    const cycle = stack.splice(stack.indexOf(path));
    if (cycle.length > 1) cycles.push(cycle.sort());
  };
  for (const { path } of files) if (!order.has(path)) visit(path);
  return cycles;
}

describe('architecture', () => {
  it('has a rule for each folder, and a folder for each rule', () => {
    expect([...new Set(files.map(({ path }) => folderOf(path)))].sort()).toEqual(Object.keys(architecture).sort());
  });

  it('imports only what the rules allow', () => {
    expect(files.flatMap(violations)).toEqual([]);
  });

  it('has no import cycles, not even of types', () => {
    expect(importCycles()).toEqual([]);
  });

  it('bundles nothing that trains, loads code or differentiates into the extension', () => {
    const reached = new Set(['src/extension.ts']);
    // A set also visits what is added during the loop.
    for (const path of reached)
      for (const { target, isTypeOnly } of byPath.get(path)?.imports ?? [])
        if (target !== undefined && !isTypeOnly) reached.add(target);
    expect(reached).toContain('src/host/run/run-manager.ts');
    expect(reached).toContain('src/model-spec/memory.ts');
    const isForbidden = (path: string): boolean =>
      ['src/session', 'src/gradcheck', 'src/platform'].includes(folderOf(path)) ||
      /^src\/engine\/(network\.ts|pass\.ts|autograd\/|kernels\/(create|wasm|fallback|fused))/.test(path) ||
      path === 'src/custom-layers/import-custom-layers.ts';
    expect([...reached].filter(isForbidden)).toEqual([]);
  });

  it('imports a folder that has an index only through the index', () => {
    const withIndex = Object.keys(architecture).filter((folder) => byPath.has(`${folder}/index.ts`));
    expect(withIndex).toContain('src/gradcheck');
    const around = files
      .filter(({ path }) => folderOf(path) !== 'bench')
      .flatMap(({ path, imports }) =>
        imports.flatMap(({ target = '' }) => {
          const folder = folderOf(target);
          const isInside = folderOf(path) === folder;
          return isInside || !withIndex.includes(folder) || target === `${folder}/index.ts`
            ? []
            : [`${path} imports ${target}`];
        }),
      );
    expect(around).toEqual([]);
  });

  it('keeps the pure folders free of clocks, randomness and globals', () => {
    /** Replaces functions that a custom layer calls, to observe them, and restores them. */
    const observesGlobals = 'src/gradcheck/diagnosis/forward-trace.ts';
    const offences = files
      .filter(({ path }) => path !== observesGlobals)
      .filter(({ path }) => architecture[folderOf(path)].isPure)
      .flatMap(({ path, text }) => {
        const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        return [
          ...code.matchAll(/\b(Math\.random|Date\.now|performance\.now|new Date|process\.|setTimeout|globalThis)\b/g),
        ].map(([match]) => `${path}: ${match}`);
      });
    expect(offences).toEqual([]);
  });

  it('uses Chart.js only in one folder of the webview', () => {
    const users = files.filter(({ imports }) => imports.some(({ specifier }) => specifier.startsWith('chart')));
    expect(users.length).toBeGreaterThan(0);
    expect(users.map(({ path }) => path).filter((path) => !path.startsWith('webview/charts/'))).toEqual([]);
  });
});
