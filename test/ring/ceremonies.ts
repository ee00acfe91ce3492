// Byzantine members in a ceremony: what they bring to the ledger instead of what the machine of their seat would.
import type { Action, Ceremony } from "@causeway/chain-core/interchain";
import {
  ceremonyOf,
  ceremonyStages,
  complaintCodec,
  confirmCodec,
  dealCodec,
  keys,
  kinds,
  openCeremonies,
  paramsOf,
  purposes,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import type { CeremonyParams } from "@causeway/chain-core/ring";
import { equal, must } from "@causeway/primitives";
import { negate, publicPoint, sum } from "@causeway/primitives/secp256k1";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { acceptedSeats, dealOf } from "../../chain-core/src/ledger/ring/ceremony.ts";
import { signEnvelope } from "../../chain-core/src/ledger/sign.ts";
import { after } from "../seeds/queue.ts";
import type { Twist } from "./forge.ts";
import { forgeComplaint, forgeConfirm, forgeDeal, secretOf } from "./forge.ts";
import type { Byzantine, World } from "./model.ts";
import { hostSecretOf, isHonest, operatorsOf, plays, senderOf } from "./model.ts";
import type { MemberStrategy } from "./strategies.ts";

/**
 * In an envelope of its own, now or later. `make` is called when it leaves; undefined: nothing does. `sequence`: of the
 * envelope whose place it takes; a number that the machine did not give ends it (DESIGN 10, rule 5).
 */
export function bringAction(
  world: World,
  operator: Byzantine,
  when: { readonly heldMs: number; readonly sequence?: number },
  make: () => Action | undefined,
): void {
  const { heldMs } = when;
  after(world.queue, heldMs, "", () => {
    const action = make();
    if (action === undefined) return;
    const { genesis, state } = world.ledger;
    const sender = senderOf(world, operator);
    const sequence = when.sequence ?? nextSequence(state(), sender);
    const expires = world.queue.now + 60_000;
    const secret = hostSecretOf(operator.index);
    const tx = signEnvelope(genesis, { ...sender, sequence }, expires, [action], secret);
    world.submit(operator, transactionCodec.encode(tx));
  });
}

function contextOf({ ledger }: World): Parameters<typeof paramsOf>[0] {
  return { genesis: ledger.genesis, state: ledger.state() };
}

/** What the machine wants to bring. */
export function bring(world: World, operator: Byzantine, transaction: Uint8Array): void {
  const { actions, envelope } = transactionCodec.decode(transaction);
  const [action] = actions;
  const sequence = envelope[0]?.sequence ?? 0;
  if (plays(operator, "silent")) {
    world.counts.silent += 1;
    return;
  }
  if (action?.kind === kinds.deal && deal(world, operator, action, sequence)) return;
  if (action?.kind === kinds.confirm && confirm(world, operator, action, sequence)) return;
  if (action?.kind === kinds.signature && plays(operator, "withholding coordinator")) {
    world.counts["withholding coordinator"] += 1;
    return;
  }
  world.submit(operator, transaction);
}

// ---------------------------------------------------------------- deals

/** False: it deals as the machine would. */
function deal(world: World, operator: Byzantine, { body }: Action, sequence: number): boolean {
  const { random } = operator.adversary;
  const right = dealCodec.decode(body);
  if (plays(operator, "silent dealer")) {
    world.counts["silent dealer"] += 1;
    return true;
  }
  const strategy = (
    [
      "wrong share",
      "wrong degree",
      "copied ephemeral",
      "cancelling commitment",
      "forged constant term",
    ] as const
  ).find((one) => plays(operator, one));
  if (strategy === undefined) return false;
  // The last dealer knows what the others committed to.
  const isLate = strategy === "copied ephemeral" || strategy === "cancelling commitment";
  const heldMs = isLate ? 300 + random.below(3_500) : 0;
  bringAction(world, operator, { heldMs, sequence }, () => {
    const ceremony = ceremonyOf(world.ledger.state(), right.keyId);
    if (ceremony?.stage !== ceremonyStages.deal || ceremony.attempt !== right.attempt)
      return undefined;
    const twist = twistOf(world, operator, ceremony, strategy);
    if (twist === undefined) return { kind: kinds.deal, body };
    world.counts[strategy] += 1;
    const params = paramsOf(contextOf(world), ceremony);
    const secret = shareOf(operator, params, right.seat);
    const made = forgeDeal(
      params,
      right.seat,
      hostSecretOf(operator.index),
      random,
      secret === undefined ? twist : { secret, ...twist },
    );
    return { kind: kinds.deal, body: dealCodec.encode(made) };
  });
  return true;
}

/** In a resharing: the share that the seat holds, which it is to deal. */
function shareOf(
  { disk }: Byzantine,
  { keyId, from }: CeremonyParams,
  seat: number,
): Uint8Array | undefined {
  const y = from?.shares[seat];
  if (y === undefined) return undefined;
  const held = [...disk.shares.values()].find(
    (one) => one.keyId === keyId && one.seat === seat && equal(publicPoint(one.share), y),
  );
  return held?.share;
}

function twistOf(
  world: World,
  { adversary }: Byzantine,
  ceremony: Ceremony,
  strategy: MemberStrategy,
): Twist | undefined {
  const { random } = adversary;
  if (strategy === "forged constant term") {
    const isReshare = ceremony.purpose === purposes.reshare;
    return isReshare ? { secret: secretOf(random) } : undefined;
  }
  const n = ceremony.seats.length;
  const seats = Array.from({ length: n }, (_, seat) => seat);
  if (strategy === "wrong share") {
    const wrongFor = random.pick([
      [random.below(n)],
      seats.filter(() => random.chance(0.5)),
      seats,
    ]);
    // Errors of two dealers may cancel.
    return { wrongFor, error: random.pick([1n, -1n]) };
  }
  if (strategy === "wrong degree")
    return { size: Math.max(1, ceremony.threshold + random.pick([-1, 1])) };
  const others = ceremony.dealt.flatMap(
    (seat) => dealOf(world.ledger.state(), ceremony, seat) ?? [],
  );
  const [first] = others;
  if (first === undefined) return undefined;
  if (strategy === "copied ephemeral") return { ephemeral: first.ephemeral };
  const total = sum(others.map(({ commitments }) => commitments[1]));
  return total === undefined ? undefined : { second: negate(total) };
}

// ---------------------------------------------------------------- confirmations and complaints

function confirm(world: World, operator: Byzantine, { body }: Action, sequence: number): boolean {
  const { random } = operator.adversary;
  if (plays(operator, "late confirmation")) {
    world.counts["late confirmation"] += 1;
    const heldMs = 2_000 + random.below(15_000);
    bringAction(world, operator, { heldMs, sequence }, () => ({ kind: kinds.confirm, body }));
    return true;
  }
  if (!plays(operator, "wrong confirmation")) return false;
  const right = confirmCodec.decode(body);
  bringAction(world, operator, { heldMs: 0, sequence }, () => {
    const ceremony = ceremonyOf(world.ledger.state(), right.keyId);
    if (ceremony === undefined || ceremony.attempt !== right.attempt) return undefined;
    world.counts["wrong confirmation"] += 1;
    const wrong = forgeConfirm(paramsOf(contextOf(world), ceremony), right, random);
    return { kind: kinds.confirm, body: confirmCodec.encode(wrong) };
  });
  return random.chance(0.5);
}

/** At each block that its node has: complaints of honest dealers, once for each set of deals. */
export function complainOfHonest(world: World, operator: Byzantine): void {
  const { ledger } = world;
  const { random, done } = operator.adversary;
  const how = plays(operator, "false complaint")
    ? "false"
    : plays(operator, "forged complaint")
      ? "forged"
      : undefined;
  if (how === undefined) return;
  for (const keyId of openCeremonies.get(ledger.state(), "only")?.keyIds ?? []) {
    const ceremony = ceremonyOf(ledger.state(), keyId);
    if (ceremony?.stage !== ceremonyStages.confirm) continue;
    const name = `complaint ${keyId}/${ceremony.attempt}/${ceremony.voided.length}`;
    const seat = operatorsOf(world, ceremony).indexOf(operator.index);
    if (seat < 0 || done.has(name)) continue;
    done.add(name);
    const dealers = dealersOf(world, ceremony);
    const honest = acceptedSeats(ceremony).filter((one) =>
      isHonest(must(world.operators[must(dealers[one], "dealer")], "operator")),
    );
    if (honest.length === 0) continue;
    const found = dealOf(ledger.state(), ceremony, random.pick(honest));
    if (found === undefined) continue;
    const params = paramsOf(contextOf(world), ceremony);
    const complaint = forgeComplaint(
      params,
      seat,
      hostSecretOf(operator.index),
      found,
      random,
      how,
    );
    world.counts[`${how} complaint`] += 1;
    const body = complaintCodec.encode(complaint);
    const heldMs = random.below(200);
    bringAction(world, operator, { heldMs }, () => ({ kind: kinds.complaint, body }));
  }
}

/** The operator of each dealer's seat: in a resharing those of the ring that holds the key. */
export function dealersOf(world: World, ceremony: Ceremony): number[] {
  if (ceremony.purpose === purposes.generate) return operatorsOf(world, ceremony);
  return operatorsOf(world, must(keys.get(world.ledger.state(), ceremony.keyId), "key"));
}
