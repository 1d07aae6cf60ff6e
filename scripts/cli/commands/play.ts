import type { Command } from 'commander';
import { IMPL, MODEL } from '../../../properties/subjects/own-machines.js';
import { writeTextFile } from '../../../properties/corpus/store.js';
import { BadInput } from '../../../properties/formats/index.js';
import { pageMarkup } from '../../report/html/page-frame.js';
import { playPage, runsInPage, setupOf } from '../../report/play/play-page.js';
import type { Setup } from '../../report/play/setup.js';
import { printable } from '../../terminal/printable.js';
import type { Session } from '../../terminal/session.js';
import type { CaseFile } from '../case-file.js';
import { readCaseFile } from '../case-file.js';
import { addHelp } from '../help.js';

interface PlayFlags {
  readonly out: string;
}

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('play')
    .description(
      'Write a page in which programs can be changed: it holds the machines, the invariants, the planted bugs and the corpus, and needs neither a network nor this command.',
    )
    .argument('[file]', 'a counterexample or a bare program to begin with; - is standard input')
    .option('--out <file>', 'where to write it', 'play.html');
  addHelp(command, [
    ['shadowdiff play', 'writes play.html; open it in any browser'],
    ['shadowdiff play corpus/FILE --out mine.html', 'begins with a counterexample'],
  ]).action(async (path: string | undefined, { out }: PlayFlags) => {
    const start = path === undefined ? undefined : startWith(await readCaseFile(path, session.surroundings));
    const page = await playPage(start);
    await writeTextFile(out, pageMarkup(page).text, 'name another --out');
    session.print(printable(`${out}: open it in a browser`));
  });
};

const startWith = ({ source, case: { program }, entry }: CaseFile): Setup => {
  if (!runsInPage(program)) {
    throw new BadInput(source, 'its CPU has features that the machines of the page lack; replay and explain show it');
  }
  return entry === undefined ? { subject: IMPL.name, reference: MODEL.name, program } : setupOf(entry);
};
