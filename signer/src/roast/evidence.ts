// What a coordinator saw of a wrong share, as evidence that the ledger judges (ADR 0019).
import type { BadShare, BadShareCode } from "@causeway/chain-core/ring";
import { judgeBadShare, showItem } from "@causeway/chain-core/ring";
import type { Rejected } from "@causeway/primitives";
import { isRejected, must, rejected } from "@causeway/primitives";
import { inputsOf } from "./message.ts";
import type { Evidence } from "./report.ts";
import type { Job } from "./session.ts";
import { openBatch, signedOf } from "./session.ts";

export type UnprovenCode =
  /** Nonces that are none, or too few of anything: not signed, and worth no more than silence. */
  "bad-nonce" | "bad-length" | BadShareCode;

/** A seat's answer to a session as evidence against it; whether it proves anything the ledger judges. */
export function showAnswer(
  job: Job,
  { index, open, commit, share }: Evidence & { readonly code: "bad-share" },
): BadShare | Rejected<UnprovenCode> {
  const { seat, boot } = commit;
  if (share.shares.length !== job.inputs.length)
    return rejected("bad-length", `seat ${seat} has not one share a message`);
  const batch = openBatch(job, open);
  if (isRejected(batch)) return rejected("bad-session", batch.message);
  const { keyId, attempt, request, coordinator, number, signers } = open;
  return {
    ...{ keyId, attempt, request, coordinator, number, signers, seat, boot, index },
    inputs: showItem(inputsOf(open, signedOf(job, batch.sessions)), index),
    nonces: showItem(commit.nonces, index),
    shares: showItem(share.shares, index),
    tweaks: must(job.inputs[index], "input").tweaks,
    proof: share.proof,
  };
}

/**
 * The evidence, when the ledger will take it; else why the seat is only not heard any more. `hostKey` is the seat's. 2 ms,
 * 5 with 1,000 messages.
 */
export function prove(
  job: Job,
  hostKey: Uint8Array,
  evidence: Evidence,
): BadShare | Rejected<UnprovenCode> {
  const { seat } = evidence.commit;
  if (evidence.code === "bad-nonce")
    return rejected("bad-nonce", `seat ${seat} has no nonce for each message`);
  const shown = showAnswer(job, evidence);
  if (isRejected(shown)) return shown;
  const { group, network } = job;
  const share = must(group.shares.get(seat), "public share");
  const verdict = judgeBadShare(
    { network, groupPoint: group.thresholdPoint, hostKey, share },
    shown,
  );
  return isRejected(verdict) ? verdict : shown;
}
