/** What programs are named by, in a page: SHA-256 (FIPS 180-4) with the interface of `node:crypto`. Browsers have it in secure contexts alone. */

/** The first 32 bits of the fractional parts of a root of the first 64 primes. */
const fractions = (root: (prime: number) => number): readonly number[] =>
  PRIMES.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));

const PRIMES = Array.from({ length: 310 }, (_, index) => index + 2).filter((each) => {
  for (let divisor = 2; divisor * divisor <= each; divisor++) if (each % divisor === 0) return false;
  return true;
});

const ROUNDS = fractions(Math.cbrt);
const START = fractions(Math.sqrt).slice(0, 8);

const BLOCK_BYTES = 64;

const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The message, a one bit, zeros, and its length in bits: whole blocks. */
const padded = (message: Uint8Array): DataView => {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  bytes.set(message);
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 4, message.length * 8);
  view.setUint32(bytes.length - 8, Math.floor(message.length / 2 ** 29));
  return view;
};

/** 64 words from the 16 of a block. */
const schedule = (view: DataView, block: number): Int32Array => {
  const words = new Int32Array(64);
  for (let index = 0; index < 16; index++) words[index] = view.getInt32(block + 4 * index);
  for (let index = 16; index < 64; index++) {
    const [far, near] = [words[index - 15], words[index - 2]];
    const one = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
    const other = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
    words[index] = words[index - 16] + one + words[index - 7] + other;
  }
  return words;
};

const sha256 = (message: Uint8Array): string => {
  const view = padded(message);
  let state = START;
  for (let block = 0; block < view.byteLength; block += BLOCK_BYTES) {
    let [a, b, c, d, e, f, g, h] = state;
    const words = schedule(view, block);
    for (let index = 0; index < words.length; index++) {
      const chosen = (e & f) ^ (~e & g);
      const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + ROUNDS[index] + words[index]) | 0;
      const other = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + other) | 0;
    }
    state = [a, b, c, d, e, f, g, h].map((word, index) => (state[index] + word) | 0);
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
};

interface Hash {
  update(text: string): { digest(encoding: 'hex'): string };
}

export const createHash = (_algorithm: 'sha256'): Hash => ({
  update: (text) => ({ digest: () => sha256(new TextEncoder().encode(text)) }),
});
