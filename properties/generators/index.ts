/** Generators of programs. */

export * from './any-step.js';
export * from './case.js';
export * from './mixture.js';
export * from './program-arbitrary.js';
export * from './uniform-program.js';
export * from './valid-program.js';
