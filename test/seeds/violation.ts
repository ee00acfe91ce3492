// How a seed fails.

/** A rule that does not hold. */
class Violation extends Error {
  override readonly name = "Violation";
}

export function violated(rule: string, what: string): never {
  throw new Violation(`${rule}: ${what}`);
}

/** Why a seed failed: the rule, or where a machine threw. */
export function failureOf(error: unknown): string {
  if (error instanceof Violation) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** `where`: which machine, at which event. A checker's violation stays what it is. */
export function threw(where: string, error: unknown): never {
  if (error instanceof Violation) throw error;
  violated("nothing throws", `${where}: ${failureOf(error)}`);
}
