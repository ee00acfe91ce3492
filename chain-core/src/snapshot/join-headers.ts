// Final headers on the way to a snapshot: followed as a light client does (CON-6).
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, must, rejected } from "@causeway/primitives";
import { certificateCodec, headerCodec } from "../codec/block.ts";
import type { Trusted } from "../light.ts";
import { advance } from "../light.ts";
import type { JoinEffect, JoinState } from "./join-state.ts";
import { end } from "./join-state.ts";
import type { Finality } from "./message.ts";

function advanced(
  { config }: JoinState,
  trusted: Trusted,
  { header, certificate, committee }: Finality,
  supported?: number,
): Trusted | Rejected {
  const parsed = headerCodec.parse(header);
  if (isRejected(parsed)) return parsed;
  const proof = certificateCodec.parse(certificate);
  if (isRejected(proof)) return proof;
  const update = { header: parsed, certificate: proof, ...(committee.length > 0 && { committee }) };
  return advance(config.network, config.bls, trusted, update, supported);
}

export function isBeyondCheckpoint(
  { config, confirmed }: JoinState,
  { header }: Finality,
): boolean {
  if (confirmed || config.checkpoint === undefined) return false;
  const parsed = headerCodec.parse(header);
  return !isRejected(parsed) && parsed.height > config.checkpoint.height;
}

/** One more final header; the checkpoint's must be the one that was confirmed (CON-6). */
export function take(
  state: JoinState,
  finality: Finality,
  out: JoinEffect[],
): Rejected | undefined {
  const trusted = advanced(state, state.trusted, finality);
  if (isRejected(trusted) && trusted.code === "upgrade-needed") {
    // A quorum says so, no peer: there is nobody to ban.
    end(state, out, rejected("upgrade-needed", trusted.message));
    return undefined;
  }
  if (isRejected(trusted)) return trusted;
  const { checkpoint } = state.config;
  if (!state.confirmed && trusted.height === checkpoint?.height) {
    if (!equal(trusted.id, checkpoint.id)) {
      end(state, out, {
        ...rejected("checkpoint-mismatch", `another block is final at ${checkpoint.height}`),
      });
      return undefined;
    }
    state.confirmed = true;
    state.since = trusted;
  }
  state.trusted = trusted;
  // A checkpoint in the middle of an epoch is no end of one.
  if (finality.committee.length > 0) state.ends.push({ trusted, finality });
  return undefined;
}

/** The header after the snapshot's block, of whatever version: the node itself stops before that block. */
export function takeAfter(state: JoinState, finality: Finality): Rejected | undefined {
  const { end: of } = must(state.target, "target");
  const trusted = advanced(state, of.trusted, finality, Number.POSITIVE_INFINITY);
  if (isRejected(trusted)) return trusted;
  if (trusted.height !== of.trusted.height + 1)
    return rejected("wrong-height", `height ${trusted.height} after ${of.trusted.height}`);
  state.after = trusted.header;
  return undefined;
}
