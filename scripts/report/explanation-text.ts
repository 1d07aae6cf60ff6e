/** The explanation of a finding on the terminal: the sentence, the steps, and the final state. */

import type {
  ExplainedStep,
  Explanation,
  Frame,
  GuestState,
  GuestTree,
  Necessity,
  PagingLevel,
  ShadowLeafRow,
  ShadowSlot,
  ShadowState,
} from '../../properties/explain/explanation.js';
import { UNKNOWN } from '../../properties/explain/explanation.js';
import { mostImportant } from '../../properties/explain/table-rows.js';
import { hanging, labelled, wrapped } from '../terminal/labelled.js';
import { counted } from '../terminal/numbers.js';
import { printable } from '../terminal/printable.js';
import type { Session } from '../terminal/session.js';
import { MARK, divergenceLines, sidesLine, signatureLine, standardErrorLines } from './finding-text.js';

type Look = Pick<Session, 'width' | 'colors'>;

/** At most this many rows of a slot or of a guest tree are shown; `--json` has them all. */
const MOST_ROWS = 16;
const INDENT = 6;

export const explanationText = (explanation: Explanation, look: Look): readonly string[] => {
  const { colors, width } = look;
  const last = explanation.frames.at(-1);
  return [
    sidesLine(explanation, width),
    '',
    ...wrapped(printable(explanation.sentence), width).map((line) => colors.bold(line)),
    '',
    labelled('machine', explanation.machineText, width, INDENT),
    ...explanation.steps.flatMap((step) => stepLines(step, explanation, look)),
    ...(explanation.divergence.place.kind === 'step' ? [] : momentLines(explanation, last, look)),
    '',
    ...(last === undefined ? [] : stateLines(last, explanation, look)),
    ...explanation.notes.flatMap((note) => [labelled('note', note, width, 2)]),
    ...errorLines(explanation, look),
    colors.red(signatureLine('diverges', explanation.signature, width)),
  ];
};

const errorLines = ({ divergence }: Explanation, { colors }: Look): readonly string[] => {
  const lines = standardErrorLines(divergence);
  return lines.length === 0 ? [] : [colors.bold('standard error of the subject'), ...lines.map((line) => `  ${line}`)];
};

/** Steps after the divergence are listed without details. */
const stepLines = (step: ExplainedStep, explanation: Explanation, look: Look): readonly string[] => {
  const { colors, width } = look;
  const { place } = explanation.divergence;
  const here = place.kind === 'step' && place.index === step.index;
  const number = String(step.index).padStart(Math.max(2, String(explanation.steps.length - 1).length));
  const head = hanging(`${here ? MARK : ' '} ${number}  `, step.listing, width);
  if (step.necessity.kind === 'not-reached') return [colors.dim(head)];
  const details = [
    labelled('does', printable(step.meaning), width, INDENT),
    labelled('needed', printable(neededText(step.necessity)), width, INDENT),
    ...(step.setsUp === '' ? [] : [labelled(here ? 'changes' : 'sets up', printable(step.setsUp), width, INDENT)]),
  ];
  if (!here) return [head, ...details.map((line) => colors.dim(line))];
  return [colors.bold(colors.red(head)), ...details, ...breaks(explanation, look)];
};

const neededText = (necessity: Necessity): string => {
  switch (necessity.kind) {
    case 'needed':
      return 'yes';
    case 'outside':
      return 'yes, or the program leaves its profile';
    case 'shapes':
      return `for this signature; without it: ${necessity.signature}`;
    case 'superfluous':
      return 'no, it diverges alike without it';
    case 'not-tried':
      return 'not tried';
    case 'not-reached':
      return 'not reached';
    default:
      return necessity satisfies never;
  }
};

/** Creation, the end and destroy are listed only if the divergence is there. */
const momentLines = (explanation: Explanation, frame: Frame | undefined, look: Look): readonly string[] => {
  const head = look.colors.bold(look.colors.red(`${MARK}     ${explanation.divergence.place.kind}`));
  const does = frame === undefined ? [] : [labelled('does', frame.meaning, look.width, INDENT)];
  return [head, ...does, ...breaks(explanation, look)];
};

const breaks = ({ invariant, divergence }: Explanation, look: Look): readonly string[] => [
  look.colors.red(labelled('breaks', `${printable(invariant.id)}: ${invariant.statement}`, look.width, 2)),
  ...divergenceLines(divergence, look),
];

const stateLines = (frame: Frame, explanation: Explanation, look: Look): readonly string[] => [
  look.colors.bold(`both sides at ${frame.name}`),
  ...answerLines(frame, look),
  look.colors.bold(`the guest at ${frame.name}`),
  ...guestLines(frame.guest, explanation, look),
  ...(frame.shadow === undefined ? [] : [look.colors.bold(`the shadow at ${frame.name}`)]),
  ...(frame.shadow === undefined ? [] : shadowLines(frame.shadow, explanation.levels, look)),
];

