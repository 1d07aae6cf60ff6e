import { expect, test } from 'vitest';
import { Session } from '../terminal/session.js';
import { capturing } from '../../test-support/captured-call.js';
import { COMMANDS } from './commands/registry.js';
import { commandLine } from './main.js';
import { manualPage } from './manual-page.js';

test('the manual page has every command with its options, and nothing that roff would take for a request', async () => {
  const program = await commandLine(() => true, new Session(capturing().surroundings));
  const page = manualPage(program);
  for (const { name } of COMMANDS) expect(page).toContain(`.SS shadowdiff ${name}`);
  for (const word of ['corpus prune', '--reporter <name>', '--shrink-time <duration>', 'shadowdiff regress'])
    expect(page).toContain(word.replaceAll('-', String.raw`\-`));
  const requests = page.split('\n').filter((line) => /^[.']/.test(line));
  expect(requests.filter((line) => !/^\.(TH|SH|SS|TP|PP|B)\b/.test(line))).toEqual([]);
  expect(page).not.toMatch(/[^\\]-/);
});
