/** The words that both machines and the harness share. Nothing here computes what a machine must do. */

export * from './kill.js';
export * from './machine.js';
export * from './observation.js';
export * from './outcome.js';
export * from './program.js';
export * from './shadow-view.js';
export * from './state-sink.js';
export * from './step.js';
export * from './subject.js';
export * from './units.js';
