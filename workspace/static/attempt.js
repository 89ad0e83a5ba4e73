// @ts-check
// Storage of the browser, which may be refused or full. Pages then keep what they know for as long as they are open.

/**
 * @template Result
 * @param {() => Result} work
 * @returns {Result | null}
 */
export function attempt(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
