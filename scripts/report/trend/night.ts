/** A night: what one campaign did and found, in a line of history.jsonl. The trend is drawn from any number of them. */

import * as z from 'zod/mini';
import { TRIAGES } from '../../../properties/finding.js';
import type { Immutable } from '../../../properties/formats/fields.js';
import {
  anyText,
  choice,
  listOf,
  naturalNumber,
  openObject,
  orNull,
  quantity,
  yesOrNo,
} from '../../../properties/formats/fields.js';
import { Problems } from '../../../properties/formats/problems.js';
import { TRAFFICS } from '../../../properties/generators/index.js';
import { PROFILES } from '../../../properties/profile.js';
import type { ReportDocument } from '../document/report-document.js';
import type { Summary } from '../document/summary-document.js';
import { VERDICTS } from '../document/summary-document.js';

/** Later versions add fields and do not change the meaning of these, so that a history stays readable. */
export const NIGHT_FORMAT = 'shadowdiff-night/1';

/** ISO 8601, UTC. */
const moment = anyText.check(
  z.refine((text) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text)), {
    error: 'not a time; give it like "2026-11-23T01:00:00.000Z"',
  }),
);

/** Beside the file that holds the line: a history leads nowhere else. */
const directoryName = anyText.check(
  z.refine((text) => !/[/\\\0]/.test(text) && !['', '.', '..'].includes(text), {
    error: 'not the name of a directory beside this file; give a name without slashes',
  }),
);

const anchor = anyText.check(
  z.refine((text) => /^[\w-]+$/.test(text), { error: 'not the anchor of a finding; give it like "finding-1"' }),
);

const nightFinding = openObject({
  signature: anyText,
  /** Kinds of steps in its program, if that of another finding with this signature needs others. */
  namesake: z.exactOptional(anyText),
  /** `tolerated`: the file of `--known` excuses it. */
  status: choice(TRIAGES),
  /** Programs that showed it; 0 if only the replay of the corpus did. */
  count: naturalNumber,
  /** Its anchor in the report of the night; left out if that does not show it. */
  anchor: z.exactOptional(anchor),
});

const nightSchema = openObject({
  format: choice([NIGHT_FORMAT]),
  directory: directoryName,
  version: anyText,
  seed: anyText,
  subject: anyText,
  reference: anyText,
  /** Left out for the profile `lguest`. */
  profile: z.exactOptional(choice(PROFILES)),
  paging: choice(['2-level', 'pae', 'both']),
  traffic: choice([...TRAFFICS, 'mixed']),
  started: moment,
  milliseconds: quantity,
  programs: naturalNumber,
  judged: naturalNumber,
  steps: naturalNumber,
  /** How rare those are that judged programs reached (residual-risk.ts). */
  situations: openObject({ reached: naturalNumber, once: naturalNumber, twice: naturalNumber, left: naturalNumber }),
  findings: listOf(nightFinding),
  /** Signatures of open entries of the corpus that no longer diverge. */
  fixed: listOf(anyText),
  /** Entries of the corpus that diverge and should not, or no longer show their planted bug. */
  broken: naturalNumber,
  /** Null for a night without one. */
  canary: orNull(openObject({ defect: anyText, caught: yesOrNo, programs: naturalNumber })),
  /** The scores of its machines, as far as they were measured with its version of shadowdiff. */
  mutations: listOf(
    openObject({
      machine: anyText,
      version: anyText,
      date: anyText,
      mutations: naturalNumber,
      found: naturalNumber,
      equivalent: naturalNumber,
      guards: naturalNumber,
      missed: naturalNumber,
    }),
  ),
  /** `unfinished`: it was killed, or still runs. */
  verdict: choice([...VERDICTS, 'unfinished']),
  /** Why it proves little, if so; a clause. */
  doubt: z.exactOptional(anyText),
});

export type Night = Immutable<z.infer<typeof nightSchema>>;
export type NightFinding = Night['findings'][number];

/** Throws `BadInput` for what is no night. `source`: where it stands. */
export const readNight = (value: unknown, source: string): Night => {
  const problems = new Problems(source);
  const night = problems.read(nightSchema, value, []);
  if (night === undefined) throw problems.refusal();
  return night;
};

/** What a line records of a run. `report`: made of this run alone. */
export const nightOf = (directory: string, summary: Summary, report: ReportDocument): Night => {
  const { version, seed, subject, reference, profile, paging, traffic, time, programs, judged, steps } = summary;
  const { reached, once, twice, left } = report.residualRisks[0].situations;
  const { verdict, canary, corpus } = summary;
  return {
    format: NIGHT_FORMAT,
    directory,
    version,
    seed,
    subject,
    reference,
    ...(profile === undefined ? {} : { profile }),
    paging,
    traffic,
    started: time.started,
    milliseconds: time.milliseconds,
    programs,
    judged,
    steps,
    situations: { reached, once, twice, left },
    findings: findingsOf(report),
    fixed: [...new Set(corpus?.fixed.flatMap((entry) => entry.signature ?? []))],
    broken: corpus?.broken.length ?? 0,
    canary,
    mutations: report.mutations
      .filter((score) => score.version === version)
      .map(({ machine, date, mutations, found, equivalent, guards, missed }) => ({
        machine,
        version,
        date,
        mutations,
        found,
        equivalent,
        guards,
        missed,
      })),
    verdict: verdict.kind,
    ...(verdict.kind === 'inconclusive' ? { doubt: verdict.reason } : {}),
  };
};

/** Sets a finding apart from all others of its machines. */
export const findingName = ({ signature, namesake = '' }: Pick<NightFinding, 'signature' | 'namesake'>): string =>
  `${signature}\n${namesake}`;

/** Those that the run made, those that it was asked to tolerate, and those that only the corpus still shows. */
const findingsOf = ({ findings, known, corpus }: ReportDocument): readonly NightFinding[] => {
  const all: readonly NightFinding[] = [
    ...findings.map(({ id, signature, namesake, status, count }) => ({
      signature,
      ...(namesake === undefined ? {} : { namesake }),
      status,
      count,
      anchor: id,
    })),
    ...known
      .filter(({ expired, count }) => !expired && count > 0)
      .map(({ signature, count }) => ({ signature, status: 'tolerated' as const, count })),
    ...(corpus?.open ?? []).flatMap(({ signature }) =>
      signature === undefined ? [] : [{ signature, status: 'recorded' as const, count: 0 }],
    ),
  ];
  const byName = new Map(all.toReversed().map((finding) => [findingName(finding), finding]));
  return all.filter((finding) => byName.get(findingName(finding)) === finding);
};
