import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { directoryForEachTest } from '../../../test-support/test-directory.js';
import { codeFiles } from './code-files.js';

const TSC = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));

const at = directoryForEachTest();

const compile = async (files: Readonly<Record<string, string>>): Promise<string> => {
  for (const [name, text] of Object.entries({ 'model/last.ts': 'export {};\n', ...files })) {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), text);
  }
  const options = { include: ['impl', 'model'], compilerOptions: { rootDir: '.', outDir: 'dist', sourceMap: true } };
  await writeFile(at('tsconfig.json'), JSON.stringify(options));
  spawnSync(TSC, ['-p', at()]);
  return at('dist');
};

const DOOR = `/**
 * A door.
 */

// Where it leads.
export interface Door {
  readonly to: string;
}

/** Opens it. */
export const open = ({ to }: Door): string => {
  /* Nothing is locked. */
  return to;
};
`;

test('lines are code if the compiler made something of them', async () => {
  const files = await codeFiles(await compile({ 'impl/door.ts': DOOR }));
  expect(files.map(({ name, codeLines }) => [name, [...codeLines].sort((a, b) => a - b)])).toEqual([
    ['impl/door.ts', [11, 13, 14]],
  ]);
});

test('files of types alone, planted bugs, formats and tests are no code of a machine', async () => {
  const text = 'export const ONE = 1;\n';
  const compiled = await compile({
    'impl/one.ts': text,
    'impl/one.test.ts': text,
    'impl/defects/one.ts': text,
    'model/one.ts': text,
    'model/types.ts': 'export type One = 1;\n',
  });
  expect((await codeFiles(compiled)).map(({ name }) => name)).toEqual(['impl/one.ts', 'model/one.ts']);
});

test('a source that is missing is told, because c8 would leave its file out', async () => {
  const compiled = await compile({ 'impl/door.ts': DOOR });
  await rm(at('impl/door.ts'));
  await expect(codeFiles(compiled)).rejects.toThrow(/impl\/door\.ts: coverage of code needs it: .*; install/);
});

test('code that was never compiled is told', async () => {
  await expect(codeFiles(at())).rejects.toThrow('impl: the compiled code is not there; run: npm run build');
});
