import type { Machine } from '../../model/vocabulary/index.js';

/** A machine that tells its state. */
export type TellingMachine = Machine & Required<Pick<Machine, 'tellState'>>;

export const tellsState = (machine: Machine): machine is TellingMachine => machine.tellState !== undefined;
