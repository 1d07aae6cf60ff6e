import type { ReferenceChange } from '../../model/vocabulary/index.js';
import { OPS } from '../../model/vocabulary/index.js';
import { MAPPERS, PAGING, setPmdNeedsPae } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Violation } from './invariant.js';
import { HELD, VACUOUS, stateless } from './invariant.js';

const PAGES: Dimension = {
  name: 'pages whose count changed',
  values: ['1', '2', '3 or more'],
  of: ({ model, subject }) => Math.min(Math.max(model.references.length, subject.references.length), 3) - 1,
};

/** A reference keeps a mapped page from being freed; one that is lost pins the page forever. */
export const referenceCount: Invariant = {
  id: 'reference-count',
  statement: 'After every step each guest page has as many references as the model has leaves that map it.',
  source: 'machine.md 1, Host pages; 4, references; release_pte, and KVM e48bb497b95 (reference leak)',
  exercisedBy: 'a step that changed a count on either side',
  harms: 'host',
  looksAt: ['references'],
  contract: 'any',
  stages: ['create', ...OPS],
  whenQuiet: [],
  situations: [
    {
      name: 'counts that changed',
      stages: MAPPERS,
      dimensions: [PAGING, PAGES],
      unreachable: ({ step, paging, [PAGES.name]: pages }) =>
        step === 'access' && pages === '3 or more'
          ? 'one page comes, and at most one goes'
          : setPmdNeedsPae({ step, paging }),
    },
  ],
  watch: stateless(({ model, subject, modelKind, subjectKind: kind }) => {
    if (kind === 'killed' || kind === 'dead' || kind === 'host-bug' || modelKind === 'killed') return VACUOUS;
    const expected = model.references;
    const actual = subject.references;
    if (expected.length === 0 && actual.length === 0) return VACUOUS;
    return compare(expected, actual) ?? HELD;
  }),
};

const compare = (expected: readonly ReferenceChange[], actual: readonly ReferenceChange[]): Violation | undefined => {
  const count = Math.max(expected.length, actual.length);
  for (let index = 0; index < count; index++) {
    const want = expected[index];
    const got = actual[index];
    if (want !== undefined && got !== undefined && want.page === got.page && want.count === got.count) continue;
    return {
      kind: 'page-references',
      field: 'references',
      expected: describe(want, got),
      actual: describe(got, want),
      difference: classOf(want, got),
      location: { page: (want ?? got).page },
    };
  }
  return undefined;
};

const describe = (change: ReferenceChange | undefined, other: ReferenceChange | undefined): string =>
  change === undefined ? `no change of page ${other?.page ?? '?'}` : `page ${change.page}: ${change.count}`;

const classOf = (want: ReferenceChange | undefined, got: ReferenceChange | undefined): string => {
  if (got === undefined || (want !== undefined && want.page < got.page)) return 'a change is missing';
  if (want === undefined || got.page < want.page) return 'a change not called for';
  return got.count > want.count ? 'too many references' : 'too few references';
};
