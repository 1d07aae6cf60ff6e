/** What any number of nights come to: what is new, what is gone, which nights are missing, and how much the last week did. */

import type { Night, NightFinding } from './night.js';
import { findingName } from './night.js';

/** A night, and where its report is. */
export interface FoundNight {
  readonly night: Night;
  /** Leads from the page to the report; undefined if there is none. */
  readonly report: string | undefined;
}

export type FindingState = 'new' | 'open' | 'flaky' | 'fixed';

export interface FindingTrend {
  /** As the last night that showed it has it. */
  readonly finding: NightFinding;
  readonly state: FindingState;
  /** Before its first night, by the corpus or the file of `--known`. */
  readonly wasKnown: boolean;
  readonly first: Night;
  readonly last: Night;
  /** Nights that showed it, and their programs that did. */
  readonly nights: number;
  readonly programs: number;
  /** The night that settled that it is fixed. */
  readonly settled: Night | undefined;
  /** Leads to it in the last report that shows it; undefined if there is none. */
  readonly link: string | undefined;
}

/** Days without a night, both included: as `2026-11-25`. */
export interface Gap {
  readonly from: string;
  readonly to: string;
  readonly days: number;
}

/** The nights of one pair of machines, with one kind of programs: others are not comparable. */
export interface TestedTrend {
  readonly name: string;
  /** In the order of time. */
  readonly nights: readonly FoundNight[];
  /** Of these, the ones that are not in the future. */
  readonly past: readonly FoundNight[];
  /** Between those of the past. */
  readonly gaps: readonly Gap[];
  /** The new ones first, and among them those that were shown last. */
  readonly findings: readonly FindingTrend[];
  /** The first night of each finding, by its name (night.ts). */
  readonly firstNights: ReadonlyMap<string, Night>;
}

export interface Trend {
  readonly tested: readonly TestedTrend[];
  readonly nights: readonly FoundNight[];
  /** Of the last night that is not in the future: `2026-11-29`. */
  readonly lastDay: string;
  /** Nights with a date after today: the clock of their machine was wrong. They are in no week, and leave no gap before them. */
  readonly inFuture: readonly Night[];
  /** The last seven days, up to the last night that is not in the future. */
  readonly week: Week;
  /** The seven days before them; undefined if the history does not reach back so far. */
  readonly weekBefore: Week | undefined;
}

export interface Week {
  readonly nights: readonly Night[];
  readonly newFindings: readonly FindingTrend[];
  readonly fixed: readonly FindingTrend[];
  /** Days without a night of any machines. */
  readonly gaps: readonly Gap[];
}

/** Milliseconds. */
export const DAY = 86_400_000;
const WEEK = 7 * DAY;

/** Milliseconds since 1970. */
export const timeOf = ({ started }: Pick<Night, 'started'>): number => Date.parse(started);

export const dayOf = ({ started }: Pick<Night, 'started'>): string => started.slice(0, 10);

/** `2026-11-29`, in UTC. `moment`: milliseconds since 1970. */
const dayAt = (moment: number): string => new Date(moment).toISOString().slice(0, 10);

/** It did not come to its end. */
export const isCutShort = ({ verdict }: Night): boolean => verdict === 'interrupted' || verdict === 'unfinished';

/** There must be a night. Days are those of UTC. */
export const trendOf = (found: readonly FoundNight[], today: Date): Trend => {
  const nights = found.toSorted((one, other) => compare(sortKey(one.night), sortKey(other.night)));
  const isPast = ({ night }: FoundNight): boolean => dayOf(night) <= dayAt(today.getTime());
  const past = nights.filter(isPast);
  const last = past.at(-1);
  const end = last === undefined ? today.getTime() : timeOf(last.night);
  const byMachines = grouped(nights, ({ night }) => testedName(night));
  const tested = [...byMachines].map(([name, own]): TestedTrend => {
    const findings = findingsIn(own, end - WEEK);
    const firstNights = new Map(findings.map(({ finding, first }) => [findingName(finding), first]));
    const past = own.filter(isPast);
    return { name, nights: own, past, gaps: gapsIn(past), findings, firstNights };
  });
  const findings = tested.flatMap((each) => each.findings);
  const weekTo = (until: number): Week => weekOf(past, findings, until);
  return {
    tested,
    nights,
    lastDay: dayAt(end),
    inFuture: nights.slice(past.length).map(({ night }) => night),
    week: weekTo(end),
    weekBefore: timeOf(nights[0].night) <= end - WEEK ? weekTo(end - WEEK) : undefined,
  };
};

/** In the order in which each name comes first. */
export const grouped = <Member>(
  members: readonly Member[],
  nameOf: (member: Member) => string,
): ReadonlyMap<string, readonly Member[]> => {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const group = groups.get(nameOf(member));
    if (group === undefined) groups.set(nameOf(member), [member]);
    else group.push(member);
  }
  return groups;
};

