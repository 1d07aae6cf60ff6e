/** A machine of ours as a subject outside the process, which observes what a test wants it to. */

import type { Machine, Observable } from '../model/vocabulary/index.js';
import { formatTrace, parseTrace } from '../properties/formats/index.js';
import { versionOne } from '../properties/subjects/capabilities.js';
import type { ExternalSubject } from '../properties/subjects/subject.js';
import { traceWithShadowOf } from '../properties/trace-of.js';

export const observingSubject = (create: () => Machine, observes: readonly Observable[]): ExternalSubject => ({
  kind: 'external',
  name: 'exec:mine',
  start: () => Promise.resolve({ ...versionOne('mine'), version: 2, observes }),
  answer: (program) => {
    const answer = formatTrace(traceWithShadowOf(create(), program));
    return Promise.resolve({ kind: 'trace', trace: parseTrace(answer, 'answer', program, { observes, edges: 0 }) });
  },
  close: () => Promise.resolve(undefined),
});
