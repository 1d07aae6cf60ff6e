/**
 * A time limit for work that does not return to the event loop. Of all that Node.js offers only `vm` can end such work without ending its
 * process. It starts a thread for each call, which takes a tenth of a millisecond.
 */

import type { Context } from 'node:vm';
import { Script, createContext } from 'node:vm';

/** The longest delay of a Node timer, in milliseconds. */
export const LONGEST_TIMER = 2 ** 31 - 1;
const CALL = new Script('work()');

/** The work may use all of this process: only the call is made in a context of its own. */
let room: Context | undefined;

/** Work did not end in time, and was ended in the middle of what it did. */
export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** Throws `OutOfTime` if the work takes longer, and what it throws. */
export const within = <Result>(milliseconds: number, work: () => Result): Result => {
  room ??= createContext({});
  room.work = work;
  try {
    return CALL.runInContext(room, { timeout: Math.min(milliseconds, LONGEST_TIMER) }) as Result;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new OutOfTime(`not done within ${milliseconds} ms`);
  }
};

/** It is an `Error` of the other context, so not one of this. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
