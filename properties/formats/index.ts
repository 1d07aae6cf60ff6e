/** Programs and traces as text (formats.md): reading, writing, naming, listing. */

export { BadInput, whyFailed } from './bad-input.js';
export type { BadInputPlace } from './bad-input.js';
export { formatHex, formatHexEntry } from './hex.js';
export { readJson, refuseExcess } from './json-text.js';
export {
  describeEntry,
  describeMachine,
  describeObservation,
  describeOutcome,
  describeStep,
  entryBits,
} from './listing.js';
export { BadListing, LONGEST_LISTING, formatListing, parseListing } from './parse-listing.js';
export type { ReadListing } from './parse-listing.js';
export { quoted, shownValue, visible, visibleLines } from './visible-text.js';
export {
  PROGRAM_FORMAT,
  formatProgram,
  parseProgram,
  programFromJson,
  programHash,
  programToJson,
} from './program-format.js';
export type { ProgramJson, StepJson } from './program-format.js';
export { ProgramWriter, writeMachine, writeStep } from './program-words.js';
export type { TraceContents } from './trace-contents.js';
export { formatTrace, parseTrace, traceToJson } from './trace-format.js';
export { traceFromJson } from './trace-schema.js';
export type { ObservationJson, OutcomeJson, TraceJson } from './trace-format.js';
export { MOST_TRACE_WORDS, TraceReader } from './trace-words.js';
export type { ObservationPlace } from './trace-words.js';
