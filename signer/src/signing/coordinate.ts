// An own seat as a coordinator: untrusted for safety, so it acts on any commitment that comes (ROAST).
import { must, unreachable } from "@causeway/primitives";
import * as coordinator from "../roast/coordinator.ts";
import { sessionOpenCodec } from "../roast/message.ts";
import { breathMs } from "../roast/report.ts";
import { messageKinds } from "../wire.ts";
import { accuse } from "./accuse.ts";
import type { Bundle } from "./bundle.ts";
import { jobOf } from "./bundle.ts";
import { announce } from "./signed.ts";
import type { Work } from "./work.ts";
import { putBundle, requestsOf, send } from "./work.ts";

/** Own part as a coordinator. It needs no share; what it would refuse to sign it does not coordinate. */
export function coordinate(
  work: Work,
  bundle: Bundle,
  seat: number,
  event: coordinator.Event,
): void {
  if (!bundle.ring.own.includes(seat) || !mayCoordinate(work, bundle)) return;
  const job = jobOf(work.context.genesis.networkId, bundle, seat);
  const before = bundle.roasts.get(seat);
  // A seat that confirms its share after the first commitment came can sign, too.
  const known = before?.state ?? coordinator.initial(job);
  const [state, effects] = coordinator.step({ ...known, job }, event);
  const isOver = event.kind === "waited";
  const isNew = effects.some(({ kind }) => kind === "wait");
  const atMs = work.turn.nowMs + breathMs(bundle.inputs.length);
  const breathAtMs = isNew ? atMs : isOver ? undefined : before?.breathAtMs;
  const roasts = new Map(bundle.roasts).set(seat, { state, breathAtMs });
  putBundle(work, { ...bundle, roasts });
  if (isNew) work.effects.push({ kind: "wake", atMs });
  for (const effect of effects) performOwn(work, bundle, effect);
}

function mayCoordinate(work: Work, bundle: Bundle): boolean {
  const requests = requestsOf(work, bundle);
  const isOpen = requests.every(
    ({ verdict, signed }) => verdict.kind !== "rejected" && signed === undefined,
  );
  return isOpen && requests.length === bundle.plans.length;
}

/** What was on its way has been heard by now, or this vault is to wake for it. */
export function breathe(work: Work, key: string): void {
  for (const [seat, { breathAtMs }] of work.state.bundles.get(key)?.roasts ?? []) {
    const bundle = work.state.bundles.get(key);
    if (breathAtMs === undefined || bundle === undefined) continue;
    if (breathAtMs > work.turn.nowMs) work.effects.push({ kind: "wake", atMs: breathAtMs });
    else coordinate(work, bundle, seat, { kind: "waited" });
  }
}

function performOwn(work: Work, bundle: Bundle, effect: coordinator.Effect): undefined {
  switch (effect.kind) {
    case "open": {
      const body = sessionOpenCodec.encode(effect.open);
      const { validators } = bundle.ring;
      // Once to a validator, for all of its seats.
      const told = new Set<number>();
      for (const seat of effect.recipients) {
        const validator = validators[seat];
        if (validator === undefined || told.has(validator)) continue;
        told.add(validator);
        send(work, bundle.ring, seat, messageKinds.open, body);
      }
      return;
    }
    case "done":
      announceAll(work, bundle, effect.signatures);
      return;
    case "malicious": {
      const { evidence } = effect;
      const plan = must(bundle.plans[0], "plan of a bundle");
      const job = jobOf(work.context.genesis.networkId, bundle, evidence.commit.coordinator);
      return accuse(work, bundle.ring, job, evidence, plan);
    }
    case "wait":
      return;
    default:
      unreachable(effect);
  }
}

/** The signatures are in the order of the bundle's messages. */
function announceAll(work: Work, bundle: Bundle, signatures: readonly Uint8Array[]): void {
  let first = 0;
  for (const request of requestsOf(work, bundle)) {
    const next = first + request.inputs.length;
    announce(work, request, signatures.slice(first, next));
    first = next;
  }
}
