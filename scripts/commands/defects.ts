import type { Command } from 'commander';
import type { Defect } from '../../impl/defects/defect.js';
import { DEFECTS } from '../../impl/defects/registry.js';
import { addHelp } from '../help.js';
import { labelled } from '../report/labelled.js';
import type { Session } from '../session.js';

export const registerDefects = (program: Command, session: Session): void => {
  const command = program
    .command('defects')
    .description('List the defects that can be planted into the subject, as impl:DEFECT.')
    .option('--json', 'a JSON object a line');
  addHelp(command, [
    ['shadowdiff defects', 'all of them, with their origins'],
    ['shadowdiff fuzz --subject impl:upper-entry-open', 'a subject that has one'],
  ]).action((flags: { readonly json?: true }) => {
    for (const defect of DEFECTS) session.print(flags.json === true ? asJson(defect) : asText(defect, session));
  });
};

const asJson = ({ id, title, class: kind, wrong, origin, consequence, harms, rule, inLguest }: Defect): string =>
  JSON.stringify({ id, title, class: kind, wrong, origin, consequence, harms, rule, inLguest });

const asText = (defect: Defect, { colors, width }: Session): string =>
  [
    colors.bold(defect.id) + (defect.inLguest ? '   (in impl:lguest)' : ''),
    labelled('title', defect.title, width, 2),
    labelled('wrong', defect.wrong, width, 2),
    labelled('leads to', defect.consequence, width, 2),
    labelled('breaks', defect.rule, width, 2),
    labelled('origin', defect.origin, width, 2),
  ].join('\n');
