/**
 * The states found so far: a hash table of their keys, and for each state the parent and the step that first reached it. A state takes
 * 21 bytes, and up to twice that since capacity doubles; while the table grows, old and new coexist, so the peak is 63 bytes a state.
 */

const FIRST_CAPACITY = 1 << 12;
const NONE = -1;
/** A step's number is stored in a byte. */
export const MOST_STEPS_OF_ALPHABET = 256;

export class StateTable {
  /** States are numbered from 0, in the order in which they were found. */
  count = 0;
  private lows = new Uint32Array(FIRST_CAPACITY);
  private highs = new Uint32Array(FIRST_CAPACITY);
  /** The parent state; for a state that a creation leads to, −1 − the creation's number. */
  private parents = new Int32Array(FIRST_CAPACITY);
  /** The step that leads here from the parent, by its number in the alphabet. */
  private steps = new Uint8Array(FIRST_CAPACITY);
  /** State numbers by hash; twice as many places as states keeps searches short. */
  private places = new Int32Array(2 * FIRST_CAPACITY).fill(NONE);

  /** Adds the state that a creation leads to. False if it is known. */
  addCreated(low: number, high: number, creation: number): boolean {
    return this.insert(low, high, -1 - creation, 0);
  }

  /** Adds the state that a step leads to. False if it is known. */
  add(low: number, high: number, parent: number, step: number): boolean {
    return this.insert(low, high, parent, step);
  }

  /** Makes room for this many more states. False if there is no memory for them. */
  makeRoomFor(states: number): boolean {
    while (this.count + states > this.lows.length) {
      try {
        this.grow();
      } catch (error) {
        // What V8 throws when it cannot allocate a typed array.
        if (error instanceof RangeError) return false;
        throw error;
      }
    }
    return true;
  }

  /** The creation and the steps by which a state was first reached. */
  pathOf(state: number): { readonly creation: number; readonly steps: readonly number[] } {
    const steps: number[] = [];
    let at = state;
    for (; this.parents[at] >= 0; at = this.parents[at]) steps.push(this.steps[at]);
    return { creation: -1 - this.parents[at], steps: steps.reverse() };
  }

  private insert(low: number, high: number, parent: number, step: number): boolean {
    const place = this.placeOf(low, high);
    if (this.places[place] !== NONE) return false;
    if (this.count === this.lows.length) throw new Error('no room was made for another state');
    this.places[place] = this.count;
    this.lows[this.count] = low;
    this.highs[this.count] = high;
    this.parents[this.count] = parent;
    this.steps[this.count] = step;
    this.count++;
    return true;
  }

  /** Where a key is, or the free place where it belongs. */
  private placeOf(low: number, high: number): number {
    const mask = this.places.length - 1;
    let place = low & mask;
    for (;;) {
      const state = this.places[place];
      if (state === NONE || (this.lows[state] === low && this.highs[state] === high)) return place;
      place = (place + 1) & mask;
    }
  }

  private grow(): void {
    const capacity = 2 * this.lows.length;
    // Allocate all before assigning any: an allocation may fail.
    const lows = enlarged(this.lows, new Uint32Array(capacity));
    const highs = enlarged(this.highs, new Uint32Array(capacity));
    const parents = enlarged(this.parents, new Int32Array(capacity));
    const steps = enlarged(this.steps, new Uint8Array(capacity));
    const places = new Int32Array(2 * capacity).fill(NONE);
    Object.assign(this, { lows, highs, parents, steps, places });
    for (let state = 0; state < this.count; state++) {
      this.places[this.placeOf(this.lows[state], this.highs[state])] = state;
    }
  }
}

const enlarged = <Numbers extends Uint32Array | Int32Array | Uint8Array>(from: Numbers, to: Numbers): Numbers => {
  to.set(from);
  return to;
};
