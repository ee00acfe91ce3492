// What must hold after every effect of an honest signer and after every transaction on the ledger. Computed anew here,
// from what left the machines and what the ledger has; the code under test is only asked for its codecs and hashes.
import type { Ceremony, Key } from "@causeway/chain-core/interchain";
import {
  activeKeys,
  ceremonies,
  ceremonyOf,
  keys,
  listNames,
  lists,
  openCeremonies,
  planKinds,
  planMessages,
  plans,
} from "@causeway/chain-core/interchain";
import {
  evaluateCommitments,
  lagrangeCoefficients,
  outputKey,
  taprootTweak,
} from "@causeway/chain-core/ring";
import { equal, fromBigEndian, isRejected, isZero, keyOf, must } from "@causeway/primitives";
import { mod, publicPoint, scalarBytes, verifySchnorr } from "@causeway/primitives/secp256k1";
import { slashesOf } from "../../chain-core/src/ledger/staking/punish.ts";
import { decodeRecord } from "../../signer/src/journal.ts";
import type { Effect } from "../../signer/src/machine.ts";
import type { Commit, Share } from "../../signer/src/roast/message.ts";
import { commitCodec, hashCommit, shareCodec } from "../../signer/src/roast/message.ts";
import { nameOf, shareFileName } from "../../signer/src/share-file.ts";
import { messageKinds, open } from "../../signer/src/wire.ts";
import { violated } from "../seeds/violation.ts";
import { dealersOf } from "./ceremonies.ts";
import type { Epoch, Operator, Request, World } from "./model.ts";
import { isHonest, operatorsOf } from "./model.ts";
import { remember } from "./requests.ts";
import { memberStrategies } from "./strategies.ts";

// ---------------------------------------------------------------- what an honest signer does

/** Right before an effect of an honest signer. */
export function checkEffect(world: World, operator: Operator, effect: Effect): void {
  if (effect.kind === "journal") checkJournal(operator, effect.record);
  else if (effect.kind === "send") checkSaid(world, operator, effect.bytes);
  else if (effect.kind === "log") checkLog(world, operator, effect);
}

function checkJournal(operator: Operator, bytes: Uint8Array): void {
  const record = decodeRecord(bytes);
  if (record.kind !== "release") return;
  const { commitment, sid, seat, slots, plan } = record.release;
  const { said } = operator;
  const used = said.released.get(keyOf(commitment)) ?? { sid: keyOf(sid), plans: new Set() };
  // One record for each plan of the session.
  if (used.sid !== keyOf(sid) || used.plans.has(keyOf(plan)))
    violated("a nonce signs once", `${operator.index} releases ${keyOf(commitment)} again`);
  said.released.set(keyOf(commitment), { ...used, plans: used.plans.add(keyOf(plan)) });
  const answer = `${keyOf(sid)}/${seat}`;
  operator.durable.set(answer, (operator.durable.get(answer) ?? 0) + slots.length);
  for (const { slot, message } of slots) {
    const signed = said.slots.get(keyOf(slot));
    if (signed !== undefined && signed !== keyOf(message))
      violated("one message a slot", `${operator.index} signs twice in ${keyOf(slot)}`);
    said.slots.set(keyOf(slot), keyOf(message));
  }
}

function checkSaid(world: World, operator: Operator, bytes: Uint8Array): void {
  const envelope = open(operator.index, bytes);
  if (isRejected(envelope)) violated("no rubbish", `${operator.index}: ${envelope.message}`);
  if (envelope.kind === messageKinds.commit)
    checkCommit(world, operator, commitCodec.decode(envelope.body));
  else if (envelope.kind === messageKinds.share)
    checkShare(world, operator, shareCodec.decode(envelope.body));
}

/** Every public nonce stands in one commitment, in all lives of the signer. */
function checkCommit(world: World, operator: Operator, commit: Commit): void {
  const hash = keyOf(hashCommit(world.ledger.genesis.networkId, commit));
  for (const nonce of commit.nonces)
    for (const half of [nonce.subarray(0, 33), nonce.subarray(33)]) {
      const before = operator.said.nonces.get(keyOf(half));
      if (before !== undefined && before !== hash)
        violated("a nonce signs once", `${operator.index} commits to a nonce again`);
      operator.said.nonces.set(keyOf(half), hash);
    }
}

