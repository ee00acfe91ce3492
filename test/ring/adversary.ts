// Byzantine members towards the other signers, as coordinator and as signer: what the machine of their seat would say is
// changed, held back, repeated and added to.
import { hashAnswer, hashItems } from "@causeway/chain-core/ring";
import { isRejected, keyOf, must } from "@causeway/primitives";
import { publicPoint, scalarBytes, signSchnorr } from "@causeway/primitives/secp256k1";
import type { Commit, SessionOpen, Share } from "../../signer/src/roast/message.ts";
import {
  commitCodec,
  hashCommit,
  sessionOpenCodec,
  shareCodec,
} from "../../signer/src/roast/message.ts";
import { nameOf } from "../../signer/src/share-file.ts";
import type { Envelope } from "../../signer/src/wire.ts";
import { messageKinds, open, seal } from "../../signer/src/wire.ts";
import { shuffled } from "../seeds/plan.ts";
import { secretOf } from "./forge.ts";
import { frame } from "./frame.ts";
import type { Byzantine, World } from "./model.ts";
import { plays } from "./model.ts";

/** Messages that a coalition keeps, to repeat them. */
const heardMax = 200;
/** Openings that one adversary adds in a seed: what they cost is bounded here, not by the honest. */
const addedMax = 40;

// ---------------------------------------------------------------- what it says

/** What the machine of the seat would say. */
export function say(world: World, own: Byzantine, to: number, bytes: Uint8Array): void {
  keep(own, bytes);
  if (plays(own, "silent")) {
    world.counts.silent += 1;
    return;
  }
  const envelope = open(own.index, bytes);
  if (isRejected(envelope)) return;
  for (const body of bodiesOf(world, own, to, envelope))
    world.send(own, to, seal(envelope.kind, own.index, body));
}

function keep({ adversary }: Byzantine, bytes: Uint8Array): void {
  const { heard } = adversary.coalition;
  heard.push(bytes);
  if (heard.length > heardMax) heard.shift();
}

function bodiesOf(
  world: World,
  own: Byzantine,
  to: number,
  { kind, body }: Envelope,
): readonly Uint8Array[] {
  if (kind === messageKinds.commit)
    return commitments(world, own, commitCodec.decode(body)).map(commitCodec.encode);
  if (kind === messageKinds.open)
    return openings(world, own, to, sessionOpenCodec.decode(body)).map(sessionOpenCodec.encode);
  if (kind === messageKinds.share)
    return shares(world, own, shareCodec.decode(body)).map(shareCodec.encode);
  return [body];
}

function nonceOf({ adversary }: Byzantine): Uint8Array {
  const half = (): Uint8Array => publicPoint(secretOf(adversary.random));
  return Uint8Array.from([...half(), ...half()]);
}

function commitments(world: World, own: Byzantine, commit: Commit): readonly Commit[] {
  if (!plays(own, "equivocated commitment")) return [commit];
  const { random } = own.adversary;
  world.counts["equivocated commitment"] += 1;
  const nonces = commit.nonces.map(() => nonceOf(own));
  const boot = commit.boot + random.below(3);
  return shuffled(random, [commit, { ...commit, boot, nonces }]);
}

function shares(world: World, own: Byzantine, share: Share): readonly Share[] {
  const { random } = own.adversary;
  if (plays(own, "withheld share")) {
    world.counts["withheld share"] += 1;
    return [];
  }
  if (plays(own, "share for another session")) {
    const other = heardShares(own).find(({ sid }) => keyOf(sid) !== keyOf(share.sid));
    if (other !== undefined && random.chance(0.7)) {
      world.counts["share for another session"] += 1;
      const { sid, request, keyId, attempt, coordinator } = other;
      return random.chance(0.5)
        ? [answered(world, own, { ...share, sid })]
        : [{ ...share, sid, request, keyId, attempt, coordinator }, share];
    }
  }
  if (!plays(own, "bad share")) return [share];
  world.counts["bad share"] += 1;
  const spoilt = spoiled(own, share);
  // What it does not sign is nobody's.
  return [random.chance(0.7) ? answered(world, own, spoilt) : spoilt];
}

/** Signed by its host key, as if the machine of the seat had said it. */
function answered(world: World, own: Byzantine, share: Share): Share {
  const { keyId, attempt, seat, sid, shares } = share;
  const held = own.state?.signing.shares.get(nameOf({ keyId, attempt, seat }));
  if (held === undefined) return share;
  const answer = { seat, share: held.point, sid, shares: hashItems(shares) };
  const hash = hashAnswer(world.ledger.genesis.networkId, answer);
  const { secret } = must(own.context.hosts[0], "host key");
  return { ...share, proof: signSchnorr(secret, hash, own.adversary.random.bytes(32)) };
}

function spoiled(own: Byzantine, share: Share): Share {
  const { random } = own.adversary;
  const wrong = scalarBytes(BigInt(1 + random.below(1_000)));
  const at = random.below(share.shares.length);
  return random.pick([
    { ...share, shares: share.shares.with(at, wrong) },
    { ...share, shares: share.shares.with(at, new Uint8Array(32).fill(255)) },
    { ...share, shares: share.shares.slice(1) },
    { ...share, nonces: share.nonces.map(() => new Uint8Array(66)) },
    { ...share, nonces: [] },
  ]);
}

function heardShares({ adversary }: Byzantine): Share[] {
  return adversary.coalition.heard.flatMap((bytes) => {
    const envelope = open(senderIn(bytes), bytes);
    if (isRejected(envelope) || envelope.kind !== messageKinds.share) return [];
    const share = shareCodec.parse(envelope.body);
    return isRejected(share) ? [] : [share];
  });
}

