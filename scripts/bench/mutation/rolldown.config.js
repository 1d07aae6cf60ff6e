/** Bundles the judge and the mutated sources, in Stryker's copy of the project. */

import { defineConfig } from 'rolldown';

/** Stryker counts at every mutant how often it is passed, which takes two thirds of the time. Nothing here reads the counts. */
const withoutCounts = {
  name: 'without-counts',
  transform: (code) => code.replaceAll(/stryCov_9fa48\(("\d+"(, )?)+\)/g, '0'),
};

export default defineConfig({
  input: 'scripts/bench/mutation/judge.ts',
  platform: 'node',
  plugins: [withoutCounts],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  output: { file: 'judge.mjs', codeSplitting: false },
});
