import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package lies: at the nearest package.json above. Compiled and source files lie at different depths. */
export const packageDirectory = (): string => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!isOurs(directory)) {
    const above = dirname(directory);
    if (above === directory) throw new Error('no package.json above the program');
    directory = above;
  }
  return directory;
};

const isOurs = (directory: string): boolean => {
  let text: string;
  try {
    text = readFileSync(join(directory, 'package.json'), 'utf8');
  } catch {
    return false;
  }
  return (JSON.parse(text) as { readonly name?: string }).name === 'shadowdiff';
};
