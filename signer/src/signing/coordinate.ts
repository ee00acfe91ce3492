// This seat as a coordinator: untrusted for safety, so it acts on any commitment that comes (ROAST).
import { kinds, ringSignatureCodec } from "@causeway/chain-core/interchain";
import { toHex, unreachable } from "@causeway/primitives";
import * as coordinator from "../roast/coordinator.ts";
import { sessionOpenCodec } from "../roast/message.ts";
import { messageKinds } from "../wire.ts";
import type { Request } from "./request.ts";
import { jobOf } from "./request.ts";
import type { Work } from "./work.ts";
import { log, put, send } from "./work.ts";

/** Own part as a coordinator. It needs no share; what it would refuse to sign it does not coordinate. */
export function coordinate(work: Work, request: Request, event: coordinator.Event): void {
  const { seat } = request.ring;
  if (seat === undefined || request.verdict.kind === "rejected") return;
  const job = jobOf(work.context.genesis.networkId, request, seat);
  const [roast, effects] = coordinator.step(request.roast ?? coordinator.initial(job), event);
  put(work, { ...request, roast });
  for (const effect of effects) performOwn(work, request, effect);
}

export function performOwn(work: Work, request: Request, effect: coordinator.Effect): undefined {
  const plan = toHex(request.id);
  switch (effect.kind) {
    case "open": {
      const body = sessionOpenCodec.encode(effect.open);
      for (const seat of effect.recipients) send(work, request, seat, messageKinds.open, body);
      return;
    }
    case "done": {
      const signatures = [...effect.signatures];
      const body = ringSignatureCodec.encode({ plan: request.id, signatures });
      const action = { kind: kinds.signature, body };
      work.effects.push({ kind: "act", key: `signature/${plan}`, action });
      return log(work, "info", "plan signed", { plan, signatures: signatures.length });
    }
    case "malicious": {
      const { seat, evidence } = effect;
      return log(work, "error", "a signer cheated", { plan, seat, code: evidence.code });
    }
    default:
      unreachable(effect);
  }
}
