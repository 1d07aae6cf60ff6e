/** What a subject can do and what it lets the harness observe: the answer to a hello (formats.md, Subject protocol). */

import * as z from 'zod/mini';
import type { Feature, Machine, Observable, Op, Paging } from '../../model/vocabulary/index.js';
import { FEATURES, MACHINE_BOUNDS, OBSERVABLES, OPS, PAGINGS } from '../../model/vocabulary/index.js';
import { anyText, choice, listOf, openObject, wholeNumber, yesOrNo } from '../formats/fields.js';
import { BadInput, readJson } from '../formats/index.js';
import { Problems } from '../formats/problems.js';
import { VERSION_ONE } from '../formats/trace-contents.js';
import type { Profile } from '../profile.js';
import { PROFILES, PROFILE_LIMITS } from '../profile.js';

export const ENCODINGS = ['json', 'binary'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Plain data: it travels between processes. Lists have the order of formats.md and no duplicates. */
export interface Capabilities {
  /** Of the protocol. A subject of version 1 is never sent a hello. */
  readonly version: 1 | 2;
  /** Any text, for reports. */
  readonly name: string;
  /** It takes programs of this profile alone; `lguest`: of every one. */
  readonly profile: Profile;
  readonly paging: readonly Paging[];
  /** The most pages of guest RAM, 64 … 4096. */
  readonly guestPages: number;
  /** What its CPU can have (machine.md 6). */
  readonly features: readonly Feature[];
  readonly steps: readonly Op[];
  readonly observes: readonly Observable[];
  /** Its `stores` hold entries of every level of the guest's tables, not leaves alone. */
  readonly upperStores: boolean;
  /** How many programs may be sent before the first of them is answered, 1 … 1024. */
  readonly inFlight: number;
  /** Of everything after the hello, in both directions. */
  readonly encoding: Encoding;
  /** How many edges of its own code it counts, 0 … 2²⁰. */
  readonly edges: number;
}

/** All that version 1 can do and show, which is also what a hello leaves out. */
export const versionOne = (name: string): Capabilities => ({
  version: 1,
  name,
  profile: 'lguest',
  paging: PAGINGS,
  guestPages: MACHINE_BOUNDS.guestPages.most,
  features: [],
  steps: OPS,
  upperStores: false,
  inFlight: 1,
  encoding: 'json',
  ...VERSION_ONE,
});

/** A machine in this process takes every program, and shows its shadow tables if it has a view of them. */
export const capabilitiesOfMachine = (name: string, { shadow }: Machine): Capabilities => ({
  ...versionOne(name),
  version: 2,
  ...(shadow === undefined ? {} : { observes: OBSERVABLES }),
});

/** What of it a profile lets be seen. */
export const withinProfile = (able: Capabilities, profile: Profile): Capabilities => {
  const { steps, observes, guestPages, features } = PROFILE_LIMITS[profile];
  return {
    ...able,
    steps: able.steps.filter((each) => steps.includes(each)),
    observes: able.observes.filter((each) => observes.includes(each)),
    guestPages: Math.min(able.guestPages, guestPages),
    features: able.features.filter((each) => features.includes(each)),
  };
};

/** All that a CPU with these features can do and show (machine.md 6). */
export const capabilitiesOfCpu = (name: string, features: readonly Feature[]): Capabilities => ({
  ...withinProfile(versionOne(name), 'architecture'),
  version: 2,
  profile: 'architecture',
  features,
  upperStores: true,
});

// The hello.

const HELLO_FORMAT = 'shadowdiff-hello/2';
/** A line that begins like this is meant as a hello, even if it is cut off. */
const LIKE_HELLO = /^\s*\{\s*"format"\s*:\s*"shadowdiff-hello/;

/** The first line that a subject is sent, without a newline. */
export const HELLO = JSON.stringify({ format: HELLO_FORMAT });

/** With fewer pages the generators could not lay out their guests' tables. */
const FEWEST_GUEST_PAGES = 64;
const MOST_IN_FLIGHT = 1024;
const MOST_EDGES = 2 ** 20;

const helloSchema = openObject({
  format: choice([HELLO_FORMAT]),
  name: z.optional(anyText),
  profile: z.optional(choice(PROFILES)),
  paging: z.optional(listOf(choice(PAGINGS))),
  guestPages: z.optional(wholeNumber(FEWEST_GUEST_PAGES, MACHINE_BOUNDS.guestPages.most)),
  features: z.optional(listOf(choice(FEATURES))),
  steps: z.optional(listOf(choice(OPS))),
  observes: z.optional(listOf(choice(OBSERVABLES))),
  upperStores: z.optional(yesOrNo),
  inFlight: z.optional(wholeNumber(1, MOST_IN_FLIGHT)),
  encoding: z.optional(choice(ENCODINGS)),
  edges: z.optional(wholeNumber(0, MOST_EDGES)),
});

/**
 * What a subject answered to the hello; undefined if its answer is none, as that of a subject of version 1.
 *
 * @param source - names the subject in messages
 * @param command - the subject's name, if it gives none
 * @throws BadInput for a hello that is malformed, of another version, or names what formats.md does not
 */
export const readHello = (text: string, source: string, command: string): Capabilities | undefined => {
  const value = helloValue(text, source);
  if (value === undefined) return undefined;
  const otherwise = versionOne(command);
  const hello = new Problems(source).readWhole(helloSchema, value);
  const { paging, steps, observes, upperStores = false, ...others } = hello;
  const shown = observes === undefined ? otherwise.observes : readObserves(observes, source);
  if (upperStores && !shown.includes('stores')) {
    throw new BadInput(source, 'true without "stores" in "observes"; add "stores", or leave this out', {
      place: 'upperStores',
    });
  }
  const { name = command, inFlight = 1, encoding = 'json', edges = 0 } = others;
  return {
    version: 2,
    name,
    profile: others.profile ?? otherwise.profile,
    paging: inOrder(PAGINGS, paging),
    guestPages: others.guestPages ?? otherwise.guestPages,
    features: inOrder(FEATURES, others.features ?? otherwise.features),
    steps: inOrder(OPS, steps),
    observes: shown,
    upperStores,
    inFlight,
    encoding,
    edges,
  };
};

/** Whether a line that a subject was sent is the hello. Throws `BadInput` for one that is cut off. */
export const isHello = (line: string, source: string): boolean => helloValue(line, source) !== undefined;

/** The answer to the hello, in one line without a newline. */
export const formatHello = (capabilities: Capabilities): string => {
  const { version: _, ...hello } = capabilities;
  return JSON.stringify({ format: HELLO_FORMAT, ...hello });
};

const helloValue = (text: string, source: string): unknown => {
  if (LIKE_HELLO.test(text)) return readJson(text, source, 'answer');
  try {
    const value = readJson(text, source, 'answer');
    return isLikeHello(value) ? value : undefined;
  } catch (error) {
    if (error instanceof BadInput) return undefined;
    throw error;
  }
};

/** Its keys may come in any order. */
const isLikeHello = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  typeof value.format === 'string' &&
  value.format.startsWith('shadowdiff-hello');

const inOrder = <Word>(all: readonly Word[], given: readonly Word[] | undefined): readonly Word[] =>
  given === undefined ? all : all.filter((each) => given.includes(each));

/** `outcome` is always observed. */
const readObserves = (given: readonly Observable[], source: string): readonly Observable[] => {
  for (const needed of ['tables', 'switcher'] as const) {
    if (!given.includes('shadow') || given.includes(needed)) continue;
    throw new BadInput(source, `"shadow" without "${needed}"; add "${needed}", or leave out "shadow"`, {
      place: 'observes',
    });
  }
  return OBSERVABLES.filter((each) => each === 'outcome' || given.includes(each));
};
