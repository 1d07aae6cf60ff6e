import { expect, test } from 'vitest';
import { capturing } from '../../test-support/captured-call.js';
import { printable } from './printable.js';
import { Session } from './session.js';

test('what would command a terminal is spelt out, and a flood is cut', () => {
  expect(printable('\u001b[2Jx\u202e\n')).toBe('\\u001b[2Jx\\u202e\\u000a');
  expect(printable('x'.repeat(5000))).toHaveLength(1001);
});

test.each([0, 80])('a session lets no line command the terminal; columns: %d', async (columns) => {
  const { surroundings, stdout, stderr } = capturing({ columns });
  const session = new Session(surroundings);
  const red = session.colors.red(session.colors.bold('red'));
  const line = `${red}\n\tb \u001b]0;title\u0007\u001b[2J\u001b[31;1m\u001b[8m\u009b1A\u202e\r`;
  const expected = `${red}\n\tb \\u001b]0;title\\u0007\\u001b[2J\\u001b[31;1m\\u001b[8m\\u009b1A\\u202e\\u000d\n`;
  session.print(line);
  await session.stream(line);
  session.complain(line);
  expect(stdout.text).toBe(expected + expected);
  expect(stderr.text).toBe(expected);
});

test('codes of colours are spelled out where there are no colours', () => {
  const { surroundings, stdout } = capturing();
  new Session(surroundings).print('\u001b[31mred');
  expect(stdout.text).toBe('\\u001b[31mred\n');
});
