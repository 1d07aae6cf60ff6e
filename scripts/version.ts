import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDirectory } from './package-directory.js';

/** The version of this package. */
export const packageVersion = (): string => {
  const text = readFileSync(join(packageDirectory(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
};
