import { expect, test } from 'vitest';
import { Conversation } from './conversation.js';
import type { Ears, Machine } from './machine.js';

/** The length of a list, and its one word. */
const NO_FEATURES = [1, 0, 0, 0, 0, 0, 0, 0];

/** A machine whose memory is all ones, and which answers every request at once. */
const claiming = (features: readonly number[] = NO_FEATURES): Machine => {
  let ears: Ears | undefined;
  return {
    name: 'claiming',
    memory: { read: (_, length) => new Uint8Array(length).fill(0xff), write: () => undefined },
    listen: (given) => {
      ears = given;
      ears.heard(Buffer.from('\nshadowdiff-metal/1\n'));
    },
    send: ([letter]) => ears?.heard(Uint8Array.of(letter + 0x20, ...(letter === 0x56 ? features : []))),
    end: () => undefined,
  };
};

test('a mailbox that counts more answers than it holds is not read', async () => {
  const conversation = new Conversation(claiming(), { start: 1000, program: 1000 });
  await conversation.begin(0);
  await expect(conversation.run(Buffer.alloc(4))).rejects.toMatchObject({
    death: 'babble',
    message: 'the kernel counts 4294967295 words of answers',
  });
});

test.each([
  [0, [0, 0, 0, 0]],
  [2, [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
])('a list of features of %i words is no list of features', async (words, features) => {
  await expect(new Conversation(claiming(features), { start: 1000, program: 1000 }).begin(0)).rejects.toMatchObject({
    death: 'babble',
    message: `the kernel lists the features of its CPU in ${words} words, not in one`,
  });
});
