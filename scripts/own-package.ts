/** Where this package is installed, and what is in it. Sources, compiled modules and bundles lie at different depths below it. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface Manifest {
  readonly name?: string;
  readonly version: string;
}

/** The directory of the nearest package.json above this file that is shadowdiff's. */
export const packageDirectory = (): string => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (manifestIn(directory)?.name !== 'shadowdiff') {
    const above = dirname(directory);
    if (above === directory) throw new Error('no package.json above the program');
    directory = above;
  }
  return directory;
};

export const packageVersion = (): string => manifestIn(packageDirectory())!.version;

/** The bundled module that each worker of a run loads. */
export const workerModule = (): URL => pathToFileURL(join(packageDirectory(), 'dist/scripts/campaign/worker.js'));

/** The compiler's output, one file per module. Only a clone that was built has it. */
export const compiledModules = (): string => join(packageDirectory(), 'build');

/** Which code ran is measured on the compiled modules, with the sources beside them. The package ships neither. */
export const canMeasureCode = (): boolean => existsSync(join(compiledModules(), 'impl'));

const manifestIn = (directory: string): Manifest | undefined => {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    return undefined;
  }
};
