/**
 * Guest RAM and what the hypercalls announced so far, from the program and from the stores that the model reported. It is
 * independent of the subject, so that invariants can rest on it; only what a foreign reference stores in a step that kills the guest, which
 * it does not show, is taken from the subject.
 */

import type {
  GuestEntry,
  MachineConfig,
  Observation,
  Paddr,
  PagingSizes,
  Step,
  Vaddr,
} from '../model/vocabulary/index.js';
import { TranslationHistory } from '../model/translation-history.js';
import { ZERO_ENTRY, pagingSizes, vaddr } from '../model/vocabulary/index.js';

const WORDS_OF_PAGE = 1024;

export class GuestRecord {
  config: MachineConfig = { paging: '2-level', guestPages: 1, devicePages: 0, hostCpus: 1, draw: 0, failAllocation: 0 };
  sizes: PagingSizes = pagingSizes('2-level');
  initialized = false;
  /** The root that the guest runs on; none in linear mode. */
  root: Paddr | undefined = undefined;
  kernelAddress: Vaddr = vaddr(0);
  stackTop: Vaddr = vaddr(0);
  stackPages = 0;
  cpu = 0;
  /** Of a racy guest: what a CPU may still hold (machine.md 6). */
  history: TranslationHistory | undefined = undefined;
  /** RAM by 32-bit word; an entry stands at its first. What was never written is undefined. */
  private words: (GuestEntry | undefined)[] = [];
  /** Addresses that were written, each once. */
  private readonly written: Paddr[] = [];

  begin(config: MachineConfig, isRacy = false): void {
    this.config = config;
    this.history = isRacy ? new TranslationHistory(config) : undefined;
    this.sizes = pagingSizes(config.paging);
    this.initialized = false;
    this.root = undefined;
    this.kernelAddress = vaddr(0);
    this.stackTop = vaddr(0);
    this.stackPages = 0;
    this.cpu = 0;
    for (let i = 0; i < this.written.length; i++) this.words[this.written[i] >>> 2] = undefined;
    this.written.length = 0;
    const words = config.guestPages * WORDS_OF_PAGE;
    if (this.words.length < words) this.words = new Array<GuestEntry | undefined>(words);
  }

  /** Records a step, before its outcome is known. */
  follow(step: Step): void {
    this.history?.take(step);
    switch (step.op) {
      case 'store':
        this.write(step.paddr, step.value);
        return;
      case 'init':
        this.initialized = true;
        this.kernelAddress = step.kernelAddress;
        return;
      case 'new-pgtable':
        if (this.initialized) this.root = step.root;
        return;
      case 'set-stack':
        this.stackTop = step.esp;
        this.stackPages = step.pages;
        return;
      case 'migrate':
        this.cpu = step.cpu;
        return;
      case 'access':
      case 'guest-pa':
      case 'flush-tlb':
      case 'set-pmd':
      case 'set-pte':
      case 'set-pgd':
      case 'fail-alloc':
      case 'protect':
        return;
      default:
        step satisfies never;
    }
  }

  /** Records what the hypervisor wrote. */
  absorb(observation: Observation): void {
    const { stores } = observation;
    for (let i = 0; i < stores.length; i++) this.write(stores[i].paddr, stores[i].value);
  }

  word(address: Paddr): GuestEntry {
    return this.words[address >>> 2] ?? ZERO_ENTRY;
  }

  /** By the guest or the hypervisor, in this program. */
  wasWritten(address: Paddr): boolean {
    return this.words[address >>> 2] !== undefined;
  }

  /** The address of every word that was written. */
  get writtenAddresses(): readonly Paddr[] {
    return this.written;
  }

  get linear(): boolean {
    return this.root === undefined;
  }

  inRam(address: number): boolean {
    return address < this.config.guestPages * 4096;
  }

  /** Last byte of the i-th stack page. */
  stackPage(index: number): Vaddr {
    return vaddr(this.stackTop - 1 - 4096 * index);
  }

  private write(address: Paddr, value: GuestEntry): void {
    const index = address >>> 2;
    if (this.words[index] === undefined) this.written.push(address);
    this.words[index] = value;
  }
}
