/** The findings of several runs, each signature once, with the smallest program that shows it. */

import { describePlace, signatureOf } from '../../../properties/divergence.js';
import type { Finding, Replay } from '../../../properties/finding.js';
import { describeMachine, describeStep, programToJson } from '../../../properties/formats/index.js';
import { harmOf } from '../../../properties/invariants/invariants.js';
import type { Session } from '../../terminal/session.js';
import { replayCommand } from '../../terminal/sides.js';
import type { FindingFile, Results } from './read-results.js';
import type { FindingReport, ReportDocument } from './report-document.js';
import type { FindingSummary } from './summary-document.js';

type UnitedFinding = Pick<FindingReport, 'count' | 'status' | 'shown' | 'programsBefore' | 'steps' | 'replay'> & {
  readonly stored: FindingFile | undefined;
};

export const uniteFindings = (results: readonly Results[], session: Session): readonly FindingReport[] => {
  const united = new Map<string, UnitedFinding>();
  for (const each of results) {
    for (const [signature, here] of findingsIn(each, session)) {
      const before = united.get(signature);
      united.set(signature, before === undefined ? here : merged(before, here));
    }
  }
  return [...united]
    .toSorted(byImpact)
    .map(([signature, each], index) => findingOf(`finding-${index + 1}`, signature, each));
};

/** The summary has the counts, the files have the programs; either may be missing. Tolerated findings are left out. */
const findingsIn = ({ summary, findings }: Results, session: Session): ReadonlyMap<string, UnitedFinding> => {
  const tolerated = new Set(summary?.known.flatMap(({ signature, expired }) => (expired ? [] : [signature])));
  const summaries = new Map(summary?.findings.map((finding) => [finding.signature, finding]));
  const united = new Map<string, UnitedFinding>();
  const replayOf = (replay: Replay): string => replayCommand(replay, summary?.caseTimeout, session);
  for (const [signature, finding] of summaries) {
    united.set(signature, { ...countsOf(finding), replay: replayOf(finding.replay), stored: undefined });
  }
  for (const stored of findings) {
    const signature = signatureOf(stored.finding.divergence);
    if (tolerated.has(signature)) continue;
    const { path } = stored;
    const before = united.get(signature);
    const summarized = summaries.get(signature);
    const replay = replayOf(summarized?.file === path ? summarized.replay : { file: path });
    const here: UnitedFinding = {
      ...(before ?? { status: 'new', count: 1, ...beforeOf(stored) }),
      steps: stepsOf(stored),
      replay,
      stored,
    };
    united.set(signature, before?.stored === undefined ? here : merged({ ...here, count: 0 }, before));
  }
  return united;
};

const countsOf = ({
  count,
  status,
  shown,
  programsBefore,
  steps,
}: FindingSummary): Omit<UnitedFinding, 'stored' | 'replay'> => ({
  count,
  status,
  ...(shown === undefined ? {} : { shown }),
  ...(programsBefore === undefined ? {} : { programsBefore }),
  steps,
});

const beforeOf = ({ finding: { before } }: FindingFile): Pick<UnitedFinding, 'programsBefore'> =>
  before === undefined ? {} : { programsBefore: before.length };

/** The one that has the smaller stored program, with the counts of both. */
const merged = (one: UnitedFinding, other: UnitedFinding): UnitedFinding => ({
  ...(isSmaller(other.stored, one.stored) ? other : one),
  count: one.count + other.count,
});

const isSmaller = (one: FindingFile | undefined, other: FindingFile | undefined): boolean =>
  one !== undefined && (other === undefined || stepsOf(one) < stepsOf(other));

const stepsOf = ({ finding }: FindingFile): number => finding.case.program.steps.length;

/** Findings that can harm the host come first; otherwise in the order in which they were found. */
const byImpact = ([one]: readonly [string, UnitedFinding], [other]: readonly [string, UnitedFinding]): number =>
  Number(harmOf(invariantIn(other)) === 'host') - Number(harmOf(invariantIn(one)) === 'host');

/** A signature begins with its invariant (properties/divergence.ts, signatureOf). */
const invariantIn = (signature: string): string => signature.split(' | ', 1)[0];

const findingOf = (id: string, signature: string, { stored, ...united }: UnitedFinding): FindingReport => {
  const invariant = invariantIn(signature);
  const finding = { id, signature, invariant, impact: harmOf(invariant), ...united };
  if (stored === undefined) return finding;
  return { ...finding, file: stored.path, counterexample: counterexampleOf(stored.finding) };
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
    // Made when they are read: together, the texts of many long programs do not fit into memory.
    get listing() {
      const { machine, steps } = program;
      return [describeMachine(machine), ...steps.map((step) => describeStep(step, machine.paging))];
    },
    get program() {
      return { ...programToJson(program) };
    },
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
