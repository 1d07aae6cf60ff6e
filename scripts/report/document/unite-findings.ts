/** The findings of several runs, each signature and namesake once, with the smallest program that shows it. */

import { basename } from 'node:path';
import { describePlace, signatureOf } from '../../../properties/divergence.js';
import type { Finding, Replay } from '../../../properties/finding.js';
import { describeMachine, describeStep, programToJson } from '../../../properties/formats/index.js';
import { harmOf } from '../../../properties/invariants/invariants.js';
import type { Session } from '../../terminal/session.js';
import { replayCommand } from '../../terminal/sides.js';
import type { FindingFile, Results } from './read-results.js';
import type { FindingReport, ReportDocument } from './report-document.js';
import type { FindingSummary, Summary } from './summary-document.js';

type UnitedFinding = Pick<
  FindingReport,
  'signature' | 'namesake' | 'count' | 'status' | 'shown' | 'programsBefore' | 'steps' | 'replay'
> & {
  readonly stored: FindingFile | undefined;
};

export const uniteFindings = (results: readonly Results[], session: Session): readonly FindingReport[] => {
  const united = new Map<string, UnitedFinding>();
  for (const each of results) {
    for (const [name, here] of findingsIn(each, session)) {
      const before = united.get(name);
      united.set(name, before === undefined ? here : merged(before, here));
    }
  }
  return [...united.values()].toSorted(byImpact).map((each, index) => findingOf(`finding-${index + 1}`, each));
};

/** What sets a finding apart from all others. */
const nameOf = ({ signature, namesake = '' }: Pick<FindingReport, 'signature' | 'namesake'>): string =>
  `${signature}\n${namesake}`;

/** The summary has the counts, the files have the programs; either may be missing. Tolerated findings are left out. */
const findingsIn = ({ summary, findings }: Results, session: Session): ReadonlyMap<string, UnitedFinding> => {
  const tolerated = new Set(summary?.known.flatMap(({ signature, expired }) => (expired ? [] : [signature])));
  const united = new Map<string, UnitedFinding>();
  const replayOf = (replay: Replay): string => replayCommand(replay, summary?.caseTimeout, session);
  for (const finding of summary?.findings ?? []) {
    united.set(nameOf(finding), { ...countsOf(finding), replay: replayOf(finding.replay), stored: undefined });
  }
  for (const stored of findings) {
    const signature = signatureOf(stored.finding.divergence);
    const { path } = stored;
    const summarized = summaryOf(signature, path, summary);
    if (summarized === undefined && tolerated.has(signature)) continue;
    const name = nameOf(summarized ?? { signature });
    const before = united.get(name);
    const replay = replayOf({ ...summarized?.replay, file: path });
    const here: UnitedFinding = {
      ...(before ?? { signature, status: 'new', count: 1, ...beforeOf(stored) }),
      steps: stepsOf(stored),
      replay,
      stored,
    };
    united.set(name, before?.stored === undefined ? here : merged({ ...here, count: 0 }, before));
  }
  return united;
};

/** What the summary has on the finding in a file: of several of one signature, the one whose file has this name. */
const summaryOf = (signature: string, path: string, summary: Summary | undefined): FindingSummary | undefined => {
  const found = summary?.findings.filter((finding) => finding.signature === signature) ?? [];
  return (
    found.find(({ replay }) => basename(replay.file) === basename(path)) ?? found.find(({ namesake }) => !namesake)
  );
};

const countsOf = ({
  signature,
  namesake,
  count,
  status,
  shown,
  programsBefore,
  steps,
}: FindingSummary): Omit<UnitedFinding, 'stored' | 'replay'> => ({
  signature,
  ...(namesake === undefined ? {} : { namesake }),
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
const byImpact = (one: UnitedFinding, other: UnitedFinding): number =>
  Number(harmOf(invariantIn(other.signature)) === 'host') - Number(harmOf(invariantIn(one.signature)) === 'host');

/** A signature begins with its invariant (properties/divergence.ts, signatureOf). */
const invariantIn = (signature: string): string => signature.split(' | ', 1)[0];

const findingOf = (id: string, { signature, stored, ...united }: UnitedFinding): FindingReport => {
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
      return [describeMachine(machine), ...steps.map((step) => describeStep(step, machine))];
    },
    get program() {
      return { ...programToJson(program) };
    },
  };
};

export const uniteKnown = (results: readonly Results[]): ReportDocument['known'] => {
  const known = new Map<string, ReportDocument['known'][number]>();
  for (const each of results.flatMap(({ summary }) => summary?.known ?? [])) {
    const name = `${each.signature}\n${each.counterexample ?? ''}`;
    const before = known.get(name);
    known.set(name, before === undefined ? each : { ...each, count: before.count + each.count });
  }
  return [...known.values()];
};

export const uniteNotLookedAt = (summaries: readonly Summary[]): Pick<ReportDocument, 'notLookedAt'> => {
  const counts = new Map<string, number>();
  for (const { signature, count } of summaries.flatMap(({ notLookedAt = [] }) => notLookedAt))
    counts.set(signature, (counts.get(signature) ?? 0) + count);
  if (counts.size === 0) return {};
  return { notLookedAt: [...counts].map(([signature, count]) => ({ signature, count })) };
};