function checkShare(world: World, operator: Operator, share: Share): void {
  const { said, index } = operator;
  const sid = `${keyOf(share.sid)}/${share.seat}`;
  if (operator.durable.get(sid) !== share.shares.length)
    violated("the journal comes before the share", `${index} in session ${sid}`);
  const text = share.shares.map(keyOf).join();
  const before = said.shares.get(sid);
  if (before !== undefined && before !== text)
    violated("a nonce signs once", `${index} answers session ${sid} in two ways`);
  said.shares.set(sid, text);
  const { keyId, attempt, request, coordinator, seat, boot, nonces } = share;
  checkCommit(world, operator, { keyId, attempt, request, coordinator, seat, boot, nonces });
  checkEpoch(world, operator, share);
}

/** The share that signs is that of the epoch and the seat that the message names. */
function checkEpoch(world: World, operator: Operator, { keyId, attempt, seat }: Share): void {
  const epoch = world.epochs.get(`${keyId}/${attempt}`);
  const held = operator.state?.signing.shares.get(nameOf({ keyId, attempt, seat }));
  if (epoch === undefined || held === undefined)
    violated("shares stay in their epoch", `${operator.index} signs for ${keyId}/${attempt}`);
  if (epoch.holders[seat] !== operator.index)
    violated("shares stay in their epoch", `${operator.index} signs as seat ${seat}`);
  const expected = evaluateCommitments(epoch.commitments, seat);
  if (expected === undefined || !equal(publicPoint(held.secret), expected))
    violated("shares stay in their epoch", `${operator.index} signs for ${keyId}/${attempt}`);
}

function checkLog(
  world: World,
  operator: Operator,
  { message, fields }: Effect & { kind: "log" },
): void {
  const who = `${operator.index} says: ${message} ${JSON.stringify(fields)}`;
  if (message === "the deals give no share") violated("deals that count give a share", who);
  if (message === "a signer cheated") blame(world, holderOf(world, operator, fields), who);
  // What it cannot prove a coordinator has seen all the same.
  if (message === "a signer is not heard any more") {
    const seat = holderOf(world, operator, fields);
    if (seat === undefined || isHonest(must(world.operators[seat], "operator")))
      violated("no honest member is suspected", `${seat}: ${who}`);
  }
  if (message === "a dealer sent a wrong share") {
    const ceremony = ceremonyOf(world.ledger.state(), Number(fields.keyId));
    if (ceremony === undefined || ceremony.attempt !== fields.attempt) return;
    blame(world, dealersOf(world, ceremony)[Number(fields.dealer)], who);
  }
}

/** The operator of the seat that a coordinator names. */
function holderOf(
  world: World,
  operator: Operator,
  { plan, seat }: (Effect & { kind: "log" })["fields"],
): number | undefined {
  const id = keyOf(Buffer.from(String(plan), "hex"));
  // The ledger may be an epoch ahead of who says it.
  const ring = operator.state?.signing.requests.get(id)?.ring;
  const { keyId } = must(world.requests.get(id), "request").plan;
  return world.epochs.get(`${keyId}/${ring?.attempt}`)?.holders[Number(seat)];
}

/** Honest members are never blamed, Byzantine ones only for what can be proven. */
export function blame(world: World, index: number | undefined, why: string): void {
  const operator = index === undefined ? undefined : world.operators[index];
  if (operator === undefined || isHonest(operator))
    violated("no honest member is blamed", `${index}: ${why}`);
  const strategies = operator.adversary?.strategies ?? [];
  if (!strategies.some((one) => memberStrategies[one].earns !== "nothing"))
    violated("blame is proven", `${index}, who plays ${strategies.join(", ")}: ${why}`);
  const known = world.blamed.get(operator.index) ?? new Set();
  world.blamed.set(operator.index, known.add(why.replace(/^\d+ /, "")));
}

// ---------------------------------------------------------------- what the ledger has

/** After every accepted transaction and every block. */
export function checkLedger(world: World): void {
  const state = world.ledger.state();
  for (const keyId of openCeremonies.get(state, "only")?.keyIds ?? []) {
    const ceremony = ceremonyOf(state, keyId);
    if (ceremony !== undefined) checkCeremony(world, ceremony);
  }
  checkKeys(world);
  for (const id of lists.get(state, listNames.plans)?.ids ?? [])
    if (!world.requests.has(keyOf(id))) remember(world, id);
  for (const request of world.requests.values())
    if (request.signedAtMs === undefined) checkSigned(world, request);
}

