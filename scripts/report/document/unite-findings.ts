/** The findings of several runs, each signature once, with the smallest program that shows it. */

import { describePlace, signatureOf } from '../../../properties/divergence.js';
import type { Finding } from '../../../properties/finding.js';
import { describeMachine, describeStep, programToJson } from '../../../properties/formats/index.js';
import { harmOf } from '../../../properties/invariants/invariants.js';
import { commandLineOf } from '../../terminal/shell-words.js';
import type { FindingFile, Results } from './read-results.js';
import type { FindingReport, ReportDocument } from './report-document.js';

interface UnitedFinding {
  /** Programs that showed it. */
  readonly count: number;
  readonly stored: FindingFile | undefined;
  /** The command line from the run's summary, for a finding that was not stored. */
  readonly replay: string;
}

export const uniteFindings = (results: readonly Results[]): readonly FindingReport[] => {
  const united = new Map<string, UnitedFinding>();
  for (const each of results) {
    for (const [signature, here] of findingsIn(each)) {
      const before = united.get(signature);
      united.set(signature, before === undefined ? here : merged(before, here));
    }
  }
  return [...united]
    .toSorted(byImpact)
    .map(([signature, each], index) => findingOf(`finding-${index + 1}`, signature, each));
};

/** The summary has the counts, the files have the programs; either may be missing. Known findings are left out. */
const findingsIn = ({ summary, findings }: Results): ReadonlyMap<string, UnitedFinding> => {
  const tolerated = new Set(summary?.known.flatMap(({ signature, expired }) => (expired ? [] : [signature])));
  const united = new Map<string, UnitedFinding>();
  for (const { signature, count, replay } of summary?.findings ?? []) {
    united.set(signature, { count, stored: undefined, replay });
  }
  for (const stored of findings) {
    const signature = signatureOf(stored.finding.divergence);
    if (tolerated.has(signature)) continue;
    const before = united.get(signature);
    const here = { count: before === undefined ? 1 : 0, stored, replay: before?.replay ?? '' };
    united.set(signature, before === undefined ? here : merged(before, here));
  }
  return united;
};

const merged = (one: UnitedFinding, other: UnitedFinding): UnitedFinding => ({
  count: one.count + other.count,
  stored: smaller(one.stored, other.stored),
  replay: one.replay,
});

const smaller = (one: FindingFile | undefined, other: FindingFile | undefined): FindingFile | undefined => {
  if (one === undefined || other === undefined) return one ?? other;
  return stepsOf(other) < stepsOf(one) ? other : one;
};

const stepsOf = ({ finding }: FindingFile): number => finding.case.program.steps.length;

/** Findings that can harm the host come first; otherwise in the order in which they were found. */
const byImpact = ([one]: readonly [string, UnitedFinding], [other]: readonly [string, UnitedFinding]): number =>
  Number(harmOf(invariantIn(other)) === 'host') - Number(harmOf(invariantIn(one)) === 'host');

/** A signature begins with its invariant (properties/divergence.ts, signatureOf). */
const invariantIn = (signature: string): string => signature.split(' | ', 1)[0];

const findingOf = (id: string, signature: string, { count, stored, replay }: UnitedFinding): FindingReport => {
  const invariant = invariantIn(signature);
  const named = { id, signature, invariant, impact: harmOf(invariant), count };
  if (stored === undefined) return { ...named, replay };
  const { path, finding } = stored;
  return {
    ...named,
    file: path,
    replay: commandLineOf(['shadowdiff', 'replay', path]),
    counterexample: counterexampleOf(finding),
  };
};

const counterexampleOf = (finding: Finding): NonNullable<FindingReport['counterexample']> => {
  const { status, subject, reference, note, divergence, provenance } = finding;
  const { traffic, program } = finding.case;
  const { field, expected, actual, alsoBroken } = divergence;
  return {
    status,
    subject,
    reference,
    traffic,
    place: describePlace(divergence.place),
    field,
    expected,
    actual,
    alsoBroken,
    originalSteps: provenance.originalSteps,
    note,
    listing: [
      describeMachine(program.machine),
      ...program.steps.map((step) => describeStep(step, program.machine.paging)),
    ],
    program: { ...programToJson(program) },
  };
};

export const uniteKnown = (results: readonly Results[]): ReportDocument['known'] => {
  const known = new Map<string, ReportDocument['known'][number]>();
  for (const each of results.flatMap(({ summary }) => summary?.known ?? [])) {
    const before = known.get(each.signature);
    known.set(each.signature, before === undefined ? each : { ...each, count: before.count + each.count });
  }
  return [...known.values()];
};
