/** A finding of which a test gives only what matters to it. */

import type { Program } from '../model/vocabulary/index.js';
import type { Divergence } from '../properties/divergence.js';
import type { Finding, Provenance } from '../properties/finding.js';
import { machineOf } from './steps.js';

interface Given extends Partial<Omit<Finding, 'case' | 'divergence' | 'provenance'>> {
  readonly program?: Program;
  readonly divergence?: Partial<Divergence>;
  readonly provenance?: Partial<Provenance>;
}

export const sampleFinding = ({ program, divergence, provenance, ...others }: Given = {}): Finding => ({
  status: 'open',
  subject: 'impl',
  reference: 'model',
  case: { traffic: 'hostile', program: program ?? { machine: machineOf(), steps: [] } },
  divergence: {
    invariant: 'translation',
    alsoBroken: [],
    place: { kind: 'end' },
    stage: 'end',
    field: '',
    expected: '',
    actual: '',
    difference: 'x',
    ...divergence,
  },
  provenance: {
    date: '2026-01-01T00:00:00.000Z',
    version: '0.1.0',
    seed: 'test',
    program: 0,
    originalSteps: 9,
    ...provenance,
  },
  note: '',
  ...others,
});
