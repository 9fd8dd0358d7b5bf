// What steps expect, in Node and in browsers.

/** What a step returns that this build has no call for, or that cannot be done where it runs. */
export const NOT_HERE = Symbol('not here');

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

/** The same as JSON: what an SDK made in its own page has no objects of this one. */
export const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]));
}

export function equal(found, expected, why = '') {
  const [one, two] = [JSON.stringify(canonical(plain(found))), JSON.stringify(canonical(plain(expected)))];
  if (one !== two) throw new Error(`${text(why)}\n  found    ${one}\n  expected ${two}`);
}

export function ok(holds, why = 'it does not hold') {
  if (!holds) throw new Error(text(why));
}

/** What a promise was refused with. */
export async function refused(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it was not refused: ${text(answer)}`);
}

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Waits until something holds. */
export async function eventually(holds, ms = 30_000) {
  const end = Date.now() + ms;
  while (!(await holds())) {
    ok(Date.now() < end, 'it does not become so');
    await sleep(50);
  }
}
