/** Programs and traces as text: reading, writing, naming, listing. */

export { BadInput } from './bad-input.js';
export type { BadInputPlace } from './bad-input.js';
export { canonicalForm, programHash } from './canonical.js';
export { formatHex, formatHexEntry } from './hex.js';
export { readJson } from './json-text.js';
export {
  describeEntry,
  describeMachine,
  describeObservation,
  describeOutcome,
  describeStep,
  entryBits,
} from './listing.js';
export { formatProgram, parseProgram, programFromJson, programToJson } from './program-format.js';
export { PROGRAM_FORMAT } from './program-schema.js';
export type { ProgramJson, StepJson } from './program-schema.js';
export { formatTrace, parseTrace, traceFromJson, traceToJson } from './trace-format.js';
export type { ObservationJson, OutcomeJson, TraceJson } from './trace-schema.js';
export { quoted, shownValue } from './quoted.js';
