import type {
  MachineConfig,
  Paging,
  ShadowLeaf,
  ShadowView,
  Slot,
  SwitcherReferences,
  Vaddr,
} from '../../model/vocabulary/index.js';
import { OPS, SLOTS, bareOutcome, switcherRegistersAddress, vaddr } from '../../model/vocabulary/index.js';
import { PAGING, SHADOW } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Aftermath, Moment } from './moment.js';

const CPU: Dimension = {
  name: 'host CPU',
  values: ['the only one', 'the first', 'another'],
  of: ({ config, guest }) => (config.hostCpus === 1 ? 0 : guest.cpu === 0 ? 1 : 2),
};

/** Without its window the hypervisor cannot take the CPU back from the guest. */
export const switcher: Invariant = {
  id: 'switcher',
  statement:
    "When the guest is entered, its slot maps the Switcher's text and the two pages of the host CPU it runs on, no other CPU's, and none for the user.",
  source: 'machine.md 1, Switcher; 3, access; map_switcher_in_guest',
  exercisedBy: 'an access of a living guest',
  harms: 'host',
  looksAt: ['switcher', 'shadow'],
  contract: 'any',
  stages: ['create', ...OPS],
  whenQuiet: ['access'],
  situations: [{ name: 'the guest is entered', stages: ['access'], dimensions: [PAGING, CPU, SHADOW] }],
  watch: () => new SwitcherWatch(),
};

class SwitcherWatch {
  /** The window that was checked last, so that a hit need not check it again. */
  private version = -1;
  private slot = -1;
  private cpu = -1;
  private readonly window = new Window();

  begin(): void {
    this.version = -1;
  }

  readonly after = (moment: Moment): Verdict => {
    const { subject, model, stage, shadow } = moment;
    if (bareOutcome(moment.subjectKind) || bareOutcome(moment.modelKind)) return VACUOUS;
    const difference = compare(model.switcher, subject.switcher);
    if (difference !== undefined) return difference;
    if (stage !== 'access') return VACUOUS;
    return (shadow === undefined ? undefined : this.look(shadow, moment)) ?? HELD;
  };

  readonly audit = ({ shadow, config }: Aftermath): Verdict => {
    if (shadow === undefined) return VACUOUS;
    for (let slot = 0; slot < SLOTS; slot++) {
      const found = this.window.audit(shadow, slot as Slot, config);
      if (found !== undefined) return found;
    }
    return HELD;
  };

  private look(shadow: ShadowView, { guest }: Moment): Violation | undefined {
    const { cpu } = guest;
    if (shadow.shadowVersion === this.version && shadow.currentSlot === this.slot && cpu === this.cpu) return undefined;
    this.version = shadow.shadowVersion;
    this.slot = shadow.currentSlot;
    this.cpu = cpu;
    return this.window.check(shadow, guest.config, cpu);
  }
}

/** What a slot maps at the Switcher's addresses: the current one when the guest is entered, and any at other times. */
class Window {
  private paging: Paging = '2-level';
  private readonly pages = [
    { name: 'text', address: vaddr(0), target: 'switcher-text', page: 0, writable: false },
    { name: 'registers', address: vaddr(0), target: 'switcher-registers', page: 0, writable: true },
    { name: 'state', address: vaddr(0), target: 'switcher-state', page: 0, writable: false },
  ];
  private seen = 0;
  private right = true;

  check(shadow: ShadowView, { paging, hostCpus }: MachineConfig, cpu: number): Violation | undefined {
    const text = this.textAddress(paging);
    this.place(cpu);
    // One pass finds that all is right, which it nearly always is.
    this.seen = 0;
    this.right = true;
    shadow.forEachLeafFrom(shadow.currentSlot, text, this.look);
    if (this.right && this.seen === this.pages.length) return undefined;
    return this.wrongPage(shadow) ?? pageOfAnotherCpu(shadow, paging, hostCpus, cpu);
  }

  /** A slot maps nothing, the text alone, or the text and both pages of one CPU. */
  audit(shadow: ShadowView, slot: Slot, { paging }: MachineConfig): Violation | undefined {
    this.seen = 0;
    this.right = true;
    shadow.forEachLeafFrom(slot, this.textAddress(paging), this.lookAtAnyCpu);
    if (this.right && this.seen !== 2) return undefined;
    return {
      kind: 'switcher-page',
      field: `the Switcher's window in slot ${slot}`,
      expected: 'the text, and both pages of at most one CPU',
      actual: `${this.seen} pages, of which one is wrong, missing or too many`,
      difference: 'another window at the end',
      location: { slot },
    };
  }

