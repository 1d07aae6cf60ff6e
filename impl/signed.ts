import type { Vaddr } from '../model/vocabulary/index.js';

/**
 * The same 32 bits as a signed number. V8 hands such a number on as it is, and makes an object of one from 2³¹ up at every call.
 * Whoever takes an address apart by shifts and masks sees no difference; whoever compares it must not be given this.
 */
export const signed = (address: Vaddr): Vaddr => (address | 0) as Vaddr;
