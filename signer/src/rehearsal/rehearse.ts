// A rehearsal of everything that a ring does in its life, on scratch keys: key generation with its canary, a signature
// over many messages, a lost disk, the election of the next ring, its new keys, the old key dealt to it, and signatures by
// both. What fails here would fail in the network.
import {
  ceremonies,
  currentKeys,
  keys,
  openCeremonies,
  planStatus,
  plans,
  rings,
  terms,
} from "@causeway/chain-core/interchain";
import { planPayment, scratchNetwork } from "@causeway/chain-core/rehearsal";
import type { Bls, Bytes32 } from "@causeway/primitives";
import { isZero } from "@causeway/primitives";
import { Operators } from "./operators.ts";

export type RehearsalOptions = {
  /** BTM units by validator: who could have seats. */
  readonly stakes: readonly bigint[];
  /** Of the ring that is elected; the first has a seat for each validator. */
  readonly ringSeats: number;
  /** Messages of each signature, 1 to 150. */
  readonly messages: number;
};

export type Stage = {
  readonly stage: string;
  readonly ok: boolean;
  /** What is there now, or what was missing when its time was over. */
  readonly detail: string;
  /** Of all operators together, CPU ms, and ms of the simulated clock. */
  readonly cpuMs: number;
  readonly simulatedMs: number;
};

export type Rehearsal = {
  readonly stages: readonly Stage[];
  readonly ok: boolean;
  readonly validators: number;
  readonly ringSeats: number;
  readonly blocks: number;
  readonly largestBlock: number;
  readonly largestEnvelope: number;
  readonly messages: number;
  readonly messageBytes: number;
  readonly largestMessage: number;
  readonly journalBytes: number;
  /** What the signers warned of, with how often. */
  readonly warnings: Readonly<Record<string, number>>;
};

type World = { readonly operators: Operators; readonly bitcoin: Uint8Array };
/** Undefined: done; else what is missing. */
type Goal = (world: World) => string | undefined;

/** Simulated ms for a stage: what takes longer has failed. */
const patienceMs = 200_000;

/**
 * Plays all stages, or those up to the first that fails. `draw` gives 32 fresh random bytes at each call, `cpuMs` the CPU
 * time of this process, `tell` hears each stage as it ends.
 */
export function rehearse(
  options: RehearsalOptions,
  bls: Bls,
  draw: () => Bytes32,
  cpuMs: () => number,
  tell: (stage: Stage) => void,
): Rehearsal {
  const network = scratchNetwork(bls, draw, options);
  const operators = new Operators(network, bls, draw);
  const { genesis } = network;
  const world: World = { operators, bitcoin: genesis.bitcoin.chain };
  const stages: Stage[] = [];
  for (const [stage, begin] of script(options, draw)) {
    const [cpu, simulated] = [cpuMs(), operators.nowMs];
    const goal = begin(world);
    operators.runUntil(() => goal(world) === undefined, patienceMs);
    const missing = goal(world);
    const result: Stage = {
      stage,
      ok: missing === undefined,
      detail: missing ?? "done",
      cpuMs: Math.round(cpuMs() - cpu),
      simulatedMs: operators.nowMs - simulated,
    };
    stages.push(result);
    tell(result);
    if (!result.ok) break;
  }
  const { count, chain, complaints } = operators;
  return {
    stages,
    ok: stages.every(({ ok }) => ok),
    validators: operators.size,
    ringSeats: options.ringSeats,
    blocks: count.blocks,
    largestBlock: chain.largest.block,
    largestEnvelope: chain.largest.envelope,
    messages: count.messages,
    messageBytes: count.bytes,
    largestMessage: count.largest,
    journalBytes: count.journal,
    warnings: Object.fromEntries(complaints),
  };
}

/** Each stage begins with an act and gives what it waits for. */
function script(
  { messages }: RehearsalOptions,
  draw: () => Bytes32,
): readonly (readonly [string, (world: World) => Goal])[] {
  const sign = (keyId: number) => (world: World) => signed(world, keyId, messages, draw);
  return [
    ["generate the keys of the genesis ring", () => generated],
    [`sign ${messages} messages`, sign(1)],
    ["open lost shares again from the ledger", recover],
    ["elect the next ring", () => elected],
    ["generate its keys", () => handedOver],
    ["deal the old key to it, and erase the old shares", () => reshared],
    [`sign ${messages} messages with the old key's new shares`, sign(1)],
    [`sign ${messages} messages with the new key`, (world) => sign(currentOf(world))(world)],
  ];
}

const currentOf = ({ operators, bitcoin }: World): number =>
  currentKeys.get(operators.chain.state, bitcoin)?.keyId ?? 0;

/** Every key has a holder at each of its seats. */
function generated({ operators }: World): string | undefined {
  const { state } = operators.chain;
  for (const keyId of [1, 2]) {
    const key = keys.get(state, keyId);
    const ceremony = ceremonies.get(state, keyId);
    if (key === undefined)
      return `key ${keyId}: stage ${ceremony?.stage}, ${ceremony?.dealt.length} dealt, ${ceremony?.confirmed.length} confirmed`;
    const missing = key.shares.filter(isZero).length;
    if (missing > 0) return `${missing} seats have not confirmed key ${keyId}`;
  }
  return undefined;
}

function signed({ operators }: World, keyId: number, messages: number, draw: () => Bytes32): Goal {
  let id: Uint8Array | undefined;
  operators.chain.write(operators.nowMs, (block) => {
    id = planPayment(block, keyId, Array.from({ length: messages }, draw));
  });
  return (world) => {
    const plan = id && plans.get(world.operators.chain.state, id);
    return plan?.status === planStatus.signed ? undefined : `the plan is at status ${plan?.status}`;
  };
}

function recover({ operators }: World): Goal {
  const before = operators.sharesOf(0).length;
  operators.loseShares(0);
  operators.start(0);
  return () => {
    const now = operators.sharesOf(0).length;
    return now === before ? undefined : `${now} of ${before} shares are there again`;
  };
}

function elected({ operators }: World): string | undefined {
  const { state } = operators.chain;
  if (rings.get(state, 1) !== undefined) return undefined;
  const known = terms.get(state, "only");
  return `term ${known?.term}, election state ${known?.election}`;
}

function handedOver(world: World): string | undefined {
  const { state } = world.operators.chain;
  return currentOf(world) > 2 ? undefined : `open: ${openCeremonies.get(state, "only")?.keyIds}`;
}

function reshared({ operators }: World): string | undefined {
  const { state } = operators.chain;
  const key = keys.get(state, 1);
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  if (key === undefined || key.heldBy === 0 || open.length > 0)
    return `key 1 is held by the ring of term ${key?.heldBy}, open: ${open}`;
  const old = [...Array(operators.size).keys()]
    .flatMap((number) => operators.sharesOf(number))
    .filter(({ keyId, attempt }) => keyId === 1 && attempt < key.attempt).length;
  return old === 0 ? undefined : `${old} shares of the old ring are still on disks`;
}
