/**
 * Bundles what the package ships: the command, its worker and the library. Node.js takes longer to find and open a module than
 * to run it (zod alone has a hundred), and the loop runs a tenth faster when its constants are in the same module. The compiler's
 * output in build/ stays one file per module, for the benchmarks and for coverage of code.
 */

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { defineConfig } from 'rolldown';

/** Packages that every start needs are bundled. The others are loaded from node_modules when they are needed. */
const BUNDLED = new Set(['commander', 'picocolors', 'string-argv', 'zod', 'zod/mini']);

const COMPILED = 'build';
const IMPORTED_TYPES = /(?:from |import\()['"](\.[^'"]+)\.js['"]/g;

const isPackage = (id) => /^[@a-z]/.test(id);

/** Adds the declarations that the library's refer to. tsc writes one for every module, and most are internal. */
const declarations = (entry) => ({
  name: 'declarations',
  generateBundle() {
    const emitted = new Set();
    const emit = (path) => {
      if (emitted.has(path)) return;
      emitted.add(path);
      const source = readFileSync(path, 'utf8');
      this.emitFile({ type: 'asset', fileName: relative(COMPILED, path), source });
      for (const [, imported] of source.matchAll(IMPORTED_TYPES)) emit(join(dirname(path), `${imported}.d.ts`));
    };
    emit(join(COMPILED, entry));
  },
});

const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const TERMS = /^(licen[cs]e|copying|notice)\b/i;

/** The licences of the packages that are bundled, which ask to travel with every copy. */
const thirdPartyNotices = () => {
  /** Of all bundles so far: the last one writes the file that stays. */
  const notices = new Map();
  const noticeOf = (directory) => {
    const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const files = readdirSync(directory).filter((file) => TERMS.test(file));
    if (files.length === 0) throw new Error(`${name} is bundled and has no licence file`);
    return [`${name} ${version}`, ...files.map((file) => readFileSync(join(directory, file), 'utf8').trim())].join(
      '\n\n',
    );
  };
  return {
    name: 'third-party-notices',
    generateBundle(_, outputs) {
      for (const id of Object.values(outputs).flatMap(({ moduleIds = [] }) => moduleIds)) {
        const directory = PACKAGE.exec(id)?.[0];
        if (directory !== undefined && !notices.has(directory)) notices.set(directory, noticeOf(directory));
      }
      const source = `${['shadowdiff contains these packages.', ...notices.values()].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-NOTICES.txt', source });
    },
  };
};

const notices = thirdPartyNotices();

/** What of Node.js the parts of a page name. There nothing waits for an event loop or a foreign machine. */
const IN_A_PAGE = {
  'node:timers/promises': 'export const setImmediate = () => Promise.resolve();',
  'node:vm': 'export class Script {} export const createContext = () => ({});',
  'node:crypto': `export { createHash } from '${join(import.meta.dirname, 'scripts/report/play/browser/sha256.ts')}';`,
};

const withoutNode = {
  name: 'without-node',
  resolveId: (id) => (id in IN_A_PAGE ? `\0${id}` : undefined),
  load: (id) => IN_A_PAGE[id.slice(1)],
  generateBundle(_, outputs) {
    const { code } = Object.values(outputs).find(({ type }) => type === 'chunk');
    const [imported] = /"node:\w+"/.exec(code) ?? [];
    if (imported !== undefined) throw new Error(`the page would import ${imported}`);
  },
};

const bundle = ({ input, plugins = [], chunks, groups }) => ({
  input,
  plugins: [...plugins, notices],
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  external: (id, importer) => importer !== undefined && isPackage(id) && !BUNDLED.has(id),
  output: { dir: 'dist', chunkFileNames: `${chunks}/[name].js`, codeSplitting: { groups }, comments: false },
});

export default defineConfig([
  bundle({
    input: { 'scripts/shadowdiff': 'scripts/shadowdiff.ts' },
    chunks: 'scripts',
    // Each group takes along what it imports, so a group never imports a later one. The entry stays apart: it awaits the command,
    // whose chunk imports the group.
    groups: [
      { name: 'start', test: (id) => !id.endsWith('/scripts/shadowdiff.ts'), tags: ['$initial'] },
      { name: 'machines', test: /\/(model|impl)\// },
      { name: 'formats', test: /\/properties\/formats\// },
      { name: 'lockstep', test: /\/properties\/(lockstep|invariants\/)/ },
    ],
  }),
  // In few files: the loop of both is what takes the time.
  bundle({
    input: { 'scripts/campaign/worker': 'scripts/campaign/worker.ts', 'properties/index': 'properties/index.ts' },
    chunks: 'properties',
    plugins: [declarations('properties/index.d.ts')],
  }),
  // One script of a page, and of its workers: what it does not use goes, whatever it would do when it is loaded.
  {
    input: { 'scripts/report/play/page': 'scripts/report/play/browser/page.ts' },
    plugins: [withoutNode, notices],
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    external: (id) => id.startsWith('node:') && !(id in IN_A_PAGE),
    treeshake: { moduleSideEffects: false },
    output: { dir: 'dist', minify: true, comments: false },
  },
  // A process of its own for each machine of a `metal:` subject.
  bundle({ input: { 'scripts/metal/adapter': 'scripts/metal/adapter.ts' }, chunks: 'scripts/metal', groups: [] }),
]);
