/** FINDINGS.md: short notes on what was found in lguest and in emulators, with the programs that show it. */

import type { Defect } from '../impl/defects/defect.js';
import { describeMachine, describeStep } from './formats/index.js';
import type { Finding } from './finding.js';
import type { EmulatorFinding } from './emulator-findings.js';
import { EMULATOR_FINDINGS } from './emulator-findings.js';
import { fileNameOf } from './corpus/counterexample.js';
import type { Divergence } from './divergence.js';

const HEAD = `# What the harness finds

In lguest, and in [emulators](#emulators).

## lguest

Each note is about one deviation of Linux's \`drivers/lguest/page_tables.c\` from the specification that both of our machines
follow. Fuzzing found the programs and the harness shrank them; none was written by hand. Each is in \`corpus/\`:
\`shadowdiff regress\` checks that it still diverges as described here, and \`shadowdiff replay\` lists it step by step.

The programs were found in \`impl\`, with the deviation planted. Each deviation was then seen in the real code: \`page_tables.c\`
itself, compiled in user space as a subject, answers these programs as \`impl:lguest\` does, and one run of \`fuzz\` finds all of
them in it. [scripts/examples](../scripts/examples/README.md#lguest-itself) says how to repeat that with a copy of your own.

This file is made by \`npx shadowdiff defects findings\` from the catalogue (\`impl/defects/\`) and the corpus; do not edit it.
`;

/** The document, of the defects given and the corpus entries of each (subject `impl:ID`). */
export const findingsDocument = (defects: readonly Defect[], entries: readonly Finding[]): string => {
  const worst = [...defects].sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
  const notes = worst.map((defect, index) => note(index + 1, defect, shortestEntry(defect, entries)));
  return [HEAD, summary(worst), ...notes, EMULATORS, ...EMULATOR_FINDINGS.map(emulatorNote)].join('\n');
};

const EMULATORS = `## Emulators

Our kernel ([scripts/metal](../scripts/metal/README.md)) ran programs of the profile \`architecture\` under emulators, beside a walk of the
tables as Intel's manual has it. Only with CR0.WP off and with large pages does a well-behaved guest see a difference; section numbers are those of the Software
Developer's Manual, volume 3A.
`;

const emulatorNote = ({ title, seenIn, wrong, consequence, rule, program }: EmulatorFinding): string =>
  [
    `### ${title}`,
    '',
    wrong,
    '',
    `**Consequence.** ${consequence}`,
    '',
    `**Where.** ${seenIn}`,
    '',
    `**A CPU** follows section ${rule}.`,
    '',
    ...(program === undefined ? [] : ['```text', ...program, '```', '']),
  ].join('\n');

/** What harms the host comes first. */
const rank = ({ harms }: Defect): number => (harms === 'host' ? 0 : 1);

/** The shortest program in which a corpus entry shows a defect. */
export const shortestEntry = (defect: Defect, entries: readonly Finding[]): Finding | undefined =>
  entries
    .filter(({ subject }) => subject === `impl:${defect.id}`)
    .sort((one, other) => one.case.program.steps.length - other.case.program.steps.length)
    .at(0);

const summary = (defects: readonly Defect[]): string => {
  const rows = defects.map(
    ({ title, class: kind, harms }, index) => `| [${index + 1}](#${index + 1}) | ${title} | ${kind} | ${harms} |`,
  );
  return ['| | what | class | who is harmed |', '|---|---|---|---|', ...rows, ''].join('\n');
};

const note = (number: number, defect: Defect, entry: Finding | undefined): string =>
  [
    `### <a id="${number}"></a>${number}. ${defect.title}`,
    '',
    `\`impl:${defect.id}\` · ${defect.class} · harms the ${defect.harms}`,
    '',
    defect.wrong,
    '',
    `**Consequence.** ${defect.consequence}`,
    '',
    `**Where.** ${defect.origin}. Seen in the real code.`,
    '',
    `**The sound machine** follows ${defect.rule}.`,
    '',
    ...(entry === undefined ? ['No counterexample is in the corpus.'] : shown(entry)),
    '',
  ].join('\n');

const shown = (entry: Finding): string[] => {
  const { program } = entry.case;
  const { place, field, expected, actual, invariant } = entry.divergence;
  const at = place.kind === 'step' ? place.index : undefined;
  const steps = program.steps.map(
    (step, index) => `${index === at ? '>' : ' '} ${String(index).padStart(2)}  ${describeStep(step, program.machine)}`,
  );
  return [
    `**What the guest does** (\`corpus/${fileNameOf(entry)}\`):`,
    '',
    '```text',
    describeMachine(program.machine),
    ...steps,
    '```',
    '',
    `**What happens** ${whenOf(place)}: ${field} should be \`${expected}\` and is \`${actual}\` (invariant \`${invariant}\`).`,
  ];
};

const whenOf = (place: Divergence['place']): string => {
  switch (place.kind) {
    case 'create':
      return 'at creation';
    case 'step':
      return `at step ${place.index}`;
    case 'end':
      return 'after the last step';
    case 'destroy':
      return 'when the guest is destroyed';
    case 'end-of-input':
      return 'at the end of input';
    default:
      return place satisfies never;
  }
};
