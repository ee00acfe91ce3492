// Byzantine members in a ceremony: what they bring to the ledger instead of what the machine of their seat would.
import type { Action, Ceremony } from "@causeway/chain-core/interchain";
import {
  ceremonyOf,
  ceremonyStages,
  complaintCodec,
  confirmCodec,
  dealCodec,
  kinds,
  openCeremonies,
  transactionCodec,
} from "@causeway/chain-core/interchain";
import { equal, must } from "@causeway/primitives";
import { negate, sum } from "@causeway/primitives/secp256k1";
import { nextSequence } from "../../chain-core/src/ledger/envelope.ts";
import { acceptedSeats, dealOf, paramsOf } from "../../chain-core/src/ledger/ring/ceremony.ts";
import { signEnvelope } from "../../chain-core/src/ledger/sign.ts";
import { after } from "../sim/queue.ts";
import type { Twist } from "./forge.ts";
import { forgeComplaint, forgeConfirm, forgeDeal } from "./forge.ts";
import type { Byzantine, World } from "./model.ts";
import { isHonest, plays, senderOf } from "./model.ts";
import type { MemberStrategy } from "./strategies.ts";

/** In an envelope of its own, now or later. `make` is called when it leaves; undefined: nothing does. */
function bringAction(
  world: World,
  operator: Byzantine,
  heldMs: number,
  make: () => Action | undefined,
): void {
  after(world.queue, heldMs, "", () => {
    const action = make();
    if (action === undefined) return;
    const { genesis, state } = world.ledger;
    const sender = senderOf(world, operator);
    // A little ahead, as the machine of the seat counts on.
    const sequence = nextSequence(state(), sender) + operator.adversary.random.below(3);
    const expires = world.queue.now + 60_000;
    const { hostSecret } = operator.context;
    const tx = signEnvelope(genesis, { ...sender, sequence }, expires, [action], hostSecret);
    world.submit(operator, transactionCodec.encode(tx));
  });
}

/** What the machine wants to bring. */
export function bring(world: World, operator: Byzantine, transaction: Uint8Array): void {
  const [action] = transactionCodec.decode(transaction).actions;
  if (plays(operator, "silent")) {
    world.counts.silent += 1;
    return;
  }
  if (action?.kind === kinds.deal && deal(world, operator, action)) return;
  if (action?.kind === kinds.confirm && confirm(world, operator, action)) return;
  if (action?.kind === kinds.signature && plays(operator, "withholding coordinator")) {
    world.counts["withholding coordinator"] += 1;
    return;
  }
  world.submit(operator, transaction);
}

// ---------------------------------------------------------------- deals

/** False: it deals as the machine would. */
function deal(world: World, operator: Byzantine, { body }: Action): boolean {
  const { random } = operator.adversary;
  const right = dealCodec.decode(body);
  if (plays(operator, "silent dealer")) {
    world.counts["silent dealer"] += 1;
    return true;
  }
  const strategy = (
    ["wrong share", "wrong degree", "copied ephemeral", "cancelling commitment"] as const
  ).find((one) => plays(operator, one));
  if (strategy === undefined) return false;
  // The last dealer knows what the others committed to.
  const isLate = strategy === "copied ephemeral" || strategy === "cancelling commitment";
  const heldMs = isLate ? 300 + random.below(3_500) : 0;
  bringAction(world, operator, heldMs, () => {
    const ceremony = ceremonyOf(world.ledger.state(), right.keyId);
    if (ceremony?.stage !== ceremonyStages.deal || ceremony.attempt !== right.attempt)
      return undefined;
    const twist = twistOf(world, operator, ceremony, strategy);
    if (twist === undefined) return { kind: kinds.deal, body };
    world.counts[strategy] += 1;
    const params = paramsOf(world.ledger.genesis, ceremony);
    const made = forgeDeal(params, right.seat, operator.context.hostSecret, random, twist);
    return { kind: kinds.deal, body: dealCodec.encode(made) };
  });
  return true;
}

function twistOf(
  world: World,
  { adversary }: Byzantine,
  ceremony: Ceremony,
  strategy: MemberStrategy,
): Twist | undefined {
  const { random } = adversary;
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

function confirm(world: World, operator: Byzantine, { body }: Action): boolean {
  const { random } = operator.adversary;
  if (plays(operator, "late confirmation")) {
    world.counts["late confirmation"] += 1;
    bringAction(world, operator, 2_000 + random.below(15_000), () => ({
      kind: kinds.confirm,
      body,
    }));
    return true;
  }
  if (!plays(operator, "wrong confirmation")) return false;
  const right = confirmCodec.decode(body);
  bringAction(world, operator, 0, () => {
    const ceremony = ceremonyOf(world.ledger.state(), right.keyId);
    if (ceremony === undefined || ceremony.attempt !== right.attempt) return undefined;
    world.counts["wrong confirmation"] += 1;
    const wrong = forgeConfirm(paramsOf(world.ledger.genesis, ceremony), right, random);
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
  const { owner } = must(ledger.genesis.validators[operator.index], "validator");
  for (const keyId of openCeremonies.get(ledger.state(), "only")?.keyIds ?? []) {
    const ceremony = ceremonyOf(ledger.state(), keyId);
    if (ceremony?.stage !== ceremonyStages.confirm) continue;
    const name = `complaint ${keyId}/${ceremony.attempt}/${ceremony.voided.length}`;
    const seat = ceremony.seats.findIndex(({ validator }) => equal(validator, owner));
    if (seat < 0 || done.has(name)) continue;
    done.add(name);
    const honest = acceptedSeats(ceremony).filter((one) => isHonestSeat(world, ceremony, one));
    if (honest.length === 0) continue;
    const found = dealOf(ledger.state(), ceremony, random.pick(honest));
    if (found === undefined) continue;
    const params = paramsOf(ledger.genesis, ceremony);
    const { hostSecret } = operator.context;
    const complaint = forgeComplaint(params, seat, hostSecret, found, random, how);
    world.counts[`${how} complaint`] += 1;
    const body = complaintCodec.encode(complaint);
    bringAction(world, operator, random.below(200), () => ({ kind: kinds.complaint, body }));
  }
}

function isHonestSeat(world: World, ceremony: Ceremony, seat: number): boolean {
  const { validator } = must(ceremony.seats[seat], "seat");
  const index = world.ledger.genesis.validators.findIndex(({ owner }) => equal(owner, validator));
  return isHonest(must(world.operators[index], "operator"));
}
