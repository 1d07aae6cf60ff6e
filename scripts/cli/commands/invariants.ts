import type { Command } from 'commander';
import type { Invariant, Sight } from '../../../properties/invariants/invariant.js';
import { INVARIANTS } from '../../../properties/invariants/invariants.js';
import { labelled } from '../../terminal/labelled.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('invariants')
    .description('List the invariants that are checked after every step, in order of precedence.')
    .option('--json', 'a JSON object a line');
  addHelp(command, [['shadowdiff invariants', 'all of them, with their sources']]).action(
    (flags: { readonly json?: true }) => {
      for (const invariant of INVARIANTS)
        session.print(flags.json === true ? asJson(invariant) : asText(invariant, session));
    },
  );
};

/** Leaves out the functions. */
const asJson = ({
  id,
  statement,
  source,
  harms,
  exercisedBy,
  looksAt,
  contract,
  neverAlone,
  stages,
}: Invariant): string =>
  JSON.stringify({ id, statement, source, harms, exercisedBy, looksAt, contract, neverAlone, stages });

/** What each sight is, for `looks at`. */
const SIGHTS: Readonly<Record<Sight, string>> = {
  outcome: 'outcomes',
  references: 'references',
  stores: 'stores',
  'upper stores': 'stores of upper entries',
  tables: 'the number of tables',
  switcher: "the Switcher's references",
  shadow: 'the shadow tables',
  ram: 'guest RAM (subjects in this process)',
  fresh: 'a walk of the guest’s tables at every access (reference model)',
};

const asText = (invariant: Invariant, { colors, width }: Session): string => {
  const { id, statement, source, harms, exercisedBy, looksAt, contract, neverAlone } = invariant;
  const guests = contract === 'kept' ? 'coherent guests only' : 'any guest';
  return [
    colors.bold(id),
    labelled('states', statement, width, 2),
    labelled('source', source, width, 2),
    labelled('harms', `the ${harms}, if it is broken`, width, 2),
    labelled('exercised', `by ${exercisedBy}`, width, 2),
    labelled('looks at', `${looksAt.map((sight) => SIGHTS[sight]).join(', ')}; ${guests}`, width, 2),
    ...(neverAlone === undefined ? [] : [labelled('not alone', `because ${neverAlone}`, width, 2)]),
  ].join('\n');
};
