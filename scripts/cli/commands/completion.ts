/** Scripts with which a shell completes our command lines. They are made from the commands themselves, and run no command of ours. */

import type { Command, Option } from 'commander';
import { Argument } from 'commander';
import { DEFECTS } from '../../../impl/defects/catalogue.js';
import { SUBJECT_WORDS } from '../../../properties/subjects/subject-names.js';
import type { Session } from '../../terminal/session.js';
import { addHelp } from '../help.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const register = (program: Command, session: Session): void => {
  const command = program
    .command('completion')
    .description('Print a script that completes commands, options and their values in a shell.')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS));
  addHelp(command, [
    ['shadowdiff completion fish > ~/.config/fish/completions/shadowdiff.fish', 'for fish'],
    ['source <(shadowdiff completion bash)', 'in ~/.bashrc'],
    ['source <(shadowdiff completion zsh)', 'in ~/.zshrc, behind compinit'],
  ]).action((shell: Shell) => {
    const places = [...placesIn(program, [])];
    for (const line of shell === 'fish' ? fishLines(places) : bashLines(places, shell)) session.print(line);
  });
};

/** A command, and the words that lead to it. */
interface Place {
  readonly path: readonly string[];
  readonly below: readonly Command[];
  readonly options: readonly Option[];
}

function* placesIn(command: Command, path: readonly string[]): Generator<Place> {
  const help = command.createHelp();
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  yield { path, below, options: help.visibleOptions(command) };
  for (const each of below) yield* placesIn(each, [...path, each.name()]);
}

/** Machines with a defect: so many that they are offered behind `impl:` alone. */
const DEFECTIVE = ['lguest', ...DEFECTS.map(({ id }) => id)].map((id) => `impl:${id}`);

const takesMachine = ({ long }: Option): boolean => long === '--subject' || long === '--reference';

const takesValue = (option: Option): boolean => option.required || option.optional;

/**
 * zsh runs the same function as bash. What has no words of ours is completed as file names. bash takes the colon in the name of a machine
 * for the end of a word: the pieces are joined, and what stands before the last colon is left out of the answers.
 */
const bashLines = (places: readonly Place[], shell: Shell): readonly string[] => [
  ...(shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : []),
  '_shadowdiff() {',
  `  local machines='${SUBJECT_WORDS.join(' ')}'`,
  '  local word=${COMP_WORDS[COMP_CWORD]} at=$COMP_CWORD start= path= words= i',
  '  while ((at > 1)) && [[ $word == :* || ${COMP_WORDS[at-1]} == : ]]; do',
  '    ((at -= 1))',
  '    word=${COMP_WORDS[at]}$word',
  '  done',
  '  [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && start=${word%"${word##*:}"}',
  '  local before=${COMP_WORDS[at-1]}',
  `  [[ $word == impl:* ]] && machines='${DEFECTIVE.join(' ')}'`,
  // Further defects of one machine. compgen expands its words, so that what a user typed must not be a command among them.
  '  [[ $word == impl:*,* && $word != *[!a-z0-9:,-]* ]] && machines=${machines//impl:/"${word%,*},"}',
  '  for ((i = 1; i < COMP_CWORD; i++)); do',
  '    case "$path ${COMP_WORDS[i]}" in',
  `      ${alternatives(places.filter(({ path }) => path.length > 0).map(({ path }) => inside(path)))}) path+=" \${COMP_WORDS[i]}" ;;`,
  '    esac',
  '  done',
  '  case "$path $before" in',
  ...places.flatMap(valueCases),
  '    *) case "$path" in',
  ...places.map(({ path, below, options }) => {
    const names = below.map((each) => each.name()).join(' ');
    return `      '${inside(path)}') words='${names}'; [[ $word == -* ]] && words='${options.map(({ long }) => long).join(' ')}' ;;`;
  }),
  '    esac ;;',
  '  esac',
  '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
  '  COMPREPLY=("${COMPREPLY[@]#"$start"}")',
  '}',
  'complete -o default -F _shadowdiff shadowdiff',
];

const inside = (path: readonly string[]): string => path.map((word) => ` ${word}`).join('');
const alternatives = (words: readonly string[]): string => words.map((word) => `'${word}'`).join('|');

/** Behind an option that takes a value. */
const valueCases = ({ path, options }: Place): readonly string[] => {
  const wordsOf = (option: Option): string | undefined =>
    takesMachine(option) ? '$machines' : option.argChoices && `'${option.argChoices.join(' ')}'`;
  const free = options.filter((option) => takesValue(option) && wordsOf(option) === undefined);
  return [
    ...options.flatMap((option) => {
      const words = wordsOf(option);
      return words === undefined ? [] : [`    '${inside(path)} ${option.long}') words=${words} ;;`];
    }),
    ...(free.length === 0 ? [] : [`    ${alternatives(free.map(({ long }) => `${inside(path)} ${long}`))}) ;;`]),
  ];
};

const fishLines = (places: readonly Place[]): readonly string[] => [
  'function __shadowdiff_machines',
  '    set -l word (commandline -ct)',
  // Further defects of one machine.
  "    set -l start (string match -r '^impl:.*,' -- $word; or echo impl:)",
  "    if string match -q 'impl:*' -- $word",
  `        string replace impl: $start -- ${DEFECTIVE.join(' ')}`,
  '    else',
  `        printf '%s\\n' ${SUBJECT_WORDS.join(' ')}`,
  '    end',
  'end',
  ...places.flatMap(({ path, below, options }) => {
    const names = below.map((each) => each.name());
    const isHere = [
      ...path.map((word) => `__fish_seen_subcommand_from ${word}`),
      ...(names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(' ')}`]),
    ].join('; and ');
    const start = `complete -c shadowdiff -n ${quoted(isHere)}`;
    return [
      ...below.map((each) => `${start} -f -a ${each.name()} -d ${quoted(each.summary() || each.description())}`),
      ...options.map((option) => {
        const words = takesMachine(option) ? '(__shadowdiff_machines)' : option.argChoices?.join(' ');
        const value = !takesValue(option) ? '' : words === undefined ? ' -r' : ` -x -a ${quoted(words)}`;
        return `${start} -l ${option.long!.slice(2)}${value} -d ${quoted(option.description)}`;
      }),
    ];
  }),
];

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
