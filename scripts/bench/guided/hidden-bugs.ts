/** Ten bugs of a machine in C, each behind comparisons with constants. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXAMPLE = fileURLToPath(new URL('../../examples/c', import.meta.url)).replace('/build/scripts/', '/scripts/');
/** Edges are counted, and no comparison is merged with another. */
const OPTIONS = ['-O0', '-w', '-fsanitize-coverage=trace-pc-guard', '-I', EXAMPLE];

export interface HiddenBug {
  readonly id: string;
  /** The step at which it shows. */
  readonly op: string;
  /** In C: compared one after the other, as by code that compares piece by piece. */
  readonly comparisons: readonly string[];
}

/** A field that is equal to a constant, compared `bits` at a time from the lowest of `from` … `to` − 1. */
const equal = (field: string, constant: number, bits: number, from: number, to: number): readonly string[] => {
  const pieces: string[] = [];
  for (let bit = from; bit < to; bit += bits) {
    const mask = 2 ** bits - 1;
    pieces.push(`(${field} >> ${bit} & ${mask}) == ${Math.floor(constant / 2 ** bit) & mask}`);
  }
  return pieces;
};

/** The step came this often in the program; something that it fills grows on the way. */
const often = (times: number, growth: number): readonly string[] =>
  Array.from({ length: times / growth }, (_, index) => `seen >= ${(index + 1) * growth}`);

const FLAGS = 'step->as.set_pte.pte';

/** A set-pte with all these flags came four times in the program. */
const fourRareLeaves: readonly string[] = [
  ...equal(FLAGS, 0xb1d, 12, 0, 12),
  'rare++ >= 0',
  ...[2, 3, 4].map((times) => `rare >= ${times}`),
];

export const HIDDEN_BUGS: readonly HiddenBug[] = [
  { id: 'four-rare-leaves', op: 'SET_PTE', comparisons: fourRareLeaves },
  { id: 'two-flags-by-bit', op: 'SET_PTE', comparisons: equal(FLAGS, 0x600, 1, 9, 11) },
  { id: 'six-flags-by-bit', op: 'SET_PTE', comparisons: equal(FLAGS, 0xa98, 1, 6, 12) },
  { id: 'twelve-flags-by-two', op: 'SET_PTE', comparisons: equal(FLAGS, 0xb1d, 2, 0, 12) },
  { id: 'page-by-two', op: 'ACCESS', comparisons: equal('step->as.access.vaddr', 0x5a3c1000, 2, 12, 32) },
  { id: 'page-by-four', op: 'ACCESS', comparisons: equal('step->as.access.vaddr', 0x5a3c1000, 4, 12, 32) },
  { id: 'page-at-once', op: 'ACCESS', comparisons: equal('step->as.access.vaddr', 0x5a3c1000, 20, 12, 32) },
  { id: 'draw-by-eight', op: 'NEW_PGTABLE', comparisons: equal('step->as.new_pgtable.draw', 0x5a3c1d2e, 8, 0, 32) },
  { id: 'fortieth-migrate', op: 'MIGRATE', comparisons: often(40, 8) },
  { id: 'thirtieth-set-pmd', op: 'SET_PMD', comparisons: often(30, 6) },
];

const APPLY = 'static struct sd_outcome apply(const struct sd_step *step)\n{\n';
const CREATE = '	machine = *wanted;\n';

const OBSERVES = '	.observes = SD_REFERENCES | SD_STORES | SD_TABLES | SD_SWITCHER | SD_SHADOW,\n';

/** walker.c with a bug: it kills the guest at the step that has everything. It observes outcomes alone, which takes less time. */
const sourceWith = ({ op, comparisons }: HiddenBug): string => {
  const source = readFileSync(join(EXAMPLE, 'walker.c'), 'utf8');
  const condition = [`step->op == SD_${op}`, 'seen++ >= 0', ...comparisons].map((each) => `(${each})`).join(' && ');
  const changed = source
    .replace(APPLY, `${APPLY}	if (${condition})\n		return sd_kill("hidden");\n`)
    .replace('static bool linear,', 'static int seen, rare;\nstatic bool linear,')
    .replace(OBSERVES, '	.observes = 0,\n')
    .replace(CREATE, `${CREATE}	seen = rare = 0;\n`);
  if (changed.length < source.length + 40) throw new Error('walker.c has changed; plant the bugs elsewhere');
  return changed;
};

/** Compiles the machine with the bug in a directory; returns its path. */
export const buildHiddenBug = (bug: HiddenBug, directory: string): string => {
  const [source, command] = [join(directory, `${bug.id}.c`), join(directory, bug.id)];
  writeFileSync(source, sourceWith(bug));
  const { status, stderr } = spawnSync('clang', [...OPTIONS, '-o', command, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`clang does not compile ${source}: ${stderr ?? 'install clang'}`);
  return command;
};
