/**
 * Puts the command into few files: Node.js takes longer to find and open a module than to run it, and zod alone has a hundred.
 * So it does with the workers, whose loop becomes faster by a tenth: a constant of another module is looked for at every use. The
 * compiler's own files stay as they are, for the library and whoever measures coverage of code.
 */

/** Packages that go in, because every start needs them. The others are loaded when they are needed, from node_modules. */
const INSIDE = new Set(['commander', 'picocolors', 'string-argv', 'zod', 'zod/mini']);

const isPackage = (id) => /^[@a-z]/.test(id);

export default {
  input: { shadowdiff: 'scripts/shadowdiff.ts', 'campaign/worker': 'scripts/campaign/worker.ts' },
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  external: (id, importer) => importer !== undefined && isPackage(id) && !INSIDE.has(id),
  output: {
    // In place of the compiled entry, and beside it: files of scripts/ tell from where they lie where others do.
    dir: 'dist/scripts',
    chunkFileNames: 'part-[name].js',
    sourcemap: true,
  },
};
