/** What both sides answered at a moment, one beside the other. */

import { describeEntry, describeOutcome, formatHex, formatHexEntry } from '../formats/index.js';
import type { EntryChange, Observation, Paging, SwitcherReferences } from '../../model/vocabulary/index.js';
import { bareOutcome } from '../../model/vocabulary/index.js';
import type { Divergence } from '../divergence.js';
import type { Moment } from './retelling.js';
import { mostImportant } from './rows.js';
import type { Location } from '../invariants/violation.js';
import type { Compared, Frame, ReferenceRow, StoreRow } from './story.js';

type BothSides = Pick<Frame, 'outcome' | 'counts' | 'references' | 'stores'>;

/** `mark`: the divergence, where it shows. */
export const bothSides = (
  moment: Moment,
  before: Moment | undefined,
  paging: Paging,
  mark: Divergence | undefined,
): BothSides => {
  const field = mark?.field;
  return {
    outcome: compared('outcome', outcomeText(moment.reference), outcomeText(moment.subject), undefined, field),
    counts: counts(moment, before, field),
    references: referenceRows(moment, before, mark?.location),
    stores: moment.place.kind === 'end' ? [] : storeRows(moment, paging, mark?.location),
  };
};

const outcomeText = ({ outcome }: Observation): string => describeOutcome(outcome);

const compared = (
  name: string,
  expected: string,
  actual: string,
  earlier: string | undefined,
  field: string | undefined,
): Compared => ({
  field: name,
  expected,
  actual,
  differs: expected !== actual,
  changed: earlier !== undefined && earlier !== actual,
  divergent: field === name,
});

const counts = ({ reference, subject }: Moment, before: Moment | undefined, field: string | undefined): Compared[] => {
  if (!isComparable({ reference, subject })) return [];
  const expected = countsOf(reference);
  const earlier = before === undefined ? undefined : countsOf(before.subject);
  return [...countsOf(subject)].map(([name, actual]) =>
    compared(name, expected.get(name) ?? '0', actual, earlier?.get(name), field),
  );
};

/** Of a bare outcome nothing else is known. */
const isComparable = ({ reference, subject }: Pick<Moment, 'reference' | 'subject'>): boolean =>
  !bareOutcome(reference.outcome.kind) && !bareOutcome(subject.outcome.kind);

const countsOf = ({ tables, switcher }: Observation): ReadonlyMap<string, string> =>
  new Map([['tables', String(tables)], ...switcherCounts(switcher)]);

const switcherCounts = ({ text, state, registers }: SwitcherReferences): [string, string][] => [
  ['switcher.text', String(text)],
  ['switcher.registers', String(registers)],
  ...state.map((count, cpu): [string, string] => [`switcher.state[${cpu}]`, String(count)]),
];

const referenceRows = (
  moment: Moment,
  before: Moment | undefined,
  location: Location | undefined,
): readonly ReferenceRow[] => {
  const { referenceCounts, subjectCounts } = moment;
  const comparable = isComparable(moment);
  const earlier = [before?.referenceCounts, before?.subjectCounts] as const;
  const pages = new Set([...referenceCounts.keys(), ...subjectCounts.keys()]);
  for (const counts of earlier) for (const page of counts?.keys() ?? []) pages.add(page);
  if (location?.page !== undefined) pages.add(location.page);
  const rows = [...pages]
    .toSorted((one, other) => one - other)
    .map((page): ReferenceRow => {
      const expected = referenceCounts.get(page) ?? 0;
      const actual = subjectCounts.get(page) ?? 0;
      const changed = expected !== (earlier[0]?.get(page) ?? 0) || actual !== (earlier[1]?.get(page) ?? 0);
      return {
        page,
        expected,
        actual,
        differs: comparable && expected !== actual,
        changed,
        divergent: location?.page === page,
      };
    });
  return mostImportant(rows, ({ differs, changed, divergent }) => differs || changed || divergent);
};

const storeRows = (
  { reference, subject }: Moment,
  paging: Paging,
  location: Location | undefined,
): readonly StoreRow[] => {
  const expected = bareOutcome(reference.outcome.kind) ? [] : reference.stores;
  const actual = bareOutcome(subject.outcome.kind) ? [] : subject.stores;
  const addresses = [...new Set([...expected, ...actual].map(({ paddr }) => paddr))];
  return addresses.map((paddr): StoreRow => {
    const there = (stores: readonly EntryChange[]): EntryChange | undefined =>
      stores.findLast((store) => store.paddr === paddr);
    const [want, got] = [there(expected), there(actual)];
    const words = (store: EntryChange): [string, string] => [
      formatHexEntry(store.value),
      describeEntry(store.value, paging),
    ];
    const [expectedWord, expectedText] = want === undefined ? [] : words(want);
    const [actualWord, actualText] = got === undefined ? [] : words(got);
    return {
      paddr: formatHex(paddr),
      ...(expectedWord === undefined ? {} : { expected: expectedWord }),
      ...(actualWord === undefined ? {} : { actual: actualWord }),
      ...(expectedText === undefined ? {} : { expectedText }),
      ...(actualText === undefined ? {} : { actualText }),
      differs: expectedWord !== actualWord,
      divergent: location?.paddr === paddr,
    };
  });
};
