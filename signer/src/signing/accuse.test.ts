// A seat that answers wrong holds nobody up; what it has signed costs it stake, what it has not costs nobody (ADR 0019).
import { badShares, ceremonies, keys } from "@causeway/chain-core/interchain";
import { hashAnswer, hashItems } from "@causeway/chain-core/ring";
import { isRejected, must, zero32 } from "@causeway/primitives";
import { scalarBytes, signSchnorr, verifySchnorr, xOnly } from "@causeway/primitives/secp256k1";
import { expect, test } from "vitest";
import { slashesOf } from "../../../chain-core/src/ledger/staking/punish.ts";
import { validatorSecret } from "../../../chain-core/src/ledger/testing.ts";
import type { Share } from "../roast/message.ts";
import { shareCodec } from "../roast/message.ts";
import type { World } from "../testing.ts";
import { genesis, world } from "../testing.ts";
import { messageKinds, open, seal } from "../wire.ts";

const keyIds = [1, 2];
const cheater = 1;

/** A ring in which every answer of one seat is wrong, and is what `signed` makes of it. */
function withCheater(signed: (w: World, share: Share) => Share): World {
  const w = world();
  w.tamper = (_, event) => {
    if (event.kind !== "message" || event.from !== cheater) return event;
    const envelope = open(event.from, event.bytes);
    if (isRejected(envelope) || envelope.kind !== messageKinds.share) return event;
    const share = shareCodec.decode(envelope.body);
    const wrong = signed(w, { ...share, shares: share.shares.map(() => scalarBytes(5n)) });
    return { ...event, bytes: seal(messageKinds.share, cheater, shareCodec.encode(wrong)) };
  };
  return w;
}

/** What the host key signs. */
function answerOf(w: World, share: Share): Uint8Array {
  const { confirmed } = must(ceremonies.get(w.ledger, share.keyId), "ceremony");
  const { share: point } = must(
    confirmed.find(({ seat }) => seat === share.seat),
    "confirmed share",
  );
  const { seat, sid, shares } = share;
  const answer = { seat, share: point, sid, shares: hashItems(shares) };
  return hashAnswer(genesis.networkId, answer);
}

function signedByHost(w: World, share: Share): Share {
  const secret = validatorSecret(cheater, "hostKey");
  return { ...share, proof: signSchnorr(secret, answerOf(w, share), zero32) };
}

const areActive = (w: World): boolean =>
  keyIds.every((keyId) => keys.get(w.ledger, keyId)?.active === true);
const slashes = (w: World): number[] =>
  genesis.validators.map(({ owner }) => slashesOf(w.ledger, owner).length);
const said = (w: World, message: string): (typeof w.signers)[number]["logs"] =>
  w.signers.flatMap(({ logs }) => logs.filter((log) => log.message === message));

test("every answer is signed by the host key that the seat was given, whichever others are here", () => {
  const newer = new Uint8Array(32).fill(9);
  const w = world({ hosts: (number) => [newer, validatorSecret(number, "hostKey")] });
  expect(w.runUntil(() => areActive(w), 60_000)).toBe(true);
  const answers = w.performed.flatMap(({ seat, effect }) => {
    const envelope = effect.kind === "send" ? open(seat, effect.bytes) : undefined;
    const isAnswer = envelope && !isRejected(envelope) && envelope.kind === messageKinds.share;
    return isAnswer ? [shareCodec.decode(envelope.body)] : [];
  });
  expect(answers.length).toBeGreaterThan(0);
  for (const share of answers) {
    const { hostKey } = must(genesis.validators[share.seat], "validator");
    expect(verifySchnorr(xOnly(hostKey), answerOf(w, share), share.proof)).toBe(true);
  }
});

test("a wrong share that its seat signed is brought to the ledger, once for each epoch of shares", () => {
  const w = withCheater(signedByHost);
  expect(w.runUntil(() => areActive(w), 60_000)).toBe(true);
  w.run(10_000);
  expect(slashes(w)).toEqual([0, 1, 0, 0]);
  const plans = new Set(said(w, "a signer cheated").map(({ fields }) => fields.plan));
  const proven = keyIds.filter(
    (keyId) => badShares.get(w.ledger, { keyId, attempt: 0, seat: cheater }) !== undefined,
  );
  expect(proven.length).toBeGreaterThan(0);
  expect(proven.length).toBe(plans.size);
  // Nobody brings it any more.
  for (const { state } of w.signers) expect(state.outbox.entries).toEqual([]);
});

test("a wrong share that nobody signed costs nobody, and holds nobody up", () => {
  const w = withCheater((_, share) => share);
  expect(w.runUntil(() => areActive(w), 60_000)).toBe(true);
  w.run(10_000);
  expect(slashes(w)).toEqual([0, 0, 0, 0]);
  expect(said(w, "a signer cheated")).toEqual([]);
  const codes = said(w, "a signer is not heard any more").map(({ fields }) => fields.code);
  expect(new Set(codes)).toEqual(new Set(["bad-proof"]));
});
