import { Command } from 'commander';
import { expect, test } from 'vitest';
import { capturedCall, capturing } from '../../../test-support/captured-call.js';
import { Session } from '../../terminal/session.js';
import { COMMANDS } from './registry.js';

test.each(COMMANDS)('$name is what its file adds', async ({ name, load }) => {
  const program = new Command();
  (await load()).register(program, new Session(capturing().surroundings));
  expect(program.commands.map((command) => command.name())).toEqual([name]);
});

test('the help tells what each command is good for, in the order of the list', async () => {
  const { out } = await capturedCall(['--help']);
  const places = COMMANDS.map(({ name, summary }) => out.search(new RegExp(`^ {2}${name} .* {2}${summary}$`, 'm')));
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual(places.toSorted((one, other) => one - other));
});
