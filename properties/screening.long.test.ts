import { expect, test } from 'vitest';
import { DEFECTS } from '../impl/defects/catalogue.js';
import { programsOf, runOptionsOf } from './campaign/programs.js';
import { signatureOf } from './divergence.js';
import { DEFAULT_PROGRAM_OPTIONS } from './generators/index.js';
import { INVARIANTS } from './invariants/invariants.js';
import { Pair } from './pair.js';
import { MODEL, implWith } from './subjects/subject-names.js';
import type { Subject } from './subjects/subject.js';

const PROGRAMS = programsOf({ ...DEFAULT_PROGRAM_OPTIONS, campaign: 'screening' });
const COUNT = 16;

/** What each of the programs shows. */
const shown = async (subject: Subject, screened: boolean): Promise<readonly (string | undefined)[]> => {
  const all: (string | undefined)[] = [];
  let pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  for (let program = 0; program < COUNT; program++) {
    const { value } = PROGRAMS(program);
    const options = { ...runOptionsOf(program, value), twice: false, screened };
    const found = await pair.run(value.program, options);
    all.push(found && signatureOf(found));
    if (found !== undefined) pair = new Pair({ model: MODEL, subject, invariants: INVARIANTS });
  }
  return all;
};

/** Runs of the same program may differ, so that what the screening saw need not come again. */
const FORGETFUL = 'draw-from-hidden-state';

test.each(DEFECTS.filter(({ id }) => id !== FORGETFUL).map((defect) => [defect.id, defect] as const))(
  '%s: a program that is screened shows what it shows when it is judged, or nothing',
  async (id, defect) => {
    const subject = implWith(id, [defect]);
    const judged = await shown(subject, false);
    const screened = await shown(subject, true);
    for (const [program, signature] of screened.entries())
      if (signature !== undefined) expect(signature).toBe(judged[program]);
  },
);
