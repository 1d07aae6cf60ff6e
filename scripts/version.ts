import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of this package, of the nearest package.json above: compiled and source files lie at different depths. */
export const packageVersion = (): string => {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const version = versionIn(directory);
    if (version !== undefined) return version;
    const above = dirname(directory);
    if (above === directory) throw new Error('no package.json above the program');
    directory = above;
  }
};

const versionIn = (directory: string): string | undefined => {
  let text: string;
  try {
    text = readFileSync(join(directory, 'package.json'), 'utf8');
  } catch {
    return undefined;
  }
  const { name, version } = JSON.parse(text) as { readonly name?: string; readonly version?: string };
  return name === 'shadowdiff' ? version : undefined;
};
