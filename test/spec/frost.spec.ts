// The project's own frozen vectors of key generation, signing and resharing: what a stranger's implementation must
// reproduce to the byte, and what no change of ours may alter. Two of three seats, reshared to three of four; every
// random input is a SHA-256 of its name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CeremonyParams } from "@causeway/chain-core/ring";
import { acceptDeals, ceremonyContext, hashDeal, taprootTweak } from "@causeway/chain-core/ring";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { isRejected, must, sha256, toHex, utf8 } from "@causeway/primitives";
import type { Point } from "@causeway/primitives/secp256k1";
import { publicPoint, verifySchnorr } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { makeConfirm, makeDeal, openAccepted } from "../../signer/src/frost/keygen.ts";
import { generateNonce } from "../../signer/src/frost/nonce.ts";
import { validateSigners } from "../../signer/src/frost/signers.ts";
import { aggregateNonces, finish, openSession, sign } from "../../signer/src/frost/signing.ts";

const file = join(import.meta.dirname, "vectors", "frost.json");

test("key generation, signing and resharing give the frozen bytes", () => {
  const frozen = JSON.parse(readFileSync(file, "utf8")) as object;
  expect(computed()).toEqual(frozen);
});

const random = (name: string): Bytes32 => sha256(utf8(`causeway frost vector: ${name}`));

function computed(): object {
  const hostSecrets = [0, 1, 2].map((seat) => random(`host secret ${seat}`));
  const params: CeremonyParams = {
    network: random("network") as Uint8Array as NetworkId,
    keyId: 7,
    attempt: 1,
    chain: random("chain"),
    n: 3,
    t: 2,
    hostKeys: hostSecrets.map(publicPoint),
  };
  const context = ceremonyContext(params);
  const deals = hostSecrets.map((secret, seat) =>
    makeDeal(context, params, seat, secret, random(`deal ${seat}`)),
  );
  const judged = accepted(acceptDeals(context, params, deals));
  const { merged, dealsHash } = judged;
  const members = hostSecrets.map((secret, seat) => {
    const opened = accepted(
      openAccepted(context, params, seat, secret, judged, random("complaints")),
    );
    if (opened.kind !== "opened") throw new Error("an honest deal does not open");
    const aux = random(`confirm ${seat}`);
    const { proof } = makeConfirm(context, params, seat, opened.share, dealsHash, aux);
    return { share: opened.share, publicShare: opened.publicShare, proof };
  });
  const shares = new Map(members.map(({ publicShare }, seat) => [seat, publicShare]));
  const thresholdPoint = merged.groupPoint;
  const message = random("message");
  const tweak = taprootTweak(thresholdPoint, random("script tree"));
  const pairs = [0, 2].map((seat) => {
    const secretShare = must(members[seat], "member").share;
    return { seat, ...accepted(generateNonce(random(`nonce ${seat}`), { secretShare, message })) };
  });
  const nonce = accepted(aggregateNonces(pairs));
  const signers = accepted(validateSigners({ n: 3, t: 2, thresholdPoint, shares }, [0, 2]));
  const session = accepted(openSession(signers, message, [tweak], nonce));
  const contributions = pairs.map(({ seat, secret, nonce }) => {
    const { share } = must(members[seat], "member");
    return { seat, nonce, partial: accepted(sign(session, secret, share, seat)) };
  });
  const signature = accepted(finish(session, contributions));
  expect(verifySchnorr(session.key, message, signature)).toBe(true);
  return {
    context: toHex(context),
    dealHashes: deals.map((deal) => toHex(hashDeal(context, params, deal))),
    proofs: deals.map(({ proof }) => toHex(proof)),
    dealsHash: toHex(dealsHash),
    commitments: merged.commitments.map(toHex),
    shares: members.map(({ share }) => toHex(share)),
    publicShares: members.map(({ publicShare }) => toHex(publicShare)),
    confirmations: members.map(({ proof }) => toHex(proof)),
    nonces: contributions.map((one) => toHex(one.nonce)),
    aggregateNonce: toHex(nonce),
    key: toHex(session.key),
    partials: contributions.map(({ partial }) => toHex(partial)),
    signature: toHex(signature),
    resharing: reshared(params, merged.groupPoint, members, hostSecrets),
  };
}

/** The third old seat does not deal. */
function reshared(
  old: CeremonyParams,
  groupPoint: Point,
  members: readonly { readonly share: Bytes32; readonly publicShare: Point }[],
  oldSecrets: readonly Uint8Array[],
): object {
  const hostSecrets = [0, 1, 2, 3].map((seat) => random(`new host secret ${seat}`));
  const shares = members.map(({ publicShare }) => publicShare);
  const params: CeremonyParams = {
    ...old,
    attempt: 2,
    n: 4,
    t: 3,
    hostKeys: hostSecrets.map(publicPoint),
    from: { t: old.t, groupPoint, hostKeys: old.hostKeys, shares },
  };
  const context = ceremonyContext(params);
  const deals = [0, 1].map((seat) => {
    const { share } = must(members[seat], "member");
    const secret = must(oldSecrets[seat], "host secret");
    return makeDeal(context, params, seat, secret, random(`new deal ${seat}`), share);
  });
  const judged = accepted(acceptDeals(context, params, deals));
  const opened = hostSecrets.map((secret, seat) => {
    const one = accepted(openAccepted(context, params, seat, secret, judged, random("complaints")));
    if (one.kind !== "opened") throw new Error("an honest deal does not open");
    return toHex(one.share);
  });
  return {
    context: toHex(context),
    dealHashes: deals.map((deal) => toHex(hashDeal(context, params, deal))),
    dealsHash: toHex(judged.dealsHash),
    commitments: judged.merged.commitments.map(toHex),
    shares: opened,
  };
}

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}
