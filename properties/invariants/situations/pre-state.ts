/** Records the state before a step, once for all invariants and situations. */

import type { AccessStep, NewPgtableStep, SetPteStep, ShadowView, Slot } from '../../../model/vocabulary/index.js';
import { FAULT_PRESENT, SLOTS, switcherRegistersAddress } from '../../../model/vocabulary/index.js';
import { uncachedWalk } from '../../uncached-walk.js';
import type { Moment, PreState } from '../moment.js';

/** Values that many grids read after every step, as small numbers in one array: a call for each would cost more than counting. */
export const FACT = {
  /** 1 in PAE. */
  paging: 0,
  /** 1 if the contract of a coherent guest is kept. */
  guest: 1,
  /** 1 unless the step began in linear mode. */
  addressing: 2,
  /** Before the step: 0 in linear mode, 1 with tables, 2 over. */
  life: 3,
  /** `access`: 1 for a write, and 2 if it is the kernel's. */
  access: 4,
  /** 1 if the step changed the shadow. */
  shadow: 5,
  /** Fewer shadow tables than before, as many, more. */
  tables: 6,
  /** `access`: index into `ANSWERS`. */
  answer: 7,
} as const;

/** How an access ended, and which right it lacked. */
export const ANSWERS = [
  'hit',
  'filled',
  'Switcher’s address',
  'not present',
  'write refused',
  'user refused',
  'both refused',
  'device',
  'killed',
] as const;

const [HIT, FILLED, SWITCHERS, NOT_PRESENT, WRITE_REFUSED, USER_REFUSED, BOTH_REFUSED, DEVICE, KILLED] = ANSWERS.keys();

export class PreStateRecorder implements PreState {
  readonly facts = new Uint8Array(Object.keys(FACT).length);
  linear = true;
  over = false;
  tables = 0;
  current = 0;
  rootSlot: Slot | undefined = undefined;
  candidateHadRoot = false;
  switcherMapped = false;
  mappedIn = 0;
  changed = false;
  private shadowVersion = 0;

  /** Called before the machines are created. */
  begin({ config, contractKept }: Moment): void {
    this.linear = true;
    this.over = false;
    this.tables = 0;
    this.shadowVersion = 0;
    this.current = 0;
    const { facts } = this;
    facts.fill(0);
    facts[FACT.paging] = config.paging === 'pae' ? 1 : 0;
    facts[FACT.guest] = contractKept ? 1 : 0;
  }

  /** Called before a step, or a `destroy`; the moment's observations are those of the step before. */
  record(over: boolean, moment: Moment): void {
    const { guest, shadow, subject } = moment;
    this.linear = guest.linear;
    this.over = over;
    this.tables = subject.tables;
    this.facts[FACT.addressing] = this.linear ? 0 : 1;
    this.facts[FACT.life] = over ? 2 : this.linear ? 0 : 1;
    if (shadow === undefined) return;
    this.shadowVersion = shadow.shadowVersion;
    this.current = shadow.currentSlot;
    this.recordSlots(moment, shadow);
  }

  /** Called after a step, before the checks. */
  conclude(moment: Moment): void {
    const { facts } = this;
    const { stage, step, subject } = moment;
    this.changed = this.hasChanged(moment);
    facts[FACT.shadow] = this.changed ? 1 : 0;
    facts[FACT.tables] = subject.tables < this.tables ? 0 : subject.tables === this.tables ? 1 : 2;
    if (stage !== 'access' || step?.op !== stage) return;
    facts[FACT.access] = (step.kind === 'write' ? 1 : 0) + (step.mode === 'kernel' ? 2 : 0);
    facts[FACT.answer] = answerOf(step, moment, this.changed);
  }

  get holders(): number {
    const pairs = (this.mappedIn & 5) + ((this.mappedIn >>> 1) & 5);
    return (pairs & 3) + (pairs >>> 2);
  }

  /** Compares the stage before `step.op`: steps have many shapes, so reading a field of one is slow. */
  private recordSlots({ stage, step, guest }: Moment, shadow: ShadowView): void {
    if (stage === 'new-pgtable' && step?.op === stage) this.recordCache(step, shadow, guest);
    else if (stage === 'set-pte' && step?.op === stage) this.recordLeaves(step, shadow);
    else if (stage === 'set-pgd' && step?.op === stage) this.rootSlot = this.slotOf(step.root, shadow);
  }

  private recordCache({ root, draw }: NewPgtableStep, shadow: ShadowView, { config, cpu }: Moment['guest']): void {
    this.rootSlot = this.slotOf(root, shadow);
    const candidate = (draw % SLOTS) as Slot;
    this.candidateHadRoot = shadow.hasRoot(candidate);
    const taken = this.rootSlot ?? candidate;
    this.switcherMapped = shadow.leafAt(taken, switcherRegistersAddress(config.paging, cpu)) !== undefined;
  }

  private recordLeaves({ root, vaddr }: SetPteStep, shadow: ShadowView): void {
    this.rootSlot = this.slotOf(root, shadow);
    this.mappedIn = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (shadow.leafAt(slot as Slot, vaddr) !== undefined) this.mappedIn |= 1 << slot;
    }
  }

  private slotOf(root: number, shadow: ShadowView): Slot | undefined {
    if (this.linear) return undefined;
    for (let slot = 0; slot < SLOTS; slot++) if (shadow.guestRoot(slot as Slot) === root) return slot as Slot;
    return undefined;
  }

  private hasChanged({ shadow, subject }: Moment): boolean {
    if (shadow !== undefined) return shadow.shadowVersion !== this.shadowVersion;
    return subject.references.length > 0 || subject.tables !== this.tables;
  }
}

/** A stuck or broken machine counts as a kill. */
const answerOf = (step: AccessStep, moment: Moment, shadowChanged: boolean): number => {
  if (moment.subjectKind === 'mapped') return shadowChanged ? FILLED : HIT;
  if (moment.subjectKind === 'mmio') return DEVICE;
  return moment.subjectKind === 'fault' ? refusalOf(step, moment) : KILLED;
};

const refusalOf = (step: AccessStep, { subject, guest }: Moment): number => {
  if (step.vaddr >= guest.sizes.switcherAddress) return SWITCHERS;
  if (subject.outcome.kind !== 'fault' || (subject.outcome.code & FAULT_PRESENT) === 0) return NOT_PRESENT;
  const walk = uncachedWalk(guest, step.vaddr);
  const writeRefused = step.kind === 'write' && !(walk.kind === 'leaf' && walk.writable);
  if (!writeRefused) return USER_REFUSED;
  return step.mode === 'user' && !(walk.kind === 'leaf' && walk.user) ? BOTH_REFUSED : WRITE_REFUSED;
};
