/** Where the compiled package lies. This file stands in scripts/, and so do the files of the command that it is put into. */
export const COMPILED = new URL('../', import.meta.url);
