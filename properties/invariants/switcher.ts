import type { ShadowLeaf, ShadowView, SwitcherReferences, Vaddr } from '../../model/vocabulary/index.js';
import { OPS, bareOutcome, switcherRegistersAddress, vaddr } from '../../model/vocabulary/index.js';
import { PAGING, SHADOW } from '../situations/dimensions.js';
import type { Dimension } from '../situations/grid.js';
import type { Invariant, Moment, Verdict, Violation } from './invariant.js';
import { HELD, VACUOUS, violation } from './invariant.js';

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

  begin(): void {
    this.version = -1;
  }

  readonly after = (moment: Moment): Verdict => {
    const { subject, reference, stage, shadow } = moment;
    if (bareOutcome(moment.subjectKind) || bareOutcome(moment.referenceKind)) return VACUOUS;
    const difference = compare(reference.switcher, subject.switcher);
    if (difference !== undefined) return difference;
    if (stage !== 'access') return VACUOUS;
    return (shadow === undefined ? undefined : this.look(shadow, moment)) ?? HELD;
  };

  private look(shadow: ShadowView, { guest }: Moment): Violation | undefined {
    if (shadow.shadowVersion === this.version && shadow.currentSlot === this.slot && guest.cpu === this.cpu)
      return undefined;
    const found = lookAtWindow(shadow, guest.config.paging, guest.config.hostCpus, guest.cpu);
    this.version = shadow.shadowVersion;
    this.slot = shadow.currentSlot;
    this.cpu = guest.cpu;
    return found;
  }
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

/** Counted first: with the text and two pages of its own CPU, the window is full. */
const expectNoOther = (
  shadow: ShadowView,
  paging: '2-level' | 'pae',
  hostCpus: number,
  cpu: number,
): Violation | undefined => {
  if (hostCpus === 1) return undefined;
  const text = switcherRegistersAddress(paging, 0) - 4096;
  if (shadow.leafCountIn(shadow.currentSlot, text, switcherRegistersAddress(paging, hostCpus)) === 3) return undefined;
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
  const field = `Switcher's ${name} page`;
  if (leaf === undefined) return violation(field, 'mapped', 'not mapped', `${name} lost`);
  if (leaf.target !== target || leaf.page !== page) {
    return violation(field, `${target} ${page}`, `${leaf.target} ${leaf.page}`, `${name} is another page`);
  }
  if (leaf.user) return violation(field, 'supervisor', 'user', `${name} open to the user`);
  if (leaf.writable !== writable) {
    const rights = (may: boolean): string => (may ? 'writable' : 'read-only');
    return violation(field, rights(writable), rights(leaf.writable), `${name} ${rights(leaf.writable)}`);
  }
  return undefined;
};

const expectNothing = (shadow: ShadowView, address: Vaddr, name: string): Violation | undefined =>
  shadow.leafAt(shadow.currentSlot, address) === undefined
    ? undefined
    : violation(`Switcher's ${name} page of another CPU`, 'not mapped', 'mapped', `another CPU's ${name}`);

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
    : violation(
        `switcher.${name}${index}`,
        String(expected),
        String(actual),
        `${name} references ${actual > expected ? 'too many' : 'too few'}`,
      );
