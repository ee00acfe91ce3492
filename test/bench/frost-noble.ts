// noble's FROST (schnorr_FROST: BIP340 signatures) measured on what test/bench/frost.ts measures of ours.
import { randomBytes } from "node:crypto";
import { assert, must } from "@causeway/primitives";
import { mod, scalarBytes } from "@causeway/primitives/secp256k1";
import { schnorr_FROST as frost } from "@noble/curves/secp256k1.js";
import { cpuMs } from "./cpu.ts";

export type NobleCost = {
  /** DKG rounds 1 to 3 of the participant with the highest identifier. */
  readonly generateMs: number;
  readonly commitMs: number;
  /** signShare: it computes its session anew. */
  readonly sessionShareMs: number;
  /** verifyShare of three shares, times t: it knows no session and no batch. */
  readonly verifyAllMs: number;
  readonly aggregateMs: number;
  /** aggregate over t shares of which the last is wrong, until it names the cheater. */
  readonly cheaterMs: number;
};

export function measureNoble(t: number, n: number): NobleCost {
  return { generateMs: generate(t, n), ...signing(t, n) };
}

/** The others' round 2 would take n times as long as ours: their shares are their polynomials' values. */
function generate(t: number, n: number): number {
  const signers = { min: t, max: n };
  const id = (i: number) => frost.Identifier.fromNumber(i);
  const others = Array.from({ length: n - 1 }, (_, i) => frost.DKG.round1(id(i + 1), signers));
  const shares = others.map(({ secret }, i) => ({
    identifier: id(i + 1),
    signingShare: scalarBytes(valueAt(must(secret.coefficients, "coefficients"), BigInt(n))),
  }));
  const broadcast = others.map((other) => other.public);
  const [key, ms] = cpuMs(() => {
    const own = frost.DKG.round1(id(n), signers);
    frost.DKG.round2(own.secret, broadcast);
    return frost.DKG.round3(own.secret, broadcast, shares);
  });
  frost.validateSecret(key.secret, key.public);
  return ms;
}

function valueAt(coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight((value, coefficient) => mod(value * x + coefficient), 0n);
}

function signing(t: number, n: number): Omit<NobleCost, "generateMs"> {
  const dealt = frost.trustedDealer({ min: t, max: n });
  const pub = dealt.public;
  const secrets = Object.values(dealt.secretShares).slice(0, t);
  const message = new Uint8Array(randomBytes(32));
  const [nonces, commitMs] = cpuMs(() => secrets.map((secret) => frost.commit(secret)));
  const list = nonces.map(({ commitments }) => commitments);
  const shares: Record<string, Uint8Array> = {};
  let shareMs = 0;
  for (const [i, secret] of secrets.entries()) {
    const own = must(nonces[i], "nonces").nonces;
    const [share, ms] = cpuMs(() => frost.signShare(secret, pub, own, list, message));
    shares[secret.identifier] = share;
    shareMs += ms;
  }
  const few = secrets.slice(0, 3);
  const [, fewMs] = cpuMs(() => {
    for (const { identifier } of few) {
      const share = must(shares[identifier], "share");
      assert(frost.verifyShare(pub, list, message, identifier, share), "noble refuses its share");
    }
  });
  const [, aggregateMs] = cpuMs(() => frost.aggregate(pub, list, message, shares));
  const last = must(secrets.at(-1), "signer").identifier;
  const wrong = scalarBytes(
    1n + BigInt(`0x${Buffer.from(must(shares[last], "share")).toString("hex")}`),
  );
  const [named, cheaterMs] = cpuMs(() =>
    cheatersOf(() => frost.aggregate(pub, list, message, { ...shares, [last]: wrong })),
  );
  assert(named.length === 1 && named[0] === last, "noble names someone else");
  return {
    commitMs: commitMs / t,
    sessionShareMs: shareMs / t,
    verifyAllMs: (fewMs / few.length) * t,
    aggregateMs,
    cheaterMs,
  };
}

function cheatersOf(run: () => unknown): readonly string[] {
  try {
    run();
    return [];
  } catch (error) {
    return (error as { cheaters?: readonly string[] }).cheaters ?? [];
  }
}
