import type { KindOfFinding } from '../../properties/fuzz.js';
import type { FindingSummary } from '../report/document/summary-document.js';

/** The note of a finding that is flaky. */
export const UNSTEADY = 'Did not show again when the program was run by itself.';

/** `file`: where it is stored, if it could be; `replay`: the command line that replays it. */
export const findingSummary = (finding: KindOfFinding, file: string | undefined, replay: string): FindingSummary => ({
  signature: finding.signature,
  count: finding.count,
  program: finding.program,
  originalSteps: finding.originalSteps,
  steps: finding.case.program.steps.length,
  traffic: finding.case.traffic,
  reproduced: finding.reproduced,
  shrinkingInterrupted: finding.interrupted,
  file,
  replay,
});
