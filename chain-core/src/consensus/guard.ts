// The vote guard, after CometBFT's CheckHRS: a consensus key never signs two different things for one
// (height, round, step), and never for an earlier one; a repeated request gets the remembered signature.
// It is rebuilt from the journal, which is written before anything it allowed leaves the node (CON-1).
// A guard is a resource with one owner, updated in place.
import { equal } from "@causeway/primitives";

/** In the order in which one round signs them. */
export const guardSteps = { proposal: 0, prevote: 1, precommit: 2 } as const;
export type GuardStep = (typeof guardSteps)[keyof typeof guardSteps];

/** What is about to be signed; `digest` are the 32 bytes that the key signs. */
export type Request = {
  readonly height: number;
  readonly round: number;
  readonly step: GuardStep;
  readonly digest: Uint8Array;
};

export type Guard = {
  /** The newest thing signed. Height 0: nothing yet. */
  height: number;
  round: number;
  step: GuardStep;
  /** Everything signed at `height`, by "round/step". */
  readonly signed: Map<string, { readonly digest: Uint8Array; readonly signature: Uint8Array }>;
};

export function guard(): Guard {
  return { height: 0, round: 0, step: guardSteps.proposal, signed: new Map() };
}

/** "new": sign it, then {@link remember}; a signature: was signed before, use this; "refused": never sign it. */
export function authorize(state: Guard, request: Request): "new" | "refused" | Uint8Array {
  const remembered = request.height === state.height ? state.signed.get(slot(request)) : undefined;
  if (remembered !== undefined)
    return equal(remembered.digest, request.digest) ? remembered.signature : "refused";
  return isAfter(state, request) ? "new" : "refused";
}

/** Also used when the journal is replayed, in the journal's order; what lies before the newest is kept too. */
export function remember(state: Guard, request: Request, signature: Uint8Array): void {
  if (request.height < state.height) return;
  if (request.height > state.height) state.signed.clear();
  if (isAfter(state, request)) {
    state.height = request.height;
    state.round = request.round;
    state.step = request.step;
  }
  state.signed.set(slot(request), { digest: request.digest, signature });
}

function isAfter(state: Guard, request: Request): boolean {
  if (state.height === 0) return true;
  if (request.height !== state.height) return request.height > state.height;
  if (request.round !== state.round) return request.round > state.round;
  return request.step > state.step;
}

function slot(request: Request): string {
  return `${request.round}/${request.step}`;
}
