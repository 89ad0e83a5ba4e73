// @ts-check
// Proof of work, in a worker: a number for which SHA-256 of challenge and number begins with so many zero bits.
// The browser's own digest answers each call in a turn of its own, which is slower than this (FIPS 180-4).

const K = new Uint32Array(64);
const START = new Uint32Array(8);
for (let found = 0, number = 2; found < 64; number += 1) {
  let prime = true;
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) prime = false;
  if (prime) {
    if (found < 8) START[found] = fraction(Math.sqrt(number));
    K[found] = fraction(Math.cbrt(number));
    found += 1;
  }
}

/** @param {number} root The first 32 bits after its point. */
function fraction(root) {
  return Math.floor((root % 1) * 2 ** 32);
}

/** @param {number} value @param {number} by */
function turned(value, by) {
  return (value >>> by) | (value << (32 - by));
}

const schedule = new Uint32Array(64);

/**
 * @param {Uint8Array} bytes
 */
export function sha256(bytes) {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const hash = START.slice();
  for (let at = 0; at < padded.length; at += 64) mix(hash, view, at);
  return hash;
}

/**
 * @param {Uint32Array} hash
 * @param {DataView} view
 * @param {number} at
 */
function mix(hash, view, at) {
  const w = schedule;
  for (let t = 0; t < 64; t += 1) {
    const [x, y] = [w[t - 15] ?? 0, w[t - 2] ?? 0];
    w[t] = t < 16
      ? view.getUint32(at + t * 4)
      : (w[t - 16] ?? 0) + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + (w[t - 7] ?? 0) + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10));
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let t = 0; t < 64; t += 1) {
    const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + (K[t] ?? 0) + (w[t] ?? 0)) | 0;
    const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) hash[index] = (hash[index] ?? 0) + value;
}

addEventListener("message", ({ data: { challenge, bits } }) => {
  const encoder = new TextEncoder();
  for (let nonce = 0; ; nonce += 1) {
    const [first = 0, second = 0] = sha256(encoder.encode(challenge + nonce));
    const zeros = first ? Math.clz32(first) : 32 + Math.clz32(second);
    if (zeros >= bits) {
      postMessage(String(nonce));
      return;
    }
  }
});