/** The seat in an envelope's bytes. */
function senderIn(bytes: Uint8Array): number {
  return (bytes[2] ?? 0) + 256 * (bytes[3] ?? 0);
}

// ---------------------------------------------------------------- as coordinator

function openings(
  world: World,
  own: Byzantine,
  to: number,
  opening: SessionOpen,
): readonly SessionOpen[] {
  const { random, done } = own.adversary;
  if (plays(own, "withholding coordinator")) {
    const tells = done.has(`tells ${to}`) || random.chance(0.3);
    if (tells) done.add(`tells ${to}`);
    else world.counts["withholding coordinator"] += 1;
    return tells ? [opening] : [];
  }
  if (plays(own, "session flood") && done.size < addedMax) {
    world.counts["session flood"] += 1;
    const more = Array.from({ length: 1 + random.below(6) }, (_, i) => {
      done.add(`flood ${done.size}`);
      const number = (opening.number + i + 1) % 65_536;
      return { ...opening, number, nonces: opening.nonces.map(() => nonceOf(own)) };
    });
    return shuffled(random, [opening, ...more]);
  }
  if (!plays(own, "lying coordinator")) return [opening];
  world.counts["lying coordinator"] += 1;
  const lie = lieOf(own, opening);
  return random.chance(0.5) ? [lie] : shuffled(random, [opening, lie]);
}

/** Another list, other nonces, another request, key, epoch or coordinator than the session's. */
function lieOf(own: Byzantine, opening: SessionOpen): SessionOpen {
  const { random } = own.adversary;
  const { signers } = opening;
  const [first, ...rest] = signers;
  const one = must(first, "signer");
  const other = heardShares(own).find(({ request }) => keyOf(request) !== keyOf(opening.request));
  const list = random.pick([
    rest,
    [...rest, one],
    [...signers, one],
    signers.map((signer) => ({ ...signer, commitment: random.bytes(32) })),
    signers.map((signer, i) => ({
      ...signer,
      commitment: must(signers[(i + 1) % signers.length], "signer").commitment,
    })),
    signers.map((signer, i) => (i === 0 ? { ...signer, seat: 150 } : signer)),
  ]);
  return random.pick<SessionOpen>([
    { ...opening, signers: list },
    { ...opening, nonces: opening.nonces.map(() => nonceOf(own)) },
    { ...opening, nonces: opening.nonces.map(() => new Uint8Array(66)) },
    { ...opening, nonces: [] },
    { ...opening, attempt: opening.attempt + 1 },
    { ...opening, keyId: 1 + (opening.keyId % 3) },
    { ...opening, request: other?.request ?? random.bytes(32) },
    { ...opening, coordinator: (opening.coordinator + 1) % 4 },
  ]);
}

// ---------------------------------------------------------------- what it hears, and what it does at any time

/** Before the machine of the seat hears it. */
export function hear(world: World, own: Byzantine, from: number, bytes: Uint8Array): void {
  keep(own, bytes);
  const isFlood = plays(own, "session flood");
  if (own.adversary.done.size >= addedMax || !(isFlood || plays(own, "lying coordinator"))) return;
  const envelope = open(from, bytes);
  if (isRejected(envelope) || envelope.kind !== messageKinds.share) return;
  const share = shareCodec.parse(envelope.body);
  if (isRejected(share)) return;
  if (isFlood) reopen(world, own, from, share);
  else frame(world, own, share);
}

/** Another session at once over the commitment that came with a share. */
function reopen(world: World, own: Byzantine, from: number, share: Share): void {
  const last = own.adversary.coalition.heard.findLast((bytes) => {
    const envelope = open(own.index, bytes);
    if (isRejected(envelope) || envelope.kind !== messageKinds.open) return false;
    const opening = sessionOpenCodec.parse(envelope.body);
    return !isRejected(opening) && keyOf(opening.request) === keyOf(share.request);
  });
  const envelope = last && open(own.index, last);
  if (envelope === undefined || isRejected(envelope)) return;
  const opening = sessionOpenCodec.decode(envelope.body);
  const { keyId, attempt, request, coordinator, seat, boot, nonces } = share;
  const commit = { keyId, attempt, request, coordinator, seat, boot, nonces };
  const commitment = hashCommit(world.ledger.genesis.networkId, commit);
  const signers = opening.signers.map((one) => (one.seat === seat ? { seat, commitment } : one));
  own.adversary.done.add(`reopen ${own.adversary.done.size}`);
  world.counts["session flood"] += 1;
  const again = { ...opening, number: own.adversary.done.size, signers };
  const lie = { ...again, nonces: opening.nonces.map(() => nonceOf(own)) };
  for (const one of [again, lie]) {
    const body = sessionOpenCodec.encode(one);
    world.send(own, from, seal(messageKinds.open, own.index, body));
  }
}

/** Now and then: old messages of anybody under its own name, and rubbish. */
export function disturb(world: World, own: Byzantine): void {
  const { random, coalition } = own.adversary;
  const to = random.below(world.operators.length);
  if (to === own.index) return;
  if (plays(own, "replay") && coalition.heard.length > 0) {
    world.counts.replay += 1;
    const old = random.pick(coalition.heard);
    const envelope = open(senderIn(old), old);
    if (!isRejected(envelope)) world.send(own, to, seal(envelope.kind, own.index, envelope.body));
  }
  if (!plays(own, "flood")) return;
  world.counts.flood += 1;
  for (let i = 0; i < 20; i++) world.send(own, to, rubbish(own));
}

function rubbish(own: Byzantine): Uint8Array {
  const { random } = own.adversary;
  const noise = random.bytes(random.below(300));
  return random.chance(0.3) ? noise : seal(random.below(9), own.index, noise);
}
