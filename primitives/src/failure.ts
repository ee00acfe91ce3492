// The first two kinds of error. Rejected is a value: somebody sent something wrong. Failure is thrown
// by adapters only: the world failed. (The third, InvariantError, is in assert.ts.)

/** What a pure function answers to wrong input; `code` is a literal union declared beside the function. */
export type Rejected<Code extends string = string> = {
  readonly kind: "rejected";
  readonly code: Code;
  /** One sentence for a person, with the values that matter. */
  readonly message: string;
};

export function rejected<Code extends string>(code: Code, message: string): Rejected<Code> {
  return { kind: "rejected", code, message };
}

export function isRejected(value: unknown): value is Rejected {
  return typeof value === "object" && value !== null && (value as Rejected).kind === "rejected";
}

/** Thrown by adapters when the world fails: time-out, disk, RPC. The runtime turns it into an event. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For every Failure "disk". */
export const diskAdvice =
  "nothing that was acknowledged is lost: make room, or repair the disk, and start again";

/** Failure "disk" with what the system said, unless `cause` is a Failure already. */
export function diskFailure(what: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Failure("disk", `${what}: ${reason}; ${diskAdvice}`, { cause });
}

/** The other side of a JSON-RPC answered with an error: its number, sentence and data (SEAMS: `data.code`). */
export class RpcError extends Failure {
  override readonly name: string = "RpcError";
  readonly rpcCode: number;
  readonly data: unknown;
  constructor(code: string, rpcCode: number, message: string, data?: unknown) {
    super(code, message);
    this.rpcCode = rpcCode;
    this.data = data;
  }
}
