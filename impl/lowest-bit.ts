/** Index of the lowest bit that is set; `bits` is other than 0. */
export const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits);
