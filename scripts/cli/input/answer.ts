import type { Program } from '../../../model/vocabulary/index.js';
import type { Answer, Subject } from '../../../properties/subjects/subject.js';
import { traceOf } from '../../../properties/trace-of.js';

/** What either kind of subject makes of a whole program. */
export const answerOf = async (subject: Subject, program: Program): Promise<Answer> =>
  subject.kind === 'external'
    ? await subject.answer(program)
    : { kind: 'trace', trace: traceOf(subject.create(), program) };