const sortKey = ({ started, seed, directory }: Night): string => `${started}\n${seed}\n${directory}`;

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** `impl against model`, and what is not as by default. */
const testedName = ({ subject, reference, profile, paging, traffic }: Night): string =>
  [
    `${subject} against ${reference}`,
    ...(profile === undefined ? [] : [`profile ${profile}`]),
    ...(paging === 'both' ? [] : [paging === 'pae' ? 'PAE' : paging]),
    ...(traffic === 'mixed' ? [] : [`${traffic} guests`]),
  ].join(', ');

/** Whole days, in UTC, between two nights. */
const gapsIn = (nights: readonly FoundNight[]): readonly Gap[] => {
  const days = [...new Set(nights.map(({ night }) => Date.parse(dayOf(night)) / DAY))];
  const textOf = (day: number): string => dayAt(day * DAY);
  return days.slice(1).flatMap((day, index) => {
    const before = days[index];
    return day - before <= 1 ? [] : [{ from: textOf(before + 1), to: textOf(day - 1), days: day - before - 1 }];
  });
};

const weekOf = (nights: readonly FoundNight[], findings: readonly FindingTrend[], end: number): Week => {
  const isIn = (night: Night | undefined): boolean =>
    night !== undefined && timeOf(night) > end - WEEK && timeOf(night) <= end;
  return {
    nights: nights.map(({ night }) => night).filter(isIn),
    newFindings: findings.filter(({ first, wasKnown }) => !wasKnown && isIn(first)),
    fixed: findings.filter(({ settled }) => isIn(settled)),
    gaps: gapsIn(nights).filter(({ to }) => to > dayAt(end - WEEK) && to < dayAt(end)),
  };
};

// Findings.

interface Sighting {
  readonly finding: NightFinding;
  readonly night: FoundNight;
}

const STATES: readonly FindingState[] = ['new', 'open', 'flaky', 'fixed'];

/** `since`: a finding that was first shown after this moment is new. */
const findingsIn = (nights: readonly FoundNight[], since: number): readonly FindingTrend[] => {
  const sightings = nights.flatMap((night) => night.night.findings.map((finding): Sighting => ({ finding, night })));
  const byName = grouped(sightings, ({ finding }) => findingName(finding));
  return [...byName.values()]
    .map((own) => findingTrend(own, nights, since))
    .toSorted(
      (one, other) => STATES.indexOf(one.state) - STATES.indexOf(other.state) || timeOf(other.last) - timeOf(one.last),
    );
};

const findingTrend = (own: readonly Sighting[], nights: readonly FoundNight[], since: number): FindingTrend => {
  const [first, last] = [own[0], own.at(-1)!];
  const settled = settledBy(own, nights);
  return {
    finding: last.finding,
    state: stateOf(first, last, settled, since),
    wasKnown: isKnown(first),
    first: first.night.night,
    last: last.night.night,
    nights: new Set(own.map(({ night }) => night)).size,
    programs: own.reduce((sum, { finding }) => sum + finding.count, 0),
    settled,
    link: own.map(linkTo).findLast((link) => link !== undefined),
  };
};

const linkTo = ({ finding: { anchor }, night: { report } }: Sighting): string | undefined =>
  report === undefined || anchor === undefined ? undefined : `${report}#${anchor}`;

const stateOf = (first: Sighting, last: Sighting, settled: Night | undefined, since: number): FindingState => {
  if (settled !== undefined) return 'fixed';
  if (last.finding.status === 'flaky') return 'flaky';
  return !isKnown(first) && timeOf(first.night.night) > since ? 'new' : 'open';
};

const isKnown = ({ finding: { status } }: Sighting): boolean => status === 'recorded' || status === 'tolerated';

/** Below this probability, chance does not explain that a finding no longer shows. */
const UNLIKELY = 0.05;

/**
 * The first night after which a finding is gone: the replay of the corpus no longer shows it, or so many programs have run without it that
 * chance hardly explains that. The test is exact: of events that stay as frequent, each of `shown` lies among the first
 * `programs` of all with the probability programs / all (Przyborowski and Wilenski, Biometrika 31, 1940).
 */
const settledBy = (own: readonly Sighting[], nights: readonly FoundNight[]): Night | undefined => {
  const { finding, night: last } = own.at(-1)!;
  const end = nights.indexOf(last) + 1;
  const during = nights.slice(nights.indexOf(own[0].night), end);
  const programs = during.reduce((sum, { night }) => sum + night.programs, 0);
  const shown = own.reduce((sum, each) => sum + each.finding.count, 0);
  let all = programs;
  return nights
    .slice(end)
    .map(({ night }) => night)
    .find((night) => {
      all += night.programs;
      const isReplayed = finding.namesake === undefined && night.fixed.includes(finding.signature);
      return isReplayed || (programs / Math.max(1, all)) ** shown < UNLIKELY;
    });
};
