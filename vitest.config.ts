import { defineConfig } from 'vitest/config';

const FOLDERS = '{model,impl,properties,corpus,scripts}';

/** Tests that run the product as processes share one build of it. */
const BUILT_CLONE = 'test-support/built-clone.ts';

export default defineConfig({
  test: {
    // Ends a test that hangs. Generous, because a busy machine must not fail one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // All cores: by default one stays idle, which on two is half of them.
    maxWorkers: '100%',
    setupFiles: ['test-support/fixed-seed.ts'],
    coverage: { provider: 'v8', include: ['model/**', 'impl/**', 'properties/**', 'scripts/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Test files share the modules under test, which hold no state. Loading them for each file took a third of the time.
          isolate: false,
          include: [`${FOLDERS}/**/*.test.ts`],
          exclude: [`${FOLDERS}/**/*.{process,long}.test.ts`],
        },
      },
      {
        extends: true,
        test: { name: 'process', include: [`${FOLDERS}/**/*.process.test.ts`], globalSetup: [BUILT_CLONE] },
      },
      { extends: true, test: { name: 'long', include: [`${FOLDERS}/**/*.long.test.ts`], globalSetup: [BUILT_CLONE] } },
    ],
  },
});