function checkCeremony(world: World, ceremony: Ceremony): void {
  const { keyId, attempt, voided, wronged, commitments, threshold } = ceremony;
  const dealers = dealersOf(world, ceremony);
  for (const { seat, dealer } of wronged)
    blame(world, dealers[dealer], `share ${keyId}/${attempt} of seat ${seat} is wrong`);
  for (const seat of voided)
    blame(world, dealers[seat], `deal ${keyId}/${attempt} of seat ${seat} is void`);
  const [groupPoint] = commitments;
  if (groupPoint === undefined) return;
  const holders = operatorsOf(world, ceremony);
  const epoch: Epoch = { keyId, attempt, groupPoint, threshold, holders, commitments };
  world.epochs.set(`${keyId}/${attempt}`, epoch);
}

/** A resharing leaves the key as it is; nobody honest pays. */
function checkKeys(world: World): void {
  const state = world.ledger.state();
  for (const keyId of activeKeys.get(state, "only")?.keyIds ?? []) {
    const point = keyOf(must(keys.get(state, keyId), "key").groupPoint);
    const before = world.points.get(keyId);
    if (before !== undefined && before !== point)
      violated("honest members agree on the key", `key ${keyId} has another point`);
    world.points.set(keyId, point);
  }
  for (const [index, { owner }] of world.ledger.genesis.validators.entries())
    if (slashesOf(state, owner).length > 0) blame(world, index, "slashed");
}

/** What the ledger has as signed is signed over what was planned, under the key. */
function checkSigned(world: World, request: Request): void {
  const { genesis } = world.ledger;
  const now = plans.get(world.ledger.state(), request.id);
  if (now === undefined || now.signatures.length === 0) return;
  request.signedAtMs = world.queue.now;
  const { keyId, attempt, kind } = request.plan;
  const key = must(keys.get(world.ledger.state(), keyId), "key of a signed plan");
  const { groupPoint } = key;
  const from = kind === planKinds.canary ? { ...key, attempt } : key;
  const messages = planMessages(genesis, request.plan, from);
  if (isRejected(messages)) violated("signatures are valid", messages.message);
  if (messages.length !== now.signatures.length)
    violated("signatures are valid", `${now.signatures.length} for ${messages.length} messages`);
  for (const [i, { message, tweak }] of messages.entries()) {
    const tweaks = tweak === undefined ? [] : [taprootTweak(groupPoint, tweak)];
    const output = outputKey(groupPoint, tweaks);
    if (isRejected(output)) violated("signatures are valid", output.message);
    const signature = must(now.signatures[i], "signature");
    if (!verifySchnorr(output.key, message, signature))
      violated("signatures are valid", `number ${i} of plan ${keyOf(request.id)}`);
  }
}

// ---------------------------------------------------------------- at the end

/** Any two honest members hold shares of the one key that the ledger has; t of them make it. */
export function checkShares(world: World): void {
  const state = world.ledger.state();
  for (const keyId of activeKeys.get(state, "only")?.keyIds ?? []) {
    const key = must(keys.get(state, keyId), "key");
    const held = heldShares(world, key);
    if (held.length < key.threshold) continue;
    const some = held.slice(-key.threshold);
    const lambdas = lagrangeCoefficients(some.map(({ seat }) => seat));
    const secret = some.reduce((sum, one, i) => sum + must(lambdas[i], "lambda") * one.secret, 0n);
    if (!equal(publicPoint(scalarBytes(mod(secret))), key.groupPoint))
      violated("honest members agree on the key", `their shares do not make key ${keyId}`);
  }
}

function heldShares(world: World, key: Key): { readonly seat: number; readonly secret: bigint }[] {
  const { keyId, attempt } = key;
  const { commitments } = must(ceremonies.get(world.ledger.state(), keyId), "ceremony of a key");
  const held: { readonly seat: number; readonly secret: bigint }[] = [];
  for (const [seat, index] of operatorsOf(world, key).entries()) {
    const operator = must(world.operators[index], "operator");
    const share = operator.disk.shares.get(shareFileName({ keyId, attempt, seat }))?.share;
    if (!isHonest(operator) || share === undefined) continue;
    const expected = evaluateCommitments(commitments, seat);
    const y = publicPoint(share);
    const known = must(key.shares[seat], "Y");
    if (expected === undefined || !equal(y, expected) || (!isZero(known) && !equal(y, known)))
      violated("honest members agree on the key", `${index} holds another share of ${keyId}`);
    held.push({ seat, secret: fromBigEndian(share) });
  }
  return held;
}
