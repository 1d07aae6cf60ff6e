import type { ShadowLeaf, ShadowView, SwitcherReferences, Vaddr } from '../../model/vocabulary/index.js';
import { OPS, bareOutcome, switcherRegistersAddress, vaddr } from '../../model/vocabulary/index.js';
import { PAGING, SHADOW } from './situations/dimensions.js';
import type { Dimension } from './situations/grid.js';
import type { Invariant, Verdict } from './invariant.js';
import { HELD, VACUOUS } from './invariant.js';
import type { Moment } from './moment.js';
import type { Violation } from './violation.js';

/** Where the guest runs. */
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
  looksAt: 'observations',
  contract: 'any',
  stages: ['create', ...OPS],
  whenQuiet: ['access'],
  situations: [{ name: 'the guest is entered', stages: ['access'], dimensions: [PAGING, CPU, SHADOW] }],
  watch: () => new SwitcherWatch(),
};

class SwitcherWatch {
  /** The window that was found in order last, so that a hit need not look again. */
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

  private look(shadow: ShadowView, { guest }: Moment): Violation | undefined {
    if (shadow.shadowVersion === this.version && shadow.currentSlot === this.slot && guest.cpu === this.cpu)
      return undefined;
    const { paging, hostCpus } = guest.config;
    const found = this.window.inOrder(shadow, paging, guest.cpu)
      ? undefined
      : lookAtWindow(shadow, paging, hostCpus, guest.cpu);
    this.version = shadow.shadowVersion;
    this.slot = shadow.currentSlot;
    this.cpu = guest.cpu;
    return found;
  }
}

/** Whether a window holds its three pages and nothing else, found in one pass; which page is wrong is asked only if one is. */
class Window {
  private readonly pages = [
    { address: 0, target: 'switcher-text', page: 0, writable: false },
    { address: 0, target: 'switcher-registers', page: 0, writable: true },
    { address: 0, target: 'switcher-state', page: 0, writable: false },
  ];
  private seen = 0;
  private right = true;

  inOrder(shadow: ShadowView, paging: '2-level' | 'pae', cpu: number): boolean {
    const [text, registers, state] = this.pages;
    text.address = switcherRegistersAddress(paging, 0) - 4096;
    registers.address = switcherRegistersAddress(paging, cpu);
    state.address = registers.address + 4096;
    state.page = cpu;
    this.seen = 0;
    this.right = true;
    shadow.forEachLeafFrom(shadow.currentSlot, vaddr(text.address), this.look);
    return this.right && this.seen === this.pages.length;
  }

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
}

const lookAtWindow = (
  shadow: ShadowView,
  paging: '2-level' | 'pae',
  hostCpus: number,
  cpu: number,
): Violation | undefined => {
  const text = vaddr(switcherRegistersAddress(paging, 0) - 4096);
  const registers = switcherRegistersAddress(paging, cpu);
  return (
    expectPage(shadow, text, 'text', 'switcher-text', 0, false) ??
    expectPage(shadow, registers, 'registers', 'switcher-registers', 0, true) ??
    expectPage(shadow, vaddr(registers + 4096), 'state', 'switcher-state', cpu, false) ??
    expectNoOther(shadow, paging, hostCpus, cpu)
  );
};

const expectNoOther = (
  shadow: ShadowView,
  paging: '2-level' | 'pae',
  hostCpus: number,
  cpu: number,
): Violation | undefined => {
  for (let each = 0; each < hostCpus; each++) {
    if (each === cpu) continue;
    const registers = switcherRegistersAddress(paging, each);
    const wrong =
      expectNothing(shadow, registers, 'registers') ?? expectNothing(shadow, vaddr(registers + 4096), 'state');
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

const expectPage = (
  shadow: ShadowView,
  address: Vaddr,
  name: string,
  target: ShadowLeaf['target'],
  page: number,
  writable: boolean,
): Violation | undefined => {
  const leaf = shadow.leafAt(shadow.currentSlot, address);
  const wrong = (expected: string, actual: string, difference: string): Violation =>
    wrongPage(`Switcher's ${name} page`, shadow.currentSlot, address, { expected, actual, difference });
  if (leaf === undefined) return wrong('mapped', 'not mapped', `${name} lost`);
  if (leaf.target !== target || leaf.page !== page) {
    return wrong(`${target} ${page}`, `${leaf.target} ${leaf.page}`, `${name} is another page`);
  }
  if (leaf.user) return wrong('supervisor', 'user', `${name} open to the user`);
  if (leaf.writable !== writable) {
    const rights = (may: boolean): string => (may ? 'writable' : 'read-only');
    return wrong(rights(writable), rights(leaf.writable), `${name} ${rights(leaf.writable)}`);
  }
  return undefined;
};

const expectNothing = (shadow: ShadowView, address: Vaddr, name: string): Violation | undefined =>
  shadow.leafAt(shadow.currentSlot, address) === undefined
    ? undefined
    : wrongPage(`Switcher's ${name} page of another CPU`, shadow.currentSlot, address, {
        expected: 'not mapped',
        actual: 'mapped',
        difference: `another CPU's ${name}`,
      });

const wrongPage = (
  field: string,
  slot: number,
  address: Vaddr,
  words: Pick<Violation, 'expected' | 'actual' | 'difference'>,
): Violation => ({ kind: 'switcher-page', field, ...words, location: { slot, vaddr: address } });

const compare = (expected: SwitcherReferences, actual: SwitcherReferences): Violation | undefined =>
  compareCount('text', expected.text, actual.text) ??
  compareCount('registers', expected.registers, actual.registers) ??
  compareState(expected.state, actual.state);

const compareState = (expected: readonly number[], actual: readonly number[]): Violation | undefined => {
  for (let cpu = 0; cpu < expected.length; cpu++) {
    const found =
      expected[cpu] === actual[cpu] ? undefined : compareCount('state', expected[cpu], actual[cpu] ?? 0, `[${cpu}]`);
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
