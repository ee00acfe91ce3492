// A coordinator that brings right answers of honest seats to the ledger as evidence against them (ADR 0019), as they are
// and with one thing changed. No random draw: each seed's other choices stay what they were.
import { kinds } from "@causeway/chain-core/interchain";
import type { BadShare } from "@causeway/chain-core/ring";
import { badShareCodec, showItem } from "@causeway/chain-core/ring";
import { isRejected, keyOf, must } from "@causeway/primitives";
import { scalarBytes } from "@causeway/primitives/secp256k1";
import { showAnswer } from "../../signer/src/roast/evidence.ts";
import type { Share } from "../../signer/src/roast/message.ts";
import { bringAction } from "./ceremonies.ts";
import type { Byzantine, World } from "./model.ts";

/** Before the machine of the seat hears the answer. */
export function frame(world: World, own: Byzantine, share: Share): void {
  const { done } = own.adversary;
  const bundle = own.state?.signing.bundles.get(keyOf(share.request));
  const roast = bundle?.roasts.get(share.coordinator)?.state;
  if (roast?.phase !== "collecting") return;
  const session = roast.sessions.get(keyOf(share.sid));
  const commit = session?.commits.get(share.seat);
  if (session === undefined || commit === undefined) return;
  const { open } = session.batch;
  const shown = showAnswer(roast.job, { code: "bad-share", index: 0, open, commit, share });
  if (isRejected(shown)) return;
  for (const evidence of lies(shown)) {
    done.add(`frame ${done.size}`);
    world.counts["lying coordinator"] += 1;
    const body = badShareCodec.encode(evidence);
    bringAction(world, own, { heldMs: 0 }, () => ({ kind: kinds.badShare, body }));
  }
}

function lies(right: BadShare): readonly BadShare[] {
  const { signers, number, seat, inputs, nonces } = right;
  const [first, ...rest] = signers.filter((signer) => signer.seat !== seat);
  const other = must(first, "another signer");
  const inputBytes = Uint8Array.from(inputs.chunk);
  const nonceBytes = Uint8Array.from(nonces.chunk);
  // The first message's last byte, and the sign of a nonce.
  inputBytes[129] = must(inputBytes[129], "message") ^ 1;
  nonceBytes[0] = must(nonceBytes[0], "nonce") ^ 1;
  const own = must(
    signers.find((signer) => signer.seat === seat),
    "signer",
  );
  return [
    right,
    { ...right, number: number + 1 },
    { ...right, signers: [own, ...rest].sort((a, b) => a.seat - b.seat) },
    { ...right, seat: other.seat },
    { ...right, keyId: 1 + (right.keyId % 3) },
    { ...right, attempt: right.attempt + 1 },
    { ...right, inputs: { ...inputs, chunk: inputBytes } },
    { ...right, inputs: showItem([inputBytes.slice(0, 130)], 0) },
    { ...right, nonces: showItem([nonceBytes.slice(0, 66)], 0) },
    { ...right, shares: showItem([scalarBytes(5n)], 0) },
    { ...right, tweaks: [] },
  ];
}
