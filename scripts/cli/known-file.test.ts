import { readFileSync, readdirSync } from 'node:fs';
import { readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { directoryForEachTest } from '../../test-support/test-directory.js';
import type { CapturedCall } from '../../test-support/captured-call.js';
import { capturedCall } from '../../test-support/captured-call.js';
import type { KnownFinding } from '../../properties/known-findings.js';
import { withFinding, withoutFinding } from './known-file.js';

/** Written by hand: one finding on a line, one on several, braces and quotes in a reason. */
const BY_HAND = `{ "format": "shadowdiff-known/1",
   "findings": [
     {"signature":"flush | end | x", "reason":"a \\"}{\\" in it",   "owner":"o", "expires":"2030-01-01"},
     {
        "signature": "b | access | y",
        "reason": "r", "owner": "o", "expires": "2030-01-01"
     }
   ]
}
`;
const signature = (difference: string): string => `flush | end | ${difference}`;
const NEW = { signature: 'c | access | z', reason: 'r', owner: 'o', expires: '2031-01-01' };

describe('a change leaves the rest as it was written', () => {
  test('adding, and removing again, gives the same bytes', () => {
    const more = withFinding(BY_HAND, NEW, 'here');
    expect(more.startsWith(BY_HAND.slice(0, BY_HAND.lastIndexOf('}\n   ]')))).toBe(true);
    expect(withoutFinding(more, NEW.signature, 'here')).toBe(BY_HAND);
  });

  test('removing the first one keeps the second', () => {
    const [, , , ...rest] = BY_HAND.split('\n');
    expect(withoutFinding(BY_HAND, signature('x'), 'here').endsWith(rest.join('\n').trimStart())).toBe(true);
  });
});

describe('the command', () => {
  const at = directoryForEachTest();

  const path = (): string => at('known.json');
  const known = (...words: readonly string[]): Promise<CapturedCall> =>
    capturedCall(['known', ...words, '--known', path()]);
  const add = (signature: string, expires: string): Promise<CapturedCall> =>
    known('add', signature, '--reason', 'r', '--owner', 'o', '--expires', expires);

  test('adds, lists what is left and what is over, and removes', async () => {
    expect((await add(signature('s'), '1970-01-11')).code).toBe(0);
    expect((await add(signature('t'), '1969-12-31')).code).toBe(0);
    const { out } = await known('list');
    expect(out).toContain('flush | end | s\n  10 days left, o: r');
    expect(out).toContain('flush | end | t\n  expired 1969-12-31, o: r');
    expect((await known('remove', signature('s'))).code).toBe(0);
    expect((await known('list', '--json')).out).toBe(
      '{"signature":"flush | end | t","reason":"r","owner":"o","expires":"1969-12-31","expired":true,"daysLeft":-1}\n',
    );
  });

  test.each([
    [['add', signature('x'), '--reason', 'r', '--owner', 'o', '--expires', '2030-01-01'], 'is known already'],
    [
      ['add', signature('n'), '--reason', 'r', '--owner', 'o', '--expires', 'soon'],
      'write the last day as "YYYY-MM-DD"',
    ],
    [['add', signature('n'), '--reason', '', '--owner', 'o', '--expires', '2030-01-01'], 'write why it is not fixed'],
    [['remove', 'n'], 'is not known'],
    ...['', 'n', 'flush | end', 'flush | end | ', 'flush|end|x', 'x | end | x', 'flush | x | x'].map(
      (text): [string[], string] => [
        ['add', text, '--reason', 'r', '--owner', 'o', '--expires', '2030-01-01'],
        "Copy it from fuzz's output",
      ],
    ),
  ])('refuses %j and leaves the file alone', async (words, message) => {
    await writeFile(path(), BY_HAND);
    const { code, err } = await known(...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(await readFile(path(), 'utf8')).toBe(BY_HAND);
  });

  test('ties a finding to its counterexample, and tells two of one signature apart by them', async () => {
    const [one, other] = ['flush--set-pgd', 'flush--new-pgtable'].map((start) =>
      readdirSync('corpus').find((name) => name.startsWith(start))!,
    );
    const signatureIn = (name: string): string =>
      (JSON.parse(readFileSync(join('corpus', name), 'utf8')) as { readonly signature: string }).signature;
    const rest = ['--reason', 'r', '--owner', 'o', '--expires', '1970-01-11'];
    const tie = (name: string, ...words: readonly string[]): Promise<CapturedCall> =>
      known('add', ...words, '--counterexample', join('corpus', name), ...rest);
    expect((await tie(one)).code).toBe(0);
    expect((await known('add', signatureIn(one), ...rest)).code).toBe(0);
    expect((await tie(one)).err).toContain('is known already');
    expect((await tie(other, signatureIn(one))).err).toContain(
      `shows "${signatureIn(other)}"; leave out the signature`,
    );
    expect((await known('add', ...rest)).err).toContain('give the signature, or the file of a --counterexample');
    const path = relative(at(), join('corpus', one));
    expect((await known('list')).out).toContain(`${signatureIn(one)}\n  10 days left, o: r\n  shown by ${path}\n`);
    expect((await known('remove', signatureIn(one))).err).toContain('is there with several counterexamples');
    expect((await known('remove', signatureIn(one), '--counterexample', join('corpus', one))).code).toBe(0);
    expect((await known('remove', signatureIn(one))).code).toBe(0);
  });

  test('a name that can be no file is refused, and the file in it stays', async () => {
    await writeFile(path(), BY_HAND);
    await symlink('loop', at('loop'));
    for (const name of [`${path()}/`, at('loop'), at()]) {
      const words = ['known', 'add', signature('n'), '--reason', 'r', '--owner', 'o', '--expires', '2030-01-01'];
      expect(await capturedCall([...words, '--known', name])).toMatchObject({ code: 2, out: '' });
    }
    expect(await readFile(path(), 'utf8')).toBe(BY_HAND);
  });

  test('a file without findings is listed as such', async () => {
    await writeFile(path(), '{"format":"shadowdiff-known/1","findings":[]}');
    expect(await known('list')).toEqual({ code: 0, out: '', err: `shadowdiff: ${path()}: no known findings\n` });
    expect(await known('list', '--json')).toEqual({ code: 0, out: '', err: '' });
  });

  test('changes at the same moment lose nothing', async () => {
    const signatures = Array.from({ length: 12 }, (_, index) => signature(`s${index}`));
    await add(signature('gone'), '2030-01-01');
    const codes = await Promise.all([
      known('remove', signature('gone')).then(({ code }) => code),
      ...signatures.map(async (each) => (await add(each, '2030-01-01')).code),
    ]);
    expect(new Set(codes)).toEqual(new Set([0]));
    const { findings } = JSON.parse(await readFile(path(), 'utf8')) as { readonly findings: readonly KnownFinding[] };
    expect(findings.map((finding) => finding.signature).sort()).toEqual([...signatures].sort());
    expect(await readdir(at())).toEqual(['known.json']);
  });

  test('a refusal leaves no lock', async () => {
    expect((await known('remove', 'n')).err).toContain('there is no such file');
    expect(await readdir(at())).toEqual([]);
  });

  test('a malformed file is told as fuzz tells it', async () => {
    await writeFile(path(), '{"format":"shadowdiff-known/2","findings":[]}');
    expect((await known('list')).err).toContain('format: missing or malformed; write "shadowdiff-known/1"');
  });
});
