// What comes after the signature: the coordinator tells it to everybody, so that no other begins again while it is on its
// way to the ledger; and if it stays away, seats bring it themselves, one after the other.
import { kinds, ringSignatureCodec } from "@causeway/chain-core/interchain";
import { outputKey } from "@causeway/chain-core/ring";
import { isRejected, keyOf, toHex } from "@causeway/primitives";
import { verifySchnorr } from "@causeway/primitives/secp256k1";
import type { Envelope } from "../wire.ts";
import { messageKinds } from "../wire.ts";
import { firstSeat, roundMs } from "./bundle.ts";
import { fallSilent } from "./draw-up.ts";
import type { Request } from "./request.ts";
import type { Work } from "./work.ts";
import { log, put, refuse, send } from "./work.ts";

/** Own signatures, verified: to every other validator of the ring, and to the ledger. */
export function announce(work: Work, request: Request, signatures: readonly Uint8Array[]): void {
  const body = ringSignatureCodec.encode({ plan: request.id, signatures: [...signatures] });
  keep(work, request, { body, bringAtMs: undefined });
  const { validators } = request.ring;
  const told = new Set([work.context.number]);
  for (const [seat, validator] of validators.entries()) {
    if (told.has(validator)) continue;
    told.add(validator);
    send(work, request.ring, seat, messageKinds.signed, body);
  }
  bring(work, request, body);
  log(work, "info", "plan signed", { plan: toHex(request.id), signatures: signatures.length });
}

/** Believed because it verifies, whoever sends it. */
export function heardSigned(work: Work, from: number, envelope: Envelope): undefined {
  const told = ringSignatureCodec.parse(envelope.body);
  if (isRejected(told)) return refuse(work, from, told.code, "signed");
  const request = work.state.requests.get(keyOf(told.plan));
  if (request === undefined || request.signed !== undefined) return;
  if (!request.ring.validators.includes(from)) return refuse(work, from, "wrong-seat", "signed");
  if (!isSigned(request, told.signatures)) return refuse(work, from, "bad-signature", "signed");
  const bringAtMs = work.turn.nowMs + (2 + roundsUntilOwn(request)) * roundMs;
  keep(work, request, { body: envelope.body, bringAtMs });
}

function isSigned({ inputs, ring }: Request, signatures: readonly Uint8Array[]): boolean {
  if (signatures.length !== inputs.length) return false;
  return inputs.every(({ message, tweaks }, i) => {
    const output = outputKey(ring.group.thresholdPoint, tweaks);
    const signature = signatures[i];
    if (isRejected(output) || signature === undefined) return false;
    return verifySchnorr(output.key, message, signature);
  });
}

/** So that not all of them bring it at once. */
function roundsUntilOwn({ id, ring }: Request): number {
  const { own, group } = ring;
  const first = firstSeat(id, group.n);
  return Math.min(group.n, ...own.map((seat) => (seat - first + group.n) % group.n));
}

function keep(work: Work, request: Request, signed: Request["signed"]): void {
  const latest = work.state.requests.get(keyOf(request.id)) ?? request;
  put(work, { ...latest, signed });
  fallSilent(work, request);
}

/** Brings it if the ledger has not got it by then. */
export function bringLate(work: Work, key: string): void {
  const request = work.state.requests.get(key);
  const { signed, verdict } = request ?? {};
  if (request === undefined || signed?.bringAtMs === undefined) return;
  if (verdict?.kind !== "approved") return;
  if (signed.bringAtMs > work.turn.nowMs) {
    work.effects.push({ kind: "wake", atMs: signed.bringAtMs });
    return;
  }
  put(work, { ...request, signed: { ...signed, bringAtMs: undefined } });
  bring(work, request, signed.body);
}

function bring(work: Work, request: Request, body: Uint8Array): void {
  const action = { kind: kinds.signature, body };
  work.effects.push({ kind: "act", key: `signature/${toHex(request.id)}`, action });
}
