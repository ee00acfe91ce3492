// Wrong shares of a key's seats on a ledger of four: what the judge says is tested beside the signer (roast/evidence.test.ts).
import { must, sha256, utf8 } from "@causeway/primitives";
import { publicPoint, scalarBytes, signSchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import { roles } from "../../codec/transaction.ts";
import type { BadShare } from "../../ring/index.ts";
import {
  badShareCodec,
  hashAnswer,
  hashCommitment,
  hashItems,
  hashSession,
  inputBytes,
  showItem,
} from "../../ring/index.ts";
import { badShares, keys } from "../../ring/records.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { causes, slashesOf } from "../staking/punish.ts";
import { testGenesis, validatorSecret } from "../testing.ts";
import { badShareRule } from "./bad-share.ts";
import { beginAttempt } from "./ceremony.ts";
import type { RingWorld } from "./testing.ts";
import { ceremony, contextOf, endOfBlock, finish, ringWorld, send } from "./testing.ts";

const genesis = testGenesis(4);
const keyId = 1;
const aux = sha256(utf8("aux"));
const { networkId } = genesis;
const ownerOf = (place: number) => must(genesis.validators[place], "validator").owner;

function active(): RingWorld {
  const world = ringWorld(genesis);
  world.time += 60_000;
  endOfBlock(world);
  finish(world, keyId);
  return world;
}

/** What seat `seat` says when it signs with a scalar that it made up, in a session of its own making. */
function wrongShare(world: RingWorld, seat: number, change: Partial<BadShare> = {}): BadShare {
  const { attempt, commitments, confirmed } = ceremony(world, keyId);
  const groupPoint = must(commitments[0], "group point");
  const { share } = must(
    confirmed.find((one) => one.seat === seat),
    "share",
  );
  const [first, second] = [3n, 4n].map((scalar) => publicPoint(scalarBytes(scalar)));
  const nonce = Uint8Array.from([...must(first, "half"), ...must(second, "half")]);
  const about = { keyId, attempt, request: aux, coordinator: 2, seat, boot: 7, ...change };
  const commitment = hashCommitment(networkId, about, hashItems([nonce]));
  const signers = [0, 1, 3].map((one) => ({
    seat: one,
    commitment: one === seat ? commitment : aux,
  }));
  const inputs = [inputBytes(nonce, xOnly(groupPoint), sha256(aux))];
  const head = { ...about, number: 0, signers };
  const shares = [scalarBytes(5n)];
  const sid = hashSession(networkId, head, hashItems(inputs));
  const answer = hashAnswer(networkId, { seat, share, sid, shares: hashItems(shares) });
  return {
    ...head,
    index: 0,
    inputs: showItem(inputs, 0),
    nonces: showItem([nonce], 0),
    shares: showItem(shares, 0),
    tweaks: [],
    proof: signSchnorr(validatorSecret(seat, "hostKey"), answer, aux),
  };
}

const bring = (world: RingWorld, evidence: BadShare, from = 0): string =>
  send(world, from, kinds.badShare, badShareCodec.encode(evidence));

function expectUnharmed(world: RingWorld, places: readonly number[]): void {
  for (const place of places) {
    expect(slashesOf(world.state, ownerOf(place))).toEqual([]);
    expect(validators.get(world.state, ownerOf(place))?.status).toBe(validatorStatus.active);
  }
}

describe("a wrong share (ADR 0019)", () => {
  test("costs the seat's validator stake and service, once for each epoch of shares, and nobody else anything", () => {
    const world = active();
    const evidence = wrongShare(world, 1);
    expect(bring(world, evidence)).toBe("ok");
    const guilty = { cause: causes.ring, bps: genesis.params.ringSlashBps, epoch: 0 };
    expect(slashesOf(world.state, ownerOf(1))).toMatchObject([guilty]);
    expect(validators.get(world.state, ownerOf(1))?.status).toBe(validatorStatus.jailed);
    expect(badShares.get(world.state, evidence)).toEqual({
      evidence: badShareCodec.encode(evidence),
    });
    expect(bring(world, evidence, 2)).toBe("already-blamed");
    expect(bring(world, wrongShare(world, 1, { boot: 8 }))).toBe("already-blamed");
    expectUnharmed(world, [0, 2, 3]);
    expect(keys.get(world.state, keyId)?.active).toBe(true);
  });

  test("is refused where it proves nothing, and costs nobody", () => {
    const world = active();
    const evidence = wrongShare(world, 1);
    const { proof } = wrongShare(world, 3);
    const cases: [string, BadShare][] = [
      ["bad-proof", { ...evidence, proof }],
      ["bad-proof", { ...evidence, number: 1 }],
      ["wrong-commitment", { ...evidence, seat: 3 }],
      ["wrong-seat", { ...evidence, seat: 4 }],
      ["wrong-ceremony", { ...evidence, attempt: 1 }],
      // Another key of the same ring, which has no shares yet.
      ["wrong-ceremony", { ...evidence, keyId: 2 }],
      ["wrong-ceremony", { ...evidence, keyId: 99 }],
    ];
    for (const [code, one] of cases) expect(bring(world, one), code).toBe(code);
    expect(send(world, 0, kinds.badShare, badShareCodec.encode(evidence).slice(1))).toBe(
      "bad-bytes",
    );
    expectUnharmed(world, [0, 1, 2, 3]);
    expect(badShareRule.carriers).toEqual([roles.signer]);
  });

  test("of an earlier epoch of the shares is evidence no more", () => {
    const world = active();
    const [one, other] = [wrongShare(world, 1), wrongShare(world, 3)];
    expect(bring(world, one)).toBe("ok");
    beginAttempt(contextOf(world), ceremony(world, keyId));
    expect(badShares.get(world.state, one)).toBeUndefined();
    for (const evidence of [one, other]) expect(bring(world, evidence)).toBe("wrong-ceremony");
    expectUnharmed(world, [3]);
  });
});
