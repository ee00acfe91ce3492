// An own seat as a coordinator: untrusted for safety, so it acts on any commitment that comes (ROAST).
import { toHex, unreachable } from "@causeway/primitives";
import * as coordinator from "../roast/coordinator.ts";
import { sessionOpenCodec } from "../roast/message.ts";
import { breathMs } from "../roast/report.ts";
import { messageKinds } from "../wire.ts";
import type { Request } from "./request.ts";
import { jobOf } from "./request.ts";
import { announce } from "./signed.ts";
import type { Work } from "./work.ts";
import { log, put, send } from "./work.ts";

/** Own part as a coordinator. It needs no share; what it would refuse to sign it does not coordinate. */
export function coordinate(
  work: Work,
  request: Request,
  seat: number,
  event: coordinator.Event,
): void {
  if (!request.ring.own.includes(seat) || request.verdict.kind === "rejected") return;
  if (request.signed !== undefined) return;
  const job = jobOf(work.context.genesis.networkId, request, seat);
  const before = request.roasts.get(seat);
  // A seat that confirms its share after the first commitment came can sign, too.
  const known = before?.state ?? coordinator.initial(job);
  const [state, effects] = coordinator.step({ ...known, job }, event);
  const isOver = event.kind === "waited";
  const isNew = effects.some(({ kind }) => kind === "wait");
  const atMs = work.turn.nowMs + breathMs(request.inputs.length);
  const breathAtMs = isNew ? atMs : isOver ? undefined : before?.breathAtMs;
  const roasts = new Map(request.roasts).set(seat, { state, breathAtMs });
  put(work, { ...request, roasts });
  if (isNew) work.effects.push({ kind: "wake", atMs });
  for (const effect of effects) performOwn(work, request, effect);
}

/** What was on its way has been heard by now, or this vault is to wake for it. */
export function breathe(work: Work, key: string): void {
  const { requests } = work.state;
  for (const [seat, { breathAtMs }] of requests.get(key)?.roasts ?? []) {
    const request = work.state.requests.get(key);
    if (breathAtMs === undefined || request === undefined) continue;
    if (breathAtMs > work.turn.nowMs) work.effects.push({ kind: "wake", atMs: breathAtMs });
    else coordinate(work, request, seat, { kind: "waited" });
  }
}

export function performOwn(work: Work, request: Request, effect: coordinator.Effect): undefined {
  const plan = toHex(request.id);
  switch (effect.kind) {
    case "open": {
      const body = sessionOpenCodec.encode(effect.open);
      const { validators } = request.ring;
      // Once to a validator, for all of its seats.
      const told = new Set<number>();
      for (const seat of effect.recipients) {
        const validator = validators[seat];
        if (validator === undefined || told.has(validator)) continue;
        told.add(validator);
        send(work, request, seat, messageKinds.open, body);
      }
      return;
    }
    case "done":
      announce(work, request, effect.signatures);
      return;
    case "malicious": {
      const { seat, evidence } = effect;
      return log(work, "error", "a signer cheated", { plan, seat, code: evidence.code });
    }
    case "wait":
      return;
    default:
      unreachable(effect);
  }
}
