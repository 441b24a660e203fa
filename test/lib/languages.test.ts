import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const ASSEMBLY = join(ROOT, '.jsii');
const LANGUAGES = ['js', 'python', 'java', 'go', 'dotnet'];

interface Type { readonly primitive?: string; readonly union?: unknown }
interface Member { readonly name: string; readonly type?: Type; readonly returns?: { readonly type: Type }; readonly parameters?: Member[] }
interface Assembly { readonly types: Record<string, { readonly properties?: Member[]; readonly methods?: Member[]; readonly initializer?: Member }> }

/** `Class.member` for each type in the public API, with the types of parameters and results. */
function usedTypes(assembly: Assembly): Array<{ where: string; type: Type }> {
  return Object.entries(assembly.types).flatMap(([name, { properties = [], methods = [], initializer }]) => [
    ...properties.map((property) => ({ where: `${name}.${property.name}`, type: property.type! })),
    ...[...methods, ...(initializer ? [{ ...initializer, name: 'constructor' }] : [])].flatMap((method) => [
      ...(method.returns ? [{ where: `${name}.${method.name}()`, type: method.returns.type }] : []),
      ...(method.parameters ?? []).map((parameter) => ({ where: `${name}.${method.name}(${parameter.name})`, type: parameter.type! })),
    ]),
  ]);
}

const ready = existsSync(ASSEMBLY);
const whenCompiled = ready ? test : test.skip;

whenCompiled('no member of the public API has a type that other languages cannot name, since any and unions become Object there', () => {
  const types = usedTypes(JSON.parse(readFileSync(ASSEMBLY, 'utf8')) as Assembly);
  expect(types.length).toBeGreaterThan(50);
  expect(types.filter(({ type }) => type.primitive === 'any' || type.union).map(({ where }) => where)).toEqual([]);
});

whenCompiled.each(LANGUAGES)('the package for %s is generated, so that no language is left behind', (language) => {
  const folder = mkdtempSync(join(tmpdir(), 'everest-language-'));
  try {
    execFileSync('npx', ['--no-install', 'jsii-pacmak', '--code-only', '-t', language, '-o', folder], { cwd: ROOT, stdio: 'pipe' });
    expect(existsSync(join(folder, language))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