  private textAddress(paging: Paging): Vaddr {
    this.paging = paging;
    return (this.pages[0].address = vaddr(switcherRegistersAddress(paging, 0) - 4096));
  }

  /** Expects the pages of this CPU. */
  private place(cpu: number): void {
    const [, registers, state] = this.pages;
    registers.address = switcherRegistersAddress(this.paging, cpu);
    state.address = vaddr(registers.address + 4096);
    state.page = cpu;
  }

  private readonly lookAtAnyCpu = (leaf: ShadowLeaf): void => {
    if (this.seen === 1) this.place(Math.floor((leaf.vaddr - switcherRegistersAddress(this.paging, 0)) / 8192));
    this.look(leaf);
  };

  private readonly look = (leaf: ShadowLeaf): void => {
    const expected = this.pages[this.seen++];
    this.right &&=
      expected !== undefined &&
      leaf.vaddr === expected.address &&
      leaf.target === expected.target &&
      leaf.page === expected.page &&
      leaf.writable === expected.writable &&
      !leaf.user;
  };

  private wrongPage(shadow: ShadowView): Violation | undefined {
    for (const { name, address, target, page, writable } of this.pages) {
      const leaf = shadow.leafAt(shadow.currentSlot, address);
      const wrong = (expected: string, actual: string, difference: string): Violation =>
        wrongLeaf(shadow, `Switcher's ${name} page`, address, {
          expected,
          actual,
          difference: `${name} ${difference}`,
        });
      if (leaf === undefined) return wrong('mapped', 'not mapped', 'lost');
      if (leaf.target !== target || leaf.page !== page) {
        return wrong(`${target} ${page}`, `${leaf.target} ${leaf.page}`, 'is another page');
      }
      if (leaf.user) return wrong('supervisor', 'user', 'open to the user');
      if (leaf.writable !== writable) return wrong(rights(writable), rights(leaf.writable), rights(leaf.writable));
    }
    return undefined;
  }
}

const rights = (writable: boolean): string => (writable ? 'writable' : 'read-only');

const pageOfAnotherCpu = (shadow: ShadowView, paging: Paging, hostCpus: number, cpu: number): Violation | undefined => {
  for (let other = 0; other < hostCpus; other++) {
    if (other === cpu) continue;
    for (const [page, name] of ['registers', 'state'].entries()) {
      const address = vaddr(switcherRegistersAddress(paging, other) + 4096 * page);
      if (shadow.leafAt(shadow.currentSlot, address) === undefined) continue;
      const words = { expected: 'not mapped', actual: 'mapped', difference: `another CPU's ${name}` };
      return wrongLeaf(shadow, `Switcher's ${name} page of another CPU`, address, words);
    }
  }
  return undefined;
};

const wrongLeaf = (
  { currentSlot: slot }: ShadowView,
  field: string,
  address: Vaddr,
  words: Pick<Violation, 'expected' | 'actual' | 'difference'>,
): Violation => ({ kind: 'switcher-page', field, ...words, location: { slot, vaddr: address } });

const compare = (expected: SwitcherReferences, actual: SwitcherReferences): Violation | undefined =>
  compareCount('text', expected.text, actual.text) ??
  compareCount('registers', expected.registers, actual.registers) ??
  compareState(expected.state, actual.state);

/** A side whose list is too short has no number there. */
const compareState = (expected: readonly number[], actual: readonly number[]): Violation | undefined => {
  for (let cpu = 0; cpu < expected.length; cpu++) {
    const found = compareCount('state', expected[cpu], actual[cpu], `[${cpu}]`);
    if (found !== undefined) return found;
  }
  return undefined;
};

const compareCount = (name: string, expected: number, actual: number, index = ''): Violation | undefined =>
  expected === actual
    ? undefined
    : {
        kind: 'switcher-references',
        field: `switcher.${name}${index}`,
        expected: String(expected),
        actual: String(actual),
        difference: `${name} references ${actual > expected ? 'too many' : 'too few'}`,
      };
