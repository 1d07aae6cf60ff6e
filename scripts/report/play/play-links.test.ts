import { expect, test } from 'vitest';
import type { MachineConfig } from '../../../model/vocabulary/index.js';
import { isReadable, readCorpus } from '../../../properties/corpus/store.js';
import type { Finding } from '../../../properties/finding.js';
import { playLink } from './play-links.js';

const stored = async (): Promise<Finding> => {
  const found = (await readCorpus('corpus')).find(isReadable);
  if (found === undefined) throw new Error('the corpus is empty');
  return found;
};

const withMachine = (
  { case: { traffic, program }, ...finding }: Finding,
  machine: Partial<MachineConfig>,
): Finding => ({
  ...finding,
  case: { traffic, program: { ...program, machine: { ...program.machine, ...machine } } },
});

test('a finding leads to the page to play in, unless its CPU has features that the machines of the page lack', async () => {
  const finding = await stored();
  expect((await playLink(finding))?.text).toContain('Change it and see');
  expect(await playLink(withMachine(finding, { features: ['large-pages'] }))).toBeUndefined();
});
