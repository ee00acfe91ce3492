// What becomes of a seat that answered wrong: evidence for the ledger (ADR 0019), where its host key has signed the answer.
import { badShareCodec, kinds } from "@causeway/chain-core/interchain";
import { isRejected, must } from "@causeway/primitives";
import { prove } from "../roast/evidence.ts";
import type { Evidence } from "../roast/report.ts";
import type { Job } from "../roast/session.ts";
import type { Ring } from "./request.ts";
import type { Work } from "./work.ts";
import { log } from "./work.ts";

/** The conversation goes on without the seat in any case. `plan`: hex of the id, for the log. */
export function accuse(
  work: Work,
  { hostKeys }: Ring,
  job: Job,
  evidence: Evidence,
  plan: string,
): undefined {
  const { seat } = evidence.commit;
  const proven = prove(job, must(hostKeys[seat], "host key of the seat"), evidence);
  if (isRejected(proven)) {
    const { code, message: reason } = proven;
    return log(work, "warn", "a signer is not heard any more", { plan, seat, code, reason });
  }
  log(work, "error", "a signer cheated", { plan, seat, code: evidence.code });
  const key = `bad-share/${job.keyId}/${job.attempt}/${seat}`;
  const action = { kind: kinds.badShare, body: badShareCodec.encode(proven) };
  work.effects.push({ kind: "act", key, action });
}