/** One text for both sides where they agree. */
const answerLines = ({ outcome, counts, references, stores }: Frame, { width, colors }: Look): readonly string[] => {
  const both = (label: string, expected: string, actual: string, differs: boolean, known = true): string => {
    if (!differs && known) return labelled(label, printable(actual), width, 2);
    const line = labelled(label, `expected ${printable(expected)}, got ${printable(actual)}`, width, 2);
    return differs ? colors.red(line) : line;
  };
  return [
    both('outcome', outcome.expected, outcome.actual, outcome.differs),
    ...counts
      .filter(({ differs }) => differs)
      .map(({ field, expected, actual }) => both('count', expected, `${actual} (${field})`, true)),
    ...mostImportant(references, ({ differs, changed }) => differs || changed, MOST_ROWS).map((row) => {
      const known = row.expected !== undefined && row.actual !== undefined;
      return both(`page ${row.page}`, referencesText(row.expected), referencesText(row.actual), row.differs, known);
    }),
    ...stores.map(({ paddr, expectedText, actualText, differs }) => {
      const [expected, actual] = [expectedText, actualText].map((text) => `[${paddr}] ${text ?? 'untouched'}`);
      return both('store', expected, actual, differs, expectedText !== UNKNOWN && actualText !== UNKNOWN);
    }),
  ];
};

const referencesText = (count: number | undefined): string =>
  count === undefined ? UNKNOWN : counted(count, 'reference');

const guestLines = (guest: GuestState, explanation: Explanation, look: Look): readonly string[] => {
  const stack =
    guest.stack === undefined ? '' : `, ${counted(guest.stack.pages, 'stack page')} below ${guest.stack.esp}`;
  const kernel = guest.initialized ? `kernel from ${guest.kernelAddress}` : 'no init yet';
  const runs = guest.linear ? 'linear mode' : `root ${guest.root ?? '?'}`;
  const head = labelled('runs on', `${runs}, ${kernel}, CPU ${guest.cpu}${stack}`, look.width, 2);
  return [head, ...guest.trees.flatMap((tree) => treeLines(tree, explanation, look))];
};

const treeLines = (
  { root, current, slots, tables, leftOut }: GuestTree,
  { levels, profile = 'lguest' }: Explanation,
  look: Look,
) => {
  const found = slots?.length === 0 ? 'in no slot' : `in slot ${slots?.join(' and ')}`;
  const shadowed = slots === undefined ? `slot ${UNKNOWN}` : found;
  // A CPU has no slots.
  const where = [...(current ? ['the current one'] : []), ...(profile === 'lguest' ? [shadowed] : [])];
  const all = tables.flatMap(({ level, rows }) => rows.map((row) => ({ ...row, name: levels[level].name })));
  const rows = mostImportant(all, ({ change, divergent }) => change !== 'same' || divergent, MOST_ROWS);
  const hidden = leftOut + all.length - rows.length;
  return [
    labelled('root', [root, ...where].join(', '), look.width, 2),
    ...rows.map(({ name, index, paddr, from, to, text, since, change, divergent }) =>
      row(
        name,
        `[${paddr}] entry ${index}, ${from}–${to}: ${text}${sinceText(since)}${changeText(change)}`,
        divergent,
        look,
      ),
    ),
    ...(hidden === 0 ? [] : [row('', `${hidden} more; --json has them`, false, look)]),
  ];
};

const shadowLines = (shadow: ShadowState, levels: readonly PagingLevel[], look: Look): readonly string[] =>
  shadow.slots.flatMap((slot) => slotLines(slot, levels, look));

const slotLines = (slot: ShadowSlot, levels: readonly PagingLevel[], look: Look): readonly string[] => {
  if (slot.blank && slot.leaves.length + slot.tables.length + slot.gone.length === 0) {
    return [labelled(`slot ${slot.slot}`, 'blank', look.width, 2)];
  }
  const root = slot.root === undefined ? 'shadows no root' : `shadows root ${slot.root}`;
  const freed = slot.tables.filter(({ allocated }) => !allocated);
  const leaves = [...slot.leaves, ...slot.gone.map((leaf) => ({ ...leaf, change: 'gone' as const }))];
  const below = leaves.filter(({ switcher, divergent }) => !switcher || divergent);
  const rows = mostImportant(below, ({ change, divergent }) => change !== 'same' || divergent, MOST_ROWS);
  const hidden = slot.leftOut + below.length - rows.length;
  const window = slot.leaves.filter(({ switcher, divergent }) => switcher && !divergent);
  return [
    labelled(
      `slot ${slot.slot}`,
      `${slot.current ? 'the current one, ' : ''}${root}, ${counted(slot.tables.length, 'table')}`,
      look.width,
      2,
    ),
    ...freed.map(({ frame, level, from, to }) =>
      row('table', `${levels[level].name} ${from}–${to} on host page ${frame}: freed, and linked`, true, look),
    ),
    ...rows.map((leaf) => row(leaf.change === 'gone' ? 'gone' : 'leaf', leafText(leaf), leaf.divergent, look)),
    ...(window.length === 0 ? [] : [row('Switcher', window.map(({ vaddr }) => vaddr).join(' '), false, look)]),
    ...(hidden === 0 ? [] : [row('', `${hidden} more; --json has them`, false, look)]),
  ];
};

const leafText = ({
  vaddr,
  targetText,
  rights,
  since,
  change,
}: Omit<ShadowLeafRow, 'change'> & { readonly change: string }) =>
  `${vaddr} → ${targetText}, ${rights}${sinceText(since)}${changeText(change)}`;

const sinceText = (since: number | undefined): string => (since === undefined ? '' : `, since step ${since}`);

const changeText = (change: string): string =>
  change === 'added' ? ' (new)' : change === 'altered' ? ' (changed)' : '';

/** Rows that the divergence is about are marked. */
const row = (label: string, text: string, divergent: boolean, { width, colors }: Look): string => {
  const line = labelled(label, printable(text), width, 4);
  return divergent ? colors.red(`${MARK}${line.slice(1)}`) : line;
};
