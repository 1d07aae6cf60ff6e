import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { DEFECTS, UNREPRESENTED, defectNamed, lguestDefects } from '../../../impl/defects/catalogue.js';
import type { Defect } from '../../../impl/defects/defect.js';
import { readCorpus, readableOf } from '../../../properties/corpus/store.js';
import { findingsDocument } from '../../../properties/findings-document.js';
import { BadInput } from '../../../properties/formats/index.js';
import type { MatrixOptions, MatrixRow } from '../../../properties/kill-matrix.js';
import { DEFAULT_MATRIX_OPTIONS, matrixRow } from '../../../properties/kill-matrix.js';
import { aloneLines, matrixJson, matrixLegend, matrixMarkdown, matrixTable } from '../../coverage/matrix-document.js';
import type { ExitCode } from '../../terminal/exit-codes.js';
import { EXIT } from '../../terminal/exit-codes.js';
import { labelled, wrapped } from '../../terminal/labelled.js';
import { counted } from '../../terminal/numbers.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';
import type { ReadCorpusFlag } from '../options/paths.js';
import { addReadCorpus, corpusToRead } from '../options/paths.js';
import { wholeNumber } from '../options/option-values.js';

interface MatrixFlags {
  readonly seeds: number;
  readonly maxSteps: number;
  readonly defect?: readonly string[];
  readonly json?: true;
  readonly markdown?: true;
}

export const register = (program: Command, session: Session): void => {
  const command = program.command('defects').description('List the bugs that can be planted into impl.');
  addHelp(command, [
    ['shadowdiff defects', 'all of them, a line each'],
    ['shadowdiff defects show set-pgd-loses-switcher', 'one of them in full'],
    ['shadowdiff fuzz --subject impl:set-pgd-loses-switcher', 'hunt it'],
  ]);
  addList(command, session);
  addShow(command, session);
  addMatrix(command, session);
  addFindings(command, session);
};

const addList = (command: Command, session: Session): void => {
  const list = command.command('list', { isDefault: true }).description('List all defects, a line each.');
  list.option('--json', 'a JSON object a line').action((flags: { readonly json?: true }) => {
    for (const defect of DEFECTS) session.print(flags.json === true ? asJson(defect) : asLine(defect, session));
    if (flags.json === true) return;
    session.print();
    session.print('not represented here:');
    for (const { origin, reason } of UNREPRESENTED) session.print(`  ${origin}: ${reason}`);
  });
};

const addShow = (command: Command, session: Session): void => {
  command
    .command('show')
    .description('Show one defect in full.')
    .argument('<id>', 'as listed')
    .action((id: string) => session.print(asText(named(id, 'defects show'), session)));
};

const addMatrix = (command: Command, session: Session): void => {
  const matrix = command
    .command('matrix')
    .description('Measure which invariants catch which defect, and how soon. Every seed must catch every defect.')
    .option('--seeds <count>', 'seeds for each defect', wholeNumber(1, 1000), DEFAULT_MATRIX_OPTIONS.seeds)
    .option(
      '--max-steps <count>',
      'most steps for each seed',
      wholeNumber(1, 10 ** 9),
      DEFAULT_MATRIX_OPTIONS.mostSteps,
    )
    .option('--defect <id...>', 'only these')
    .option('--json', 'as JSON')
    .option('--markdown', 'as Markdown');
  addHelp(matrix, [
    ['shadowdiff defects matrix', 'everything; takes some minutes'],
    ['shadowdiff defects matrix --seeds 2 --defect upper-entry-open', 'one defect, quickly'],
  ]).action(async (flags: MatrixFlags) => {
    session.exitCode = await runMatrix(flags, session);
  });
};

const runMatrix = async (flags: MatrixFlags, session: Session): Promise<ExitCode> => {
  const defects = flags.defect?.map((id) => named(id, '--defect')) ?? DEFECTS;
  const options: MatrixOptions = { ...DEFAULT_MATRIX_OPTIONS, seeds: flags.seeds, mostSteps: flags.maxSteps };
  const rows: MatrixRow[] = [];
  for (const defect of defects) {
    rows.push(await matrixRow(defect, options));
    // Signals are heard only between two turns.
    await setImmediate();
  }
  if (flags.json === true) session.print(matrixJson(rows, options));
  else if (flags.markdown === true) session.print(matrixMarkdown(rows, options));
  else {
    const legend = wrapped(matrixLegend(options).join(' '), session.width);
    for (const line of [await matrixTable(rows, session.width), ...legend, ...aloneLines(rows)]) session.print(line);
  }
  const missed = rows.filter(({ seeds, seedsCaught }) => seedsCaught < seeds);
  for (const { defect, seeds, seedsCaught } of missed) {
    session.complain(
      `shadowdiff: ${defect} was caught on ${seedsCaught} of ${counted(seeds, 'seed')} within ${counted(options.mostSteps, 'step')}`,
    );
  }
  return missed.length === 0 ? EXIT.clean : EXIT.divergence;
};

const addFindings = (command: Command, session: Session): void => {
  const findings = command
    .command('findings')
    .description("Print FINDINGS.md: lguest's deviations as security notes, from the catalogue and the corpus.");
  addReadCorpus(findings).action(async (flags: ReadCorpusFlag) => {
    const entries = (await readCorpus(corpusToRead(flags, session))).map(readableOf);
    session.print(findingsDocument(lguestDefects(), entries).trimEnd());
  });
};

const named = (id: string, where: string): Defect => {
  const defect = defectNamed(id);
  if (defect !== undefined) return defect;
  throw new BadInput(where, `there is no defect ${JSON.stringify(id)}; "shadowdiff defects" lists them`);
};

/** JSON leaves out `plant`, a function. */
const asJson = (defect: Defect): string => JSON.stringify(defect);

const ID_COLUMNS = Math.max(...DEFECTS.map(({ id }) => id.length)) + 2;

const asLine = ({ id, title, inLguest }: Defect, { colors }: Session): string =>
  `${colors.bold(id)}${' '.repeat(ID_COLUMNS - id.length)}${title}${inLguest ? ' (in impl:lguest)' : ''}`;

const asText = (defect: Defect, { colors, width }: Session): string =>
  [
    colors.bold(defect.id) + (defect.inLguest ? '   (in impl:lguest)' : ''),
    labelled('title', defect.title, width, 2),
    labelled('class', defect.class, width, 2),
    labelled('wrong', defect.wrong, width, 2),
    labelled('leads to', defect.consequence, width, 2),
    labelled('harms', `the ${defect.harms}`, width, 2),
    labelled('breaks', defect.rule, width, 2),
    labelled('origin', defect.origin, width, 2),
    labelled('here', defect.translation, width, 2),
  ].join('\n');
