/** Generators of programs. */

export * from './any-step.js';
export * from './case.js';
export * from './program-arbitrary.js';
export * from './valid-program.js';
