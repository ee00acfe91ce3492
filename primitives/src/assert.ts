// The third kind of error: we are wrong. Nobody catches it; the process stops and replays its journal.

/** A broken invariant of our own code, never the fault of input or of the world. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws {@link InvariantError} unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** The `default` of an exhaustive switch: a forgotten case is a compile error that names it. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${String(value)}`);
}

/** `value`, which our own code guarantees to be there. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`missing: ${what}`);
  return value;
}
