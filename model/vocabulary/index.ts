/** The words that both machines and the harness share. Nothing here computes what a machine must do. */

export * from './kill.js';
export * from './machine-interface.js';
export * from './observation.js';
export * from './program.js';
export * from './shadow.js';
export * from './step.js';
export * from './units.js';
