/**
 * What a step finds before it begins: lockstep looks once, and invariants and situations read it afterwards. What is read off
 * the shadow tables is zero or false for a subject that lets nobody look inside.
 */

import type { NewPgtableStep, SetPteStep, ShadowView, Slot } from '../../../model/vocabulary/index.js';
import { SLOTS, switcherRegistersAddress } from '../../../model/vocabulary/index.js';
import type { Moment } from '../invariant.js';
import { answerOf } from './answer.js';

/**
 * What nearly every step is counted by, as small numbers in one array: many grids read them after every step, and a call for
 * each would cost more than all the rest of the counting.
 */
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

export class Scene {
  /** By `FACT`; complete once the step is over. */
  readonly facts = new Uint8Array(Object.keys(FACT).length);
  /** The guest had no root yet. */
  linear = true;
  /** The guest was killed, or the machine never was or is gone. */
  over = false;
  /** Host pages that were shadow tables. */
  tables = 0;
  shadowVersion = 0;
  /** The slot that the guest ran on. */
  current = 0;
  /** `new-pgtable`, `set-pte` and `set-pgd`: the slot that shadowed the step's root; none in linear mode. */
  rootSlot: Slot | undefined = undefined;
  /** `new-pgtable`: the draw's slot had a root page. */
  candidateHadRoot = false;
  /** `new-pgtable`: the slot it should take mapped the Switcher's pages of a host CPU. */
  windowThere = false;
  /** `set-pte`: bit s is set if slot s mapped the address. */
  mappedIn = 0;
  /** The step changed the shadow. Of a subject that lets nobody look, what is observed must do. */
  changed = false;

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
  look(over: boolean, moment: Moment): void {
    const { guest, shadow, subject } = moment;
    this.linear = guest.linear;
    this.over = over;
    this.tables = subject.tables;
    this.facts[FACT.addressing] = this.linear ? 0 : 1;
    this.facts[FACT.life] = over ? 2 : this.linear ? 0 : 1;
    if (shadow === undefined) return;
    this.shadowVersion = shadow.shadowVersion;
    this.current = shadow.currentSlot;
    this.lookCloser(moment, shadow);
  }

  /** Asks for the stage first: steps have as many shapes as there are kinds, and what kind one is of takes long to find. */
  private lookCloser({ stage, step, guest }: Moment, shadow: ShadowView): void {
    if (stage === 'new-pgtable' && step?.op === stage) this.lookAtCache(step, shadow, guest);
    else if (stage === 'set-pte' && step?.op === stage) this.lookAtLeaves(step, shadow);
    else if (stage === 'set-pgd' && step?.op === stage) this.rootSlot = this.slotOf(step.root, shadow);
  }

  /** Called after a step, before anybody is asked. */
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

  private hasChanged({ shadow, subject }: Moment): boolean {
    if (shadow !== undefined) return shadow.shadowVersion !== this.shadowVersion;
    return subject.references.length > 0 || subject.tables !== this.tables;
  }

  /** Slots that mapped the address of a `set-pte`. */
  get holders(): number {
    const pairs = (this.mappedIn & 5) + ((this.mappedIn >>> 1) & 5);
    return (pairs & 3) + (pairs >>> 2);
  }

  private lookAtCache({ root, draw }: NewPgtableStep, shadow: ShadowView, { config, cpu }: Moment['guest']): void {
    this.rootSlot = this.slotOf(root, shadow);
    const candidate = (draw % SLOTS) as Slot;
    this.candidateHadRoot = shadow.hasRoot(candidate);
    const taken = this.rootSlot ?? candidate;
    this.windowThere = shadow.leafAt(taken, switcherRegistersAddress(config.paging, cpu)) !== undefined;
  }

  private lookAtLeaves({ root, vaddr }: SetPteStep, shadow: ShadowView): void {
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
}
