/** Another bug that hides behind the name of a known one is found, and said to be perhaps another. */

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ShadowMachine } from '../../impl/shadow-machine.js';
import { subjectNamed } from '../../properties/subjects/subject-names.js';
import type { Subject } from '../../properties/subjects/subject.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { runInProcess } from '../../test-support/in-process-run.js';

/** set-pte of a slot that is not current is ignored. */
const ignoresOtherSlots = ({ calls, cache, guest }: ShadowMachine): void => {
  const sound = calls.setPte.bind(calls);
  calls.setPte = (root, address, pte) => {
    const target = cache.find(root);
    const isOther = target !== undefined && target !== guest.current;
    if (guest.linear || address >= guest.kernelAddress || !isOther) sound(root, address, pte);
  };
};

/** A device's entry that is announced over a leaf leaves it. */
const keepsUnderDevice = ({ calls, walk }: ShadowMachine): void => {
  const sound = calls.setLeaf.bind(calls);
  calls.setLeaf = (target, address, pte) => {
    if (!calls.isPresent(pte) || walk.placeOf(pte.low, pte.high) !== 'device') sound(target, address, pte);
  };
};

const withBugs = (name: string, ...plants: readonly ((machine: ShadowMachine) => void)[]): Subject => ({
  kind: 'in-process',
  name,
  create: () => {
    const machine = new ShadowMachine();
    for (const plant of plants) plant(machine);
    return machine;
  },
});

/** By their names they are commands. */
const SUBJECTS: Readonly<Record<string, Subject>> = {
  'exec:known': withBugs('exec:known', ignoresOtherSlots),
  'exec:instead': withBugs('exec:instead', keepsUnderDevice),
  'exec:also': withBugs('exec:also', ignoresOtherSlots, keepsUnderDevice),
};
const named: typeof subjectNamed = (name, ...others) => SUBJECTS[name] ?? subjectNamed(name, ...others);
/** Both bugs are among the first three findings of a signature: another generator of programs may need another seed. */
const FUZZ = ['fuzz', '--programs', '48', '--seed', 'namesakes-13', '--invariant', 'flush'];
const NIGHTLY = ['nightly', '--programs', '8', '--seed', 'namesakes-8', '--min-programs', '1'];
const NAME = 'flush \\| set-pte \\| mappings stayed';
const NEW = new RegExp(`^new {7}${NAME} .*; perhaps another bug under this name: it needs set-pte, access\\)$`, 'm');
const KNOWN = new RegExp(`^known {5}${NAME} \\(`, 'm');

let directory: string;
const at = (...path: readonly string[]): string => join(directory, ...path);

const call = (...words: readonly string[]): Promise<CapturedCall> => runInProcess(words, { subjectNamed: named });
const fuzz = (subject: string, ...words: readonly string[]): Promise<CapturedCall> =>
  call(...FUZZ, '--subject', `exec:${subject}`, '--corpus', at(`${subject}-corpus`), ...words);
const know = (...words: readonly string[]): Promise<CapturedCall> =>
  call(
    'known',
    'add',
    ...words,
    '--reason',
    'r',
    '--owner',
    'o',
    '--expires',
    '2030-01-01',
    '--known',
    at('known.json'),
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shadowdiff-namesakes-'));
  await fuzz('known', '--max-findings', '1');
  const [file] = await readdir(at('known-corpus'));
  await know('--counterexample', at('known-corpus', file));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a known finding', () => {
  test('excuses the programs that are like its own', async () => {
    const { code, out } = await fuzz('known', '--known', at('known.json'));
    expect([code, out]).toEqual([0, expect.stringMatching(KNOWN)]);
    expect(out).not.toMatch(/^new/m);
  });

  test.each(['instead', 'also'])('hides no other bug that is there %s', async (subject) => {
    const { code, out } = await fuzz(subject, '--known', at('known.json'));
    expect([code, out]).toEqual([1, expect.stringMatching(NEW)]);
    expect(out).toMatch(/^ {2}perhaps {3}another bug under a known name: it needs set-pte, access$/m);
    expect(await readdir(at(`${subject}-corpus`))).toHaveLength(1);
  });

  test('that names no counterexample excuses what is like the first program', async () => {
    const alone = at('alone.json');
    await writeFile(alone, (await readFile(at('known.json'), 'utf8')).replace(/\n *"counterexample": .*/, ''));
    const { code, out } = await fuzz('instead', '--known', alone);
    expect([code, out]).toEqual([0, expect.stringMatching(KNOWN)]);
  });

  test('of another signature than its counterexample is refused', async () => {
    const wrong = at('wrong.json');
    await writeFile(wrong, (await readFile(at('known.json'), 'utf8')).replace('mappings stayed', 'x'));
    const { code, err } = await fuzz('known', '--known', wrong);
    expect([code, err]).toEqual([2, expect.stringContaining('shows "flush | set-pte | mappings stayed"')]);
  });
});

describe('a nightly run', () => {
  const nightly = (subject: string, out: string, corpus: string, ...words: readonly string[]): Promise<CapturedCall> =>
    call(...NIGHTLY, '--subject', `exec:${subject}`, '--out', at(out), '--corpus', at(corpus), ...words);
  const news = (out: string): string => (out.match(/^(?:new|known|further) .*$/gm) ?? []).join('\n');

  test('lists both bugs, however it is cut up', async () => {
    const whole = await nightly('also', 'whole', 'whole-corpus', '--jobs', '1');
    expect(news(whole.out)).toMatch(/perhaps another bug under this name: it needs set-pte, access/);
    for (const index of [0, 1]) await nightly('also', `shard-${index}`, 'none', '--shard', `${index}/2`);
    const shards = [0, 1].map((index) => at(`shard-${index}`));
    const merged = await call('merge', ...shards, '--out', at('merged'), '--corpus', at('merged-corpus'));
    expect(news(merged.out)).toBe(news(whole.out));
    expect(await readdir(at('merged-corpus'))).toEqual(await readdir(at('whole-corpus')));
    expect(await readdir(at('merged', 'findings'))).toEqual(await readdir(at('whole', 'findings')));
  });

  test('has both in its report', async () => {
    const report = ['report', at('whole'), '--allow-exec', '--reporter'];
    const { out } = await call(...report, 'markdown');
    expect(out.match(/^\| reference-count \S+ set-pte .*perhaps another bug/gm)).toHaveLength(1);
    const { findings } = JSON.parse((await call(...report, 'json')).out) as {
      readonly findings: readonly { readonly signature: string; readonly namesake?: string; readonly file: string }[];
    };
    const namesakes = findings.filter(({ namesake }) => namesake !== undefined);
    expect(namesakes).toHaveLength(1);
    const others = findings.filter(({ signature }) => signature === namesakes[0].signature);
    expect(new Set(others.map(({ file }) => file)).size).toBe(2);
  });

  test('finds both in its corpus the night after', async () => {
    const words = [...NIGHTLY, '--subject', 'exec:also', '--corpus', at('whole-corpus'), '--out', at('later')];
    const later = await runInProcess(words, { subjectNamed: named, today: () => new Date(86_400_000) });
    expect(later.out).not.toMatch(/^new/m);
    expect(later.out).toMatch(/^known .*perhaps another bug under this name/m);
  });

  test('says what it had no time to look at', async () => {
    const { out } = await nightly('also', 'short', 'short-corpus', '--shrink-time', '1ms');
    expect(news(out)).toMatch(/^further {3}findings not looked at, perhaps other bugs \(more --shrink-time\): \d of /m);
  });
});
