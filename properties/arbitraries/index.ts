export * from './any-step.js';
export * from './case.js';
export * from './program-arbitrary.js';
export { isProgram } from './valid-program.js';
